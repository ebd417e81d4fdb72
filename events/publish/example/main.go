// Command example publishes the example events of the catalogue to the queue with the given URL:
//
//	go run ./events/publish/example "$EVENTS_QUEUE_URL"
//
// It finds credentials and region as the AWS CLI does, and uses the endpoint in AWS_ENDPOINT_URL if it is set. Each run gives
// the events new ids, because Nepenthes would ignore events with the old ids as repeats.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nepenthes/events"
	"nepenthes/events/publish"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: example <URL of the events queue>")
	}
	if err := run(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, queueURL string) error {
	account, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	publisher, err := publish.New(publish.Config{Client: sqs.NewFromConfig(account), QueueURL: queueURL})
	if err != nil {
		return err
	}
	list := examples(time.Now())
	if err := publisher.Publish(ctx, list...); err != nil {
		return err
	}
	fmt.Println(len(list), "events published")
	return nil
}

// examples returns one event of each type that a producer can send. All of them occurred now.
func examples(now time.Time) []events.Event {
	var list []events.Event
	for _, kind := range events.Types() {
		if kind.Operational {
			continue
		}
		event, _ := events.Example(kind.Name)
		event.ID = "evt_" + rand.Text()
		event.OccurredAt = now.UTC().Format(time.RFC3339)
		list = append(list, event)
	}
	return list
}

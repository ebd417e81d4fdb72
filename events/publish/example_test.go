package publish_test

import (
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"nepenthes/events"
	"nepenthes/events/publish"
)

// A producer creates one Publisher and reuses it. It derives ids from its own records, so that a change has the same id
// whenever it is published again.
func Example() {
	ctx := context.Background()
	account, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		log.Fatal(err)
	}
	publisher, err := publish.New(publish.Config{
		Client:   sqs.NewFromConfig(account),
		QueueURL: os.Getenv("EVENTS_QUEUE_URL"),
	})
	if err != nil {
		log.Fatal(err)
	}

	err = publisher.Publish(ctx, events.Event{
		ID:         "time_entry-310-v1",
		Source:     "https://erp.example.com",
		Type:       "time_entry:created",
		OccurredAt: time.Now().Format(time.RFC3339),
		Project:    &events.Project{ID: "7", Identifier: "plant", Name: "Plant"},
		Data:       json.RawMessage(`{"_type":"TimeEntry","id":310,"hours":"PT1H30M"}`),
	})
	var failed *publish.Error
	if errors.As(err, &failed) {
		for _, unsent := range failed.Unsent {
			log.Print(unsent.Source, " ", unsent.ID, ": ", unsent.Err) // keep the event and publish it again
		}
	}
}

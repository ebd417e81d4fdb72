package rehearsal

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nepenthes/events"
	"nepenthes/events/publish"
	"nepenthes/infra/deployed"
	"nepenthes/shared/awsclient"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/webhook"
)

// patience is the time limit of each chapter. Most chapters take a second; a retry follows after five seconds, and a
// release with the sweeper's next run, within a minute or two.
const patience = 3 * time.Minute

// story is the life of an event as seen from outside, chapter by chapter.
type story struct {
	cloud                Cloud
	outputs              Outputs
	config               aws.Config
	queue                *sqs.Client
	client               *client
	receiver             *receiver
	stage                *deployed.Stage
	webhook              members
	requests, deliveries int // of the webhook, expected so far
}

// chapter is one step of the story.
type chapter struct {
	title string
	play  func(context.Context) error
}

// retried is the event type that the receiver refuses once. plain is the type of all other events.
const (
	retried = "time_entry:created"
	plain   = "work_package:updated"
)

// Play plays the story against a deployed stack. Its last chapter removes the stack. Play prints each chapter to out.
// If a chapter fails, it also prints the last log lines of the functions.
func Play(ctx context.Context, cloud Cloud, out io.Writer) (err error) {
	outputs, err := cloud.Folder.Outputs()
	if err != nil {
		return err
	}
	door, err := cloud.Door(ctx)
	if err != nil {
		return err
	}
	s := &story{cloud: cloud, outputs: outputs, client: &client{door: door}}
	if s.config, err = awsclient.Load(ctx, 10); err != nil {
		return err
	}
	s.queue = sqs.NewFromConfig(s.config)
	if s.stage, err = deployed.Find(ctx, s.config, outputs.Stage); err != nil {
		return err
	}
	if s.receiver, err = listen(ReceiverHost(), retried); err != nil {
		return err
	}
	defer s.receiver.close()
	for _, c := range s.chapters() {
		begun := time.Now()
		limited, cancel := context.WithTimeout(ctx, patience)
		err := c.play(limited)
		cancel()
		if err != nil {
			fmt.Fprintf(out, "✗ %s: %v\n", c.title, err)
			s.printLogs(ctx, out)
			return fmt.Errorf("%s: %w", c.title, err)
		}
		fmt.Fprintf(out, "✓ %s (%.1fs)\n", c.title, time.Since(begun).Seconds())
	}
	return nil
}

func (s *story) chapters() []chapter {
	return []chapter{
		{"the administrator gets a token", s.client.authorise},
		{"the administrator creates a webhook", s.create},
		{"a producer pushes events to SQS, and the receiver verifies them", s.push},
		{"a request that the receiver refuses is sent again", s.retry},
		{"the log shows every attempt", s.log},
		{"a paused webhook gets nothing, and gets what was held when it is resumed", s.pause},
		{"a message that cannot be decoded becomes a dead letter with its reason, and a redrive brings it back", s.bury},
		{"key pairs are rotated, and everything still works", s.rotate},
		{"the same stack is deployed again, and nothing is lost", s.redeploy},
		{"the webhook and the stack are removed", s.remove},
	}
}

func (s *story) create(ctx context.Context) (err error) {
	s.webhook, err = s.client.call(ctx, "POST", "/api/v3/webhooks", members{
		"name": "Rehearsal " + time.Now().Format(time.RFC3339Nano), "payloadUrl": s.receiver.url,
		"events": []string{retried, plain}, "secret": "generate", "headers": members{"X-Team": "rehearsal"},
	}, 201)
	if err != nil {
		return err
	}
	secret, _ := s.webhook["secret"].(string)
	return s.receiver.trust(secret)
}

// push pushes events as a producer does: only with the AWS SDK and package publish.
func (s *story) push(ctx context.Context) error {
	return errors.Join(s.publish(ctx, plain, plain, plain, "member:created"), s.arrived(ctx, 3, 3))
}

func (s *story) publish(ctx context.Context, eventTypes ...string) error {
	publisher, err := publish.New(publish.Config{Client: s.queue, QueueURL: s.outputs.EventsQueueURL})
	if err != nil {
		return err
	}
	var list []events.Event
	for _, name := range eventTypes {
		e, _ := events.Example(name)
		e.ID, e.OccurredAt = "evt_"+rand.Text(), time.Now().UTC().Format(time.RFC3339)
		list = append(list, e)
	}
	return publisher.Publish(ctx, list...)
}

// arrived waits until the given numbers of further requests and deliveries have been verified.
func (s *story) arrived(ctx context.Context, requests, deliveries int) error {
	s.requests, s.deliveries = s.requests+requests, s.deliveries+deliveries
	got, err := s.receiver.wait(ctx, s.requests)
	for _, r := range got {
		if r.event != plain && r.event != retried {
			err = errors.Join(err, fmt.Errorf("an event arrived to which the webhook is not subscribed: %s", r.event))
		}
	}
	return err
}

func (s *story) retry(ctx context.Context) error {
	if err := errors.Join(s.publish(ctx, retried), s.arrived(ctx, 2, 1)); err != nil {
		return err
	}
	got, err := s.receiver.wait(ctx, s.requests)
	if err != nil {
		return err
	}
	first, second := got[len(got)-2], got[len(got)-1]
	if first.id != second.id || first.body != second.body || first.attempt != 1 || second.attempt != 2 {
		return fmt.Errorf("the second attempt does not repeat the first: %+v, %+v", first, second)
	}
	return nil
}

func (s *story) path(more string) string {
	return "/api/v3/webhooks/" + s.webhook["id"].(string) + more
}

// log reads the webhook's log until it shows every delivery as delivered. Then it reads both attempts of the delivery
// that was refused once.
func (s *story) log(ctx context.Context) error {
	if err := poll(ctx, func() (bool, error) { return s.delivered(ctx) }); err != nil {
		return err
	}
	answer, err := s.client.call(ctx, "GET", s.path("/deliveries?pageSize=1"), nil, 200)
	if err != nil {
		return err
	}
	newest := elements(answer)[0]
	delivery, err := s.client.call(ctx, "GET", href(newest, "self"), nil, 200)
	if err != nil {
		return err
	}
	attempts, _ := delivery["_embedded"].(members)["attempts"].([]any)
	if len(attempts) != 2 {
		return fmt.Errorf("the log shows %d attempts, want 2", len(attempts))
	}
	for i, want := range []float64{500, 204} {
		attempt := attempts[i].(members)
		if got := attempt["response"].(members)["status"]; got != want {
			return fmt.Errorf("attempt %d was answered %v, want %v", i+1, got, want)
		}
		if body, _ := attempt["request"].(members)["body"].(string); !strings.Contains(body, `"action":"`+retried+`"`) {
			return fmt.Errorf("attempt %d sent %q", i+1, body)
		}
	}
	return nil
}

// delivered reports whether the log shows every delivery so far as delivered.
func (s *story) delivered(ctx context.Context) (bool, error) {
	answer, err := s.client.call(ctx, "GET", s.path("/deliveries?state=delivered&pageSize=100"), nil, 200)
	return err == nil && len(elements(answer)) == s.deliveries, err
}

func elements(answer members) (all []members) {
	embedded, _ := answer["_embedded"].(members)
	list, _ := embedded["elements"].([]any)
	for _, e := range list {
		all = append(all, e.(members))
	}
	return all
}

func href(m members, link string) string {
	links, _ := m["_links"].(members)
	l, _ := links[link].(members)
	address, _ := l["href"].(string)
	return address
}

// bury pushes a message that is not an event, finds it among the dead letters, and redrives it with the operators'
// command. The message goes back to the lane. Since it is still not an event, it becomes another dead letter.
func (s *story) bury(ctx context.Context) error {
	const nonsense = `{"this is": no event`
	_, err := s.queue.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &s.outputs.EventsQueueURL, MessageBody: aws.String(nonsense)})
	if err != nil {
		return err
	}
	first, err := s.deadLetter(ctx, "")
	if err != nil {
		return err
	}
	if reason := aws.ToString(first.MessageAttributes[lane.Reason].StringValue); aws.ToString(first.Body) != nonsense || reason != "malformed" {
		return fmt.Errorf("the dead letter is %q, its reason %q", aws.ToString(first.Body), reason)
	}
	if err := s.operate(ctx, "redrive", "-lane", "events"); err != nil {
		return err
	}
	_, err = s.deadLetter(ctx, aws.ToString(first.MessageId))
	return err
}

// deadLetter waits for a dead letter with another id than former, and leaves it in the queue.
func (s *story) deadLetter(ctx context.Context, former string) (letter types.Message, err error) {
	defer fault.Wrap(&err, "find the dead letter")
	url, err := s.stage.QueueURL(lane.Events.DeadLetters())
	if err != nil {
		return letter, err
	}
	err = poll(ctx, func() (bool, error) {
		got, err := s.queue.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MessageAttributeNames: []string{"All"}, WaitTimeSeconds: 1,
		})
		if err != nil || len(got.Messages) == 0 {
			return false, err
		}
		letter = got.Messages[0]
		_, err = s.queue.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: letter.ReceiptHandle})
		return aws.ToString(letter.MessageId) != former, err
	})
	return letter, err
}

// rotate adds a key pair for each purpose. Then an event is delivered with a secret that was sealed before.
func (s *story) rotate(ctx context.Context) error {
	for _, purpose := range []string{"webhook-secrets", "token-signing"} {
		if err := s.operate(ctx, "rotate-keys", "-purpose", purpose); err != nil {
			return err
		}
	}
	return errors.Join(s.client.authorise(ctx), s.publish(ctx, plain), s.arrived(ctx, 1, 1))
}

func (s *story) redeploy(ctx context.Context) error {
	outputs, err := s.cloud.Deploy(ctx)
	if err != nil {
		return err
	}
	if outputs != s.outputs {
		return fmt.Errorf("the outputs were %+v and are %+v", s.outputs, outputs)
	}
	if err := poll(ctx, func() (bool, error) { return s.delivered(ctx) }); err != nil {
		return err
	}
	return errors.Join(s.publish(ctx, plain), s.arrived(ctx, 1, 1))
}

// remove deletes the webhook and the stack. The tables must still be readable, in case the removal was a mistake.
func (s *story) remove(ctx context.Context) error {
	if _, err := s.client.call(ctx, "DELETE", s.path(""), nil, 204); err != nil {
		return err
	}
	if err := s.cloud.Destroy(ctx); err != nil {
		return err
	}
	if s.client.authorise(ctx) == nil {
		return errors.New("the API still answers")
	}
	names, err := s.stage.Tables()
	if err != nil {
		return err
	}
	return dynamo.New(dynamo.Config{AWS: s.config, Tables: names}).Webhooks(ctx, func(webhook.Webhook) {})
}

// poll calls ask until it returns true or an error.
func poll(ctx context.Context, ask func() (bool, error)) error {
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		yes, err := ask()
		if yes || err != nil {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

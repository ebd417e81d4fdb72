package sqs

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/limits"
)

// Options configures the queue of a lane.
type Options struct {
	// Visibility is how long a received message stays hidden: a whole number of seconds, at most 12 hours.
	Visibility time.Duration
	// MaxReceiveCount is how often a message is received before it becomes a dead letter. 0 means
	// limits.MaxReceiveCount.
	MaxReceiveCount int
}

// Create creates the queues called name and dead, where dead is the dead-letter queue of name, and returns their lanes.
// Existing queues keep their messages but take the options. Create is for local and for tests: the queues of a
// deployment come from its template.
func Create(ctx context.Context, cfg aws.Config, name, dead string, o Options) (_, deadLetters *Lane, err error) {
	defer fault.Wrap(&err, "create queue %s", name)
	if o.MaxReceiveCount == 0 {
		o.MaxReceiveCount = limits.MaxReceiveCount
	}
	client := sqs.NewFromConfig(cfg)
	keep := map[string]string{
		string(types.QueueAttributeNameMessageRetentionPeriod): seconds(limits.LaneRetention),
		string(types.QueueAttributeNameVisibilityTimeout):      seconds(o.Visibility),
	}
	deadURL, err := create(ctx, client, dead, keep)
	if err != nil {
		return nil, nil, err
	}
	deadLetters = New(cfg, deadURL)
	arn, err := deadLetters.arn(ctx)
	if err != nil {
		return nil, nil, err
	}
	redrive, err := json.Marshal(map[string]any{
		"deadLetterTargetArn": arn,
		"maxReceiveCount":     o.MaxReceiveCount,
	})
	if err != nil {
		return nil, nil, err
	}
	keep[string(types.QueueAttributeNameRedrivePolicy)] = string(redrive)
	url, err := create(ctx, client, name, keep)
	if err != nil {
		return nil, nil, err
	}
	return New(cfg, url), deadLetters, nil
}

// Find returns the lane of the queue with the given name. It returns an error if there is no such queue.
func Find(ctx context.Context, cfg aws.Config, name string) (_ *Lane, err error) {
	defer fault.Wrap(&err, "find queue %s", name)
	found, err := sqs.NewFromConfig(cfg).GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, classify(err)
	}
	return New(cfg, aws.ToString(found.QueueUrl)), nil
}

// create creates a queue, and then sets its attributes in a second step: SQS refuses to create a queue that exists with
// other attributes.
func create(ctx context.Context, client *sqs.Client, name string, attributes map[string]string) (url string, err error) {
	made, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return "", classify(err)
	}
	_, err = client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: made.QueueUrl, Attributes: attributes})
	return aws.ToString(made.QueueUrl), classify(err)
}

// seconds returns d in the form that SQS expects: a whole number of seconds.
func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

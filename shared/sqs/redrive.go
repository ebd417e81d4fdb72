package sqs

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/fault"
)

// Redrive moves every message of a dead-letter lane to the lane to, and returns the number of moved messages as far as
// SQS knows it. It always names the destination, because a message that was sent directly to a dead-letter queue has no
// source queue to return to. Moved messages have new ids and keep their attributes, which say why they were dead
// letters. If ctx ends, the redrive continues in SQS; another call fails until it is done. If the service cannot move
// messages, as some emulators cannot, Redrive returns ErrCannotMove.
func Redrive(ctx context.Context, from, to *Lane) (moved int64, err error) {
	defer fault.Wrap(&err, "redrive")
	source, err := from.arn(ctx)
	if err != nil {
		return 0, err
	}
	destination, err := to.arn(ctx)
	if err != nil {
		return 0, err
	}
	_, err = from.client.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: &source, DestinationArn: &destination})
	if awsclient.IsUnknownAction(err) {
		return 0, ErrCannotMove
	}
	if err != nil {
		return 0, classify(err)
	}
	return from.moved(ctx, source)
}

// ErrCannotMove says that the service cannot move messages between queues.
var ErrCannotMove = errors.New("the queue service cannot move messages")

// Waiting implements lane.Consumer. The count of SQS may lack a message that was sent a moment ago.
func (l *Lane) Waiting(ctx context.Context) (_ int, err error) {
	defer fault.Wrap(&err, "count the messages")
	waiting, err := l.attribute(ctx, types.QueueAttributeNameApproximateNumberOfMessages)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(waiting)
}

// arn returns the ARN of the queue, which the API for redrives needs instead of the URL.
func (l *Lane) arn(ctx context.Context) (string, error) {
	return l.attribute(ctx, types.QueueAttributeNameQueueArn)
}

// attribute reads one attribute of the queue.
func (l *Lane) attribute(ctx context.Context, name types.QueueAttributeName) (string, error) {
	answer, err := l.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &l.url, AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		return "", classify(err)
	}
	return answer.Attributes[string(name)], nil
}

// movePoll is how often SQS is asked whether it has moved all messages.
const movePoll = time.Second

// moved waits until SQS has moved all messages and returns their number.
func (l *Lane) moved(ctx context.Context, source string) (int64, error) {
	for {
		answer, err := l.client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &source, MaxResults: aws.Int32(1)})
		if err != nil {
			return 0, classify(err)
		}
		if len(answer.Results) == 0 {
			return 0, errors.New("SQS does not list the redrive")
		}
		task := answer.Results[0]
		switch aws.ToString(task.Status) {
		case "COMPLETED":
			return task.ApproximateNumberOfMessagesMoved, nil
		case "RUNNING":
		default:
			return task.ApproximateNumberOfMessagesMoved, errors.New("SQS ended the redrive as " + aws.ToString(task.Status) + ": " + aws.ToString(task.FailureReason))
		}
		select {
		case <-time.After(movePoll):
		case <-ctx.Done():
			return task.ApproximateNumberOfMessagesMoved, ctx.Err()
		}
	}
}

package sqs

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Redrive moves every message of a dead-letter lane to the lane that is named, and gives the number moved, as far
// as SQS knows it. The destination is always named: a message that was sent straight to a dead-letter queue has no
// source to go back to. Moved messages have new ids. A redrive that is broken off goes on in SQS; calling it again
// while it does fails.
//
// Emulators that cannot move messages have them moved one by one from here.
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
	if refusal, ok := errors.AsType[smithy.APIError](err); ok && cannotMove[refusal.ErrorCode()] {
		return carry(ctx, from, to)
	}
	if err != nil {
		return 0, classify(err)
	}
	return from.moved(ctx, source)
}

// cannotMove are the codes by which a service says that it does not know the action.
var cannotMove = map[string]bool{"InvalidAction": true, "UnknownOperationException": true, "NotImplemented": true}

func (l *Lane) arn(ctx context.Context) (string, error) {
	return l.attribute(ctx, types.QueueAttributeNameQueueArn)
}

func (l *Lane) attribute(ctx context.Context, name types.QueueAttributeName) (string, error) {
	answer, err := l.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &l.url, AttributeNames: []types.QueueAttributeName{name},
	})
	if err != nil {
		return "", classify(err)
	}
	return answer.Attributes[string(name)], nil
}

// movePoll is how often SQS is asked whether it is through.
const movePoll = time.Second

// moved waits until SQS has moved everything.
func (l *Lane) moved(ctx context.Context, source string) (int64, error) {
	for {
		answer, err := l.client.ListMessageMoveTasks(ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &source, MaxResults: aws.Int32(1)})
		if err != nil {
			return 0, classify(err)
		}
		if len(answer.Results) == 0 {
			return 0, errors.New("SQS has forgotten the redrive")
		}
		task := answer.Results[0]
		switch aws.ToString(task.Status) {
		case "COMPLETED":
			return task.ApproximateNumberOfMessagesMoved, nil
		case "RUNNING":
		default:
			return task.ApproximateNumberOfMessagesMoved, errors.New("SQS ended it as " + aws.ToString(task.Status) + ": " + aws.ToString(task.FailureReason))
		}
		select {
		case <-time.After(movePoll):
		case <-ctx.Done():
			return task.ApproximateNumberOfMessagesMoved, ctx.Err()
		}
	}
}

// emptyAfter is how long no message comes before a lane counts as empty.
const emptyAfter = 2 * time.Second

// carry moves messages one by one. Each is sent before it is deleted, so that a crash between doubles and loses
// nothing. Why they were dead letters is not true of them any more. It moves as many as there are now: what nobody
// can process comes back as fast as it is moved.
func carry(ctx context.Context, from, to *Lane) (moved int64, err error) {
	waiting, err := from.attribute(ctx, types.QueueAttributeNameApproximateNumberOfMessages)
	if err != nil {
		return 0, err
	}
	count, err := strconv.ParseInt(waiting, 10, 64)
	if err != nil {
		return 0, err
	}
	for moved < count {
		received, err := from.receiveSoon(ctx, int(min(count-moved, limits.BatchSize)))
		if err != nil || len(received) == 0 {
			return moved, err
		}
		for _, m := range received {
			if err := carryOne(ctx, from, to, m); err != nil {
				return moved, err
			}
			moved++
		}
	}
	return moved, nil
}

func carryOne(ctx context.Context, from, to *Lane, m lane.Message) error {
	for _, name := range []string{lane.Reason, lane.Detail, lane.Truncated} {
		delete(m.Attributes, name)
	}
	if err := to.Send(ctx, lane.Message{Body: m.Body, Group: m.Group, Attributes: m.Attributes}); err != nil {
		return err
	}
	return from.Delete(ctx, m.ID)
}

// receiveSoon is Receive for what is there already; none when the lane is empty.
func (l *Lane) receiveSoon(ctx context.Context, max int) ([]lane.Message, error) {
	soon, cancel := context.WithTimeout(ctx, emptyAfter)
	defer cancel()
	received, err := l.Receive(soon, max)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, nil //nolint:nilnil // an empty lane is no fault
	}
	return received, err
}

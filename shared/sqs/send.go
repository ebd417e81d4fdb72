package sqs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// parallelBatches is the largest number of batches that one call has under way. The 10,000 deliveries of one event are
// a thousand batches. One after another, they would take longer than fan-out may.
const parallelBatches = 16

// Send implements lane.Sender. It sends batches in parallel and in no particular order. If SQS does not take a message
// in several tries, Send returns a fault of kind Unavailable. If lane.Message.Check returns an error for a message,
// Send returns that error before anything is sent. If SQS refuses a message for good, Send returns an error, although
// other messages may have been sent.
func (l *Lane) Send(ctx context.Context, messages ...lane.Message) (err error) {
	defer fault.Wrap(&err, "send %d messages", len(messages))
	for i := range messages {
		if err := messages[i].Check(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallelBatches)
	for batch := range batches(messages) {
		group.Go(func() error { return l.sendBatch(ctx, entries(batch)) })
	}
	return group.Wait()
}

// batches splits messages, in order, into batches that fit into one request.
func batches(messages []lane.Message) iter.Seq[[]lane.Message] {
	return func(yield func([]lane.Message) bool) {
		for len(messages) > 0 {
			n, bytes := 1, messages[0].Size()
			for n < min(len(messages), limits.BatchSize) && bytes+messages[n].Size() <= limits.BatchBytes {
				bytes += messages[n].Size()
				n++
			}
			if !yield(messages[:n:n]) {
				return
			}
			messages = messages[n:]
		}
	}
}

// entries returns messages in the form of SQS. sendBatch sets their ids, which are unique only within a request.
func entries(batch []lane.Message) []types.SendMessageBatchRequestEntry {
	all := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i := range batch {
		all[i] = entry(&batch[i])
	}
	return all
}

// entry converts a message. SQS counts delays in whole seconds, so a delay is rounded up: a message must not come
// early.
func entry(m *lane.Message) types.SendMessageBatchRequestEntry {
	e := types.SendMessageBatchRequestEntry{
		MessageBody:  aws.String(string(m.Body)),
		DelaySeconds: int32((max(m.Delay, 0) + time.Second - 1) / time.Second),
	}
	if m.Group != "" {
		e.MessageGroupId = &m.Group
	}
	for name, value := range m.Attributes {
		if e.MessageAttributes == nil {
			e.MessageAttributes = map[string]types.MessageAttributeValue{}
		}
		e.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(lane.AttributeType), StringValue: &value}
	}
	return e
}

// sendBatch sends a batch until SQS has taken all of it.
func (l *Lane) sendBatch(ctx context.Context, batch []types.SendMessageBatchRequestEntry) error {
	for failed := 1; ; failed++ {
		for i := range batch {
			batch[i].Id = aws.String(strconv.Itoa(i))
		}
		output, err := l.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &l.url, Entries: batch})
		if err != nil {
			return classify(err)
		}
		taken := make([]*string, len(output.Successful))
		for i := range output.Successful {
			taken[i] = output.Successful[i].Id
		}
		left, refused := remaining(len(batch), taken, output.Failed)
		if refused != nil {
			return refused
		}
		if len(left) == 0 {
			return nil
		}
		if failed == tries {
			return unavailable(errors.New("SQS did not take all messages"))
		}
		if err := pause(ctx, failed); err != nil {
			return classify(err)
		}
		batch = pick(batch, left)
	}
}

// remaining returns which of n entries have to be sent again: all that are not in taken. The id of an entry is its
// index. remaining returns an error if SQS refuses an entry for good.
func remaining(n int, taken []*string, failed []types.BatchResultErrorEntry) (left []int, err error) {
	done := map[string]bool{}
	for _, id := range taken {
		done[aws.ToString(id)] = true
	}
	for _, f := range failed {
		if f.SenderFault {
			return nil, fmt.Errorf("SQS refuses entry %s: %s: %s", aws.ToString(f.Id), aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	for i := range n {
		if !done[strconv.Itoa(i)] {
			left = append(left, i)
		}
	}
	return left, nil
}

// pick returns the elements of all at the given indexes.
func pick[T any](all []T, indexes []int) []T {
	picked := make([]T, len(indexes))
	for i, index := range indexes {
		picked[i] = all[index]
	}
	return picked
}

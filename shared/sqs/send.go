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

// together is how many batches one call has under way: the 10,000 deliveries of one event are a thousand batches,
// which one by one would take longer than fan-out may.
const together = 16

// Send implements conformance.Sender. Batches are sent at the same time, in no order. It fails with an Unavailable
// fault when a message was not taken in several tries, and with another error when SQS will never take one; the
// others may have been sent all the same.
func (l *Lane) Send(ctx context.Context, messages ...lane.Message) (err error) {
	defer fault.Wrap(&err, "send %d messages", len(messages))
	entries := make([]types.SendMessageBatchRequestEntry, len(messages))
	for i := range messages {
		if entries[i], err = entry(&messages[i]); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for batch := range batches(entries) {
		group.Go(func() error { return l.sendBatch(ctx, batch) })
	}
	return group.Wait()
}

// entry is a message as SQS takes it. Its id means something within one request only.
func entry(m *lane.Message) (types.SendMessageBatchRequestEntry, error) {
	if m.Delay > limits.MaxDelay {
		return types.SendMessageBatchRequestEntry{}, fmt.Errorf("a delay of %v, of at most %v", m.Delay, limits.MaxDelay)
	}
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
		e.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String(attributeType), StringValue: &value}
	}
	return e, nil
}

const attributeType = "String"

// size is what SQS counts for a message: the body, and the names, types and values of its attributes.
func size(e *types.SendMessageBatchRequestEntry) int {
	total := len(*e.MessageBody)
	for name, value := range e.MessageAttributes {
		total += len(name) + len(attributeType) + len(*value.StringValue)
	}
	return total
}

// batches cuts entries, in their order, into what one request may hold. One that is too large by itself gets a
// request to itself, and SQS refuses that.
func batches(entries []types.SendMessageBatchRequestEntry) iter.Seq[[]types.SendMessageBatchRequestEntry] {
	return func(yield func([]types.SendMessageBatchRequestEntry) bool) {
		for len(entries) > 0 {
			n, bytes := 1, size(&entries[0])
			for n < min(len(entries), limits.BatchSize) && bytes+size(&entries[n]) <= limits.BatchBytes {
				bytes += size(&entries[n])
				n++
			}
			if !yield(entries[:n:n]) {
				return
			}
			entries = entries[n:]
		}
	}
}

// sendBatch offers a batch until SQS has taken all of it.
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
			return unavailable(errors.New("SQS has not taken all messages"))
		}
		if err := pause(ctx, failed); err != nil {
			return classify(err)
		}
		batch = pick(batch, left)
	}
}

// remaining says which of n entries, whose ids are their places, are to be offered again: all that the answer does
// not name as taken. It fails when an entry will never be taken.
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

func pick[T any](all []T, places []int) []T {
	picked := make([]T, len(places))
	for i, place := range places {
		picked[i] = all[place]
	}
	return picked
}

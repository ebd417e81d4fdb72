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

// Send implements lane.Sender. Batches are sent at the same time, in no order. It fails with an Unavailable
// fault when a message was not taken in several tries, and with another error when SQS will never take one: before
// anything is sent when lane.Message.Check says so, otherwise the others may have been sent all the same.
func (l *Lane) Send(ctx context.Context, messages ...lane.Message) (err error) {
	defer fault.Wrap(&err, "send %d messages", len(messages))
	for i := range messages {
		if err := messages[i].Check(); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(together)
	for batch := range batches(messages) {
		group.Go(func() error { return l.sendBatch(ctx, entries(batch)) })
	}
	return group.Wait()
}

// batches cuts messages, in their order, into what one request may hold.
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

// entries are messages as SQS takes them. Their ids, which sendBatch sets, mean something within one request only.
func entries(batch []lane.Message) []types.SendMessageBatchRequestEntry {
	all := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i := range batch {
		all[i] = entry(&batch[i])
	}
	return all
}

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

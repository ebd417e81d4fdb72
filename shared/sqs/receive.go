package sqs

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

const (
	// longPoll is how long SQS holds a receive while there is no message. It is short because callers wait for the
	// result, and because a consumer that is killed leaves behind a held receive, which may take messages.
	longPoll = time.Second
	// shortPoll is the pause between receives that are not held, when less than a second is left to wait.
	shortPoll = 100 * time.Millisecond
)

// Receive implements lane.Consumer. A held receive must end before ctx does. Otherwise SQS might give a message to a
// request that nobody waits for, and hide the message.
func (l *Lane) Receive(ctx context.Context, max int) (received []lane.Message, err error) {
	defer fault.Wrap(&err, "receive")
	for {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		held := longPoll
		if deadline, ok := ctx.Deadline(); ok {
			held = min(held, time.Until(deadline)).Truncate(time.Second)
		}
		output, err := l.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &l.url, MaxNumberOfMessages: int32(min(max, limits.BatchSize)), WaitTimeSeconds: int32(held / time.Second),
			MessageAttributeNames: []string{"All"},
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{
				types.MessageSystemAttributeNameApproximateReceiveCount, types.MessageSystemAttributeNameSentTimestamp,
				types.MessageSystemAttributeNameMessageGroupId,
			},
		})
		switch {
		case ctx.Err() != nil && err != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, classify(err)
		case len(output.Messages) > 0:
			return l.take(output.Messages), nil
		case held == 0:
			select {
			case <-time.After(shortPoll):
			case <-ctx.Done():
			}
		}
	}
}

// take converts messages and keeps their receipt handles.
func (l *Lane) take(messages []types.Message) []lane.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	received := make([]lane.Message, len(messages))
	for i := range messages {
		received[i] = message(&messages[i])
		l.handles[received[i].ID] = aws.ToString(messages[i].ReceiptHandle)
	}
	return received
}

// message converts a message of SQS. A number that is missing counts as 0.
func message(m *types.Message) lane.Message {
	count, _ := strconv.Atoi(m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	sent, _ := strconv.ParseInt(m.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	received := lane.Message{
		ID: aws.ToString(m.MessageId), Body: []byte(aws.ToString(m.Body)), ReceiveCount: count, SentAt: time.UnixMilli(sent).UTC(),
		Group: m.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
	}
	for name, value := range m.MessageAttributes {
		if value.StringValue == nil {
			continue // a binary value, which no consumer reads
		}
		if received.Attributes == nil {
			received.Attributes = map[string]string{}
		}
		received.Attributes[name] = *value.StringValue
	}
	return received
}

// Delete implements lane.Consumer. It ignores messages that were not received through l.
func (l *Lane) Delete(ctx context.Context, ids ...string) (err error) {
	defer fault.Wrap(&err, "delete %d messages", len(ids))
	entries := l.receipts(ids)
	for len(entries) > 0 {
		n := min(len(entries), limits.BatchSize)
		if err := l.deleteBatch(ctx, entries[:n:n]); err != nil {
			return err
		}
		entries = entries[n:]
	}
	return nil
}

// receipts removes the receipt handles of messages and returns the entries to delete them. SQS deletes by handle, not
// by id.
func (l *Lane) receipts(ids []string) (entries []types.DeleteMessageBatchRequestEntry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if handle, ok := l.handles[id]; ok {
			delete(l.handles, id)
			entries = append(entries, types.DeleteMessageBatchRequestEntry{ReceiptHandle: &handle})
		}
	}
	return entries
}

// deleteBatch deletes a batch, and tries again to delete messages that SQS has not deleted.
func (l *Lane) deleteBatch(ctx context.Context, batch []types.DeleteMessageBatchRequestEntry) error {
	for failed := 1; ; failed++ {
		for i := range batch {
			batch[i].Id = aws.String(strconv.Itoa(i))
		}
		output, err := l.client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &l.url, Entries: batch})
		if err != nil {
			return classify(err)
		}
		done := make([]*string, len(output.Successful))
		for i := range output.Successful {
			done[i] = output.Successful[i].Id
		}
		var serious []types.BatchResultErrorEntry
		for _, f := range output.Failed {
			if f.SenderFault { // the handle has expired: the message was received again or deleted
				done = append(done, f.Id)
			} else {
				serious = append(serious, f)
			}
		}
		left, _ := remaining(len(batch), done, serious)
		if len(left) == 0 {
			return nil
		}
		if failed == tries {
			return unavailable(errors.New("SQS did not delete all messages"))
		}
		if err := pause(ctx, failed); err != nil {
			return classify(err)
		}
		batch = pick(batch, left)
	}
}

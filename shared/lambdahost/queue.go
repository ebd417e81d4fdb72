package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	lambdaevents "github.com/aws/aws-lambda-go/events"

	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Consumer handles one message. It returns nil if the message is done, and an error if it must be tried again.
type Consumer func(ctx context.Context, m lane.Message) error

// Batch handles batches from an SQS queue whose event source has ReportBatchItemFailures.
type Batch func(ctx context.Context, e lambdaevents.SQSEvent) (lambdaevents.SQSEventResponse, error)

// Queue returns a batch handler that calls consume for all messages of a batch concurrently:
//
//  1. A message is done if consume returns nil. batchItemFailures lists all other messages. It is an empty list,
//     never null, if there are none. The handler never returns an error for the batch.
//  2. A panic fails only its own message. It is logged with its stack but without the body of the message.
//  3. The contexts end shortly before the deadline of the invocation (limits.LaneMargin). A message that is not done
//     by then counts as failed: it may be handled twice but is not lost.
func Queue(consume Consumer, logger *slog.Logger) Batch {
	return func(ctx context.Context, e lambdaevents.SQSEvent) (lambdaevents.SQSEventResponse, error) {
		if deadline, ok := ctx.Deadline(); ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithDeadline(ctx, deadline.Add(-limits.LaneMargin))
			defer cancel()
		}
		failures := []lambdaevents.SQSBatchItemFailure{}
		for _, id := range failed(ctx, consume, e.Records, logger) {
			failures = append(failures, lambdaevents.SQSBatchItemFailure{ItemIdentifier: id})
		}
		return lambdaevents.SQSEventResponse{BatchItemFailures: failures}, nil
	}
}

// failed consumes all records concurrently. It returns the ids of the messages that are not done when the last call
// returns or ctx ends. It needs no goroutine for the batches of package local, which have one message and no deadline.
func failed(ctx context.Context, consume Consumer, records []lambdaevents.SQSMessage, logger *slog.Logger) []string {
	finished := map[string]bool{}
	if _, bounded := ctx.Deadline(); !bounded && len(records) == 1 {
		finished[records[0].MessageId] = consumeOne(ctx, consume, records[0], logger)
		return notIn(finished, records)
	}
	done := make(chan string, len(records)) // buffered, so that a late consumer does not block for ever
	b, ctx := newBatch(ctx, len(records))
	for _, record := range records {
		go func() {
			defer b.done()
			if consumeOne(ctx, consume, record, logger) {
				done <- record.MessageId
			} else {
				done <- ""
			}
		}()
	}
	for range records {
		select {
		case id := <-done:
			finished[id] = true
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				logger.WarnContext(ctx, "batch.cut_short", "messages", len(records))
			}
			return notIn(finished, records)
		}
	}
	return notIn(finished, records)
}

// notIn returns the ids of the records that are not finished, in the order of the records.
func notIn(finished map[string]bool, records []lambdaevents.SQSMessage) []string {
	var ids []string
	for _, record := range records {
		if !finished[record.MessageId] {
			ids = append(ids, record.MessageId)
		}
	}
	return ids
}

// consumeOne consumes one message and reports whether it is done. It logs failures, because SQS learns only the id of a
// message that failed.
func consumeOne(ctx context.Context, consume Consumer, record lambdaevents.SQSMessage, logger *slog.Logger) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			logger.ErrorContext(ctx, "message.panicked", "message", record.MessageId, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			done = false
		}
	}()
	if err := consume(ctx, message(record)); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return false // the process is shutting down; the message itself did not fail
		}
		logger.WarnContext(ctx, "message.failed", "message", record.MessageId, "error", err)
		return false
	}
	return true
}

// message converts a record to a message of a lane.
func message(record lambdaevents.SQSMessage) lane.Message {
	m := lane.Message{ID: record.MessageId, Body: []byte(record.Body), Group: record.Attributes["MessageGroupId"]}
	m.ReceiveCount, _ = strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
	if ms, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64); err == nil {
		m.SentAt = time.UnixMilli(ms)
	}
	for name, attribute := range record.MessageAttributes {
		if attribute.StringValue == nil {
			continue // a binary attribute of a producer, which nothing reads
		}
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = *attribute.StringValue
	}
	return m
}

// Record returns the message as SQS passes it to a function. Package local and tests use it to call a Batch.
func Record(m lane.Message) lambdaevents.SQSMessage {
	record := lambdaevents.SQSMessage{
		MessageId: m.ID, ReceiptHandle: m.ID, Body: string(m.Body), EventSource: "aws:sqs",
		Attributes: map[string]string{
			"ApproximateReceiveCount": strconv.Itoa(m.ReceiveCount),
			"SentTimestamp":           strconv.FormatInt(m.SentAt.UnixMilli(), 10),
		},
	}
	if m.Group != "" {
		record.Attributes["MessageGroupId"] = m.Group
	}
	for name, value := range m.Attributes {
		if record.MessageAttributes == nil {
			record.MessageAttributes = map[string]lambdaevents.SQSMessageAttribute{}
		}
		record.MessageAttributes[name] = lambdaevents.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	return record
}

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

// Consumer handles one message: nil is done for ever, an error is try again.
type Consumer func(ctx context.Context, m lane.Message) error

// Batch is a handler for the event source of an SQS queue with ReportBatchItemFailures.
type Batch func(ctx context.Context, e lambdaevents.SQSEvent) (lambdaevents.SQSEventResponse, error)

// Queue makes the batch handler that gives each message to consume, all of a batch at once:
//
//  1. A message whose consumer returns nil is done; the others are named in batchItemFailures, which is an empty
//     list when there are none (never null) and never an error for the batch.
//  2. A panic fails only its own message; it is logged with its stack, without the message's body.
//  3. Shortly before the invocation's deadline (limits.LaneMargin) contexts end, and what has not returned by then
//     counts as failed: better twice than lost.
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

// failed consumes all records side by side and gives the ids of those that are not done when the last one returns
// or ctx ends. A batch of one without a deadline, as local makes them, needs no goroutine of its own.
func failed(ctx context.Context, consume Consumer, records []lambdaevents.SQSMessage, logger *slog.Logger) []string {
	finished := map[string]bool{}
	if _, bounded := ctx.Deadline(); !bounded && len(records) == 1 {
		finished[records[0].MessageId] = consumeOne(ctx, consume, records[0], logger)
		return notIn(finished, records)
	}
	done := make(chan string, len(records))
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

func notIn(finished map[string]bool, records []lambdaevents.SQSMessage) []string {
	var ids []string
	for _, record := range records {
		if !finished[record.MessageId] {
			ids = append(ids, record.MessageId)
		}
	}
	return ids
}

// consumeOne reports whether the message is done. A failure is logged once, here.
func consumeOne(ctx context.Context, consume Consumer, record lambdaevents.SQSMessage, logger *slog.Logger) (done bool) {
	defer func() {
		if p := recover(); p != nil {
			logger.ErrorContext(ctx, "message.panicked", "message", record.MessageId, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			done = false
		}
	}()
	if err := consume(ctx, message(record)); err != nil {
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return false // we are shutting down: nothing is wrong with the message
		}
		logger.WarnContext(ctx, "message.failed", "message", record.MessageId, "error", err)
		return false
	}
	return true
}

// message is a record as the lanes know it.
func message(record lambdaevents.SQSMessage) lane.Message {
	m := lane.Message{ID: record.MessageId, Body: []byte(record.Body), Group: record.Attributes["MessageGroupId"]}
	m.ReceiveCount, _ = strconv.Atoi(record.Attributes["ApproximateReceiveCount"])
	if ms, err := strconv.ParseInt(record.Attributes["SentTimestamp"], 10, 64); err == nil {
		m.SentAt = time.UnixMilli(ms)
	}
	for name, attribute := range record.MessageAttributes {
		if attribute.StringValue == nil {
			continue
		}
		if m.Attributes == nil {
			m.Attributes = map[string]string{}
		}
		m.Attributes[name] = *attribute.StringValue
	}
	return m
}

// Record is a message as SQS hands it to a function: how local and tests go through the same adapter as the cloud.
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

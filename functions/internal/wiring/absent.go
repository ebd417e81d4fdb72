package wiring

import (
	"context"
	"errors"

	"nepenthes/events"
	"nepenthes/shared/delivery"
	"nepenthes/shared/lane"
	"nepenthes/shared/record"
	"nepenthes/shared/webhook"
)

// absent stands for parts that a function does not need and has no permission to use. All its methods fail.
type absent struct{}

var errAbsent = errors.New("this function has no such part")

// Send fails.
func (absent) Send(context.Context, ...lane.Message) error { return errAbsent }

// Seal fails.
func (absent) Seal(context.Context, []byte, webhook.SealInfo) ([]byte, error) { return nil, errAbsent }

// Operate fails.
func (absent) Operate(context.Context, events.Event, delivery.Trigger, ...string) (record.Event, error) {
	return record.Event{}, errAbsent
}

// Package redrive moves dead letters back to the lane that they come from, and tells why they had left it.
package redrive

import (
	"context"
	"errors"
	"maps"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// Source is a dead-letter lane, see lane.Consumer.
type Source interface {
	Waiting(ctx context.Context) (int, error)
	Receive(ctx context.Context, max int) ([]lane.Message, error)
	Delete(ctx context.Context, ids ...string) error
}

// Destination is the lane to which messages go back.
type Destination interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// emptyAfter is how long no message comes before a lane counts as empty: others may hold what was waiting.
const emptyAfter = 2 * time.Second

// Carry moves as many messages as wait now: what nobody can process may come back as fast as it is moved. The
// destination is named, since a message that was sent straight to a dead-letter lane has no source to go back to.
// Messages get new ids, and lose what says why they were dead letters: it is not true of them any more. Each is sent
// before it is deleted, so that a crash between doubles and loses nothing; after an error, what was moved stays moved,
// and calling Carry again goes on.
func Carry(ctx context.Context, from Source, to Destination) (_ Moved, err error) {
	defer fault.Wrap(&err, "redrive")
	moved := Moved{}
	left, err := from.Waiting(ctx)
	for err == nil && left > 0 {
		var letters []lane.Message
		if letters, err = receiveSoon(ctx, from, min(left, limits.BatchSize)); len(letters) == 0 {
			break
		}
		if err = carry(ctx, from, to, letters); err == nil {
			moved.add(letters)
			left -= len(letters)
		}
	}
	return moved, err
}

// receiveSoon returns what comes at once; none when the lane is empty.
func receiveSoon(ctx context.Context, from Source, max int) ([]lane.Message, error) {
	soon, cancel := context.WithTimeout(ctx, emptyAfter)
	defer cancel()
	letters, err := from.Receive(soon, max)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, nil //nolint:nilnil // an empty lane is no fault
	}
	return letters, err
}

// carry moves letters. An interrupt after they were sent does not keep them from being deleted.
func carry(ctx context.Context, from Source, to Destination, letters []lane.Message) error {
	ids, again := make([]string, len(letters)), make([]lane.Message, len(letters))
	for i, m := range letters {
		ids[i], again[i] = m.ID, lane.Message{Body: m.Body, Group: m.Group, Attributes: maps.Clone(m.Attributes)}
		for _, name := range []string{lane.Reason, lane.Detail, lane.Truncated} {
			delete(again[i].Attributes, name)
		}
	}
	if err := to.Send(ctx, again...); err != nil {
		return err
	}
	return from.Delete(context.WithoutCancel(ctx), ids...)
}

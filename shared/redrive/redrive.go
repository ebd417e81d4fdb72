// Package redrive moves dead letters back to their lane and reports why they were dead letters.
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

// Source is a dead-letter lane. See lane.Consumer.
type Source interface {
	Waiting(ctx context.Context) (int, error)
	Receive(ctx context.Context, max int) ([]lane.Message, error)
	Delete(ctx context.Context, ids ...string) error
}

// Destination is the lane to which the messages are moved.
type Destination interface {
	Send(ctx context.Context, messages ...lane.Message) error
}

// emptyAfter is how long Move waits for a message before it considers the lane empty. Another consumer may have
// received the messages that were waiting.
const emptyAfter = 2 * time.Second

// Move moves dead letters to their lane, at most as many as are waiting when it is called. Without that limit it might
// never end, because a message that cannot be processed may become a dead letter again. The caller names the destination,
// because SQS does not know the source of a message that was sent directly to a dead-letter lane.
//
// Each message gets a new id and loses the attributes that say why it was a dead letter, which no longer apply. Move
// sends a message before it deletes the dead letter, so a crash may duplicate messages but does not lose any. After an
// error the messages that were moved stay moved, and Move may be called again for the others.
func Move(ctx context.Context, from Source, to Destination) (_ Moved, err error) {
	defer fault.Wrap(&err, "redrive")
	moved := Moved{}
	left, err := from.Waiting(ctx)
	for err == nil && left > 0 {
		var letters []lane.Message
		if letters, err = receiveSoon(ctx, from, min(left, limits.BatchSize)); len(letters) == 0 {
			break
		}
		if err = moveAll(ctx, from, to, letters); err == nil {
			moved.add(letters)
			left -= len(letters)
		}
	}
	return moved, err
}

// receiveSoon receives up to max messages. It returns none if no message comes within emptyAfter.
func receiveSoon(ctx context.Context, from Source, max int) ([]lane.Message, error) {
	soon, cancel := context.WithTimeout(ctx, emptyAfter)
	defer cancel()
	letters, err := from.Receive(soon, max)
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil, nil //nolint:nilnil // an empty lane is not an error
	}
	return letters, err
}

// moveAll moves the given letters. Once they are sent, it deletes them even if ctx has ended. Otherwise they would be
// moved twice.
func moveAll(ctx context.Context, from Source, to Destination, letters []lane.Message) error {
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

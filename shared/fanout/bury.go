package fanout

import (
	"context"
	"errors"
	"maps"
	"strings"

	"nepenthes/events"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
)

// bury sends a message that no try can ever decode straight to the dead-letter lane, with its reason. An error
// that is not about the event itself is returned as it is, and the message comes again.
func (f *Fanout) bury(ctx context.Context, m lane.Message, why error) error {
	refusal, ok := errors.AsType[*events.Error](why)
	if !ok {
		return why
	}
	dead := lane.Message{Body: m.Body, Attributes: maps.Clone(m.Attributes)}
	if dead.Attributes == nil {
		dead.Attributes = map[string]string{}
	}
	dead.Attributes[lane.Reason] = string(refusal.Reason)
	dead.Attributes[lane.Detail] = detail(refusal)
	if len(dead.Body) > limits.DeadLetterBytes {
		dead.Body = dead.Body[:limits.DeadLetterBytes]
		dead.Attributes[lane.Truncated] = "true"
	}
	if err := f.DeadLetters.Send(ctx, dead); err != nil {
		return err
	}
	f.Logger.WarnContext(ctx, "event.dead_lettered", "message", m.ID, "reason", refusal.Reason, "bytes", len(m.Body))
	return nil
}

// detailMax is the most bytes of a detail: room for every fault of an ordinary event, beside a body of any size.
const detailMax = 4096

// detail is the refusal in a sentence. It must be text that SQS takes as an attribute, which control characters
// are not.
func detail(refusal *events.Error) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, refusal.Error())
	if len(text) > detailMax {
		text = strings.ToValidUTF8(text[:detailMax], "")
	}
	return text
}

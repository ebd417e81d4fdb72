package fanout

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

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
	dead := letter(m, refusal)
	if err := f.DeadLetters.Send(ctx, dead); err != nil {
		return err
	}
	f.Logger.WarnContext(ctx, "event.dead_lettered", "message", m.ID, "reason", refusal.Reason, "bytes", len(m.Body))
	return nil
}

// letter is the dead letter of a message. Of the attributes that its producer gave it, which may be ten already, only
// the trace context goes along: SQS takes ten in all, and would refuse the letter with its reason.
func letter(m lane.Message, refusal *events.Error) lane.Message {
	dead := lane.Message{Body: m.Body, Attributes: map[string]string{
		lane.Reason: string(refusal.Reason), lane.Detail: detail(refusal),
	}}
	if parent := m.Attributes[lane.Traceparent]; parent != "" && len(parent) <= traceparentMax {
		dead.Attributes[lane.Traceparent] = parent
	}
	if len(dead.Body) > limits.DeadLetterBytes {
		dead.Body = cut(dead.Body, limits.DeadLetterBytes)
		dead.Attributes[lane.Truncated] = "true"
	}
	return dead
}

// traceparentMax is the most bytes of a trace context that go along. Version 00 has 55; what is longer than any
// version to come leaves no room beside a body of a million bytes.
const traceparentMax = 512

// cut is as much of a text as fits into so many bytes, up to three less where a character would be cut in two:
// SQS takes no half of one.
func cut(text []byte, most int) []byte {
	for end := most; end > most-utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end]) {
			return text[:end]
		}
	}
	return text[:most]
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

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

// bury sends a message to the dead-letter lane, with the reason why it can never be processed. If why is not about the
// event itself, bury returns why, and the message comes again.
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

// letter returns the dead letter of a message. It keeps only one of the producer's attributes, the trace context. A
// producer may set ten attributes, and SQS would refuse the reason as the eleventh.
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

// traceparentMax is the size in bytes of the longest trace context that a dead letter keeps. Version 00 has 55 bytes. A
// much longer trace context would not fit beside a body of a million bytes.
const traceparentMax = 512

// cut returns the longest prefix of a text that has at most the given number of bytes and does not end within a
// character, because SQS refuses a part of a character.
func cut(text []byte, most int) []byte {
	for end := most; end > most-utf8.UTFMax; end-- {
		if utf8.RuneStart(text[end]) {
			return text[:end]
		}
	}
	return text[:most]
}

// detailMax is the size in bytes of the longest detail. The faults of an ordinary event fit into it.
const detailMax = 4096

// detail returns the refusal as a sentence, without the control characters that SQS refuses in an attribute.
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

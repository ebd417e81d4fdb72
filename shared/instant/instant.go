// Package instant writes moments as every answer, page and log line of ours does: in UTC, with exactly three digits of
// a second. What a producer wrote stays as it came and does not pass here.
package instant

import (
	"context"
	"log/slog"
	"time"
)

// layout is RFC 3339 with milliseconds.
const layout = "2006-01-02T15:04:05.000Z"

// Text writes t, cut to milliseconds and not rounded: nothing is told to be later than it was.
func Text(t time.Time) string { return t.UTC().Format(layout) } // Format cuts

// Cut is t in UTC without what Text does not show; moments are compared so.
func Cut(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Time is a moment of an answer.
type Time struct{ time.Time }

// Of makes a Time.
func Of(t time.Time) Time { return Time{t.UTC()} }

// MarshalJSON writes the moment as Text does.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + Text(t.Time) + `"`), nil }

// MarshalText writes the moment as Text does.
func (t Time) MarshalText() ([]byte, error) { return []byte(Text(t.Time)), nil }

// String is Text of the moment.
func (t Time) String() string { return Text(t.Time) }

// ReplaceAttr writes the times of a log line; it fits slog.HandlerOptions.
func ReplaceAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		return slog.String(a.Key, Text(a.Value.Time()))
	}
	return a
}

// Handler wraps a handler whose options belong to somebody else, so that the times of its lines are written as Text
// does. Those of groups and of With are left to next.
func Handler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ slog.Handler }

// WithAttrs keeps what the embedded method would lose.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// Handle gives the record on with its times as texts.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	line := slog.NewRecord(time.Time{}, r.Level, r.Message, r.PC) // no time of its own: next would write it
	if !r.Time.IsZero() {
		line.AddAttrs(slog.String(slog.TimeKey, Text(r.Time)))
	}
	r.Attrs(func(a slog.Attr) bool {
		line.AddAttrs(ReplaceAttr(nil, a))
		return true
	})
	return h.Handler.Handle(ctx, line)
}

// Package instant writes times in one form for answers, pages and log lines: RFC 3339 in UTC, with milliseconds. Times
// in an event keep the spelling of the producer and do not use this package.
package instant

import (
	"context"
	"log/slog"
	"time"
)

// layout is RFC 3339 with milliseconds.
const layout = "2006-01-02T15:04:05.000Z"

// Text returns t as text. It cuts the digits after the milliseconds instead of rounding, so that no time is shown later
// than it was.
func Text(t time.Time) string { return t.UTC().Format(layout) } // Format cuts too

// Cut returns t in UTC, cut to milliseconds. Use it to compare a time with one that a client sends back, because the
// client saw only milliseconds.
func Cut(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// Time is a time.Time that is written as Text writes it.
type Time struct{ time.Time }

// Of returns t as a Time in UTC.
func Of(t time.Time) Time { return Time{t.UTC()} }

// MarshalJSON returns Text in quotation marks.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + Text(t.Time) + `"`), nil }

// MarshalText returns Text.
func (t Time) MarshalText() ([]byte, error) { return []byte(Text(t.Time)), nil }

// String returns Text.
func (t Time) String() string { return Text(t.Time) }

// ReplaceAttr replaces a time in a log line by its Text. It is for slog.HandlerOptions.
func ReplaceAttr(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindTime {
		return slog.String(a.Key, Text(a.Value.Time()))
	}
	return a
}

// Handler returns a handler that replaces the times of each log line by their Text and passes the line to next. Use it
// if the options of next cannot be set. Times in groups and from With are not replaced.
func Handler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ slog.Handler }

// WithAttrs wraps the result again, which the embedded method does not do.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// Handle passes the record on with its times as texts.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	line := slog.NewRecord(time.Time{}, r.Level, r.Message, r.PC) // without a time, which next would write in its own form
	if !r.Time.IsZero() {
		line.AddAttrs(slog.String(slog.TimeKey, Text(r.Time)))
	}
	r.Attrs(func(a slog.Attr) bool {
		line.AddAttrs(ReplaceAttr(nil, a))
		return true
	})
	return h.Handler.Handle(ctx, line)
}

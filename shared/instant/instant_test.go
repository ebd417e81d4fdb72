package instant_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/instant"
)

var times = map[string]time.Time{
	"2026-01-02T11:00:00.000Z": time.Date(2026, 1, 2, 12, 0, 0, 0, time.FixedZone("", 3600)),
	"2026-01-02T11:00:00.120Z": time.Date(2026, 1, 2, 11, 0, 0, 120_000_000, time.UTC),
	"2026-01-02T11:00:00.999Z": time.Date(2026, 1, 2, 11, 0, 0, 999_999_999, time.UTC), // cut, not rounded
	"0001-01-01T00:00:00.000Z": {},
	"9999-12-31T23:59:59.001Z": time.Date(9999, 12, 31, 23, 59, 59, 1_000_000, time.UTC),
}

func TestTime(t *testing.T) {
	for want, at := range times {
		if got := instant.Text(at); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		text, err := json.Marshal(map[instant.Time]any{instant.Of(at): []any{instant.Of(at), &instant.Time{Time: at}}})
		if err != nil || strings.Count(string(text), `"`+want+`"`) != 3 {
			t.Errorf("got %s, %v, want %s three times", text, err, want)
		}
		var back instant.Time
		if err := json.Unmarshal([]byte(`"`+want+`"`), &back); err != nil || !back.Equal(instant.Cut(at)) {
			t.Errorf("got %v, %v, want %v", back, err, instant.Cut(at))
		}
	}
}

func TestLogLines(t *testing.T) {
	for want, at := range times {
		if at.IsZero() {
			continue
		}
		var log bytes.Buffer
		r := slog.NewRecord(at, slog.LevelInfo, "m", 0)
		r.AddAttrs(slog.Time("due", at), slog.Int("n", 7))
		text := slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: instant.ReplaceAttr})
		for _, handler := range []slog.Handler{text, instant.Handler(slog.NewJSONHandler(&log, nil)).WithAttrs([]slog.Attr{slog.String("stage", "x")})} {
			if err := handler.Handle(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if got := log.String(); strings.Count(got, want) != 4 || strings.Count(got, "T") != 4 || !strings.Contains(got, `"time":"`+want) || !strings.HasPrefix(got, "time="+want) {
			t.Errorf("got %s, want each time as %s", got, want)
		}
	}
}

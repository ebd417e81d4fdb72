package metrics_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nepenthes/shared/metrics"
)

// line calls log with a logger and returns the members of the line that CloudWatch would read.
func line(t *testing.T, log func(*slog.Logger)) map[string]any {
	t.Helper()
	var text strings.Builder
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log(slog.New(metrics.Handler(slog.NewJSONHandler(&text, &slog.HandlerOptions{ReplaceAttr: withoutTime}), "dev")))
	var members map[string]any
	if err := json.Unmarshal([]byte(text.String()), &members); err != nil {
		t.Fatalf("%v: %s", err, text.String())
	}
	return members
}

func TestHandler(t *testing.T) {
	type object = map[string]any
	for name, c := range map[string]struct {
		log  func(*slog.Logger)
		want object
	}{
		"an attempt": {
			func(l *slog.Logger) { l.With("x", "y").Info("delivery.attempted", "outcome", "failed", "ms", 15) },
			object{
				"level": "INFO", "msg": "delivery.attempted", "x": "y", "outcome": "failed", "ms": 15.0,
				"stage": "dev", "Attempts": 1.0, "AttemptLatency": 15.0,
				"_aws": object{"CloudWatchMetrics": []any{object{
					"Namespace": "Nepenthes", "Dimensions": []any{[]any{"stage", "outcome"}},
					"Metrics": []any{object{"Name": "Attempts", "Unit": "Count"}, object{"Name": "AttemptLatency", "Unit": "Milliseconds"}},
				}}},
			},
		},
		"an event": {
			func(l *slog.Logger) { l.Info("event.fanned_out", "matches", 3) },
			object{
				"level": "INFO", "msg": "event.fanned_out", "matches": 3.0, "stage": "dev", "Events": 1.0, "Matches": 3.0,
				"_aws": object{"CloudWatchMetrics": []any{object{
					"Namespace": "Nepenthes", "Dimensions": []any{[]any{"stage"}},
					"Metrics": []any{object{"Name": "Events", "Unit": "Count"}, object{"Name": "Matches", "Unit": "Count"}},
				}}},
			},
		},
		"a dead letter": {
			func(l *slog.Logger) { l.Warn("event.dead_lettered", "reason", "malformed") },
			object{
				"level": "WARN", "msg": "event.dead_lettered", "reason": "malformed", "stage": "dev", "DeadLetters": 1.0,
				"_aws": object{"CloudWatchMetrics": []any{object{
					"Namespace": "Nepenthes", "Dimensions": []any{[]any{"stage", "reason"}},
					"Metrics": []any{object{"Name": "DeadLetters", "Unit": "Count"}},
				}}},
			},
		},
		"any other line": {
			func(l *slog.Logger) { l.Info("sweep.rang", "deliveries", 7) },
			object{"level": "INFO", "msg": "sweep.rang", "deliveries": 7.0},
		},
		"a line inside a group": {
			func(l *slog.Logger) { l.WithGroup("g").Info("event.fanned_out", "matches", 3) },
			object{"level": "INFO", "msg": "event.fanned_out", "g": object{"matches": 3.0}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := time.Now().UnixMilli()
			got := line(t, c.log)
			if aws, ok := got["_aws"].(object); ok {
				if at, _ := aws["Timestamp"].(float64); int64(at) < before || int64(at) > time.Now().UnixMilli() {
					t.Errorf("got timestamp %v, want the current time", aws["Timestamp"])
				}
				delete(aws, "Timestamp")
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

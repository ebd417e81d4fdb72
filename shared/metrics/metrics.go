// Package metrics makes metrics of the log lines that the work writes anyway, in CloudWatch's embedded metric
// format: a line about an outcome gets one more member, by which CloudWatch counts it. So nothing is counted that
// is not also told in the log, no call is made on an event's way, and the work knows nothing of metrics.
//
// The format is described in the CloudWatch user guide, "Specification: Embedded metric format".
package metrics

import (
	"context"
	"log/slog"
)

// Namespace is where CloudWatch keeps our metrics. Each has the dimension stage, and the one that its table entry names.
const Namespace = "Nepenthes"

// metric is one metric of a log line.
type metric struct {
	name string
	unit string // as CloudWatch spells it
	// from is the attribute of the line that is the value; empty means that the line counts as 1.
	from string
}

// lines are the log messages that are counted. CloudWatch bills each metric with each value of its dimensions:
// what has many values (a webhook, an event type) is no dimension and is found by a query on the log.
var lines = map[string]struct {
	dimension string // an attribute of the line; empty for none
	metrics   []metric
}{
	"delivery.attempted":  {"outcome", []metric{{"Attempts", "Count", ""}, {"AttemptLatency", "Milliseconds", "ms"}}},
	"event.fanned_out":    {"", []metric{{"Events", "Count", ""}, {"Matches", "Count", "matches"}}},
	"event.dead_lettered": {"reason", []metric{{"DeadLetters", "Count", ""}}},
}

// Handler wraps next, which must write one JSON object per line to standard output, so that lines which count are
// metrics of the stage. All others pass unchanged.
func Handler(next slog.Handler, stage string) slog.Handler { return handler{next, stage} }

type handler struct {
	slog.Handler
	stage string
}

// WithAttrs keeps what the embedded method would lose.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.stage}
}

// WithGroup ends the counting: the members of a group do not stand where the format wants them.
func (h handler) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }

// Handle writes the record, with what makes it a metric if it is one.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if line, counted := lines[r.Message]; counted {
		values := map[string]slog.Value{}
		r.Attrs(func(a slog.Attr) bool { values[a.Key] = a.Value; return true })
		r = r.Clone()
		r.AddAttrs(slog.String("stage", h.stage))
		d := directive{Namespace: Namespace, Dimensions: [][]string{{"stage"}}}
		if line.dimension != "" {
			d.Dimensions[0] = append(d.Dimensions[0], line.dimension)
		}
		for _, m := range line.metrics {
			value, ok := values[m.from]
			if !ok {
				value = slog.IntValue(1)
			}
			d.Metrics = append(d.Metrics, definition{m.name, m.unit})
			r.AddAttrs(slog.Attr{Key: m.name, Value: value})
		}
		r.AddAttrs(slog.Any("_aws", metadata{r.Time.UnixMilli(), []directive{d}}))
	}
	return h.Handler.Handle(ctx, r)
}

// metadata, directive and definition are the format's own names.
type metadata struct {
	Timestamp         int64 // milliseconds
	CloudWatchMetrics []directive
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

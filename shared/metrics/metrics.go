// Package metrics turns log lines about outcomes into CloudWatch metrics. It adds members in CloudWatch's embedded
// metric format to each such line, and CloudWatch counts the line. Every metric therefore has a log line behind
// it, the processing of an event needs no extra call, and the work does not depend on metrics.
//
// The format is described in the CloudWatch user guide, "Specification: Embedded metric format".
package metrics

import (
	"context"
	"log/slog"
)

// Namespace is the CloudWatch namespace of all metrics. Each metric has the dimension stage, and the dimension of its
// entry in lines if the entry has one.
const Namespace = "Nepenthes"

// metric describes one metric of a log line.
type metric struct {
	name string
	unit string // as CloudWatch spells it
	// from names the attribute that holds the value. If it is empty, the value is 1.
	from string
}

// lines lists the log messages that are counted. CloudWatch charges for each metric and each value of its
// dimensions. An attribute with many values, such as a webhook or an event type, is therefore not a dimension; query
// the log instead.
var lines = map[string]struct {
	dimension string // an attribute of the line; empty for none
	metrics   []metric
}{
	"delivery.attempted":  {"outcome", []metric{{"Attempts", "Count", ""}, {"AttemptLatency", "Milliseconds", "ms"}}},
	"event.fanned_out":    {"", []metric{{"Events", "Count", ""}, {"Matches", "Count", "matches"}}},
	"event.dead_lettered": {"reason", []metric{{"DeadLetters", "Count", ""}}},
}

// Handler returns a handler that adds the metrics of the stage to counted lines and passes all other lines to next
// unchanged. next must write one JSON object per line to standard output.
func Handler(next slog.Handler, stage string) slog.Handler { return handler{next, stage} }

type handler struct {
	slog.Handler
	stage string
}

// WithAttrs returns a handler that still counts lines. The embedded method would return the inner handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.stage}
}

// WithGroup returns a handler that does not count lines: the format requires its members at the top level, and a
// group would nest them.
func (h handler) WithGroup(name string) slog.Handler { return h.Handler.WithGroup(name) }

// Handle writes the record. If its message is counted, Handle first adds the members of the metric format.
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

// metadata, directive and definition are named as in the format.
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

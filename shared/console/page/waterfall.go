package page

import (
	"strings"
	"time"

	"nepenthes/shared/delivery"
)

// Waterfall shows how long each phase of an exchange took, in the order of the phases.
type Waterfall struct {
	Phases      []Phase
	Total, Text string
}

// Phase is a phase of an exchange. X and Width are percentages of the whole.
type Phase struct {
	Class, Label, Took string
	X, Width           float64
}

// waterfall returns the phases of an exchange. The time after the last phase was spent reading the answer.
func waterfall(t *delivery.Timing) Waterfall {
	var w Waterfall
	if t.Total == delivery.NoPhase {
		return w
	}
	var at time.Duration
	w.Total = durationText(t.Total)
	share := func(d time.Duration) float64 { return round(min(float64(d)/float64(t.Total)*100, 100)) }
	add := func(class, label string, d time.Duration) {
		if d == delivery.NoPhase {
			return
		}
		p := Phase{Class: class, Label: label, Took: durationText(d)}
		if t.Total > 0 {
			p.X, p.Width = share(at), share(d)
		}
		at += d
		w.Phases = append(w.Phases, p)
	}
	add("dns", "DNS", t.DNS)
	add("connect", "Connect", t.Connect)
	add("tls", "TLS", t.TLS)
	add("first-byte", "First byte", t.FirstByte)
	if rest := t.Total - at; rest > 0 {
		label := "Reading"
		if t.FirstByte == delivery.NoPhase {
			label = "Waiting"
		}
		add("rest", label, rest)
	}
	w.Text = w.text()
	return w
}

// text describes the picture for screen readers.
func (w *Waterfall) text() string {
	var parts []string
	for _, p := range w.Phases {
		parts = append(parts, p.Label+" "+p.Took)
	}
	return strings.Join(append(parts, "total "+w.Total), ", ")
}

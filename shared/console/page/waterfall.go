package page

import (
	"strings"

	"nepenthes/shared/api/hal"
)

// Waterfall shows how long each phase of an exchange took, one after the other.
type Waterfall struct {
	Phases      []Phase
	Total, Text string
}

// Phase is one of them; X and Width are parts of a hundred.
type Phase struct {
	Class, Label, Took string
	X, Width           float64
}

// waterfall lays the phases out. What is left of the whole is the reading of the answer.
func waterfall(t *hal.Timing) Waterfall {
	var w Waterfall
	if t.Total == nil {
		return w
	}
	total, at := *t.Total, 0.0
	w.Total = took(total)
	add := func(class, label string, ms *float64) {
		if ms == nil {
			return
		}
		p := Phase{Class: class, Label: label, Took: took(*ms)}
		if total > 0 {
			p.X, p.Width = round(min(at/total*100, 100)), round(min(*ms/total*100, 100))
		}
		at += *ms
		w.Phases = append(w.Phases, p)
	}
	add("dns", "DNS", t.DNS)
	add("connect", "Connect", t.Connect)
	add("tls", "TLS", t.TLS)
	add("first-byte", "First byte", t.FirstByte)
	if rest := total - at; rest > 0 {
		label := "Reading"
		if t.FirstByte == nil {
			label = "Waiting"
		}
		add("rest", label, &rest)
	}
	w.Text = w.text()
	return w
}

func (w *Waterfall) text() string {
	var parts []string
	for _, p := range w.Phases {
		parts = append(parts, p.Label+" "+p.Took)
	}
	return strings.Join(append(parts, "total "+w.Total), ", ")
}

package page

import (
	"fmt"
	"math"
	"strings"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/delivery"
)

// Measures of the strip, in units of its own.
const (
	stripHeight = 48.0
	stripLowest = 8.0 // of a bar, so that it can be seen
	stripSlot   = 6.0
	stripBar    = 4.0
	stripSlots  = 100 // at least: a few bars are not stretched
	// Milliseconds at the lowest and at the highest bar; no exchange takes longer.
	stripFastest, stripSlowest = 0.1, 30_000.0
)

// newStrip draws deliveries that come newest first; nil when there are none.
func newStrip(newest []hal.Delivery) *Strip {
	if len(newest) == 0 {
		return nil
	}
	s := &Strip{Title: "Last " + plural(len(newest), "delivery", "deliveries"), Width: int(stripSlot) * max(len(newest), stripSlots)}
	counts, fastest, slowest := map[string]int{}, math.Inf(1), 0.0
	for i := range newest {
		d := &newest[len(newest)-1-i]
		counts[d.State]++
		if d.LastAttempt != nil {
			fastest, slowest = min(fastest, d.LastAttempt.TotalMs), max(slowest, d.LastAttempt.TotalMs)
		}
		s.Bars = append(s.Bars, bar(d, float64(i)*stripSlot))
	}
	s.Text = stripText(len(newest), counts, fastest, slowest)
	return s
}

// bar draws one delivery at x. Times differ by powers of ten, so heights go by the logarithm.
func bar(d *hal.Delivery, x float64) Bar {
	b := Bar{Tone: deliveryMark(d).Tone, X: x, Width: stripBar, Height: stripLowest}
	if d.LastAttempt != nil {
		b.Height += round((stripHeight - stripLowest) * math.Log(max(d.LastAttempt.TotalMs, stripFastest)/stripFastest) / math.Log(stripSlowest/stripFastest))
	}
	b.Height = min(b.Height, stripHeight)
	b.Y = round(stripHeight - b.Height)
	switch delivery.State(d.State) {
	case delivery.Delivered:
	case delivery.Retrying, delivery.Pending, delivery.Held:
		b.Hollow, b.HoleX, b.HoleWidth, b.HoleHeight = true, x, stripBar, 3
		b.HoleY = round(b.Y + b.Height/2 - 1.5)
	default:
		b.Hollow, b.HoleX, b.HoleWidth, b.HoleHeight = true, x+1, stripBar-2, round(b.Height-3)
		b.HoleY = round(b.Y + 1.5)
	}
	if b.Tone == info {
		b.Tone = calm
	}
	return b
}

// round keeps a picture short: hundredths cannot be seen.
func round(x float64) float64 { return math.Round(x*10) / 10 }

// stripText says what the picture shows.
func stripText(n int, counts map[string]int, fastest, slowest float64) string {
	var parts []string
	for _, state := range delivery.States() {
		if n := counts[string(state)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	text := strings.Join(parts, ", ")
	switch shortest, longest := took(fastest), took(slowest); {
	case slowest == 0:
	case n == 1:
		text += "; the last attempt took " + longest
	default:
		text += fmt.Sprintf("; the last attempts took %s to %s", shortest, longest)
	}
	return text + "."
}

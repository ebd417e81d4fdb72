package page

import (
	"fmt"
	"math"
	"strings"
	"time"

	"nepenthes/shared/delivery"
)

// Measures of the strip, in the units of its picture.
const (
	stripHeight = 48.0
	stripLowest = 8.0 // height of the lowest bar, which must be visible
	stripSlot   = 6.0
	stripBar    = 4.0
	stripSlots  = 100 // smallest number of slots, so that a few bars are not stretched
	// The durations of the lowest and of the highest bar. No exchange takes longer.
	stripFastest, stripSlowest = 100 * time.Microsecond, 30 * time.Second
)

// newStrip returns a strip of the deliveries, which are sorted newest first, or nil if there are none.
func newStrip(newest []delivery.Delivery) *Strip {
	if len(newest) == 0 {
		return nil
	}
	s := &Strip{Title: "Last " + plural(len(newest), "delivery", "deliveries"), Width: int(stripSlot) * max(len(newest), stripSlots)}
	counts, fastest, slowest := map[delivery.State]int{}, time.Duration(math.MaxInt64), time.Duration(0)
	for i := range newest {
		d := &newest[len(newest)-1-i]
		counts[d.State]++
		if d.Last != nil {
			fastest, slowest = min(fastest, d.Last.Total), max(slowest, d.Last.Total)
		}
		s.Bars = append(s.Bars, bar(d, float64(i)*stripSlot))
	}
	s.Text = stripText(len(newest), counts, fastest, slowest)
	return s
}

// bar returns the bar of a delivery at x. Durations differ by powers of ten, so the height is logarithmic.
func bar(d *delivery.Delivery, x float64) Bar {
	b := Bar{Tone: deliveryMark(d.State).Tone, Rect: Rect{X: x, Width: stripBar, Height: stripLowest}}
	if d.Last != nil {
		b.Height += round((stripHeight - stripLowest) * magnitude(d.Last.Total) / magnitude(stripSlowest))
	}
	b.Height = min(b.Height, stripHeight)
	b.Y = round(stripHeight - b.Height)
	switch d.State {
	case delivery.Delivered:
	case delivery.Retrying, delivery.Pending:
		b.Holes = []Rect{{X: x, Y: round(b.Y + b.Height/2 - 1.5), Width: stripBar, Height: 3}}
	case delivery.Held:
		stripe := round(b.Height / 5)
		b.Holes = []Rect{{x, round(b.Y + stripe), stripBar, stripe}, {x, round(b.Y + 3*stripe), stripBar, stripe}}
	default:
		b.Holes = []Rect{{x + 1, round(b.Y + 1.5), stripBar - 2, round(b.Height - 3)}}
	}
	if b.Tone == info {
		b.Tone = calm
	}
	return b
}

// magnitude returns the logarithm of the ratio of d to stripFastest. It is 0 for a shorter duration.
func magnitude(d time.Duration) float64 {
	return math.Log(float64(max(d, stripFastest)) / float64(stripFastest))
}

// round rounds to tenths. It keeps a picture short, and smaller differences are not visible.
func round(x float64) float64 { return math.Round(x*10) / 10 }

// stripText describes the picture.
func stripText(n int, counts map[delivery.State]int, fastest, slowest time.Duration) string {
	var parts []string
	for _, state := range delivery.States() {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	text := strings.Join(parts, ", ")
	switch shortest, longest := durationText(fastest), durationText(slowest); {
	case slowest == 0:
	case n == 1:
		text += "; the last attempt took " + longest
	default:
		text += fmt.Sprintf("; the last attempts took %s to %s", shortest, longest)
	}
	return text + "."
}

package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/stats"
)

// Figures are figures of the deliveries of the last 24 hours.
type Figures struct {
	// Scope says which deliveries are counted.
	Scope string
	// Since is when the oldest delivery that is counted was received, if there are older ones in the last 24 hours.
	Since *Time
	// Delivered and Failed are numbers of deliveries. Median and Slow are the times to answer of half and of 95 % of the last
	// attempts. They are empty if no attempt was made.
	Delivered, Failed, Median, Slow string
	// Chart is nil if nothing was delivered and nothing failed.
	Chart *Chart
}

// Chart is a picture of the hours, oldest on the left.
type Chart struct {
	Text, Legend string
	Width        int
	Bars         []Bar
}

// Measures of the chart, in the units of its picture. Its height is that of the strip.
const (
	chartSlot      = 10.0
	chartBar       = 8.0
	chartDelivered = 2.0 // height of the lowest part for delivered deliveries, which must be visible
	chartFailed    = 6.0 // height of the lowest part for failed deliveries, which must be visible as an outline
	chartHours     = int(limits.StatsPeriod / time.Hour)
)

// AddFigures adds figures of the last 24 hours to the page. most is the largest number of deliveries that they count.
func (p *Webhook) AddFigures(s *stats.Stats, most int) {
	f := &Figures{Scope: "No event of the last 24 hours was sent to this webhook."}
	p.Figures = f
	if s.Total == 0 {
		return
	}
	f.Scope = "From " + plural(s.Total, "delivery", "deliveries") + "."
	if !s.Complete {
		f.Scope, f.Since = fmt.Sprintf("From the newest %d deliveries only, received since", most), Moment(s.Since)
	}
	failed := 0
	for _, b := range s.Buckets {
		failed += b.Failed
	}
	f.Delivered, f.Failed = strconv.Itoa(s.States[delivery.Delivered]), strconv.Itoa(failed)
	if s.Durations != nil {
		f.Median, f.Slow = durationText(s.Durations.P50), durationText(s.Durations.P95)
	}
	f.Chart = newChart(s.Buckets)
}

// newChart returns the chart of the buckets, which end now and are an hour each. It returns nil if they are all empty.
func newChart(buckets []stats.Bucket) *Chart {
	highest := 0
	for _, b := range buckets {
		highest = max(highest, b.Delivered+b.Failed)
	}
	if highest == 0 {
		return nil
	}
	c := &Chart{
		Width:  int(chartSlot) * chartHours,
		Legend: "A bar an hour, the last hour on the right. The highest bar has " + plural(highest, "delivery", "deliveries") + ". Solid: delivered. Hollow: failed.",
	}
	unit := (stripHeight - chartDelivered - chartFailed) / float64(highest)
	hours := make([]string, len(buckets))
	for i, b := range buckets {
		c.add(float64(chartHours-len(buckets)+i)*chartSlot, unit, b)
		hours[i] = hourText(b)
	}
	c.Text = "Deliveries in each hour, oldest first: " + strings.Join(hours, ", ") + "."
	return c
}

// add adds the bar of an hour at x, with the failed deliveries above the delivered ones. unit is the height of a delivery.
func (c *Chart) add(x, unit float64, b stats.Bucket) {
	top := stripHeight
	if b.Delivered > 0 {
		height := round(max(chartDelivered, float64(b.Delivered)*unit))
		top = round(top - height)
		c.Bars = append(c.Bars, Bar{Tone: good, Rect: Rect{x, top, chartBar, height}})
	}
	if b.Failed > 0 {
		height := round(max(chartFailed, float64(b.Failed)*unit))
		top = round(top - height)
		c.Bars = append(c.Bars, Bar{Tone: bad, Rect: Rect{x, top, chartBar, height}, Holes: []Rect{{x + 0.5, round(top + 1.5), chartBar - 1, round(height - 3)}}})
	}
}

// hourText describes the bar of an hour.
func hourText(b stats.Bucket) string {
	switch {
	case b.Failed == 0:
		return fmt.Sprintf("%d delivered", b.Delivered)
	case b.Delivered == 0:
		return fmt.Sprintf("%d failed", b.Failed)
	}
	return fmt.Sprintf("%d delivered and %d failed", b.Delivered, b.Failed)
}

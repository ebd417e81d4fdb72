package page_test

import (
	"strings"
	"testing"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/stats"
	"nepenthes/shared/webhook"
)

// hourly returns deliveries of the last hours, newest first. Each text has a letter for every delivery of an hour: d for
// delivered, f for failed, p for pending.
func hourly(hours ...string) (newest []delivery.Delivery) {
	for i := len(hours) - 1; i >= 0; i-- {
		at := now.Add(-time.Duration(len(hours)-i) * time.Hour)
		for _, letter := range hours[i] {
			d := delivery.Delivery{Key: delivery.Key{ReceivedMs: at.UnixMilli()}, CreatedAt: at, State: delivery.Pending}
			switch letter {
			case 'd':
				d.State, d.Last = delivery.Delivered, &delivery.Summary{Outcome: delivery.OutcomeDelivered, Status: 200, Total: 20 * time.Millisecond}
			case 'f':
				d.State, d.Last = delivery.Retrying, &delivery.Summary{Outcome: delivery.OutcomeFailed, ErrorClass: delivery.ErrTimeout, Total: 15 * time.Second}
			}
			newest = append(newest, d)
		}
	}
	return newest
}

func figures(newest []delivery.Delivery, more bool) *page.Figures {
	w := webhook.Defaults()
	w.ID = "wh_1"
	p := page.NewWebhook(frame(), &api.WebhookDetails{Webhook: w}, page.WebhookOptions{})
	p.AddFigures(stats.Count(now.Add(-24*time.Hour), now, newest, more), 1000)
	return p.Figures
}

func TestFigures(t *testing.T) {
	for name, c := range map[string]struct {
		newest []delivery.Delivery
		more   bool
		want   page.Figures
		chart  string
	}{
		"nothing was sent":             {nil, false, page.Figures{Scope: "No event of the last 24 hours was sent to this webhook."}, ""},
		"the first attempt is running": {hourly("p"), false, page.Figures{Scope: "From 1 delivery.", Delivered: "0", Failed: "0"}, ""},
		"some failed": {
			hourly("dd", "f", "", "dfdp"), false,
			page.Figures{Scope: "From 7 deliveries.", Delivered: "4", Failed: "2", Median: "20 ms", Slow: "15.0 s"},
			strings.Repeat("0 delivered, ", 20) + "2 delivered, 1 failed, 0 delivered, 2 delivered and 1 failed.",
		},
		"more than are counted": {
			hourly("d", "d"), true,
			page.Figures{Scope: "From the newest 1000 deliveries only, received since", Since: page.Moment(now.Add(-2 * time.Hour)), Delivered: "2", Failed: "0", Median: "20 ms", Slow: "20 ms"},
			"1 delivered, 1 delivered.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := *figures(c.newest, c.more)
			chart := ""
			if got.Chart != nil {
				chart = strings.TrimPrefix(got.Chart.Text, "Deliveries in each hour, oldest first: ")
			}
			if since := got.Since; (since == nil) != (c.want.Since == nil) || since != nil && since.ISO() != c.want.Since.ISO() {
				t.Errorf("got since %v, want %v", since, c.want.Since)
			}
			if got.Chart, got.Since, c.want.Since = nil, nil, nil; got != c.want || chart != c.chart {
				t.Errorf("got %+v with the chart %q, want %+v with %q", got, chart, c.want, c.chart)
			}
		})
	}
}

func TestTheChartStaysInItsPicture(t *testing.T) {
	for name, newest := range map[string][]delivery.Delivery{
		"one of each": hourly("d", "f", "df"), "a rare failure": hourly(strings.Repeat("d", 500)+"f", "d", "f"), "all hours": hourly(strings.Split("d,f,dd,df,ff,ddf,d,f,dd,df,ff,ddf,d,f,dd,df,ff,ddf,d,f,dd,df,ff,ddf", ",")...),
	} {
		c := figures(newest, false).Chart
		if last := c.Bars[len(c.Bars)-1]; last.X+last.Width > float64(c.Width) || last.X+10 < float64(c.Width) {
			t.Errorf("%s: the last hour is not on the right: %+v", name, last)
		}
		for _, b := range c.Bars {
			if b.X < 0 || b.Y < 0 || b.Height < 2 || b.Y+b.Height > 48 {
				t.Errorf("%s: got %+v, which exceeds the picture", name, b)
			}
			if (b.Tone == "bad") != (len(b.Holes) == 1) {
				t.Errorf("%s: got %+v, want an outline only for what failed", name, b)
			}
			for _, hole := range b.Holes {
				if hole.Height <= 0 || hole.X < b.X || hole.Y < b.Y || hole.X+hole.Width > b.X+b.Width || hole.Y+hole.Height > b.Y+b.Height {
					t.Errorf("%s: got a hole %+v outside its bar %+v", name, hole, b.Rect)
				}
			}
		}
	}
}

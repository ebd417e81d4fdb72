package rest_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"nepenthes/shared/instant"
	"nepenthes/shared/limits"
	"nepenthes/shared/rest/hal"
)

func TestStatsCountTheDeliveriesOfTheWebhook(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w, other := s.webhook(t, token, "w"), s.webhook(t, token, "other")
	first, last := s.record(t, "e1", 0, `1`, w, other), s.record(t, "e2", 2*time.Minute, `1`, w)
	s.deliver(t, first, w, 2)
	s.deliver(t, first, other, 1)
	s.deliver(t, last, w, 1)
	stats := func(since, until time.Time) (shown hal.WebhookStats) {
		t.Helper()
		query := url.Values{"since": {instant.Text(since)}, "until": {instant.Text(until)}}
		s.do(t, token, "GET", "/api/v3/webhooks/"+w+"/stats?"+query.Encode(), "").want(t, 200, &shown)
		return shown
	}
	got := stats(received, received.Add(5*time.Minute))
	if got.Deliveries != (hal.DeliveryCounts{Total: 2, Dead: 2}) || got.Answers.ByStatus["503"] != 2 || len(got.Answers.ByErrorClass) != 0 || !got.Complete {
		t.Errorf("got %+v", got)
	}
	if len(got.Buckets) != 60 || got.Buckets[0].Failed != 1 || *got.Buckets[0].P95 != 2 || got.Buckets[24].Failed != 1 || *got.TotalMs.P99 != 2 {
		t.Errorf("got buckets %+v", got.Buckets)
	}
	for name, part := range map[string]hal.WebhookStats{
		"the end is not included": stats(received, last.ReceivedAt), "the beginning is included": stats(last.ReceivedAt, received.Add(time.Hour)),
	} {
		if part.Deliveries.Total != 1 {
			t.Errorf("%s: got %d deliveries, want 1", name, part.Deliveries.Total)
		}
	}
}

// TestStatsSayHowFarBackTheyReach has more deliveries than are counted.
func TestStatsSayHowFarBackTheyReach(t *testing.T) {
	s := newService(t)
	token := s.token(t)
	w := s.webhook(t, token, "w")
	const more = 3
	r := s.record(t, "e", 0, `1`, w)
	for i := range limits.StatsCounted + more {
		r.ID, r.ReceivedAt = fmt.Sprint("e", i), received.Add(time.Duration(i)*time.Millisecond)
		if _, won, err := s.DB.PutDelivery(t.Context(), r.Delivery(w), nil); err != nil || !won {
			t.Fatal(won, err)
		}
	}
	var all, part hal.WebhookStats
	s.do(t, token, "GET", "/api/v3/webhooks/"+w+"/stats", "").want(t, 200, &all)
	if want := instant.Of(received.Add(more * time.Millisecond)); all.Complete || all.Deliveries.Total != limits.StatsCounted || !all.Since.Equal(want.Time) {
		t.Errorf("got complete %v, %d deliveries since %s; want %d since %s", all.Complete, all.Deliveries.Total, all.Since, limits.StatsCounted, want)
	}
	s.do(t, token, "GET", "/api/v3/webhooks/"+w+"/stats?since="+instant.Text(all.Since.Time), "").want(t, 200, &part)
	if !part.Complete || part.Deliveries.Total != limits.StatsCounted {
		t.Errorf("got complete %v and %d deliveries since %s, want all %d", part.Complete, part.Deliveries.Total, all.Since, limits.StatsCounted)
	}
}

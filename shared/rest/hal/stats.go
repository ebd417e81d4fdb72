package hal

import (
	"strconv"

	"nepenthes/shared/delivery"
	"nepenthes/shared/instant"
	"nepenthes/shared/stats"
)

// WebhookStats has figures of the deliveries of a webhook.
type WebhookStats struct {
	Type       string         `json:"_type" enum:"WebhookStats" doc:"Always WebhookStats." example:"WebhookStats"`
	Since      instant.Time   `json:"since" doc:"The beginning of the period. If complete is false, it is the time of the oldest delivery that is counted." example:"2026-01-02T11:00:00.000Z"`
	Until      instant.Time   `json:"until" doc:"The end of the period." example:"2026-01-03T11:00:00.000Z"`
	Complete   bool           `json:"complete" doc:"Whether all deliveries of the period are counted. The newest 10000 are." example:"true"`
	Deliveries DeliveryCounts `json:"deliveries" doc:"The number of deliveries in each state."`
	Answers    AnswerCounts   `json:"answers" doc:"How the last attempts of the deliveries ended."`
	TotalMs    Percentiles    `json:"totalMs" doc:"How long the last attempts took, in milliseconds. The members are null if there are none."`
	Buckets    []StatsBucket  `json:"buckets" nullable:"false" maxItems:"60" doc:"Parts of the period of equal length, oldest first. If complete is false, the first one is the one that contains since."`
}

// DeliveryCounts counts deliveries by their states.
type DeliveryCounts struct {
	Total     int `json:"total" minimum:"0" doc:"All deliveries that are counted." example:"128"`
	Delivered int `json:"delivered" minimum:"0" doc:"Delivered." example:"120"`
	Pending   int `json:"pending" minimum:"0" doc:"Before the end of the first attempt." example:"1"`
	Retrying  int `json:"retrying" minimum:"0" doc:"Waiting for another attempt." example:"4"`
	Held      int `json:"held" minimum:"0" doc:"Held until the webhook can receive." example:"0"`
	Dead      int `json:"dead" minimum:"0" doc:"Given up." example:"3"`
	Skipped   int `json:"skipped" minimum:"0" doc:"Not sent, because the webhook no longer wanted the event." example:"0"`
}

// AnswerCounts counts last attempts. Each is in one of the members.
type AnswerCounts struct {
	ByStatus     map[string]int `json:"byStatus" doc:"The number of last attempts that got a complete response, by its status." example:"{\"200\":120,\"503\":5}"`
	ByErrorClass map[string]int `json:"byErrorClass" doc:"The number of the other last attempts, by how they failed." example:"{\"timeout\":2}"`
}

// Percentiles has percentiles of durations.
type Percentiles struct {
	P50 *float64 `json:"p50" doc:"Half of the attempts took no longer." example:"48.2"`
	P95 *float64 `json:"p95" doc:"95 % of the attempts took no longer." example:"212.7"`
	P99 *float64 `json:"p99" doc:"99 % of the attempts took no longer." example:"1204.5"`
}

// StatsBucket counts the deliveries of a part of the period.
type StatsBucket struct {
	From      instant.Time `json:"from" doc:"The beginning of the part." example:"2026-01-02T11:00:00.000Z"`
	Until     instant.Time `json:"until" doc:"The end of the part." example:"2026-01-02T12:00:00.000Z"`
	Delivered int          `json:"delivered" minimum:"0" doc:"The number of deliveries that are delivered." example:"12"`
	Failed    int          `json:"failed" minimum:"0" doc:"The number of deliveries that are dead, or whose last attempt failed and that are still to be delivered." example:"1"`
	P95       *float64     `json:"p95" doc:"95 % of the last attempts took no longer, in milliseconds. It is null if there are none." example:"212.7"`
}

// FromStats represents figures.
func FromStats(s *stats.Stats) *WebhookStats {
	shown := &WebhookStats{
		Type: "WebhookStats", Since: instant.Of(s.Since), Until: instant.Of(s.Until), Complete: s.Complete,
		Deliveries: DeliveryCounts{
			Total: s.Total, Delivered: s.States[delivery.Delivered], Pending: s.States[delivery.Pending], Retrying: s.States[delivery.Retrying],
			Held: s.States[delivery.Held], Dead: s.States[delivery.Dead], Skipped: s.States[delivery.Skipped],
		},
		Answers: AnswerCounts{ByStatus: map[string]int{}, ByErrorClass: map[string]int{}},
		TotalMs: percentiles(s.Durations), Buckets: make([]StatsBucket, len(s.Buckets)),
	}
	for status, n := range s.Statuses {
		shown.Answers.ByStatus[strconv.Itoa(status)] = n
	}
	for class, n := range s.ErrorClasses {
		shown.Answers.ByErrorClass[string(class)] = n
	}
	for i, b := range s.Buckets {
		shown.Buckets[i] = StatsBucket{From: instant.Of(b.From), Until: instant.Of(b.Until), Delivered: b.Delivered, Failed: b.Failed, P95: percentiles(b.Durations).P95}
	}
	return shown
}

// percentiles represents durations, which are nil if there are none.
func percentiles(d *stats.Durations) Percentiles {
	if d == nil {
		return Percentiles{}
	}
	p50, p95, p99 := milliseconds(d.P50), milliseconds(d.P95), milliseconds(d.P99)
	return Percentiles{&p50, &p95, &p99}
}

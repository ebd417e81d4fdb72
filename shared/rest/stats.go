package rest

import (
	"net/http"
	"time"

	"nepenthes/shared/api"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/stats"
)

// addStats adds the route of the figures of a webhook.
func (h *Handler) addStats(o *api.Deliveries) {
	addRoute(h, o.Stats, spec{
		method: http.MethodGet, path: pathWebhook + "/stats", id: "readWebhookStats", tag: tagDeliveries,
		summary: "Read figures of a webhook's deliveries", answers: "The figures.",
		about: "Counts the deliveries whose events were received in a period, by default the last 24 hours. Each delivery counts once: by its state, and by its last attempt. A delivery is counted from its first attempt on. If the period has more than 10000 deliveries, the newest are counted, complete is false, and since says how far back the figures reach. A change may be counted a second later.",
	}, (*readStats).input, func(_ view, s *stats.Stats) *hal.WebhookStats { return hal.FromStats(s) })
}

// readStats is the request for the figures of a webhook.
type readStats struct {
	webhookID
	Since time.Time `query:"since" doc:"The beginning of the period (RFC 3339), included. The default is 24 hours before its end." example:"2026-01-02T11:00:00Z"`
	Until time.Time `query:"until" doc:"The end of the period (RFC 3339), not included. The default is now." example:"2026-01-03T11:00:00Z"`
}

func (in *readStats) input() (*api.ReadStats, error) {
	return &api.ReadStats{Webhook: in.ID, Since: in.Since, Until: in.Until}, nil
}

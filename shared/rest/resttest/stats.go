package resttest

// Stats are the cases of the figures of a webhook. Nothing is delivered in them.
var Stats = []Case{
	{Name: "the figures of a webhook without deliveries", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"stats {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201,
			Keep: map[string]string{"id": "id", "stats": "_links.stats.href"},
		},
		{Do: "GET {stats}", As: "webhooks:read", Status: 403, Kind: "MissingPermission"},
		{
			Do: "GET {stats}", As: "deliveries:read", Status: 200, WantHeader: map[string]string{"ETag": ""},
			Want: map[string]any{
				"_type": "WebhookStats", "since": Some{}, "until": Some{}, "complete": true, "deliveries.total": 0, "deliveries.delivered": 0, "deliveries.pending": 0,
				"deliveries.retrying": 0, "deliveries.held": 0, "deliveries.dead": 0, "deliveries.skipped": 0, "answers.byStatus": map[string]any{},
				"answers.byErrorClass": map[string]any{}, "totalMs.p50": nil, "totalMs.p95": nil, "totalMs.p99": nil,
				"buckets.23.failed": 0, "buckets.23.delivered": 0, "buckets.23.p95": nil, "buckets.24": None{},
			},
		},
		{
			Do: "GET {stats}?since=2026-01-02T11:00:00Z&until=2026-01-02T13:00:00%2B01:00", Status: 200,
			Want: map[string]any{
				"since": "2026-01-02T11:00:00.000Z", "until": "2026-01-02T12:00:00.000Z", "buckets.0.from": "2026-01-02T11:00:00.000Z",
				"buckets.0.until": "2026-01-02T11:01:00.000Z", "buckets.59.until": "2026-01-02T12:00:00.000Z", "buckets.60": None{},
			},
		},
		{Do: "GET {stats}?until=2026-01-03T11:00:00Z", Status: 200, Want: map[string]any{"since": "2026-01-02T11:00:00.000Z", "buckets.0.until": "2026-01-02T12:00:00.000Z"}},
		{Do: "GET {stats}?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59.999Z", Status: 200, Want: map[string]any{"buckets.59.until": "9999-12-31T23:59:59.999Z"}},
		{Do: "GET {stats}?until=0001-01-01T00:00:00Z", Status: 200},
		{Do: "GET {stats}?since=2026-01-02T11:00:00Z&until=2026-01-02T11:00:00Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET {stats}?since=9999-01-01T00:00:00Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}, Want: map[string]any{"errors.0.hint": Like("now")}},
		{Do: "GET {stats}?since=yesterday", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "GET {stats}", Status: 404, Kind: "NotFound"},
	}},
}

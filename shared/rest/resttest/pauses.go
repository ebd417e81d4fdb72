package resttest

// Pauses are the cases of pausing and resuming webhooks. Nothing is held in them.
var Pauses = []Case{
	{Name: "a webhook is paused and resumed", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"pause {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201,
			Want: map[string]any{"status.state": "active", "status.held": 0, "_links.pause.method": "post", "_links.resume.method": "post"},
			Keep: map[string]string{"id": "id", "pause": "_links.pause.href", "resume": "_links.resume.href"},
		},
		{Do: "POST {pause}", As: "webhooks:read", Status: 403, Kind: "MissingPermission"},
		{
			Do: "POST {pause}", As: "webhooks:write", Status: 200,
			Want: map[string]any{
				"_type": "Webhook", "id": "{id}", "enabled": true, "status.state": "paused", "status.reason": nil, "status.since": Some{}, "status.failingSince": nil,
				"status.held": 0, "lockVersion": 2,
			},
			WantHeader: map[string]string{"ETag": `"2"`}, Keep: map[string]string{"since": "status.since", "updated": "updatedAt"},
		},
		{
			Do: "POST /api/v3/webhooks/{id}/pause", Status: 200, WantHeader: map[string]string{"ETag": `"2"`},
			Want: map[string]any{"status.state": "paused", "status.since": "{since}", "updatedAt": "{updated}", "lockVersion": 2},
		},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"status.state": "paused", "status.since": "{since}", "status.held": 0, "lockVersion": 2}},
		{Do: "GET /api/v3/webhooks?name=pause%20{run}", Status: 200, Want: map[string]any{"_embedded.elements.0.status.state": "paused", "_embedded.elements.0.status.held": None{}}},
		{Do: "GET /api/v3/webhooks/{id}/deliveries?state=held", As: "deliveries:read", Status: 200, Want: map[string]any{"count": 0, "_links.next": None{}}},
		{Do: "POST {resume}", As: "webhooks:read", Body: `{"held":"release"}`, Status: 403, Kind: "MissingPermission"},
		{
			Do: "POST {resume}", As: "webhooks:write", Body: `{"held":"release"}`, Status: 200, WantHeader: map[string]string{"ETag": `"3"`},
			Want: map[string]any{"_type": "Webhook", "id": "{id}", "status.state": "active", "status.reason": nil, "status.held": 0, "lockVersion": 3},
		},
		{Do: "POST {resume}", Body: `{"held":"release"}`, Status: 409, Kind: "InvalidState", Want: map[string]any{"message": Like("not paused"), "hint": Some{}}},
		{Do: "POST {pause}", Status: 200, Want: map[string]any{"lockVersion": 4}},
		{Do: "POST {resume}", Body: `{"held":"drop","ratePerSecond":null}`, Status: 200, Want: map[string]any{"status.state": "active", "lockVersion": 5}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "POST {pause}", Status: 404, Kind: "NotFound"},
		{Do: "POST {resume}", Body: `{"held":"release"}`, Status: 404, Kind: "NotFound"},
	}},
	{Name: "a resume says what happens to held deliveries, and how fast", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"resume {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"maybe"}`, Status: 409, Kind: "InvalidState"},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200},
		{Do: "POST /api/v3/webhooks/{id}/resume", Status: 400, Kind: "InvalidRequestBody"},
		refusedResume(`{}`, "held"), refusedResume(`{"held":null}`, "held"), refusedResume(`{"held":"maybe"}`, "held"), refusedResume(`{"held":true}`, "held"),
		refusedResume(`{"held":"drop","ratePerSecond":0}`, "ratePerSecond"), refusedResume(`{"held":"drop","ratePerSecond":101}`, "ratePerSecond"),
		refusedResume(`{"held":"drop","ratePerSecond":"5"}`, "ratePerSecond"), refusedResume(`{"held":"drop","ratePerSecond":1.5}`, "ratePerSecond"),
		refusedResume(`{"held":"drop","rate":5}`, "rate"),
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"","ratePerSecond":-1,"rate":5}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"rate", "held", "ratePerSecond"}},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{}`, Status: 422, Kind: "PropertyConstraintViolation", Want: map[string]any{"errors.0.hint": Like("release .* drop")}},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"status.state": "paused", "lockVersion": 2}},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"drop","ratePerSecond":100}`, Status: 200},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"release","ratePerSecond":1}`, Status: 200, Want: map[string]any{"status.state": "active"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "a paused webhook is changed, tested, disabled and deleted like any other, and only a resume ends the pause", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"still {run}","payloadUrl":"https://nowhere.invalid/","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"d","enabled":true,"lockVersion":2}`, Status: 200, Want: map[string]any{"description": "d", "status.state": "paused", "status.held": 0, "lockVersion": 3}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"e","status":{"state":"active"}}`, Header: map[string]string{"If-Match": `"3"`}, Status: 200, Want: map[string]any{"status.state": "paused", "lockVersion": 4}},
		{Do: "POST /api/v3/webhooks/{id}/ping", Status: 202, Want: map[string]any{"state": "pending"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"enabled":false}`, Status: 200, Want: map[string]any{"enabled": false, "status.state": "disabled", "status.reason": "manual"}},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200, Want: map[string]any{"status.state": "disabled", "lockVersion": 5}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"enabled":true}`, Status: 200, Want: map[string]any{"enabled": true, "status.state": "paused", "status.reason": nil}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"enabled":false}`, Status: 200},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"release"}`, Status: 200, Want: map[string]any{"status.state": "disabled", "status.reason": "manual"}},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200, Want: map[string]any{"status.state": "disabled"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "GET /api/v3/webhooks/{id}", Status: 404, Kind: "NotFound"},
	}},
	{Name: "explain mentions a pause, which is no mismatch", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"hold {run}","payloadUrl":"` + hooks + `","events":["project:*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "POST /api/v3/webhooks/{id}/pause", Status: 200},
		{
			Do: "POST /api/v3/events/explain?webhook={id}", Body: `{"type":"project:created","data":{}}`, Status: 200,
			Want: map[string]any{
				"_embedded.elements.0.match": true, "_embedded.elements.0.reasons.0.rule": "paused", "_embedded.elements.0.reasons.0.detail": Like("held"),
				"_embedded.elements.0.reasons.1": None{},
			},
		},
		{
			Do: "POST /api/v3/events/explain?webhook={id}", Body: `{"type":"user:created","data":{}}`, Status: 200,
			Want: map[string]any{"_embedded.elements.0.match": false, "_embedded.elements.0.reasons.0.rule": "event", "_embedded.elements.0.reasons.1.rule": "paused"},
		},
		{Do: "POST /api/v3/webhooks/{id}/resume", Body: `{"held":"release"}`, Status: 200},
		{
			Do: "POST /api/v3/events/explain?webhook={id}", Body: `{"type":"project:created","data":{}}`, Status: 200,
			Want: map[string]any{"_embedded.elements.0.match": true, "_embedded.elements.0.reasons": []any{}},
		},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "held is one of the states of deliveries", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"state {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "GET /api/v3/webhooks/{id}/deliveries?state=held", Status: 200, Want: map[string]any{"count": 0}},
		{Do: "GET /api/v3/webhooks/{id}/deliveries?state=waiting", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}, Want: map[string]any{"errors.0.hint": Like("held")}},
		{Do: "GET /api/v3/deliveries?state=held", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
}

// refusedResume is a step with a body that must be refused because of one attribute.
func refusedResume(body, attribute string) Step {
	return Step{
		Do: "POST /api/v3/webhooks/{id}/resume", Body: body, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{attribute},
	}
}

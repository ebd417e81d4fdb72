package resttest

import "slices"

// Deliveries are the cases of deliveries that do not wait for a receiver.
var Deliveries = []Case{
	{Name: "a ping goes to one webhook, even if it is disabled", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"ping {run}","payloadUrl":"https://nowhere.invalid/","events":["project:created"],"enabled":false}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{
			Do: "POST /api/v3/webhooks/{id}/ping", As: "webhooks:write", Status: 202,
			Want: map[string]any{
				"_type": "Delivery", "id": Like("^dlv_"), "state": "pending", "reason": nil, "eventId": Like("^evt_"), "eventType": "webhook:ping", "webhookId": "{id}",
				"attemptCount": 0, "lastAttempt": nil, "nextAttemptAt": nil, "finishedAt": nil, "_embedded.attempts": []any{},
			},
			Keep: map[string]string{"delivery": "id", "location": "header:Location", "event": "_links.event.href", "eventId": "eventId"},
		},
		{Do: "GET {location}", As: "deliveries:read", Status: 200, Want: map[string]any{"id": "{delivery}", "_links.self.href": "{location}"}},
		{
			Do: "GET {event}", Status: 200,
			Want: map[string]any{"_type": "Event", "id": "{eventId}", "source": "urn:nepenthes:webhooks", "type": "webhook:ping", "matchCount": 1, "data": Some{}},
			Keep: map[string]string{"deliveries": "_links.deliveries.href"},
		},
		{Do: "GET {deliveries}", As: "deliveries:read", Status: 200, Want: map[string]any{"total": 1, "_embedded.elements.0.id": "{delivery}", "_embedded.elements.0._embedded": None{}}},
		{Do: "GET /api/v3/events/{eventId}", Status: 404, Kind: "NotFound"},
		{Do: "POST /api/v3/webhooks/{id}/ping", Body: `{"event":"work_package:updated"}`, Status: 202, Want: map[string]any{"eventType": "work_package:updated"}},
		{Do: "POST /api/v3/webhooks/{id}/ping", Body: `{"event":"work_package:unknown"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"event"}},
		{Do: "POST /api/v3/webhooks/{id}/ping", Body: `{"type":"x"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"type"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "GET {location}", Status: 200},
		{Do: "POST /api/v3/webhooks/{id}/ping", Status: 404, Kind: "NotFound"},
	}},
	{Name: "an unknown delivery is not found", Steps: []Step{
		{Do: "GET /api/v3/deliveries/dlv_nonsense", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/deliveries/dlv_AZOFyQZ0aU6_Cdna5QAVtgGThckGdA8cmT7m1aJzXy9kzg", Status: 404, Kind: "NotFound"},
		{Do: "POST /api/v3/deliveries/dlv_nonsense/retries", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/deliveries/dlv_nonsense/attempts/att_x", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/events/unknown-{run}", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/events/unknown-{run}/deliveries", Status: 404, Kind: "NotFound"},
	}},
	{Name: "only dead deliveries are listed for all webhooks", Steps: []Step{
		{Do: "GET /api/v3/deliveries?state=dead", As: "deliveries:read", Status: 200, Want: map[string]any{"_type": "Collection", "total": None{}, "count": Some{}}},
		{Do: "GET /api/v3/deliveries", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}},
		{Do: "GET /api/v3/deliveries?state=retrying", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}},
		{Do: "GET /api/v3/deliveries?state=dead&pageSize=0", Status: 200, Want: map[string]any{"count": 0, "_links.next": None{}}},
	}},
}

// anEvent has all required members of an event except the id.
const anEvent = `"type":"work_package:updated","occurredAt":"2026-01-02T11:00:00Z","data":{"id":42}`

// Events are the cases of events and of the catalogue.
var Events = []Case{
	{Name: "an event is accepted, also the second time", Steps: []Step{
		{Do: "POST /api/v3/events", As: "events:write", Body: `{"id":"{run}",` + anEvent + `}`, Status: 202, Want: map[string]any{"_type": "EventReceipt", "id": "{run}", "source": "urn:nepenthes"}},
		{Do: "POST /api/v3/events", Body: `{"id":"{run}",` + anEvent + `}`, Status: 202},
		{
			Do: "POST /api/v3/events", Header: map[string]string{"Content-Type": "application/cloudevents+json"}, Status: 202,
			Body: `{"specversion":"1.0","id":"{run}","source":"urn:x","type":"project:created","time":"2026-01-02T11:00:00Z","data":1}`,
			Want: map[string]any{"source": "urn:x"},
		},
		{
			Do: "POST /api/v3/events", Header: map[string]string{"Content-Type": "application/cloudevents+json"}, Status: 202,
			Body: `{"specversion":"1.0","id":"{run}","source":"/erp","type":"project:created","time":"2026-01-02T11:00:00Z","data":1}`,
			Want: map[string]any{"source": "/erp"},
		},
	}},
	{Name: "all faults of an event are reported at once", Steps: []Step{
		{Do: "POST /api/v3/events", Body: `{"id":"a b","type":"nothing","occurredAt":"today","data":null,"extra":1}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"extra", "id", "type", "occurredAt", "data"}},
		{Do: "POST /api/v3/events", Body: `{"id":"a",` + anEvent + `,"project":{}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"project.id"}},
		{Do: "POST /api/v3/events", Body: `{"id":"a","id":"b",` + anEvent + `}`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 11\b`)}},
		{Do: "POST /api/v3/events", Body: `{"id":"a",`, Status: 400, Kind: "InvalidRequestBody"},
		{Do: "POST /api/v3/events", Status: 400, Kind: "InvalidRequestBody"},
		{Do: "POST /api/v3/events", Body: `{"id":"a","type":"webhook:ping","occurredAt":"2026-01-02T11:00:00Z","data":1}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"type"}},
		{Do: "POST /api/v3/events", Body: `id=a`, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, Status: 415, Kind: "TypeNotSupported"},
	}},
	{Name: "explain names every rule that refuses the event", Steps: []Step{
		{Do: "PUT /api/v3/projects/x-{run}", Body: `{}`, Status: 201},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"why {run}","payloadUrl":"` + hooks + `","events":["project:*"],"projects":{"all":false,"ids":["x-{run}"]},"enabled":false}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{
			Do: "POST /api/v3/events/explain?webhook={id}", As: "webhooks:read", Body: `{"type":"work_package:updated","data":{}}`, Status: 200,
			Want: map[string]any{
				"_type": "Collection", "total": 1, "_embedded.elements.0._type": "Explanation", "_embedded.elements.0.webhookId": "{id}", "_embedded.elements.0.webhookName": "why {run}",
				"_embedded.elements.0.match": false, "_embedded.elements.0.reasons.0.rule": "enabled", "_embedded.elements.0.reasons.1.rule": "event",
				"_embedded.elements.0.reasons.2.rule": "project", "_embedded.elements.0.reasons.2.detail": Some{}, "_embedded.elements.0.reasons.3": None{},
			},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"enabled":true}`, Status: 200},
		{
			Do: "POST /api/v3/events/explain?webhook={id}", Body: `{"id":null,"type":"project:created","project":{"id":"x-{run}"},"data":{}}`, Status: 200,
			Want: map[string]any{"_embedded.elements.0.match": true, "_embedded.elements.0.reasons": []any{}},
		},
		{Do: "POST /api/v3/events/explain", Body: `{"specversion":"1.0","source":"/erp","type":"project:created","data":{}}`, Status: 200, Want: map[string]any{"total": Some{}}},
		{Do: "POST /api/v3/events/explain?webhook=wh_unknown", Body: `{"type":"project:created","data":{}}`, Status: 404, Kind: "NotFound"},
		{Do: "POST /api/v3/events/explain", Body: `{"type":"unknown"}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"type", "data"}},
		{Do: "POST /api/v3/events/explain?pageSize=x", Body: `{"type":"unknown"}`, Status: 400, Kind: "InvalidQuery"},
		{Do: "POST /api/v3/events/explain?pageSize=x", Body: `{`, Status: 400, Kind: "InvalidRequestBody"},
		{Do: "GET /api/v3/events/explain", Status: 404, Kind: "NotFound"}, // an event may have this id
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "the catalogue lists every type", Steps: []Step{
		{Do: "GET /api/v3/event_types?pageSize=100", As: "webhooks:read", Status: 200, Want: map[string]any{
			"total": 27, "_embedded.elements.0.id": "project:created", "_embedded.elements.0._type": "EventType", "_embedded.elements.0.resource": "project", "_embedded.elements.0.action": "created",
			"_embedded.elements.0.payloadKey": "project", "_embedded.elements.0.operational": false, "_embedded.elements.0.optIn": false,
			"_embedded.elements.0.schema": Some{}, "_embedded.elements.0.example": Some{}, "_embedded.elements.0.description": Some{},
		}},
	}},
}

// Projects are the cases of the list of projects.
var Projects = []Case{
	{Name: "a project is created, renamed and found", Steps: []Step{
		{Do: "PUT /api/v3/projects/q-{run}", As: "projects:write", Body: `{"identifier":"plant-{run}","name":"Plant"}`, Status: 201, Want: map[string]any{
			"_type": "Project", "id": "q-{run}", "identifier": "plant-{run}", "name": "Plant", "gone": false,
		}},
		{Do: "PUT /api/v3/projects/q-{run}", Body: `{"name":"Werk {run}"}`, Status: 200, Want: map[string]any{"identifier": "plant-{run}", "name": "Werk {run}"}},
		{Do: "GET /api/v3/projects?name=PLANT-{run}", As: "projects:read", Status: 200, Want: map[string]any{"total": 1, "_embedded.elements.0.id": "q-{run}"}},
		{Do: "GET /api/v3/projects?name=werk%20{run}", Status: 200, Want: map[string]any{"total": 1}},
		{Do: "PUT /api/v3/projects/q-{run}", Body: `{"_type":"Project","id":"q-{run}","gone":false}`, Status: 200},
		{Do: "PUT /api/v3/projects/q-{run}", Body: `{"gone":true,"name":7}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"name", "gone"}},
		{Do: "PUT /api/v3/projects/q%20x", Body: `{}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"id"}},
	}},
}

// formEncoded is the header of a form, which the token endpoint reads.
var formEncoded = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}

// guess authenticates with a wrong secret, as a client that only this run uses.
func guess(status int, code string) Step {
	return Step{
		Do: "POST /oauth/token", As: "-", Header: formEncoded, Body: "grant_type=client_credentials&client_id=nobody-{run}&client_secret=wrong",
		Status: status, Want: map[string]any{"error": code},
	}
}

// Clients are the cases of OAuth clients.
var Clients = []Case{
	{Name: "a client is created, changed and deleted", Steps: []Step{
		{
			Do: "POST /api/v3/oauth_clients", As: "clients:write webhooks:read", Body: `{"name":"sync {run}","scopes":["webhooks:read"]}`, Status: 201,
			Want: map[string]any{
				"_type": "OAuthClient", "id": Some{}, "name": "sync {run}", "scopes": []string{"webhooks:read"}, "clientSecret": Some{}, "secrets.0.id": Like("^sec_"),
				"secrets.0.expiresAt": nil, "lockVersion": 1, "createdAt": Some{},
			},
			WantHeader: map[string]string{"ETag": `"1"`},
			Keep:       map[string]string{"id": "id", "location": "header:Location", "secret": "secrets.0.id"},
		},
		{Do: "GET {location}", Status: 200, Want: map[string]any{"clientSecret": None{}}},
		{Do: "GET /api/v3/oauth_clients?name=SYNC%20{run}", Status: 200, Want: map[string]any{"total": 1, "_embedded.elements.0.clientSecret": None{}}},
		{Do: "PATCH {location}", Body: `{"name":"renamed {run}"}`, Header: map[string]string{"If-Match": `"1"`}, Status: 200, Want: map[string]any{"name": "renamed {run}", "lockVersion": 2, "scopes": []string{"webhooks:read"}}},
		{Do: "PATCH {location}", Body: `{"name":"again"}`, Header: map[string]string{"If-Match": `"1"`}, Status: 409, Kind: "UpdateConflict"},
		{Do: "PATCH {location}", As: "clients:write", Body: `{"name":"again"}`, Header: map[string]string{"If-Match": `"1"`}, Status: 403, Kind: "MissingPermission"},
		{Do: "DELETE {location}", As: "clients:write", Header: map[string]string{"If-Match": `"1"`}, Status: 403, Kind: "MissingPermission"},
		{Do: "PATCH {location}", Body: `{"name":"","id":"other","scopes":["everything"]}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"id", "name", "scopes"}},
		{Do: "PATCH {location}", Body: `{"scopes":["everything"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"scopes"}},
		{Do: "PATCH {location}", Body: `{"scopes":null}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"scopes"}},
		{Do: "PATCH {location}", As: "clients:write webhooks:read", Body: `{"scopes":["settings:write"]}`, Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("settings:write")}},
		{Do: "POST {location}/secrets", Status: 201, Want: map[string]any{"_type": "OAuthClient", "clientSecret": Some{}, "secrets.1.id": Some{}}},
		{Do: "POST {location}/secrets", Status: 409, Kind: "InvalidState"},
		{Do: "DELETE {location}/secrets/{secret}", Status: 204},
		{Do: "DELETE {location}/secrets/{secret}", Status: 404, Kind: "NotFound"},
		{Do: "DELETE {location}", As: "clients:write", Status: 403, Kind: "MissingPermission"},
		{Do: "DELETE {location}", Status: 204},
		{Do: "DELETE {location}", Status: 404, Kind: "NotFound"},
	}},
	{Name: "a token ends with its secret, and when all tokens are revoked", Steps: []Step{
		{
			Do: "POST /api/v3/oauth_clients", Body: `{"name":"leaky {run}","scopes":["clients:write","webhooks:read"]}`, Status: 201,
			Keep: map[string]string{"id": "id", "location": "header:Location", "first": "secrets.0.id", "firstSecret": "clientSecret"},
		},
		{Do: "POST /oauth/token", As: "-", Header: formEncoded, Body: "grant_type=client_credentials&client_id={id}&client_secret={firstSecret}", Status: 200, Keep: map[string]string{"token": "access_token"}},
		{Do: "POST {location}/secrets", Status: 201, Keep: map[string]string{"secondSecret": "clientSecret"}},
		{Do: "POST /oauth/token", As: "-", Header: formEncoded, Body: "grant_type=client_credentials&client_id={id}&client_secret={secondSecret}", Status: 200, Keep: map[string]string{"second": "access_token"}},
		{Do: "GET /api/v3/webhooks", As: "-", Header: map[string]string{"Authorization": "Bearer {token}"}, Status: 200},
		{Do: "DELETE {location}/secrets/{first}", Status: 204},
		{Do: "GET /api/v3/webhooks", As: "-", Header: map[string]string{"Authorization": "Bearer {token}"}, Status: 401, Kind: "Unauthenticated", Want: map[string]any{"error": "invalid_token"}},
		{Do: "POST {location}/secrets", As: "-", Header: map[string]string{"Authorization": "Bearer {token}"}, Status: 401, Kind: "Unauthenticated"},
		{Do: "GET /api/v3/webhooks", As: "-", Header: map[string]string{"Authorization": "Bearer {second}"}, Status: 200},
		{Do: "POST {location}/revocations", As: "clients:read webhooks:write", Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("clients:write")}},
		{Do: "POST {location}/revocations", As: "clients:write", Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("webhooks:read")}},
		{Do: "GET /api/v3/webhooks", As: "-", Header: map[string]string{"Authorization": "Bearer {second}"}, Status: 200},
		{Do: "POST {location}/revocations", As: "clients:write webhooks:read", Status: 204},
		{Do: "GET /api/v3/webhooks", As: "-", Header: map[string]string{"Authorization": "Bearer {second}"}, Status: 401, Kind: "Unauthenticated", Want: map[string]any{"error": "invalid_token"}},
		{Do: "POST /oauth/token", As: "-", Header: formEncoded, Body: "grant_type=client_credentials&client_id={id}&client_secret={secondSecret}", Status: 200, Keep: map[string]string{"third": "access_token"}},
		{Do: "POST {location}/revocations", As: "-", Header: map[string]string{"Authorization": "Bearer {third}"}, Status: 204},
		{Do: "GET /api/v3", As: "-", Header: map[string]string{"Authorization": "Bearer {third}"}, Status: 401, Kind: "Unauthenticated"},
		{Do: "DELETE {location}", Status: 204},
		{Do: "POST {location}/revocations", Status: 404, Kind: "NotFound"},
	}},
	{Name: "somebody who guesses secrets has to wait", Steps: append(slices.Repeat([]Step{guess(401, "invalid_client")}, 10), guess(429, "temporarily_unavailable"))},
	{Name: "all faults of a client are reported at once", Steps: []Step{
		{Do: "POST /api/v3/oauth_clients", Body: `{"colour":1,"name":"","scopes":["everything"]}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"colour", "name", "scopes"}},
		{Do: "POST /api/v3/oauth_clients", Body: `{"scopes":7,"name":" "}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"scopes", "name"}},
		{Do: "POST /api/v3/oauth_clients", As: "clients:write", Body: `{"colour":1,"scopes":["webhooks:read"]}`, Status: 403, Kind: "MissingPermission"},
		{Do: "POST /api/v3/oauth_clients", Body: `{"colour":1}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"colour", "name", "scopes"}},
		{Do: "POST /api/v3/oauth_clients", As: "clients:write", Body: `{"name":"x {run}","scopes":["webhooks:read"]}`, Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("webhooks:read")}},
	}},
}

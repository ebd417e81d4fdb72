package resttest

// hooks is a payload URL that every deployment accepts.
const hooks = "https://receiver.example.com/hooks"

// Errors are the cases of the checks before an operation, and of their order.
var Errors = []Case{
	{Name: "an unknown path is not found for any method, with or without a token", Steps: []Step{
		{Do: "GET /api/v3/nothing", As: "-", Status: 404, Kind: "NotFound"},
		{Do: "DELETE /api/v3/nothing", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/webhooks/", Status: 404, Kind: "NotFound"},
		{Do: "GET /api", Status: 404, Kind: "NotFound"},
		{Do: "OPTIONS /api/v3/nothing", As: "-", Status: 404, Kind: "NotFound"},
	}},
	{Name: "there are no other routes", Steps: []Step{
		{Do: "POST /api/v3/webhooks/wh_x/pause", Status: 404, Kind: "NotFound"},
		{Do: "POST /api/v3/webhooks/wh_x/replays", Status: 404, Kind: "NotFound"},
	}},
	{Name: "a wrong method is reported before a missing token, with the methods of the path", Steps: []Step{
		{Do: "PUT /api/v3/webhooks", As: "-", Status: 405, Kind: "MethodNotAllowed", WantHeader: map[string]string{"Allow": "GET, HEAD, POST, OPTIONS"}},
		{Do: "POST /api/v3/settings", As: "-", Status: 405, Kind: "MethodNotAllowed", WantHeader: map[string]string{"Allow": "GET, HEAD, PATCH, OPTIONS"}},
		{Do: "PUT /api/v3/events/explain", As: "-", Status: 405, Kind: "MethodNotAllowed", WantHeader: map[string]string{"Allow": "POST, OPTIONS"}},
		{Do: "GET /oauth/token", As: "-", Status: 405, Kind: "MethodNotAllowed", WantHeader: map[string]string{"Allow": "POST, OPTIONS"}},
		{Do: "POST /api/v3/openapi.json", As: "-", Status: 405, Kind: "MethodNotAllowed", WantHeader: map[string]string{"Allow": "GET, HEAD, OPTIONS"}},
	}},
	{Name: "OPTIONS lists the methods", Steps: []Step{
		{Do: "OPTIONS /api/v3/webhooks/wh_x", As: "-", Status: 204, WantHeader: map[string]string{"Allow": "GET, HEAD, PATCH, DELETE, OPTIONS"}},
	}},
	{Name: "HEAD is GET without a body", Steps: []Step{
		{Do: "HEAD /api/v3/settings", Status: 200, WantHeader: map[string]string{"Content-Type": "application/hal+json; charset=utf-8"}},
		{Do: "HEAD /api/v3/settings", As: "-", Status: 401},
	}},
	{Name: "a request without a valid token is not authenticated", Steps: []Step{
		{
			Do: "GET /api/v3", As: "-", Status: 401, Kind: "Unauthenticated",
			Want:       map[string]any{"scheme": "Bearer", "error": None{}},
			WantHeader: map[string]string{"WWW-Authenticate": "Bearer"},
		},
		{
			Do: "GET /api/v3", As: "-", Header: map[string]string{"Authorization": "Bearer nonsense"}, Status: 401, Kind: "Unauthenticated",
			Want:       map[string]any{"scheme": "Bearer", "error": "invalid_token"},
			WantHeader: map[string]string{"WWW-Authenticate": `Bearer error="invalid_token"`},
		},
		{Do: "GET /api/v3", As: "-", Header: map[string]string{"Authorization": "Bearer"}, Status: 401, Kind: "Unauthenticated"},
		{
			Do: "GET /api/v3", As: "-", Header: map[string]string{"Authorization": "Basic YTpi"}, Status: 401, Kind: "Unauthenticated",
			Want: map[string]any{"error": None{}}, WantHeader: map[string]string{"WWW-Authenticate": "Bearer"},
		},
		{Do: "GET /api/v3?access_token=x", As: "-", Status: 401, Kind: "Unauthenticated"},
		{Do: "GET /api/v3", As: "-", Header: map[string]string{"Cookie": "__Host-nepenthes=x"}, Status: 401, Kind: "Unauthenticated"},
	}},
	{Name: "the root accepts any token and links to everything", Steps: []Step{
		{Do: "GET /api/v3", As: "projects:read", Status: 200, Want: map[string]any{
			"_type": "Root", "version": Some{}, "_links.self.href": Like(`/api/v3$`), "_links.webhooks.href": Like(`/api/v3/webhooks$`),
			"_links.settings.href": Some{}, "_links.projects.href": Some{}, "_links.eventTypes.href": Some{}, "_links.oauthClients.href": Some{},
		}},
	}},
	{Name: "a missing scope is named", Steps: []Step{
		{Do: "GET /api/v3/webhooks", As: "settings:write", Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("webhooks:read")}},
		{Do: "POST /api/v3/webhooks", As: "webhooks:read", Body: "{", Status: 403, Kind: "MissingPermission", Want: map[string]any{"message": Like("webhooks:write")}},
		{Do: "PATCH /api/v3/settings", As: "settings:read", Body: "{}", Status: 403, Kind: "MissingPermission"},
		{Do: "GET /api/v3/deliveries?state=dead", As: "webhooks:write", Status: 403, Kind: "MissingPermission"},
		{Do: "GET /api/v3/events/e/deliveries", As: "events:read webhooks:read", Status: 403, Kind: "MissingPermission"},
		{Do: "POST /api/v3/deliveries/dlv_x/retries", As: "deliveries:read", Status: 403, Kind: "MissingPermission"},
		{Do: "GET /api/v3/oauth_clients", As: "webhooks:write", Status: 403, Kind: "MissingPermission"},
	}},
	{Name: "write includes read", Steps: []Step{
		{Do: "GET /api/v3/webhooks", As: "webhooks:write", Status: 200},
	}},
	{Name: "a body that is not JSON is reported before a bad query and an unknown id", Steps: []Step{
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "<x/>", Header: map[string]string{"Content-Type": "text/xml"}, Status: 415, Kind: "TypeNotSupported"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{}", Header: map[string]string{"Content-Type": ""}, Status: 415, Kind: "TypeNotSupported"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{}", Header: map[string]string{"Content-Type": "application/json; charset=latin1"}, Status: 415, Kind: "TypeNotSupported", Want: map[string]any{"message": Like("must be UTF-8")}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{}", Header: map[string]string{"Content-Type": "application/json; charset=utf-16"}, Status: 415, Kind: "TypeNotSupported", Want: map[string]any{"message": Like("must be UTF-8")}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{}", Header: map[string]string{"Content-Type": "application/json; charset"}, Status: 415, Kind: "TypeNotSupported", Want: map[string]any{"message": Like("Content-Type")}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": "application/json; charset=utf8"}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": "application/json;CHARSET=UTF8"}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": `application/json; charset="utf-8"`}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": `application/json; profile="x"; charset=Utf-8; v=1`}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": "application/json; charset=us-ascii"}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Encoding": "Identity"}, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{}", Header: map[string]string{"Content-Encoding": "gzip"}, Unless: UnpackedRequests, Status: 415, Kind: "TypeNotSupported", Want: map[string]any{"message": Like("Content-Encoding")}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{", Header: map[string]string{"Accept": "text/html"}, Status: 406, Kind: "NotAcceptable"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{\n  \"name\": }", Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 2, column 11\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"name":"ä", "name":"b"}`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 14\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `[]`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 1\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"name":"x"`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 12\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: "{\"name\":\"\xff\"}", Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 10\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"name":"\\","secret":"\ud800aaaaaaaa"}`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 24\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"name":"\udc00\ud800"}`, Status: 400, Kind: "InvalidRequestBody", Want: map[string]any{"message": Like(`line 1, column 10\b`)}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"name":"\\ud800 \ud83d\ude00 \u00e4"}`, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Status: 400, Kind: "InvalidRequestBody"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"unknown":1}`, Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{}`, Header: map[string]string{"Content-Type": "application/merge-patch+json"}, Status: 404, Kind: "NotFound"},
		{Do: "POST /api/v3/webhooks", Body: `{}`, Header: map[string]string{"Content-Type": "application/merge-patch+json"}, Status: 415, Kind: "TypeNotSupported"},
		{Do: "POST /api/v3/webhooks", Body: `{}`, Header: map[string]string{"Content-Type": "Application/JSON; Charset=UTF-8"}, Status: 422, Kind: "MultipleErrors"},
	}},
	{Name: "an answer is plain JSON if the client prefers it", Steps: []Step{
		{Do: "GET /api/v3/settings", Header: map[string]string{"Accept": "application/json"}, Status: 200, WantHeader: map[string]string{"Content-Type": "application/json; charset=utf-8"}},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Accept": "application/json, */*"}, Status: 200, WantHeader: map[string]string{"Content-Type": "application/hal+json; charset=utf-8"}},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Accept": "application/*;q=0.5"}, Status: 200, WantHeader: map[string]string{"Content-Type": "application/hal+json; charset=utf-8"}},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Accept": "text/html, application/hal+json;q=0"}, Status: 406, Kind: "NotAcceptable"},
	}},
	{Name: "a bad query is reported before an unknown id", Steps: []Step{
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?state=lost", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?event=lost", Status: 400, Kind: "InvalidQuery", Attributes: []string{"event"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?since=yesterday", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?until=2026-13-01T00:00:00Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"until"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?cursor=nAAAA", Status: 400, Kind: "InvalidQuery", Attributes: []string{"cursor"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries?pageSize=-2", Status: 400, Kind: "InvalidQuery", Attributes: []string{"pageSize"}},
		{Do: "GET /api/v3/webhooks/wh_x/deliveries", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/webhooks?pageSize=many", Status: 400, Kind: "InvalidQuery", Attributes: []string{"pageSize"}},
		{Do: "GET /api/v3/webhooks?pageSize=1.5", Status: 400, Kind: "InvalidQuery", Attributes: []string{"pageSize"}},
		{Do: "GET /api/v3/webhooks?offset=0", Status: 400, Kind: "InvalidQuery", Attributes: []string{"offset"}},
		{Do: "GET /api/v3/webhooks?offset=1&offset=2", Status: 400, Kind: "InvalidQuery", Attributes: []string{"offset"}},
		{Do: "GET /api/v3/webhooks?unknown=1;pageSize=x", Status: 200},
		{Do: "GET /api/v3/webhooks?pageSize=", Status: 400, Kind: "InvalidQuery", Attributes: []string{"pageSize"}},
		{Do: "GET /api/v3/webhooks?pageSize=%2B1", Status: 400, Kind: "InvalidQuery", Attributes: []string{"pageSize"}},
		{Do: "GET /api/v3/deliveries?state=dead&event=", Status: 400, Kind: "InvalidQuery", Attributes: []string{"event"}},
		{Do: "GET /api/v3/deliveries?state=", Status: 400, Kind: "InvalidQuery", Attributes: []string{"state"}},
		{Do: "GET /api/v3/deliveries?state=dead&cursor=", Status: 400, Kind: "InvalidQuery", Attributes: []string{"cursor"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=2026-01-02T1:00:00Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=2026-01-02T11:00:00,5Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=9999-12-31T23:59:59-23:59", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/deliveries?state=dead&until=9999-12-31T23:59:60Z", Status: 400, Kind: "InvalidQuery", Attributes: []string{"until"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=0001-01-01T00:00:00%2B01:00", Status: 400, Kind: "InvalidQuery", Attributes: []string{"since"}},
		{Do: "GET /api/v3/deliveries?state=dead&since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59.999999999Z", Status: 200},
		{Do: "GET /api/v3/deliveries?state=dead&since=2026-01-02t11:00:00z&until=2026-12-31T23:59:60%2B00:00", Status: 200},
		{Do: "GET /api/v3/deliveries?state=dead&until=0001-01-01T00:00:00Z", Status: 200, Want: map[string]any{"count": 0, "_links.self.href": Like("until=0001")}},
		{Do: "GET /api/v3/webhooks?name=%zz", Unless: DecodedQueries, Status: 400, Kind: "InvalidQuery"},
		{Do: "GET /api/v3/webhooks?offset=99999999999999999999", Status: 200, Want: map[string]any{"count": 0}},
		{Do: "GET /api/v3/webhooks?whatever=x", Status: 200},
	}},
	{Name: "names of methods are exact", Steps: []Step{
		{Do: "TRACE /api/v3/webhooks", Unless: NoTrace, Status: 405, Kind: "MethodNotAllowed"},
	}},
}

// Settings are the cases of the settings.
var Settings = []Case{
	{Name: "a change of the settings changes the given members, and null resets a member", Steps: []Step{
		{Do: "GET /api/v3/settings", As: "settings:read", Status: 200, Want: map[string]any{
			"_type": "Settings", "api.enabled": true, "api.docsEnabled": true, "cors.enabled": false, "_links.self.href": Some{}, "updatedAt": Some{},
		}},
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"maxPageSize":7}}`, Status: 200, Want: map[string]any{"api.maxPageSize": 7, "api.enabled": true}},
		{Do: "GET /api/v3/event_types?pageSize=-1", Status: 200, Want: map[string]any{"pageSize": 7, "count": 7}},
		{Do: "GET /api/v3/event_types?pageSize=500", Status: 200, Want: map[string]any{"pageSize": 7}},
		{Do: "GET /api/v3/event_types", Status: 200, Want: map[string]any{"pageSize": 7}},
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"maxPageSize":null}}`, Status: 200, Want: map[string]any{"api.maxPageSize": 1000}},
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"docsEnabled":false}}`, Status: 200},
		{Do: "GET /api/v3/openapi.json", As: "-", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/docs", As: "-", Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/settings", Body: `{"api":null}`, Status: 200, Want: map[string]any{"api.docsEnabled": true}},
	}},
	{Name: "settings have a version", Steps: []Step{
		{Do: "PATCH /api/v3/settings", Body: `{"cors":{"allowedOrigins":["https://{run}.example.com"]}}`, Status: 200, Keep: map[string]string{"etag": "header:ETag"}},
		{Do: "PATCH /api/v3/settings", Body: `{"cors":{"allowedOrigins":[]}}`, Header: map[string]string{"If-Match": "{etag}"}, Status: 200},
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"maxPageSize":0}}`, Header: map[string]string{"If-Match": "{etag}"}, Status: 409, Kind: "UpdateConflict"},
		{Do: "PATCH /api/v3/settings", Body: `{"lockVersion":-1,"api":{"maxPageSize":9}}`, Status: 409, Kind: "UpdateConflict"},
		{Do: "PATCH /api/v3/settings", Body: `{}`, Header: map[string]string{"If-Match": "*"}, Status: 200},
		{Do: "PATCH /api/v3/settings", Body: `{}`, Header: map[string]string{"If-Match": "W/{etag}"}, Status: 409, Kind: "UpdateConflict", Want: map[string]any{"message": Like("weak")}},
	}},
	{Name: "all faults of settings are reported at once, bad origins by their numbers", Steps: []Step{
		{
			Do: "PATCH /api/v3/settings", Body: `{"api":{"maxPageSize":1001,"enabled":"yes","colour":1},"cors":{"allowedOrigins":["https://ok.example.com","","https://bad.example.com/"," *"]}}`,
			Status: 422, Kind: "MultipleErrors",
			Attributes: []string{"api.enabled", "api.colour", "api.maxPageSize", "cors.allowedOrigins", "cors.allowedOrigins"},
			Want:       map[string]any{"errors.3.message": Like("Line 3"), "errors.4.message": Like("Line 4")},
		},
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"maxPageSize":0}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"api.maxPageSize"}},
		{Do: "PATCH /api/v3/settings", Body: `{"cors":{"enabled":true}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"cors.allowedOrigins"}},
		{Do: "PATCH /api/v3/settings", Body: `{"updatedAt":"2001-01-01T00:00:00Z"}`, Status: 422, Kind: "PropertyIsReadOnly", Attributes: []string{"updatedAt"}},
		{Do: "PATCH /api/v3/settings", Body: `{"_type":"Settings","_links":{"self":{"href":"/elsewhere"}}}`, Status: 200},
		{Do: "PATCH /api/v3/settings", Body: `{"api":7}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"api"}},
	}},
	{Name: "origins are stored as browsers send them", Steps: []Step{
		{
			Do: "PATCH /api/v3/settings", Body: `{"cors":{"allowedOrigins":[" HTTPS://Äpp.Example.com:443 ","https://xn--pp-uia.example.com","","http://localhost:3000"]}}`,
			Status: 200, Want: map[string]any{"cors.allowedOrigins": []string{"https://xn--pp-uia.example.com", "http://localhost:3000"}},
		},
		{Do: "PATCH /api/v3/settings", Body: `{"cors":null}`, Status: 200, Want: map[string]any{"cors.allowedOrigins": []string{}}},
	}},
	{Name: "while the API is off, it answers only callers that can see the switch", Steps: []Step{
		{Do: "PATCH /api/v3/settings", Body: `{"api":{"enabled":false}}`, Status: 200},
		{Do: "GET /api/v3/webhooks", Status: 403, Kind: "ApiDisabled"},
		{Do: "GET /api/v3", Status: 403, Kind: "ApiDisabled"},
		{Do: "GET /api/v3/oauth_clients", As: "webhooks:read", Status: 403, Kind: "ApiDisabled"},
		{Do: "POST /api/v3/webhooks", As: "webhooks:read", Body: "{", Status: 403, Kind: "ApiDisabled"},
		{Do: "GET /api/v3/webhooks", As: "-", Status: 401, Kind: "Unauthenticated"},
		{Do: "GET /api/v3/settings", As: "webhooks:read", Status: 403, Kind: "ApiDisabled"},
		{Do: "GET /api/v3/settings", As: "settings:read", Status: 200},
		{Do: "PATCH /api/v3/settings", As: "settings:read", Body: `{"api":{"enabled":true}}`, Status: 403, Kind: "MissingPermission"},
		{Do: "GET /api/v3/openapi.json", As: "-", Status: 200},
		{Do: "GET /api/v3/nothing", Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/settings", As: "settings:write", Body: `{"api":{"enabled":true}}`, Status: 200},
		{Do: "GET /api/v3/webhooks", Status: 200},
	}},
}

// Origins are the cases of cross-origin resource sharing.
var Origins = []Case{
	{Name: "while CORS is off, answers have no CORS headers", Steps: []Step{
		{
			Do: "GET /api/v3/settings", Header: map[string]string{"Origin": "https://app.example.com"}, Status: 200,
			WantHeader: map[string]string{"Access-Control-Allow-Origin": "", "Vary": ""},
		},
		{
			Do: "OPTIONS /api/v3/settings", As: "-", Header: map[string]string{"Origin": "https://app.example.com", "Access-Control-Request-Method": "PATCH"}, Status: 204,
			WantHeader: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": ""},
		},
	}},
	{Name: "an allowed origin may read answers and failures, and other origins may not", Steps: []Step{
		{Do: "PATCH /api/v3/settings", Body: `{"cors":{"enabled":true,"allowedOrigins":["https://app.example.com"]}}`, Status: 200},
		{Do: "GET /api/v3/settings", Header: fromApp, Status: 200, WantHeader: allowed},
		{Do: "GET /api/v3/settings", As: "-", Header: fromApp, Status: 401, WantHeader: allowed},
		{Do: "GET /api/v3/nothing", Header: fromApp, Status: 404, WantHeader: allowed},
		{Do: "PUT /api/v3/settings", Header: fromApp, Status: 405, WantHeader: allowed},
		{Do: "GET /.well-known/jwks.json", As: "-", Header: fromApp, Status: 200, WantHeader: allowed},
		{Do: "GET /.well-known/nothing", As: "-", Header: fromApp, Status: 404, WantHeader: allowed},
		{Do: "POST /oauth/token", As: "-", Header: fromApp, Status: 400, WantHeader: allowed},
		{Do: "GET /nothing", As: "-", Header: fromApp, Status: 404, WantHeader: map[string]string{"Access-Control-Allow-Origin": ""}},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Origin": "https://evil.example.com"}, Status: 200, WantHeader: otherOrigin},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Origin": "https://app.example.com.evil.com"}, Status: 200, WantHeader: otherOrigin},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Origin": "http://app.example.com"}, Status: 200, WantHeader: otherOrigin},
		{Do: "GET /api/v3/settings", Header: map[string]string{"Origin": "null"}, Status: 200, WantHeader: otherOrigin},
		{Do: "GET /api/v3/settings", Status: 200, WantHeader: otherOrigin},
	}},
	{Name: "preflights are answered for every path, before anything else", Steps: []Step{
		{Do: "OPTIONS /api/v3/nothing", As: "-", Header: preflight("DELETE", "authorization, x-anything"), Status: 204, WantHeader: map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
			"Access-Control-Allow-Headers": "authorization, x-anything", "Access-Control-Max-Age": "7200", "Allow": "",
		}},
		{Do: "OPTIONS /oauth/token", As: "-", Header: preflight("POST", ""), Status: 204, WantHeader: map[string]string{
			"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Headers": "",
		}},
		{
			Do: "OPTIONS /api/v3/webhooks", As: "-", Status: 204,
			Header:     map[string]string{"Origin": "https://evil.example.com", "Access-Control-Request-Method": "POST"},
			WantHeader: map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Access-Control-Max-Age": ""},
		},
		{Do: "PATCH /api/v3/settings", Body: `{"cors":null}`, Header: fromApp, Status: 200, WantHeader: allowed},
		{Do: "GET /api/v3/settings", Header: fromApp, Status: 200, WantHeader: map[string]string{"Access-Control-Allow-Origin": "", "Vary": ""}},
	}},
}

var (
	fromApp = map[string]string{"Origin": "https://app.example.com"}
	allowed = map[string]string{
		"Access-Control-Allow-Origin": "https://app.example.com", "Access-Control-Allow-Credentials": "true",
		"Access-Control-Expose-Headers": "ETag, Location, Retry-After, X-Request-Id", "Vary": "Origin", "Access-Control-Allow-Methods": "",
	}
	otherOrigin = map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": "", "Access-Control-Expose-Headers": "", "Vary": "Origin"}
)

// preflight returns the headers of a preflight from an allowed origin.
func preflight(method, headers string) map[string]string {
	asked := map[string]string{"Origin": "https://app.example.com", "Access-Control-Request-Method": method}
	if headers != "" {
		asked["Access-Control-Request-Headers"] = headers
	}
	return asked
}

package resttest

// Webhooks are the cases of webhooks and their rules.
var Webhooks = []Case{
	{Name: "a webhook is created, read, changed, listed and deleted", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"  Billing {run} ","payloadUrl":"` + hooks + `","events":["time_entry:created"]}`, Status: 201,
			Want: map[string]any{
				"_type": "Webhook", "id": Like("^wh_"), "name": "Billing {run}", "payloadUrl": hooks, "description": "", "enabled": true,
				"events": []string{"time_entry:created"}, "projects": map[string]any{"all": true, "ids": []string{}}, "payloadFormat": "nepenthes",
				"legacySignature": false, "headers": map[string]any{}, "timeoutSeconds": 15, "retrySchedule": "standard", "secrets": []any{},
				"status.state": "active", "status.reason": nil, "status.since": Some{}, "status.failingSince": nil, "lockVersion": 1,
				"createdAt": Some{}, "updatedAt": Some{}, "secret": None{}, "warnings": None{}, "_links.self.href": Like("/api/v3/webhooks/wh_"),
			},
			WantHeader: map[string]string{"ETag": `"1"`}, Keep: map[string]string{"id": "id", "self": "_links.self.href", "location": "header:Location"},
		},
		{Do: "GET /api/v3/webhooks/{id}", As: "webhooks:read", Status: 200, Want: map[string]any{"_links.self.href": "{location}"}, WantHeader: map[string]string{"ETag": `"1"`}},
		{
			Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"d","enabled":false,"payloadFormat":"standard","timeoutSeconds":30,"retrySchedule":"none","legacySignature":true,"events":["*","project:*","*"]}`, Status: 200,
			Want: map[string]any{
				"description": "d", "enabled": false, "status.state": "disabled", "status.reason": "manual", "payloadFormat": "standard", "timeoutSeconds": 30,
				"retrySchedule": "none", "legacySignature": true, "events": []string{"*", "project:*"}, "lockVersion": 2, "name": "Billing {run}",
			},
			WantHeader: map[string]string{"ETag": `"2"`},
		},
		{
			Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":null,"enabled":null,"payloadFormat":null,"timeoutSeconds":null,"retrySchedule":null,"legacySignature":null,"projects":null}`, Status: 200,
			Want: map[string]any{
				"description": "", "enabled": true, "status.state": "active", "payloadFormat": "nepenthes", "timeoutSeconds": 15,
				"retrySchedule": "standard", "legacySignature": false, "lockVersion": 3,
			},
		},
		{Do: "GET /api/v3/webhooks?name=BILLING%20{run}", Status: 200, Want: map[string]any{
			"_type": "Collection", "total": 1, "count": 1, "pageSize": 20, "offset": 1, "_embedded.elements.0.id": "{id}",
			"_embedded.elements.0.headers": None{}, "_embedded.elements.0.projects.count": 0, "_links.nextByOffset": None{}, "_links.previousByOffset": None{},
			"_links.jumpTo.templated": true, "_links.changeSize.templated": true,
		}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 404, Kind: "NotFound"},
		{Do: "GET /api/v3/webhooks/{id}", Status: 404, Kind: "NotFound"},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{}`, Status: 404, Kind: "NotFound"},
	}},
	{Name: "several faults are reported at once, each with its attribute", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":" ","payloadUrl":"https://127.1/x","events":[],"timeoutSeconds":31,"retrySchedule":"often","payloadFormat":7,"colour":"red"}`,
			Status: 422, Kind: "MultipleErrors", Attributes: []string{"payloadFormat", "colour", "name", "events", "timeoutSeconds", "retrySchedule", "payloadUrl"},
		},
		{Do: "POST /api/v3/webhooks", Body: `{}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"name", "events", "payloadUrl"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":null,"payloadUrl":null,"events":null}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"name", "events", "payloadUrl"}},
	}},
	{Name: "a name has a visible character", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"\u200b","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}, Want: map[string]any{"message": Like("visible")}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"\u3164\u2800 \uffa0\u115f\u1160","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"\u0301\ufe0f","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"\u200b{run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"name":"\u202e\u2066"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "POST /api/v3/oauth_clients", Body: `{"name":"\u200b","scopes":["webhooks:read"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}, Want: map[string]any{"message": Like("visible")}},
		{Do: "POST /api/v3/oauth_clients", Body: `{"name":"seen {run}","scopes":["webhooks:read"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "PATCH /api/v3/oauth_clients/{id}", Body: `{"name":"\u2060"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "DELETE /api/v3/oauth_clients/{id}", Status: 204},
		{Do: "PUT /api/v3/projects/seen-{run}", Body: `{"name":"\u3164","identifier":"\u200b"}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"identifier", "name"}},
		{Do: "PUT /api/v3/projects/seen-{run}", Body: `{"name":""}`, Status: 201},
	}},
	{Name: "names are unique, and case does not matter", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"Straße {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"STRASSE {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"strasse {run}","payloadUrl":"ftp://x","events":["*"]}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"payloadUrl", "name"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"name":"STRAßE {run}"}`, Status: 200},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"other {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"other": "id"}},
		{Do: "PATCH /api/v3/webhooks/{other}", Body: `{"name":"straße {run}"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"name"}},
		{Do: "DELETE /api/v3/webhooks/{other}", Status: 204},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"strasse {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "read-only members may be sent back unchanged", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"ro {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201,
			Keep: map[string]string{"id": "id", "created": "createdAt", "updated": "updatedAt"},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"_type":"Webhook","id":"{id}","createdAt":"{created}","updatedAt":"{updated}","status":{"state":"paused"},"secrets":[1],"_links":7,"warnings":[]}`, Status: 200, Want: map[string]any{"lockVersion": 1}},
		{
			Do: "PATCH /api/v3/webhooks/{id}", Body: `{"_type":"Hook","id":"wh_other","createdAt":null,"updatedAt":"2001-01-01T00:00:00Z"}`, Status: 422, Kind: "MultipleErrors",
			Attributes: []string{"_type", "id", "createdAt", "updatedAt"},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"id":"wh_other"}`, Status: 422, Kind: "PropertyIsReadOnly", Attributes: []string{"id"}},
		{Do: "POST /api/v3/webhooks", Body: `{"id":"{id}","name":"ro2 {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "PropertyIsReadOnly", Attributes: []string{"id"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "a stale version is a conflict, which is reported before other faults, and nothing is written", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"lock {run}","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"id": "id", "etag": "header:ETag"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"one","lockVersion":1}`, Status: 200, Want: map[string]any{"lockVersion": 2}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two","lockVersion":1}`, Status: 409, Kind: "UpdateConflict"},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"name":"","colour":1}`, Header: map[string]string{"If-Match": `"1"`}, Status: 409, Kind: "UpdateConflict"},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `nonsense`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"2`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `2`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `w/"2"`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `*, "2"`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/wh_x", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"1" "2"`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Header: map[string]string{"If-Match": `2`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `W/"2"`}, Status: 409, Kind: "UpdateConflict", Want: map[string]any{"message": Like("weak"), "hint": Like("without W/"), "title": Like("version")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"1", W/"2"`}, Status: 409, Kind: "UpdateConflict", Want: map[string]any{"message": Like("weak")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"1", W/"1"`}, Status: 409, Kind: "UpdateConflict", Want: map[string]any{"message": Like("Somebody else changed it")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"a,b", "1,\"2"`}, Status: 400, Kind: "InvalidQuery", Attributes: []string{"If-Match"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{}`, Header: map[string]string{"If-Match": ` , "a,b" ,,W/"x","2",`}, Status: 200, Want: map[string]any{"lockVersion": 2}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{}`, Header: map[string]string{"If-Match": ` * `}, Status: 200, Want: map[string]any{"lockVersion": 2}},
		{Do: "DELETE /api/v3/webhooks/{id}", Header: map[string]string{"If-Match": `W/"2"`}, Status: 409, Kind: "UpdateConflict", Want: map[string]any{"message": Like("weak")}},
		{Do: "DELETE /api/v3/webhooks/{id}", Header: map[string]string{"If-Match": `"1"`}, Status: 409, Kind: "UpdateConflict"},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"description": "one", "lockVersion": 2}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"description":"two"}`, Header: map[string]string{"If-Match": `"1", "2"`}, Status: 200, Want: map[string]any{"lockVersion": 3}},
		{Do: "POST /api/v3/webhooks", Body: `{"lockVersion":0,"name":"line\nbreak","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"lockVersion", "name"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"lockVersion":"3"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"lockVersion"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Header: map[string]string{"If-Match": `"3"`}, Status: 204},
	}},
	{Name: "a payload URL must lead to the public internet", Steps: []Step{
		refusedURL("http://receiver.example.com/"), refusedURL("https://x.internal/"), refusedURL("https://[::ffff:10.0.0.1]/"),
		thisMachine("https://localhost/"), thisMachine("https://127.0.0.1/"), thisMachine("https://2130706433/"), thisMachine("https://0x7f.1/"),
		thisMachine("https://[::1]/"), thisMachine("https://１２７.0.0.1/"),
		refusedURL("https://169.254.169.254/latest"), refusedURL("https://user:pw@receiver.example.com/"), refusedURL("https://receiver.example.com/#x"),
		refusedURL("https://receiver.example.com:0/"), refusedURL("receiver.example.com"), refusedURL(""),
		refusedURL("https://{self}/api/v3/events"),
	}},
	{Name: "selected projects must be known", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"p {run}","payloadUrl":"` + hooks + `","events":["*"],"projects":{"all":false,"ids":["unknown-{run}"]}}`,
			Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"projects.ids"},
		},
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"p {run}","payloadUrl":"` + hooks + `","events":["*"],"projects":{"all":false}}`,
			Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"projects.ids"},
		},
		{Do: "PUT /api/v3/projects/p-{run}", Body: `{"name":"P"}`, Status: 201},
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"p {run}","payloadUrl":"` + hooks + `","events":["*"],"projects":{"all":false,"ids":["p-{run}","p-{run}"]}}`,
			Status: 201, Want: map[string]any{"projects": map[string]any{"all": false, "ids": []any{"p-{run}"}}}, Keep: map[string]string{"id": "id"},
		},
		{Do: "GET /api/v3/webhooks?name=p%20{run}", Status: 200, Want: map[string]any{"_embedded.elements.0.projects.count": 1}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"projects":{"all":false,"ids":["p-{run}"],"count":1}}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"projects":{"all":false,"ids":["p-{run}"],"count":25}}`, Status: 422, Kind: "PropertyIsReadOnly", Attributes: []string{"projects.count"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"projects":{"all":true}}`, Status: 200, Want: map[string]any{"projects.all": true, "projects.ids": []string{}}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"projects":{"all":false}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"projects.ids"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"projects":{"ids":["p-{run}"],"every":1}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"projects.every"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "event patterns must be in the catalogue", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"e {run}","payloadUrl":"` + hooks + `","events":["work_package:updated","Work_Package:*","work_package","*:created"]}`,
			Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"events"}, Want: map[string]any{"message": Like(`"Work_Package:\*", "work_package", "\*:created"`)},
		},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"e {run}","payloadUrl":"` + hooks + `","events":["*",null]}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"events"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"e {run}","payloadUrl":"` + hooks + `","events":"*"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"events"}},
	}},
	{Name: "a list has pages", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"page {run} 1","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"one": "id"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"page {run} 2","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"two": "id"}},
		{Do: "POST /api/v3/webhooks", Body: `{"name":"page {run} 3","payloadUrl":"` + hooks + `","events":["*"]}`, Status: 201, Keep: map[string]string{"three": "id"}},
		{
			Do: "GET /api/v3/webhooks?name=page%20{run}&pageSize=2", Status: 200,
			Want: map[string]any{"total": 3, "count": 2, "_embedded.elements.0.id": "{one}", "_embedded.elements.1.id": "{two}", "_links.previousByOffset": None{}, "_links.jumpTo.href": Like(`pageSize=2&offset=\{offset\}$`)},
			Keep: map[string]string{"next": "_links.nextByOffset.href"},
		},
		{
			Do: "GET {next}", Status: 200, Want: map[string]any{"offset": 2, "count": 1, "_embedded.elements.0.id": "{three}", "_links.nextByOffset": None{}},
			Keep: map[string]string{"previous": "_links.previousByOffset.href"},
		},
		{Do: "GET {previous}", Status: 200, Want: map[string]any{"offset": 1, "count": 2}},
		{Do: "GET /api/v3/webhooks?name=page%20{run}&pageSize=2&offset=9", Status: 200, Want: map[string]any{"total": 3, "count": 0, "_embedded.elements": []any{}, "_links.nextByOffset": None{}}},
		{Do: "GET /api/v3/webhooks?name=page%20{run}&pageSize=0", Status: 200, Want: map[string]any{"total": 3, "count": 0, "pageSize": 0}},
		{Do: "GET /api/v3/webhooks?name=page%20{run}&pageSize=-1", Status: 200, Want: map[string]any{"count": 3, "pageSize": 1000}},
		{Do: "GET /api/v3/webhooks?name=", Status: 200},
		{Do: "DELETE /api/v3/webhooks/{one}", Status: 204},
		{Do: "DELETE /api/v3/webhooks/{two}", Status: 204},
		{Do: "DELETE /api/v3/webhooks/{three}", Status: 204},
	}},
}

// refusedURL is a step with a payload URL that must be refused.
func refusedURL(url string) Step {
	return Step{
		Do: "POST /api/v3/webhooks", Body: `{"name":"u {run}","payloadUrl":"` + url + `","events":["*"]}`,
		Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"payloadUrl"}, Want: map[string]any{"errors.0.hint": Some{}},
	}
}

// thisMachine is refusedURL for the URLs that the builds for emulators accept.
func thisMachine(url string) Step {
	step := refusedURL(url)
	step.Unless = ThisMachine
	return step
}

// Headers are the cases of custom headers.
var Headers = []Case{
	{Name: "header values are never shown, and *** keeps a value", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"h {run}","payloadUrl":"` + hooks + `","events":["*"],"headers":{"X-Team":"s3cret","X-Other":""}}`, Status: 201,
			Want: map[string]any{"headers": map[string]string{"X-Team": "***", "X-Other": "***"}}, Keep: map[string]string{"id": "id"},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"headers":{"X-Team":"***"}}`, Status: 200, Want: map[string]any{"headers": map[string]string{"X-Team": "***"}, "lockVersion": 2}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"headers":{"X-Team":"***"}}`, Status: 200, Want: map[string]any{"lockVersion": 2}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"headers":{"X-Other":"***"}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"headers":{"X-TEAM":"***","X-New":"v"}}`, Status: 200, Want: map[string]any{"headers": map[string]string{"X-TEAM": "***", "X-New": "***"}}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://receiver.example.com/other"}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://receiver.example.com:443/other"}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"HTTPS://Receiver.EXAMPLE.com./third"}`, Status: 200, Want: map[string]any{"payloadUrl": "https://receiver.example.com/third"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://receiver.example.com./other","headers":{"X-TEAM":"***","X-New":"***"}}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://receiver.example.com.elsewhere.example.com/"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://elsewhere.example.com/"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://receiver.example.com:444/"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://elsewhere.example.com/","headers":{"X-Team":"***","X-New":"again"}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://elsewhere.example.com/","headers":{"X-Team":"again"}}`, Status: 200, Want: map[string]any{"headers": map[string]string{"X-Team": "***"}}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"` + hooks + `","headers":null}`, Status: 200, Want: map[string]any{"headers": map[string]string{}}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "the spelling of an origin does not matter", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"o {run}","payloadUrl":"https://Bücher.example.com/a","events":["*"],"headers":{"X-Team":"s3cret"}}`, Status: 201,
			Want: map[string]any{"payloadUrl": "https://xn--bcher-kva.example.com/a"}, Keep: map[string]string{"id": "id"},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://XN--BCHER-KVA.example.com:443/b"}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://bu\u0308cher.example.com/c","headers":{"x-team":"***"}}`, Status: 200},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"payloadUrl":"https://bucher.example.com/c"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "some headers cannot be custom headers", Steps: []Step{
		refusedHeaders(`{"Host":"x"}`), refusedHeaders(`{"content-length":"1"}`), refusedHeaders(`{"Content-Type":"text/html"}`), refusedHeaders(`{"X-Forwarded-For":"1"}`),
		refusedHeaders(`{"Webhook-Id":"1"}`), refusedHeaders(`{"x-op-anything":"1"}`), refusedHeaders(`{"X-Nepenthes-Event":"1"}`), refusedHeaders(`{"TE":"1"}`),
		refusedHeaders(`{"Proxy-Authorization":"1"}`), refusedHeaders(`{"a b":"1"}`), refusedHeaders(`{"":"1"}`), refusedHeaders(`{"ä":"1"}`),
		refusedHeaders(`{"X-A":"line\r\nbreak"}`), refusedHeaders(`{"X-A":"\u0000"}`), refusedHeaders(`{"X-A":7}`), refusedHeaders(`{"X-A":null}`), refusedHeaders(`["X-A"]`),
		refusedHeaders(`{"X-A":"***"}`), refusedHeaders(`{"X-A":"1","x-a":"2"}`),
	}},
}

// refusedHeaders is a step with custom headers that must be refused.
func refusedHeaders(headers string) Step {
	return Step{
		Do: "POST /api/v3/webhooks", Body: `{"name":"h {run}","payloadUrl":"` + hooks + `","events":["*"],"headers":` + headers + `}`,
		Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"headers"},
	}
}

// Secrets are the cases of signature secrets.
var Secrets = []Case{
	{Name: "a generated secret is shown once, and a client's own secret never", Steps: []Step{
		{
			Do: "POST /api/v3/webhooks", Body: `{"name":"s {run}","payloadUrl":"` + hooks + `","events":["*"],"secret":"generate"}`, Status: 201, Keep: map[string]string{"id": "id"},
			Want: map[string]any{"secret": Like(`^whsec_[A-Za-z0-9+/]{43}=$`), "secrets.0.kind": "hmac", "secrets.0.publicKey": nil, "secrets.0.expiresAt": nil, "secrets.0.id": Like("^sec_"), "warnings": None{}},
		},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"secret": None{}, "secrets.0.kind": "hmac"}},
		{
			Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"eight ch"}`, Status: 200,
			Want: map[string]any{"secret": None{}, "warnings.0.attribute": "secret", "warnings.0.message": Some{}, "secrets.0.kind": "hmac", "secrets.1": None{}},
		},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"generate-ed25519"}`, Status: 200, Want: map[string]any{"secrets.0.kind": "ed25519", "secrets.0.publicKey": Like("^whpk_"), "secret": Like("^whsk_")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":null}`, Status: 200, Want: map[string]any{"secrets": []any{}}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"short"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"whsec_nonsense"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"secret":"v1,whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}, Want: map[string]any{"errors.0.hint": Like("nothing before it")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":" whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}, Want: map[string]any{"errors.0.hint": Like("before and after the secret")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"\"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\""}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}, Want: map[string]any{"errors.0.hint": Like("Remove the quotation marks")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"WHSEC_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}, Want: map[string]any{"errors.0.hint": Like("in lower case")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"SECRET=whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"a plain secret of thirty bytes\n"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"***"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}, Want: map[string]any{"errors.0.hint": Like("keep the current secret")}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":"Generate"}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "PATCH /api/v3/webhooks/{id}", Body: `{"secret":{}}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"secret"}},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
	}},
	{Name: "secrets are rotated with an overlap, and at most four are live", Steps: []Step{
		{Do: "POST /api/v3/webhooks", Body: `{"name":"r {run}","payloadUrl":"` + hooks + `","events":["*"],"secret":"generate"}`, Status: 201, Keep: map[string]string{"id": "id", "first": "secrets.0.id"}},
		{
			Do: "POST /api/v3/webhooks/{id}/secrets", Status: 201,
			Want: map[string]any{"_type": "Secret", "id": Like("^sec_"), "kind": "hmac", "secret": Like("^whsec_"), "publicKey": nil, "expiresAt": nil, "createdAt": Some{}},
			Keep: map[string]string{"second": "id"},
		},
		{
			Do: "GET /api/v3/webhooks/{id}", Status: 200,
			Want: map[string]any{"secrets.0.id": "{first}", "secrets.0.expiresAt": Like(`^20`), "secrets.1.id": "{second}", "secrets.1.expiresAt": nil, "lockVersion": 2},
			Keep: map[string]string{"expires": "secrets.0.expiresAt"},
		},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"secret":"generate-ed25519","overlapHours":168}`, Status: 201, Want: map[string]any{"kind": "ed25519", "publicKey": Like("^whpk_")}},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"secret":"a text of one's own, long enough","overlapHours":168}`, Status: 201, Want: map[string]any{"secret": None{}, "warnings": None{}}},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"secrets.0.expiresAt": "{expires}", "secrets.1.expiresAt": Like(`^20`), "secrets.2.expiresAt": nil, "secrets.3.expiresAt": nil}},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Status: 409, Kind: "InvalidState"},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"overlapHours":0}`, Status: 201},
		{Do: "GET /api/v3/webhooks/{id}", Status: 200, Want: map[string]any{"secrets.0.kind": "ed25519", "secrets.1.kind": "hmac", "secrets.2": None{}}, Keep: map[string]string{"last": "secrets.1.id"}},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"overlapHours":169}`, Status: 422, Kind: "PropertyConstraintViolation", Attributes: []string{"overlapHours"}},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Body: `{"overlapHours":-1,"secret":"x","more":1}`, Status: 422, Kind: "MultipleErrors", Attributes: []string{"more", "overlapHours", "secret"}},
		{Do: "DELETE /api/v3/webhooks/{id}/secrets/{last}", Status: 204},
		{Do: "DELETE /api/v3/webhooks/{id}/secrets/{last}", Status: 404, Kind: "NotFound"},
		{Do: "DELETE /api/v3/webhooks/{id}/secrets/{first}", Status: 404, Kind: "NotFound"},
		{Do: "DELETE /api/v3/webhooks/{id}", Status: 204},
		{Do: "POST /api/v3/webhooks/{id}/secrets", Status: 404, Kind: "NotFound"},
	}},
}

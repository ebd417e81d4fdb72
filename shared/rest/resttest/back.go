package resttest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

// sendBack sends every kind of representation back unchanged: the answer that created or changed a thing, the thing itself,
// and its element in a list. The API must accept each of them, and the thing must stay as it was.
func (r *runner) sendBack(t *testing.T) {
	run := r.run + "-back"
	var ids []string
	for i := range 25 {
		id := fmt.Sprintf("%s-%d", run, i)
		ids = append(ids, id)
		created := r.mustSend(t, "PUT", "/api/v3/projects/"+id, map[string]any{"name": "Project " + id, "identifier": id})
		r.checkSentBack(t, "PUT", "/api/v3/projects/"+id, "/api/v3/projects?name="+id+"&pageSize=1", created)
	}
	long := strings.Repeat("é", 201)
	for name, fields := range map[string]map[string]any{
		"plain":                          {"events": []string{"*"}},
		"generated":                      {"events": []string{"*"}, "secret": "generate"},
		"a short secret":                 {"events": []string{"*"}, "secret": "12345678", "enabled": false, "legacySignature": true},
		"a key pair":                     {"events": []string{"project:*"}, "secret": "generate-ed25519", "payloadFormat": "standard", "timeoutSeconds": 30, "retrySchedule": "none"},
		"long members":                   {"events": []string{"*"}, "description": long, "headers": map[string]string{"X-Token": "credential", "X-More": "m"}, "projects": map[string]any{"all": false, "ids": ids}},
		"the longest members in lists":   {"events": []string{"*"}, "description": long[2:], "projects": map[string]any{"all": false, "ids": ids[:20]}},
		"one project too many for lists": {"events": []string{"*"}, "projects": map[string]any{"ids": ids[:21]}},
		"one project":                    {"events": []string{"*"}, "projects": map[string]any{"ids": ids[:1]}, "secret": "a text of one's own, long enough"},
		"an empty description":           {"events": []string{"*", "user:*"}, "description": ""},
	} {
		t.Run("webhook: "+name, func(t *testing.T) {
			body := map[string]any{"name": "back " + name + " " + run, "payloadUrl": hooks}
			maps.Copy(body, fields)
			created := r.mustSend(t, "POST", "/api/v3/webhooks", body)
			self := "/api/v3/webhooks/" + fmt.Sprint(created["id"])
			r.checkSentBack(t, "PATCH", self, self, created)
			r.checkSentBack(t, "PATCH", self, self, r.mustSend(t, "GET", self, nil))
			r.checkSentBack(t, "PATCH", self, self, r.mustSend(t, "PATCH", self, map[string]any{"enabled": true}))
			list := r.mustSend(t, "GET", "/api/v3/webhooks?pageSize=1&name="+strings.ReplaceAll(body["name"].(string), " ", "%20"), nil)
			element, _ := at(list, "_embedded.elements.0")
			r.checkSentBack(t, "PATCH", self, self, element)
			// The zone of a time and its digits after milliseconds do not matter.
			elsewhere := strings.Replace(fmt.Sprint(created["createdAt"]), "Z", "987+00:00", 1)
			r.checkSentBack(t, "PATCH", self, self, map[string]any{"createdAt": elsewhere})
			r.mustSend(t, "DELETE", self, nil)
		})
	}
	t.Run("client", func(t *testing.T) {
		created := r.mustSend(t, "POST", "/api/v3/oauth_clients", map[string]any{"name": "back " + run, "scopes": []string{"webhooks:read"}})
		self := "/api/v3/oauth_clients/" + fmt.Sprint(created["id"])
		r.checkSentBack(t, "PATCH", self, self, created)
		r.checkSentBack(t, "PATCH", self, self, r.mustSend(t, "POST", self+"/secrets", nil))
		r.checkSentBack(t, "PATCH", self, self, r.mustSend(t, "PATCH", self, map[string]any{"scopes": []string{"webhooks:read", "projects:read"}}))
		list := r.mustSend(t, "GET", "/api/v3/oauth_clients?name=back%20"+run, nil)
		element, _ := at(list, "_embedded.elements.0")
		r.checkSentBack(t, "PATCH", self, self, element)
		r.mustSend(t, "DELETE", self, nil)
	})
	t.Run("settings", func(t *testing.T) {
		const self = "/api/v3/settings"
		r.checkSentBack(t, "PATCH", self, self, r.mustSend(t, "GET", self, nil))
		changed := r.mustSend(t, "PATCH", self, map[string]any{"cors": map[string]any{"allowedOrigins": []string{"https://a.example.com", "https://b.example.com"}}, "api": map[string]any{"maxPageSize": 1}})
		r.checkSentBack(t, "PATCH", self, self, changed)
		r.mustSend(t, "PATCH", self, map[string]any{"cors": nil, "api": nil})
	})
}

// mustSend sends a request that must be accepted.
func (r *runner) mustSend(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	step := Step{}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		step.Body = string(text)
	}
	response, text := r.send(t, method, path, step, nil)
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: got %d %s, want it to be accepted", method, path, response.StatusCode, text)
	}
	answer, _ := decoded(text).(map[string]any)
	return answer
}

// checkSentBack sends a representation back and checks that the thing stays as it was. A secret in the representation is set
// again, so only its id and its time may change.
func (r *runner) checkSentBack(t *testing.T, method, path, look string, representation any) {
	t.Helper()
	before := r.mustSend(t, "GET", look, nil)
	given, _ := representation.(map[string]any)
	r.mustSend(t, method, path, representation)
	after := r.mustSend(t, "GET", look, nil)
	if _, again := given["secret"]; again {
		for _, state := range []map[string]any{before, after} {
			delete(state, "lockVersion")
			delete(state, "updatedAt")
			for _, secret := range state["secrets"].([]any) {
				delete(secret.(map[string]any), "id")
				delete(secret.(map[string]any), "createdAt")
			}
		}
	}
	if !reflect.DeepEqual(before, after) {
		t.Errorf("%s %s: sending back %v changed\n%v to\n%v", method, path, representation, before, after)
	}
}

package webhook_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// acceptable returns a webhook that breaks no rule.
func acceptable() webhook.Webhook {
	w := webhook.Defaults()
	w.Name, w.Subscription.Events = "Billing", []string{"time_entry:created"}
	return w
}

// attributes returns the attributes of the faults.
func attributes(faults []fault.Detail) (names []string) {
	for _, f := range faults {
		names = append(names, f.Attribute)
	}
	return names
}

func TestNormalise(t *testing.T) {
	w := acceptable()
	w.Name = " \tCafe\u0301\n"
	w.Subscription.Events = []string{"*", "project:created", "*", "webhook:*"}
	w.Subscription.Projects = webhook.Projects{IDs: []string{"7", "8", "7"}}
	if faults := w.Normalise(); faults.Len() > 0 {
		t.Fatalf("got %v, want no fault", faults)
	}
	if w.Name != "Café" {
		t.Errorf("got name %q, want it trimmed and in NFC", w.Name)
	}
	if want := []string{"*", "project:created", "webhook:*"}; !slices.Equal(w.Subscription.Events, want) {
		t.Errorf("got events %q, want %q", w.Subscription.Events, want)
	}
	if want := []string{"7", "8"}; !slices.Equal(w.Subscription.Projects.IDs, want) {
		t.Errorf("got projects %q, want %q", w.Subscription.Projects.IDs, want)
	}
	before := w
	if faults := w.Normalise(); faults.Len() > 0 || !reflect.DeepEqual(w, before) {
		t.Errorf("got %v and %+v the second time, want no change", faults, w)
	}
}

func TestNormaliseDropsIDsWithAllProjects(t *testing.T) {
	w := acceptable()
	w.Subscription.Projects = webhook.Projects{All: true, IDs: []string{"7"}}
	if faults := w.Normalise(); faults.Len() > 0 || w.Subscription.Projects.IDs != nil {
		t.Errorf("got %v, %q, want no fault and no project", faults, w.Subscription.Projects.IDs)
	}
}

// TestNormaliseAcceptsFormerPatterns checks that a webhook can still be changed, and sent back as it was read, if one
// of its types has been removed from the catalogue.
func TestNormaliseAcceptsFormerPatterns(t *testing.T) {
	w := acceptable()
	w.Subscription.Events = []string{"webhook:retired", "*"}
	if got := attributes(w.Normalise("webhook:retired").List()); got != nil {
		t.Errorf("got faults about %q, want none", got)
	}
	if got := attributes(w.Normalise().List()); !slices.Equal(got, []string{"events"}) {
		t.Errorf("got faults about %q for a new pattern, want events", got)
	}
}

func TestNormaliseAccepts(t *testing.T) {
	for name, change := range map[string]func(*webhook.Webhook){
		"255 characters of four bytes each": func(w *webhook.Webhook) { w.Name = strings.Repeat("😀", 255) },
		"255 characters among spaces":       func(w *webhook.Webhook) { w.Name = " " + strings.Repeat("x", 255) + " " },
		"one character":                     func(w *webhook.Webhook) { w.Name = "x" },
		"4096 characters of description":    func(w *webhook.Webhook) { w.Description = strings.Repeat("ä", 4096) },
		"1 second":                          func(w *webhook.Webhook) { w.Timeout = time.Second },
		"30 seconds":                        func(w *webhook.Webhook) { w.Timeout = 30 * time.Second },
		"an opt-in type by its name":        func(w *webhook.Webhook) { w.Subscription.Events = []string{"work_package_comment:internal_comment"} },
		"1,000 projects":                    func(w *webhook.Webhook) { w.Subscription.Projects = webhook.Projects{IDs: numbered(1000)} },
	} {
		t.Run(name, func(t *testing.T) {
			w := acceptable()
			change(&w)
			if faults := w.Normalise(); faults.Len() > 0 {
				t.Errorf("got %v, want no fault", faults)
			}
		})
	}
}

func TestNormaliseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*webhook.Webhook)
		attribute string
	}{
		"no name":                        {func(w *webhook.Webhook) { w.Name = "" }, "name"},
		"a blank name":                   {func(w *webhook.Webhook) { w.Name = " \u00a0\n" }, "name"},
		"256 characters":                 {func(w *webhook.Webhook) { w.Name = strings.Repeat("x", 256) }, "name"},
		"4097 characters of description": {func(w *webhook.Webhook) { w.Description = strings.Repeat("x", 4097) }, "description"},
		"no event":                       {func(w *webhook.Webhook) { w.Subscription.Events = nil }, "events"},
		"an unknown type":                {func(w *webhook.Webhook) { w.Subscription.Events = []string{"*", "project:moved"} }, "events"},
		"a type in upper case":           {func(w *webhook.Webhook) { w.Subscription.Events = []string{"Project:created"} }, "events"},
		"an empty pattern":               {func(w *webhook.Webhook) { w.Subscription.Events = []string{""} }, "events"},
		"61 patterns":                    {func(w *webhook.Webhook) { w.Subscription.Events = numbered(61) }, "events"},
		"no project":                     {func(w *webhook.Webhook) { w.Subscription.Projects = webhook.Projects{} }, "projects.ids"},
		"1,001 projects":                 {func(w *webhook.Webhook) { w.Subscription.Projects = webhook.Projects{IDs: numbered(1001)} }, "projects.ids"},
		"an unknown format":              {func(w *webhook.Webhook) { w.PayloadFormat = "xml" }, "payloadFormat"},
		"an unknown schedule":            {func(w *webhook.Webhook) { w.RetrySchedule = "" }, "retrySchedule"},
		"no timeout":                     {func(w *webhook.Webhook) { w.Timeout = 0 }, "timeoutSeconds"},
		"31 seconds":                     {func(w *webhook.Webhook) { w.Timeout = 31 * time.Second }, "timeoutSeconds"},
		"a part of a second":             {func(w *webhook.Webhook) { w.Timeout = 1500 * time.Millisecond }, "timeoutSeconds"},
	} {
		t.Run(name, func(t *testing.T) {
			w := acceptable()
			c.change(&w)
			faults := w.Normalise().List()
			if got := attributes(faults); !slices.Equal(got, []string{c.attribute}) || faults[0].Message == "" {
				t.Errorf("got %+v, want one fault about %s", faults, c.attribute)
			}
		})
	}
}

func TestNormaliseReturnsAllFaults(t *testing.T) {
	var w webhook.Webhook
	want := []string{"name", "events", "projects.ids", "payloadFormat", "timeoutSeconds", "retrySchedule"}
	if got := attributes(w.Normalise().List()); !slices.Equal(got, want) {
		t.Errorf("got faults about %q, want %q", got, want)
	}
}

// numbered returns n different strings.
func numbered(n int) (list []string) {
	for i := range n {
		list = append(list, strings.Repeat("p", i%30+1)+strings.Repeat("q", i/30))
	}
	return list
}

func TestCheckHeaders(t *testing.T) {
	many := map[string]string{}
	for _, name := range numbered(21) {
		many[name] = ""
	}
	for name, c := range map[string]struct {
		headers map[string]string
		faults  int
	}{
		"none":                            {nil, 0},
		"ordinary headers":                {map[string]string{"X-Team": "billing", "Authorization": "Bearer x", "X-Empty": "", "X-Greeting": "Grüße"}, 0},
		"names similar to reserved names": {map[string]string{"Hostess": "1", "Tea": "1", "Accepted": "1", "Webhooks": "1", "Cookies": "1"}, 0},
		"4096 bytes":                      {map[string]string{"X": strings.Repeat("v", 4095)}, 0},
		"4097 bytes":                      {map[string]string{"X": strings.Repeat("v", 4096)}, 1},
		"21 headers":                      {many, 1},
		"one header in two spellings":     {map[string]string{"X-A": "1", "x-a": "2"}, 1},
		"a name that is not a token":      {map[string]string{"X A": "1"}, 1},
		"a line break in a value":         {map[string]string{"X-A": "1\r\nX-B: 2"}, 1},
		"a tab in a value":                {map[string]string{"X-A": "1\t2"}, 1},
		"DEL in a value":                  {map[string]string{"X-A": "\x7f"}, 1},
		"two faults":                      {map[string]string{"Host": "1", "X-A": "\x00"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			faults := webhook.CheckHeaders(c.headers).List()
			if len(faults) != c.faults {
				t.Errorf("got %v, want %d faults", faults, c.faults)
			}
			for _, f := range faults {
				if f.Attribute != "headers" {
					t.Errorf("got a fault about %q, want headers", f.Attribute)
				}
			}
		})
	}
}

func TestReservedHeaders(t *testing.T) {
	for _, name := range []string{
		"host", "Connection", "CONTENT-TYPE", "content-anything", "Transfer-Encoding", "te", "Trailer", "Upgrade", "Keep-Alive", "Expect", "Accept",
		"Accept-Encoding", "User-Agent", "Cookie", "Forwarded", "X-Forwarded-For", "x-forwarded-", "Proxy-Authorization", "traceparent", "Tracestate",
		"webhook-id", "Webhook-Signature", "webhook-anything", "X-OP-Signature", "x-op-", "X-Nepenthes-Event",
	} {
		t.Run(name, func(t *testing.T) {
			if faults := webhook.CheckHeaders(map[string]string{name: "x"}); faults.Len() != 1 {
				t.Errorf("got %v, want one fault", faults)
			}
		})
	}
}

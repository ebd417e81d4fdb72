package page_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
	"nepenthes/web"
)

const webhookID = "wh_01JGK0000000000000000000AA"

var now = time.Date(2026, 1, 2, 11, 0, 0, 0, time.UTC)

func frame() page.Frame {
	return page.Frame{Base: "/prod", Client: "Ada", Navigation: page.Navigation("/prod", access.Scopes(), "/webhooks", true)}
}

// detailsOf returns a delivery that has been changed, without attempts.
func detailsOf(change func(*delivery.Delivery)) *api.DeliveryDetails {
	d := delivery.Delivery{
		Key:     delivery.Key{Webhook: webhookID, ReceivedMs: now.UnixMilli(), Event: events.KeyOf("s", "1")},
		EventID: "evt_1", EventType: "work_package:updated", State: delivery.Pending, CreatedAt: now,
	}
	change(&d)
	return &api.DeliveryDetails{Delivery: d}
}

// rendered returns the page as HTML.
func rendered(t *testing.T, name string, view any) string {
	t.Helper()
	text, err := web.Render(name, view, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDeliverySentence(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*delivery.Delivery)
		want    string
		follows bool
	}{
		"before the first attempt": {func(*delivery.Delivery) {}, "The first attempt is about to be made.", true},
		"postponed": {
			func(d *delivery.Delivery) { d.NextAttemptAt = now.Add(10 * time.Minute) },
			"No attempt yet. The first one is due at 2 Jan 2026, 11:10:00 UTC", false,
		},
		"failed twice": {func(d *delivery.Delivery) {
			d.State, d.AttemptCount, d.NextAttemptAt = delivery.Retrying, 2, now.Add(5*time.Minute)
		}, "Failed twice, next attempt at 2 Jan 2026, 11:05:00 UTC", false},
		"due within a minute": {func(d *delivery.Delivery) {
			d.State, d.AttemptCount, d.NextAttemptAt = delivery.Retrying, 1, now.Add(59*time.Second)
		}, "Failed once, next attempt at 2 Jan 2026, 11:00:59 UTC", true},
		"due now": {func(d *delivery.Delivery) {
			d.State, d.AttemptCount, d.NextAttemptAt = delivery.Retrying, 3, now
		}, "Failed 3 times, the next attempt is being made.", true},
		"delivered": {func(d *delivery.Delivery) { d.State, d.AttemptCount, d.FinishedAt = delivery.Delivered, 1, now }, "Arrived with the first attempt at 2 Jan 2026, 11:00:00 UTC", false},
		"exhausted": {func(d *delivery.Delivery) {
			d.State, d.Reason, d.AttemptCount, d.FinishedAt = delivery.Dead, delivery.Exhausted, 10, now
		}, "Failed 10 times, and the schedule has no more attempts. Since 2 Jan 2026, 11:00:00 UTC", false},
		"tried again": {func(d *delivery.Delivery) {
			d.State, d.Reason, d.AttemptCount, d.Extra = delivery.Dead, delivery.Exhausted, 10, &delivery.Extra{}
		}, "Failed 10 times, and the schedule has no more attempts. Another attempt is being made.", true},
		"gone":         {func(d *delivery.Delivery) { d.State, d.Reason = delivery.Dead, delivery.Gone }, "The receiver answered 410 Gone, so it gets no further attempts.", false},
		"dropped":      {func(d *delivery.Delivery) { d.State, d.Reason = delivery.Dead, delivery.Dropped }, "Not sent, because somebody resumed the webhook and dropped what was held.", false},
		"unsubscribed": {func(d *delivery.Delivery) { d.State, d.Reason = delivery.Skipped, delivery.Unsubscribed }, "Not sent, because the webhook was no longer subscribed", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := page.NewDelivery(frame(), detailsOf(c.change), nil, page.DeliveryOptions{Now: now}, nil)
			got := ""
			for _, part := range p.Sentence {
				got += part.Text
				if part.At != nil {
					got += part.At.Text()
				}
			}
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if p.Follow != c.follows {
				t.Errorf("got follow %v, want %v", p.Follow, c.follows)
			}
		})
	}
}

func TestEveryFailureIsExplained(t *testing.T) {
	classes := []delivery.ErrorClass{
		delivery.ErrDNS, delivery.ErrBlocked, delivery.ErrConnect, delivery.ErrTLS, delivery.ErrTimeout, delivery.ErrReset, delivery.ErrProtocol, delivery.ErrResponseTooLarge, delivery.ErrStatus,
	}
	for _, class := range classes {
		t.Run(string(class), func(t *testing.T) {
			d := detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead })
			a := delivery.Attempt{Number: 1, Outcome: delivery.OutcomeFailed, ErrorClass: class}
			if class == delivery.ErrStatus {
				a.Response = &delivery.Response{Status: 301}
			}
			d.Attempts = []delivery.Attempt{a}
			e := page.NewDelivery(frame(), d, nil, page.DeliveryOptions{Now: now}, nil).Attempts[0].Explanation
			if e == nil || e.What == "" || e.Do == "" {
				t.Errorf("got %+v, want an explanation and advice", e)
			}
		})
	}
}

func TestBodiesAreShownOnceAndCut(t *testing.T) {
	long := `{"text":"` + strings.Repeat("ä", 20_000) + `"}`
	short := `{"id":9007199254740993}`
	texts := []*string{&long, &short, &short, nil}
	shown := page.Bodies(texts, false)
	if len(shown) != 2 {
		t.Fatalf("got %d bodies, want 2", len(shown))
	}
	if want := "{\n  \"id\": 9007199254740993\n}"; shown[0].Text != want {
		t.Errorf("got %q, want %q", shown[0].Text, want)
	}
	if got := shown[1]; len(got.Text) > 16<<10 || !utf8.ValidString(got.Text) || got.Cut == "" {
		t.Errorf("got %d bytes and the note %q, want at most 16 KiB of whole characters and a note", len(got.Text), got.Cut)
	}
	if raw := page.Bodies(texts, true); raw[0].Text != short {
		t.Errorf("raw: got %q, want %q", raw[0].Text, short)
	}
}

func TestAnswersAreShownWithTheirControlCharacters(t *testing.T) {
	d := detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead })
	d.Attempts = []delivery.Attempt{{Number: 1, Outcome: delivery.OutcomeFailed, Response: &delivery.Response{Status: 500, Body: []byte("<b>\x00\x1b[2J\u202eabc\r\nnext")}}}
	p := page.NewDelivery(frame(), d, nil, page.DeliveryOptions{Now: now}, nil)
	if want := "<b>␀␛[2J\uFFFDabc\nnext"; p.Attempts[0].AnswerBody != want {
		t.Errorf("got %q, want %q", p.Attempts[0].AnswerBody, want)
	}
	if text := rendered(t, "delivery", p); strings.Contains(text, "<b>␀") {
		t.Error("the page contains the HTML of the receiver")
	}
}

func TestWaterfallsFitTheirPicture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phase := func(name string) time.Duration {
			if rapid.Bool().Draw(t, name+" happened") {
				return time.Duration(rapid.Int64Range(0, int64(40*time.Second)).Draw(t, name))
			}
			return delivery.NoPhase
		}
		total := time.Duration(rapid.Int64Range(0, int64(30*time.Second)).Draw(t, "total"))
		timing := delivery.Timing{DNS: phase("dns"), Connect: phase("connect"), TLS: phase("tls"), FirstByte: phase("first byte"), Total: total}
		d := detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead })
		d.Attempts = []delivery.Attempt{{Number: 1, Timing: timing}}
		for _, p := range page.NewDelivery(frame(), d, nil, page.DeliveryOptions{Now: now}, nil).Attempts[0].Timing.Phases {
			if p.X < 0 || p.X > 100 || p.Width < 0 || p.Width > 100 {
				t.Fatalf("got %+v, which exceeds the picture", p)
			}
		}
	})
}

func TestTheStripCountsEveryState(t *testing.T) {
	w := webhook.Defaults()
	w.ID, w.Name = "wh_1", "Billing"
	p := page.NewWebhook(frame(), &api.WebhookDetails{Webhook: w}, page.WebhookOptions{})
	var newest []delivery.Delivery
	for _, state := range delivery.States() {
		d := detailsOf(func(d *delivery.Delivery) { d.State = state })
		d.Last = &delivery.Summary{Total: 1000 * time.Second}
		newest = append(newest, d.Delivery)
	}
	p.AddDeliveries(nil, newest, page.Filters{}, nil)
	if want := "1 pending, 1 retrying, 1 held, 1 delivered, 1 dead, 1 skipped; the last attempts took 1000.0 s to 1000.0 s."; p.Strip.Text != want {
		t.Errorf("got %q, want %q", p.Strip.Text, want)
	}
	for _, b := range p.Strip.Bars {
		if b.Y < 0 || b.Height > 48 {
			t.Errorf("got %+v, which exceeds the picture", b)
		}
		for _, hole := range b.Holes {
			if hole.X < b.X || hole.Y < b.Y || hole.X+hole.Width > b.X+b.Width || hole.Y+hole.Height > b.Y+b.Height {
				t.Errorf("got a hole %+v outside its bar %+v", hole, b.Rect)
			}
		}
	}
}

func TestRecentFailures(t *testing.T) {
	for name, c := range map[string]struct {
		newest  []delivery.State
		enabled bool
		want    string
	}{
		"no deliveries":                   {nil, true, ""},
		"the newest arrived":              {[]delivery.State{delivery.Delivered, delivery.Dead}, true, ""},
		"the newest failed":               {[]delivery.State{delivery.Dead, delivery.Delivered}, true, "But the newest delivery has not arrived. Open it below to see why."},
		"several failed, and others wait": {[]delivery.State{delivery.Pending, delivery.Held, delivery.Retrying, delivery.Dead, delivery.Delivered, delivery.Dead}, true, "But none of the newest 2 deliveries has arrived. Open one below to see why."},
		"disabled for failing":            {[]delivery.State{delivery.Dead}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := webhook.Defaults()
			if w.ID = "wh_1"; !c.enabled {
				w.Disable(webhook.Gone, now)
			}
			p := page.NewWebhook(frame(), &api.WebhookDetails{Webhook: w}, page.WebhookOptions{})
			var newest []delivery.Delivery
			for _, state := range c.newest {
				newest = append(newest, detailsOf(func(d *delivery.Delivery) { d.State = state }).Delivery)
			}
			p.AddDeliveries(nil, newest, page.Filters{}, nil)
			if p.RecentFailures != c.want {
				t.Errorf("got %q, want %q", p.RecentFailures, c.want)
			}
		})
	}
}

func TestRetriesAreOfferedWhenPossible(t *testing.T) {
	for name, c := range map[string]struct {
		webhooks map[string]*webhook.Webhook
		offered  bool
		why      string
	}{
		"a webhook that the client may not see": {nil, true, ""},
		"an enabled webhook":                    {map[string]*webhook.Webhook{webhookID: {ID: "wh_1", Enabled: true}}, true, ""},
		"a disabled webhook":                    {map[string]*webhook.Webhook{webhookID: {ID: "wh_1"}}, false, "Its webhook is disabled. Enable the webhook first."},
		"a deleted webhook":                     {map[string]*webhook.Webhook{}, false, "Its webhook was deleted, so nothing more can be sent."},
	} {
		t.Run(name, func(t *testing.T) {
			d := detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead })
			p := page.NewDelivery(frame(), d, c.webhooks, page.DeliveryOptions{Retriable: true, Now: now}, nil)
			if offered := p.RetryAction != ""; offered != c.offered || p.NoRetry != c.why {
				t.Errorf("the page offers a retry: %v, reason %q; want %v, %q", offered, p.NoRetry, c.offered, c.why)
			}
			list := &api.DeliveryPage{Deliveries: []delivery.Delivery{d.Delivery}}
			if row := page.NewDeadDeliveries(frame(), list, c.webhooks, true).List.Rows[0]; row.NoRetry != c.why {
				t.Errorf("the list: got reason %q, want %q", row.NoRetry, c.why)
			}
		})
	}
}

func TestNavigation(t *testing.T) {
	for name, c := range map[string]struct {
		scopes []access.Scope
		docs   bool
		want   string
	}{
		"everything":    {access.AdministratorScopes(), true, "API, Webhooks, Deliveries, Applications, Why (not)?, API documentation"},
		"webhooks only": {[]access.Scope{access.WebhooksRead}, true, "Webhooks, Why (not)?, API documentation"},
		"docs off":      {[]access.Scope{access.SettingsWrite}, false, "API"},
		"nothing":       {nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var labels []string
			for _, e := range page.Navigation("/prod", c.scopes, "", c.docs) {
				labels = append(labels, e.Label)
				if !strings.HasPrefix(e.Href, "/prod/") {
					t.Errorf("%s lacks the stage path", e.Href)
				}
			}
			if got := strings.Join(labels, ", "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFaultsAreShownAtTheirFields(t *testing.T) {
	err := fault.Invalid(
		fault.Detail{Attribute: "projects.ids", Message: "No project is selected."}, fault.Detail{Attribute: "timeoutSeconds", Message: "Too long."},
	)
	p := page.NewWebhookForm(frame(), form.NewWebhook(), page.WebhookFormOptions{}, err)
	if len(p.Projects.Faults) != 1 || len(p.Timeout.Faults) != 1 || len(p.Name.Faults) != 0 {
		t.Errorf("got faults of projects %v, timeout %v, name %v, want one, one and none", p.Projects.Faults, p.Timeout.Faults, p.Name.Faults)
	}
	if !p.AdvancedOpen {
		t.Error("the part with a fault is closed")
	}
	if got := p.Summary.Entries; len(got) != 2 || got[0].Field != "projects" || got[1].Field != "timeout" {
		t.Errorf("got summary %+v, want projects and timeout", got)
	}
}

func TestEveryEventTypeCanBeChosen(t *testing.T) {
	p := page.NewWebhookForm(frame(), form.NewWebhook(), page.WebhookFormOptions{}, nil)
	offered := map[string]bool{p.AllEvents.Value: true}
	for _, g := range append(p.EventGroups, p.OptInGroups...) {
		if g.All != nil {
			offered[g.All.Value] = true
		}
		for _, b := range g.Types {
			offered[b.Value] = true
		}
	}
	for _, kind := range events.Types() {
		if !offered[kind.Name] || !offered[kind.Resource+":*"] {
			t.Errorf("%s cannot be chosen", kind.Name)
		}
	}
	for pattern := range offered {
		if err := events.CheckPattern(pattern); err != nil {
			t.Errorf("the form offers %s: %v", pattern, err)
		}
	}
}

func TestWhyShowsNamesWithoutDirectionCharacters(t *testing.T) {
	p := page.NewWhy(frame(), page.Question{}, nil, nil)
	p.Answer(&api.Page[api.Explanation]{
		Items: []api.Explanation{{Webhook: &webhook.Webhook{ID: webhookID, Name: "Bill\u202eing"}}}, Total: 1, Size: 1, Number: 1,
	}, "user:created", "get", nil)
	if got := p.Rows[0].Name; got != "Billing" {
		t.Errorf("got name %+q, want Billing", got)
	}
}

// TestEveryPageRenders renders each template with almost no data, as after the first start.
func TestEveryPageRenders(t *testing.T) {
	for name, view := range map[string]any{
		"sign_in":       page.NewSignIn(page.Frame{}, "", "/admin", nil),
		"api":           page.NewAPI(frame(), form.Settings{}, true, nil, nil),
		"webhooks":      page.NewWebhooks(frame(), &api.Page[webhook.Webhook]{}, "", true, nil, nil),
		"webhook":       page.NewWebhook(frame(), &api.WebhookDetails{}, page.WebhookOptions{Writable: true, FormNumber: "ONCE"}),
		"webhook_form":  page.NewWebhookForm(frame(), form.NewWebhook(), page.WebhookFormOptions{}, nil),
		"deliveries":    page.NewDeadDeliveries(frame(), &api.DeliveryPage{}, nil, true),
		"delivery":      page.NewDelivery(frame(), detailsOf(func(*delivery.Delivery) {}), nil, page.DeliveryOptions{}, nil),
		"why":           page.NewWhy(frame(), page.Question{}, nil, nil),
		"applications":  page.NewApplications(frame(), &api.Page[access.Client]{}, true, now),
		"application":   page.NewApplication(frame(), form.Client{}, page.ApplicationOptions{}, nil),
		"resume":        page.NewResume(frame(), &api.WebhookDetails{}, true, form.NewResume(), nil),
		"confirm":       page.NewDeleteWebhook(frame(), &webhook.Webhook{}),
		"secret":        page.NewClientSecret(frame(), &api.IssuedClientSecret{}, "New"),
		"message":       page.Message{Frame: frame()},
		"session_ended": page.SessionEnded{Frame: frame()},
	} {
		t.Run(name, func(t *testing.T) {
			text := rendered(t, name, view)
			if strings.Count(text, "<h1") != 1 || !strings.Contains(text, "<main") || strings.Contains(text, "%!") {
				t.Errorf("got %s", text)
			}
		})
	}
}

package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"nepenthes/shared/access"
	"nepenthes/shared/console/session"
	"nepenthes/shared/fault"
	"nepenthes/shared/sqlite"
)

// day is a clock, a store, a client with a secret, and a browser.
type day struct {
	*session.Keeper
	t      *testing.T
	now    time.Time
	db     *sqlite.DB
	client access.Client
	list   int64
	cookie *http.Cookie
}

func begin(t *testing.T, plain bool) *day {
	t.Helper()
	d := &day{t: t, now: time.Date(2026, 1, 2, 9, 0, 0, 0, time.UTC)}
	db, err := sqlite.Open("", sqlite.Options{Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	d.db = db
	d.client = access.Client{ID: "app_1", Name: "Ada", Scopes: access.AdministratorScopes(), CreatedAt: d.now, Secrets: []access.Secret{{ID: "sec_1", CreatedAt: d.now}}}
	d.put()
	d.Keeper = session.NewKeeper(session.Config{Store: db, Clients: db, PlainHTTP: plain, Now: func() time.Time { return d.now }})
	d.signIn()
	return d
}

func (d *day) put() {
	d.t.Helper()
	if err := d.db.PutClient(d.t.Context(), &d.client, d.list); err != nil {
		d.t.Fatal(err)
	}
	d.list++
}

func (d *day) signIn() {
	d.t.Helper()
	w := httptest.NewRecorder()
	if err := d.Begin(d.t.Context(), w, d.request(), d.client, "sec_1"); err != nil {
		d.t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	d.cookie = cookies[len(cookies)-1]
}

func (d *day) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/admin", nil)
	if d.cookie != nil {
		r.AddCookie(d.cookie)
	}
	return r
}

// use makes a request that may count as a use, and checks whether the session is alive.
func (d *day) use(counts, alive bool) {
	d.t.Helper()
	client, err := d.Client(d.t.Context(), d.request(), counts)
	switch {
	case alive && err != nil:
		d.t.Errorf("at %s: got %v, want the session alive", d.now.Format(time.TimeOnly), err)
	case alive && client.ID != d.client.ID:
		d.t.Errorf("got the session of %q, want %q", client.ID, d.client.ID)
	case !alive && !fault.Is(err, fault.Unauthenticated):
		d.t.Errorf("at %s: got %v, want Unauthenticated", d.now.Format(time.TimeOnly), err)
	}
}

func (d *day) pass(span time.Duration) { d.now = d.now.Add(span) }

func TestSessionEnds(t *testing.T) {
	for name, steps := range map[string]func(d *day){
		"after 30 minutes without use": func(d *day) {
			d.pass(30*time.Minute - time.Second)
			d.use(true, true)
			d.pass(30*time.Minute - time.Second)
			d.use(true, true)
			d.pass(30 * time.Minute)
			d.use(true, false)
		},
		"after 8 hours of use": func(d *day) {
			for range 8*60/20 - 1 {
				d.pass(20 * time.Minute)
				d.use(true, true)
			}
			d.pass(20 * time.Minute)
			d.use(true, false)
		},
		"after 30 minutes of only following a delivery": func(d *day) {
			for range 29 {
				d.pass(time.Minute)
				d.use(false, true)
			}
			d.pass(time.Minute)
			d.use(true, false)
		},
		"when its client is deleted": func(d *day) {
			if err := d.db.DeleteClient(d.t.Context(), d.client.ID, d.list); err != nil {
				d.t.Fatal(err)
			}
			d.use(true, false)
		},
		"when its secret is removed": func(d *day) {
			d.client.Secrets = []access.Secret{{ID: "sec_2", CreatedAt: d.now}}
			d.put()
			d.use(true, false)
		},
		"when its secret is replaced under the same id": func(d *day) {
			d.client.Secrets = []access.Secret{{ID: "sec_1", CreatedAt: d.now.Add(time.Second)}}
			d.put()
			d.use(true, false)
		},
		"when its secret expires": func(d *day) {
			d.client.Secrets[0].ExpiresAt = d.now.Add(time.Minute)
			d.put()
			d.use(true, true)
			d.pass(time.Minute)
			d.use(true, false)
		},
		"when all of its client's sessions are ended": func(d *day) {
			d.client.Revocations++
			d.put()
			d.use(true, false)
			d.signIn()
			d.use(true, true)
		},
		"when its client signs in again": func(d *day) {
			former := d.cookie
			d.signIn()
			d.use(true, true)
			d.cookie = former
			d.use(true, false)
		},
		"for another cookie": func(d *day) {
			d.cookie.Value += "x"
			d.use(true, false)
		},
	} {
		t.Run(name, func(t *testing.T) { steps(begin(t, true)) })
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	d := begin(t, true)
	d.pass(2 * time.Minute)
	d.use(true, true) // the time of the use is stored
	w := httptest.NewRecorder()
	if err := d.End(t.Context(), w, d.request()); err != nil {
		t.Fatal(err)
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("got cookies %v, want the cookie removed", c)
	}
	d.use(true, false)
	if err := d.End(t.Context(), httptest.NewRecorder(), d.request()); err != nil {
		t.Errorf("signing out again: got %v, want no error", err)
	}
}

func TestScopesAreCurrent(t *testing.T) {
	d := begin(t, true)
	d.client.Scopes = []access.Scope{access.WebhooksRead}
	d.put()
	client, err := d.Client(t.Context(), d.request(), true)
	if err != nil || len(client.Scopes) != 1 {
		t.Errorf("got scopes %v, %v, want the changed ones", client.Scopes, err)
	}
}

func TestCookie(t *testing.T) {
	for name, c := range map[string]struct {
		plain  bool
		called string
	}{
		"with TLS":    {false, "__Host-nepenthes"},
		"without TLS": {true, "nepenthes"},
	} {
		t.Run(name, func(t *testing.T) {
			cookie := begin(t, c.plain).cookie
			if cookie.Name != c.called || cookie.Secure == c.plain || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode ||
				cookie.Path != "/" || cookie.Domain != "" {
				t.Errorf("got cookie %s, want the name %s", cookie, c.called)
			}
			if bits := len(cookie.Value) * 6; bits < 256 {
				t.Errorf("got %d random bits, want 256", bits)
			}
		})
	}
}

// recordingStore records everything that is written.
type recordingStore struct {
	session.Store
	text strings.Builder
}

func (r *recordingStore) PutState(ctx context.Context, key string, value []byte, expires time.Time) error {
	r.text.WriteString(key + string(value))
	return r.Store.PutState(ctx, key, value, expires)
}

func TestTheStoreNeverSeesTheCookie(t *testing.T) {
	d := begin(t, true)
	store := &recordingStore{Store: d.db}
	d.Keeper = session.NewKeeper(session.Config{Store: store, Clients: d.db, PlainHTTP: true, Now: func() time.Time { return d.now }})
	d.signIn()
	if strings.Contains(store.text.String(), d.cookie.Value) {
		t.Error("the store has the cookie's value")
	}
	if store.text.Len() == 0 {
		t.Error("nothing was stored")
	}
}

package api_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"nepenthes/events"
	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/delivery"
	"nepenthes/shared/fault"
	"nepenthes/shared/record"
	"nepenthes/shared/settings"
	"nepenthes/shared/store"
)

// endless is a store whose list of dead deliveries never ends.
type endless struct{ untouched }

func (endless) Settings(context.Context) (settings.Settings, error) { return settings.Defaults(), nil }

func (endless) Deliveries(_ context.Context, q store.Query) (store.Page, error) {
	r := record.Event{Event: events.Event{ID: "e"}, ReceivedAt: time.UnixMilli(1_767_351_600_000)}
	d := r.Delivery("wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B") // the same in every process of the fuzzer
	return store.Page{Deliveries: []delivery.Delivery{d}, More: &d.Key}, nil
}

// FuzzCursor looks for a cursor that is taken although the list did not give it.
func FuzzCursor(f *testing.F) {
	c := config()
	c.Catalogue, c.Store = endless{}, endless{}
	operations := api.New(c)
	call := api.Call{Caller: auth.Caller{Scopes: []access.Scope{access.DeliveriesRead}}}
	list := func(t testing.TB, cursor string) (next string, err error) {
		in := &api.ListDeadDeliveries{State: "dead"}
		in.Cursor = cursor
		page, err := operations.ListDeadDeliveries.Do(context.Background(), call, in)
		if err != nil {
			return "", err
		}
		href, err := url.Parse(page.Links.Next.Href)
		if err != nil {
			t.Fatal(err)
		}
		return href.Query().Get("cursor"), nil
	}
	good, err := list(f, "")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{good, good[1:], "p" + good[1:], good + "A", "n", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		_, err := list(t, cursor)
		if taken := err == nil; taken != (cursor == good || cursor == "") {
			t.Errorf("got %q taken: %t", cursor, taken)
		}
		if err != nil && !fault.Is(err, fault.InvalidQuery) {
			t.Errorf("got %v for %q, want InvalidQuery", err, cursor)
		}
	})
}

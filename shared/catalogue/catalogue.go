// Package catalogue keeps webhooks and settings in memory, current to the store's catalogue version.
//
// Every question is answered from a state that is at least as new as the moment of the question: a webhook that
// was made before an event was pushed is matched, and one that was switched off before an attempt is not called.
// That costs one strongly consistent read of a number; questions asked at the same time share it, so a batch of
// messages costs one or two. A new version is followed through the change log; only a gap in it loads everything.
package catalogue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
	"nepenthes/shared/webhook"
)

// Store is what the catalogue reads from.
type Store interface {
	CatalogueVersion(ctx context.Context) (int64, error)
	Changes(ctx context.Context, after int64) ([]webhook.Change, error)
	Settings(ctx context.Context) (settings.Settings, error)
	Webhooks(ctx context.Context) ([]webhook.Webhook, error)
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
}

// Catalogue is safe for concurrent use. The webhooks it gives out are shared: they must not be changed.
type Catalogue struct {
	store Store
	fresh refresher

	mu       sync.RWMutex // protects what follows
	loaded   bool
	version  int64
	settings settings.Settings
	webhooks map[string]*webhook.Webhook
	sorted   []*webhook.Webhook // by id, which is oldest first; replaced, never changed
	index    *webhook.Index
}

// New makes a catalogue that reads from store; it loads at the first question.
func New(store Store) *Catalogue {
	c := &Catalogue{store: store}
	c.fresh.refresh = c.follow
	return c
}

// Settings are the present settings.
func (c *Catalogue) Settings(ctx context.Context) (settings.Settings, error) {
	if err := c.fresh.wait(ctx); err != nil {
		return settings.Settings{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.settings, nil
}

// Webhook is the present webhook of that id; a fault of kind NotFound when there is none.
func (c *Catalogue) Webhook(ctx context.Context, id string) (*webhook.Webhook, error) {
	if err := c.fresh.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if w, ok := c.webhooks[id]; ok {
		return w, nil
	}
	return nil, fault.New(fault.NotFound, "There is no webhook %s.", fault.Quote(id))
}

// All lists the present webhooks, oldest first.
func (c *Catalogue) All(ctx context.Context) ([]*webhook.Webhook, error) {
	if err := c.fresh.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.sorted, nil
}

// Match lists the enabled webhooks that want an event of the type and project (empty: none), oldest first.
func (c *Catalogue) Match(ctx context.Context, eventType, projectID string) ([]*webhook.Webhook, error) {
	if err := c.fresh.wait(ctx); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.Match(eventType, projectID), nil
}

// follow brings the catalogue to the store's present version. The refresher runs one at a time.
func (c *Catalogue) follow(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "follow the catalogue")
	version, err := c.store.CatalogueVersion(ctx)
	if err != nil {
		return err
	}
	if !c.loaded {
		return c.load(ctx, version)
	}
	if version == c.version {
		return nil
	}
	changes, err := c.store.Changes(ctx, c.version)
	if errors.Is(err, webhook.ErrGap) {
		return c.load(ctx, version)
	}
	if err != nil {
		return err
	}
	return c.apply(ctx, version, changes)
}

// load reads everything. What it reads may be newer than version; the change log then names it once more.
func (c *Catalogue) load(ctx context.Context, version int64) error {
	set, err := c.store.Settings(ctx)
	if err != nil {
		return err
	}
	all, err := c.store.Webhooks(ctx)
	if err != nil {
		return err
	}
	webhooks, index := make(map[string]*webhook.Webhook, len(all)), &webhook.Index{}
	sorted := make([]*webhook.Webhook, len(all))
	for i := range all {
		w := &all[i]
		webhooks[w.ID], sorted[i] = w, w
		index.Put(w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded, c.version, c.settings = true, version, set
	c.webhooks, c.sorted, c.index = webhooks, sorted, index
	return nil
}

// apply reads what the changes name and takes it over in one step, so that nobody sees half of them.
func (c *Catalogue) apply(ctx context.Context, version int64, changes []webhook.Change) error {
	set, read := c.settings, map[string]*webhook.Webhook{}
	var err error
	for _, change := range changes {
		version = max(version, change.Version)
		if change.Webhook == "" {
			set, err = c.store.Settings(ctx)
		} else {
			err = c.read(ctx, change.Webhook, read)
		}
		if err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version, c.settings = version, set
	c.sorted = slices.Clone(c.sorted)
	for id, w := range read {
		c.replace(id, w)
	}
	return nil
}

// read takes the present webhook of that id into into, once; nil stands for one that is gone.
func (c *Catalogue) read(ctx context.Context, id string, into map[string]*webhook.Webhook) error {
	if _, done := into[id]; done {
		return nil
	}
	w, err := c.store.Webhook(ctx, id)
	switch {
	case fault.Is(err, fault.NotFound):
		into[id] = nil
	case err != nil:
		return err
	default:
		into[id] = &w
	}
	return nil
}

// replace puts w, or nothing when it is nil, in the place of the webhook id.
func (c *Catalogue) replace(id string, w *webhook.Webhook) {
	at, found := slices.BinarySearchFunc(c.sorted, id, func(x *webhook.Webhook, id string) int { return cmp.Compare(x.ID, id) })
	if found {
		c.index.Remove(c.sorted[at])
		c.sorted = slices.Delete(c.sorted, at, at+1)
		delete(c.webhooks, id)
	}
	if w != nil {
		c.index.Put(w)
		c.sorted = slices.Insert(c.sorted, at, w)
		c.webhooks[id] = w
	}
}

// Package catalogue keeps webhooks and settings in memory, current to the store's catalogue version.
//
// Every question is answered from a state that is at least as new as the moment of the question: a webhook that
// was made before an event was pushed is matched, and one that was switched off before an attempt is not called.
// That costs one strongly consistent read of a number; questions asked at the same time share it, so a batch of
// messages costs one or two. A new version is followed through the change log; only a gap in it reads everything.
//
// A process keeps what it asks for: settings alone; webhooks besides, once somebody asks for one; and once somebody
// matches an event, an index of them.
package catalogue

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"nepenthes/shared/fault"
	"nepenthes/shared/settings"
	"nepenthes/shared/store"
	"nepenthes/shared/webhook"
)

// Store is what the catalogue reads from.
type Store interface {
	CatalogueVersion(ctx context.Context) (int64, error)
	Changes(ctx context.Context, after int64) ([]store.Change, error)
	Settings(ctx context.Context) (settings.Settings, error)
	Webhooks(ctx context.Context, take func(webhook.Webhook)) error
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
}

// Catalogue is safe for concurrent use. The webhooks it gives out are shared: they must not be changed.
type Catalogue struct {
	store Store
	fresh refresher
	asked atomic.Int32 // the greatest extent that was asked for

	mu       sync.RWMutex // protects what follows; the refresher alone writes it
	loaded   bool
	version  int64
	settings settings.Settings
	webhooks []*webhook.Webhook // by id, which is oldest first; replaced, never changed; nil: not asked for yet
	index    *webhook.Index     // nil: not asked for yet
}

// extent is how much of the catalogue is kept.
type extent int32

const (
	settingsAlone extent = iota
	withWebhooks
	withIndex
)

// New makes a catalogue that reads from store; it loads at the first question.
func New(store Store) *Catalogue {
	c := &Catalogue{store: store}
	c.fresh.refresh = c.follow
	return c
}

// Settings are the present settings.
func (c *Catalogue) Settings(ctx context.Context) (settings.Settings, error) {
	if err := c.ask(ctx, settingsAlone); err != nil {
		return settings.Settings{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.settings, nil
}

// Webhook is the present webhook of that id; a fault of kind NotFound when there is none.
func (c *Catalogue) Webhook(ctx context.Context, id string) (*webhook.Webhook, error) {
	if err := c.ask(ctx, withWebhooks); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if w := find(c.webhooks, id); w != nil {
		return w, nil
	}
	return nil, fault.New(fault.NotFound, "There is no webhook %s.", fault.Quote(id))
}

// All lists the present webhooks, oldest first.
func (c *Catalogue) All(ctx context.Context) ([]*webhook.Webhook, error) {
	if err := c.ask(ctx, withWebhooks); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.webhooks, nil
}

// Match lists the enabled webhooks that want an event of the type and project (empty: none), oldest first.
func (c *Catalogue) Match(ctx context.Context, eventType, projectID string) ([]*webhook.Webhook, error) {
	if err := c.ask(ctx, withIndex); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.Match(eventType, projectID), nil
}

// ask waits until the catalogue is as new as the call and holds at least what is asked for.
func (c *Catalogue) ask(ctx context.Context, e extent) error {
	for {
		was := c.asked.Load()
		if was >= int32(e) || c.asked.CompareAndSwap(was, int32(e)) {
			return c.fresh.wait(ctx)
		}
	}
}

// follow brings the catalogue to the store's present version and to the extent that was asked for. The refresher runs
// one at a time.
func (c *Catalogue) follow(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "follow the catalogue")
	keep := extent(c.asked.Load())
	version, err := c.store.CatalogueVersion(ctx)
	if err != nil {
		return err
	}
	if !c.loaded || keep >= withWebhooks && c.webhooks == nil {
		err = c.load(ctx, version, keep)
	} else if version != c.version {
		err = c.catchUp(ctx, version, keep)
	}
	if err == nil && keep >= withIndex && c.index == nil {
		c.build()
	}
	return err
}

// catchUp follows the change log to the version, or reads everything where the log has a gap.
func (c *Catalogue) catchUp(ctx context.Context, version int64, keep extent) error {
	changes, err := c.store.Changes(ctx, c.version)
	switch {
	case errors.Is(err, store.ErrGap):
		return c.load(ctx, version, keep)
	case err != nil:
		return err
	}
	return c.apply(ctx, version, changes)
}

// load reads everything. What it reads may be newer than version; the change log then names it once more.
func (c *Catalogue) load(ctx context.Context, version int64, keep extent) error {
	set, err := c.store.Settings(ctx)
	if err != nil {
		return err
	}
	var webhooks []*webhook.Webhook
	if keep >= withWebhooks {
		if webhooks, err = c.readAll(ctx); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaded, c.version, c.settings = true, version, set
	if keep >= withWebhooks {
		c.replaceAll(webhooks)
	}
	return nil
}

// readAll reads every webhook, oldest first. One that is as it was is the same in memory, so that a gap does not need
// room for everything twice.
func (c *Catalogue) readAll(ctx context.Context) ([]*webhook.Webhook, error) {
	var shared webhook.Sharing
	all := make([]*webhook.Webhook, 0, len(c.webhooks))
	err := c.store.Webhooks(ctx, func(w webhook.Webhook) {
		if was := find(c.webhooks, w.ID); was != nil && reflect.DeepEqual(*was, w) {
			all = append(all, was)
			return
		}
		shared.Share(&w)
		all = append(all, &w)
	})
	slices.SortFunc(all, func(a, b *webhook.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return all, err
}

// replaceAll takes over webhooks, and into the index what differs.
func (c *Catalogue) replaceAll(webhooks []*webhook.Webhook) {
	was := c.webhooks
	c.webhooks = webhooks
	if c.index == nil {
		return
	}
	for _, w := range was {
		if find(webhooks, w.ID) != w {
			c.index.Remove(w)
		}
	}
	for _, w := range webhooks {
		if find(was, w.ID) != w {
			c.index.Put(w)
		}
	}
}

// build makes the index.
func (c *Catalogue) build() {
	index := &webhook.Index{}
	for _, w := range c.webhooks {
		index.Put(w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index = index
}

// apply reads what the changes name and takes it over in one step, so that nobody sees half of them.
func (c *Catalogue) apply(ctx context.Context, version int64, changes []store.Change) error {
	set, read := c.settings, map[string]*webhook.Webhook{}
	var err error
	for _, change := range changes {
		version = max(version, change.Version)
		if change.Webhook == "" {
			set, err = c.store.Settings(ctx)
		} else if c.webhooks != nil {
			err = c.read(ctx, change.Webhook, read)
		}
		if err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version, c.settings = version, set
	if len(read) > 0 {
		c.webhooks = slices.Clone(c.webhooks)
	}
	for id, w := range read {
		c.replace(id, w)
	}
	return nil
}

// read takes the present webhook of that id into into, once; nil stands for one that is gone. What it shared with
// others before, it shares again.
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
		var shared webhook.Sharing
		if was := find(c.webhooks, id); was != nil {
			shared.See(was)
		}
		shared.Share(&w)
		into[id] = &w
	}
	return nil
}

// replace puts w, or nothing when it is nil, in the place of the webhook id.
func (c *Catalogue) replace(id string, w *webhook.Webhook) {
	at, found := search(c.webhooks, id)
	if found {
		if c.index != nil {
			c.index.Remove(c.webhooks[at])
		}
		c.webhooks = slices.Delete(c.webhooks, at, at+1)
	}
	if w != nil {
		if c.index != nil {
			c.index.Put(w)
		}
		c.webhooks = slices.Insert(c.webhooks, at, w)
	}
}

// search finds the place of the webhook id among those by id.
func search(webhooks []*webhook.Webhook, id string) (at int, found bool) {
	return slices.BinarySearchFunc(webhooks, id, func(w *webhook.Webhook, id string) int { return cmp.Compare(w.ID, id) })
}

// find gives the webhook id, nil when there is none.
func find(webhooks []*webhook.Webhook, id string) *webhook.Webhook {
	if at, found := search(webhooks, id); found {
		return webhooks[at]
	}
	return nil
}

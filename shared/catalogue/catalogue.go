// Package catalogue keeps settings and webhooks in memory and never returns an old version of them.
//
// Every answer is at least as new as the call. A webhook that was created before an event was pushed is matched, and a
// webhook that was disabled before an attempt is not called. Each call costs one strongly consistent read of the
// catalogue's version. Concurrent calls share that read, so a batch of messages costs one or two reads. If the version
// has changed, the catalogue follows the change log. It reads everything only if the log has a gap.
//
// A catalogue keeps only what its process uses. It always keeps the settings. It keeps the webhooks after the first call
// that returns webhooks, and an index of the webhooks after the first call of Match.
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

// Store reads settings, webhooks and their change log. See store.Catalogue.
type Store interface {
	CatalogueVersion(ctx context.Context) (int64, error)
	Changes(ctx context.Context, after int64) ([]store.Change, error)
	Settings(ctx context.Context) (settings.Settings, error)
	Webhooks(ctx context.Context, take func(webhook.Webhook)) error
	Webhook(ctx context.Context, id string) (webhook.Webhook, error)
}

// Catalogue keeps settings and webhooks. It is safe for concurrent use. Callers share the webhooks that it returns and
// must not change them.
type Catalogue struct {
	store Store
	fresh refresher
	asked atomic.Int32 // the largest extent that a call has asked for

	mu       sync.RWMutex // protects the fields below, which only the refresher writes
	loaded   bool
	version  int64
	settings settings.Settings
	webhooks []*webhook.Webhook // sorted by id, so the oldest is first; replaced, never changed; nil if not asked for yet
	index    *webhook.Index     // nil if not asked for yet
}

// extent says how much of the catalogue is kept.
type extent int32

const (
	settingsOnly extent = iota
	withWebhooks
	withIndex
)

// New returns a catalogue of the store. It does not read before the first call of a method.
func New(store Store) *Catalogue {
	c := &Catalogue{store: store}
	c.fresh.refresh = c.follow
	return c
}

// Settings returns the current settings.
func (c *Catalogue) Settings(ctx context.Context) (settings.Settings, error) {
	if err := c.ask(ctx, settingsOnly); err != nil {
		return settings.Settings{}, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.settings, nil
}

// Webhook returns the webhook with the given id. It returns a fault of kind NotFound if there is no such webhook.
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

// All returns all webhooks, oldest first.
func (c *Catalogue) All(ctx context.Context) ([]*webhook.Webhook, error) {
	if err := c.ask(ctx, withWebhooks); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.webhooks, nil
}

// Match returns the enabled webhooks that want an event of the given type and project, oldest first. The project id is
// empty for an event without a project.
func (c *Catalogue) Match(ctx context.Context, eventType, projectID string) ([]*webhook.Webhook, error) {
	if err := c.ask(ctx, withIndex); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.index.Match(eventType, projectID), nil
}

// ask waits until the catalogue is at least as new as the call and has the given extent.
func (c *Catalogue) ask(ctx context.Context, e extent) error {
	for {
		asked := c.asked.Load()
		if asked >= int32(e) || c.asked.CompareAndSwap(asked, int32(e)) {
			return c.fresh.wait(ctx)
		}
	}
}

// follow updates the catalogue to the current version and to the extent that was asked for. The refresher never makes
// two calls of follow at the same time.
func (c *Catalogue) follow(ctx context.Context) (err error) {
	defer fault.Wrap(&err, "follow the catalogue")
	keep := extent(c.asked.Load())
	// Read the version first, so that nothing that is read afterwards is older than the version.
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
		c.buildIndex()
	}
	return err
}

// catchUp follows the change log up to the version. It reads everything if the log has a gap.
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

// load reads everything. Some of it may be newer than version. The change log has these changes too, so the next call
// of follow reads them again.
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

// readAll reads every webhook, oldest first. For a webhook that has not changed it returns the copy that is in memory
// already, so that a gap does not need the memory for all webhooks twice.
func (c *Catalogue) readAll(ctx context.Context) ([]*webhook.Webhook, error) {
	var shared webhook.Sharing
	all := make([]*webhook.Webhook, 0, len(c.webhooks))
	err := c.store.Webhooks(ctx, func(w webhook.Webhook) {
		if old := find(c.webhooks, w.ID); old != nil && reflect.DeepEqual(*old, w) {
			all = append(all, old)
			return
		}
		shared.Share(&w)
		all = append(all, &w)
	})
	slices.SortFunc(all, func(a, b *webhook.Webhook) int { return cmp.Compare(a.ID, b.ID) })
	return all, err
}

// replaceAll replaces all webhooks. It updates the index only for webhooks that differ.
func (c *Catalogue) replaceAll(webhooks []*webhook.Webhook) {
	old := c.webhooks
	c.webhooks = webhooks
	if c.index == nil {
		return
	}
	for _, w := range old { // an unchanged webhook has the same pointer in both lists
		if find(webhooks, w.ID) != w {
			c.index.Remove(w)
		}
	}
	for _, w := range webhooks {
		if find(old, w.ID) != w {
			c.index.Put(w)
		}
	}
}

// buildIndex builds the index of all webhooks.
func (c *Catalogue) buildIndex() {
	index := &webhook.Index{}
	for _, w := range c.webhooks {
		index.Put(w)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.index = index
}

// apply reads the settings and webhooks that have changed. It then applies all changes in one step, so that no caller
// sees only some of them.
func (c *Catalogue) apply(ctx context.Context, version int64, changes []store.Change) error {
	set, read := c.settings, map[string]*webhook.Webhook{}
	var err error
	for _, change := range changes {
		version = max(version, change.Version) // the log may have grown since the version was read
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
		c.webhooks = slices.Clone(c.webhooks) // callers of All may still use the old list
	}
	for id, w := range read {
		c.replace(id, w)
	}
	return nil
}

// read reads the webhook with the given id into the map, unless the map has it already. The map gets nil if the webhook
// no longer exists. The webhook shares the memory of texts that it has in common with its old version.
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
		if old := find(c.webhooks, id); old != nil {
			shared.See(old)
		}
		shared.Share(&w)
		into[id] = &w
	}
	return nil
}

// replace replaces the webhook with the given id by w. It removes the webhook if w is nil.
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

// search returns the index of the webhook with the given id in a list sorted by id, and whether the webhook is there.
func search(webhooks []*webhook.Webhook, id string) (at int, found bool) {
	return slices.BinarySearchFunc(webhooks, id, func(w *webhook.Webhook, id string) int { return cmp.Compare(w.ID, id) })
}

// find returns the webhook with the given id, or nil if the list does not have it.
func find(webhooks []*webhook.Webhook, id string) *webhook.Webhook {
	if at, found := search(webhooks, id); found {
		return webhooks[at]
	}
	return nil
}

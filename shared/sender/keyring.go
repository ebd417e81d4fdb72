package sender

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"nepenthes/shared/signing"
	"nepenthes/shared/webhook"
)

// keys are a webhook's secrets and custom headers, opened.
type keys struct {
	secrets      []signing.Secret // live ones, newest first
	legacy       *signing.Secret  // the newest live HMAC secret; nil: none
	headerNames  []string
	headerValues []string
}

// keyring opens what is sealed in a webhook once for each version of it, since opening costs far more than
// signing. It forgets everything when it has grown, rather than keep secrets of webhooks that are long idle.
type keyring struct {
	opener Opener

	mu   sync.Mutex // protects open
	open map[string]opened
}

// opened is what one version of a webhook holds.
type opened struct {
	version int64
	secrets []signing.Secret // in the order of webhook.Secrets
	headers []string         // in the order of webhook.Headers
}

// keyringSize is how many webhooks are kept open.
const keyringSize = 1000

// of gives the keys that sign for w at the time.
func (k *keyring) of(ctx context.Context, w *webhook.Webhook, at time.Time) (keys, error) {
	o, err := k.opened(ctx, w)
	if err != nil {
		return keys{}, err
	}
	var ks keys
	for i := len(w.Secrets) - 1; i >= 0; i-- {
		if !w.Secrets[i].Live(at) {
			continue
		}
		ks.secrets = append(ks.secrets, o.secrets[i])
		if ks.legacy == nil && w.Secrets[i].Kind == signing.HMAC {
			ks.legacy = &o.secrets[i]
		}
	}
	for _, h := range w.Headers {
		ks.headerNames = append(ks.headerNames, h.Name)
	}
	ks.headerValues = o.headers
	return ks, nil
}

func (k *keyring) opened(ctx context.Context, w *webhook.Webhook) (opened, error) {
	k.mu.Lock()
	o, ok := k.open[w.ID]
	k.mu.Unlock()
	if ok && o.version == w.LockVersion {
		return o, nil
	}
	o, err := k.unseal(ctx, w)
	if err != nil {
		return opened{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open == nil || len(k.open) >= keyringSize {
		k.open = map[string]opened{}
	}
	k.open[w.ID] = o
	return o, nil
}

// unseal opens everything of w; errors name what did not open, never what was in it.
func (k *keyring) unseal(ctx context.Context, w *webhook.Webhook) (opened, error) {
	o := opened{version: w.LockVersion}
	for _, s := range w.Secrets {
		text, err := k.opener.Open(ctx, s.Sealed, w.ID, s.ID)
		if err != nil {
			return o, fmt.Errorf("open secret %s of %s: %w", s.ID, w.ID, err)
		}
		secret, err := signing.Restore(string(text))
		if err != nil {
			return o, fmt.Errorf("read secret %s of %s", s.ID, w.ID)
		}
		o.secrets = append(o.secrets, secret)
	}
	for _, h := range w.Headers {
		value, err := k.opener.Open(ctx, h.Sealed, w.ID, strings.ToLower(h.Name))
		if err != nil {
			return o, fmt.Errorf("open header %s of %s: %w", h.Name, w.ID, err)
		}
		o.headers = append(o.headers, string(value))
	}
	return o, nil
}

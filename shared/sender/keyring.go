package sender

import (
	"context"
	"fmt"
	"iter"
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

// keyring opens what is sealed in a webhook once, since opening costs far more than signing. What it has opened it
// gives again only for the same sealed bytes in the same place: a row that was tampered with must not profit from
// what its former self was allowed to open, whatever its version says. It forgets everything when it has grown, rather
// than keep secrets of webhooks that are long idle.
type keyring struct {
	opener Opener

	mu   sync.Mutex // protects open
	open map[string]opened
}

// opened is what was sealed in a webhook.
type opened struct {
	from    []sealed
	secrets []signing.Secret // in the order of webhook.Secrets
	headers []string         // in the order of webhook.Headers
}

// sealed is one value with what it is bound to.
type sealed struct {
	info  webhook.SealInfo
	bytes string
}

// sealedIn gives what is sealed in w: its secrets, then its headers.
func sealedIn(w *webhook.Webhook) iter.Seq2[webhook.SealInfo, []byte] {
	return func(yield func(webhook.SealInfo, []byte) bool) {
		for _, s := range w.Secrets {
			if !yield(webhook.SecretInfo(w.ID, s.ID), s.Sealed) {
				return
			}
		}
		for _, h := range w.Headers {
			if !yield(webhook.HeaderInfo(w.ID, w.PayloadURL, h.Name), h.Sealed) {
				return
			}
		}
	}
}

// isOf reports whether exactly what is sealed in w was opened.
func (o opened) isOf(w *webhook.Webhook) bool {
	i := 0
	for info, bytes := range sealedIn(w) {
		if i == len(o.from) || o.from[i].info != info || o.from[i].bytes != string(bytes) {
			return false
		}
		i++
	}
	return i == len(o.from)
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
	if ok && o.isOf(w) {
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
	var o opened
	for info, bytes := range sealedIn(w) {
		text, err := k.opener.Open(ctx, bytes, info)
		if err != nil {
			return opened{}, fmt.Errorf("open %s: %w", info, err)
		}
		o.from = append(o.from, sealed{info, string(bytes)})
		if len(o.secrets) == len(w.Secrets) {
			o.headers = append(o.headers, string(text))
			continue
		}
		secret, err := signing.Restore(string(text))
		if err != nil {
			return opened{}, fmt.Errorf("read %s", info) // the cause might show some of it
		}
		o.secrets = append(o.secrets, secret)
	}
	return o, nil
}

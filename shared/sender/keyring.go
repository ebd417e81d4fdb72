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

// keys are the opened secrets and custom headers of a webhook.
type keys struct {
	secrets      []signing.Secret // the live secrets, newest first
	legacy       *signing.Secret  // the newest live HMAC secret, nil if there is none
	headerNames  []string
	headerValues []string
}

// keyring caches opened values, because opening costs far more than signing. It returns a cached value only for the same
// sealed bytes in the same place. A person who tampers with a row therefore cannot use the values that were opened
// before, even if the version of the row is unchanged. A full keyring is emptied, so that it does not keep the secrets of
// idle webhooks.
type keyring struct {
	opener Opener

	mu   sync.Mutex // protects open
	open map[string]opened
}

// opened holds the opened values of a webhook.
type opened struct {
	from    []sealed
	secrets []signing.Secret // in the order of webhook.Secrets
	headers []string         // in the order of webhook.Headers
}

// sealed is a sealed value with the place that it is bound to.
type sealed struct {
	info  webhook.SealInfo
	bytes string
}

// sealedIn returns the sealed values of w: first its secrets, then its headers.
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

// areOf reports whether the opened values are exactly those that are sealed in w.
func (o opened) areOf(w *webhook.Webhook) bool {
	i := 0
	for info, bytes := range sealedIn(w) {
		if i == len(o.from) || o.from[i].info != info || o.from[i].bytes != string(bytes) {
			return false
		}
		i++
	}
	return i == len(o.from)
}

// keyringSize is the largest number of cached webhooks.
const keyringSize = 1000

// keysOf returns the keys of w at the given time. Secrets that have expired by then are left out.
func (k *keyring) keysOf(ctx context.Context, w *webhook.Webhook, at time.Time) (keys, error) {
	o, err := k.opened(ctx, w)
	if err != nil {
		return keys{}, err
	}
	var ks keys
	for i := len(w.Secrets) - 1; i >= 0; i-- { // the newest secret is the last
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

// opened returns the opened values of w, from the cache or by unsealing them. Two callers may unseal the same values at
// the same time, which is harmless.
func (k *keyring) opened(ctx context.Context, w *webhook.Webhook) (opened, error) {
	k.mu.Lock()
	o, ok := k.open[w.ID]
	k.mu.Unlock()
	if ok && o.areOf(w) {
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

// unseal opens the sealed values of w. Its errors name the value that did not open and never contain it.
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
			return opened{}, fmt.Errorf("read %s", info) // the cause might contain a part of the value
		}
		o.secrets = append(o.secrets, secret)
	}
	return o, nil
}

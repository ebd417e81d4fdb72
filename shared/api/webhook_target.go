package api

import (
	"context"
	"errors"
	"net/url"
	"slices"

	"nepenthes/shared/address"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

const attributeURL = "payloadUrl"

// target is the result of checking a payload URL. The host is looked up only once for each request.
type target struct {
	checked bool
	url     *url.URL
	fault   *fault.Detail
}

// applyURL checks and applies a new payload URL. A URL that does not change was checked when it was saved. If its host has
// another address now, the sender notices it, because the sender checks addresses when it connects.
func (x *writing) applyURL(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	needed(found, attributeURL, x.patch.PayloadURL, current == nil)
	raw, given := x.patch.PayloadURL.Value()
	if !given || current != nil && raw == current.PayloadURL {
		return nil
	}
	if !x.target.checked {
		x.target = x.checkTarget(ctx, raw)
	}
	if x.target.fault != nil {
		found.add(*x.target.fault)
		return nil
	}
	w.PayloadURL = x.target.url.String()
	return nil
}

// checkTarget checks a payload URL and the addresses of its host. An address in a private network could be used to reach
// services there (SSRF). This check only helps the user to notice a mistake early: the sender checks every connection.
func (x *writing) checkTarget(ctx context.Context, raw string) target {
	rules := x.Addresses
	if x.call.Host != "" {
		rules.Own = append(slices.Clip(rules.Own), x.call.Host)
	}
	u, err := address.CheckURL(raw, rules)
	if err == nil {
		err = address.CheckLookup(ctx, x.Resolver, u.Hostname(), rules)
	}
	if refusal, ok := errors.AsType[*address.Refusal](err); ok {
		return target{checked: true, fault: &fault.Detail{Attribute: attributeURL, Message: refusal.Message, Hint: refusal.Hint}}
	}
	return target{checked: true, url: u}
}

// sameOrigin reports whether two saved payload URLs have the same origin, so that credentials for one of them may be sent to
// the other.
func sameOrigin(a, b string) bool {
	first, err := address.Origin(a)
	if err != nil {
		return false
	}
	second, err := address.Origin(b)
	return err == nil && first == second
}

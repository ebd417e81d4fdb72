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

// target is a payload URL after its check. Its host is looked up once for a request.
type target struct {
	judged bool
	url    *url.URL
	fault  *fault.Detail
}

// applyURL checks and applies a new payload URL. A URL that comes back unchanged was checked when it was saved. Its host
// may have another address since then: the sender checks addresses when it connects.
func (x *writing) applyURL(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	needed(found, attributeURL, x.patch.PayloadURL, current == nil)
	raw, given := x.patch.PayloadURL.Value()
	if !given || current != nil && raw == current.PayloadURL {
		return nil
	}
	if !x.target.judged {
		x.target = x.judge(ctx, raw)
	}
	if x.target.fault != nil {
		found.add(*x.target.fault)
		return nil
	}
	w.PayloadURL = x.target.url.String()
	return nil
}

// judge checks a payload URL and the addresses of its host. A host that leads to an address of our own network could be
// used to reach services there (SSRF).
func (x *writing) judge(ctx context.Context, raw string) target {
	rules := x.Addresses
	if x.call.Host != "" {
		rules.Own = append(slices.Clip(rules.Own), x.call.Host)
	}
	u, err := address.CheckURL(raw, rules)
	if err == nil {
		err = address.CheckLookup(ctx, x.Resolver, u.Hostname(), rules)
	}
	if refusal, ok := errors.AsType[*address.Refusal](err); ok {
		return target{judged: true, fault: &fault.Detail{Attribute: attributeURL, Message: refusal.Message, Hint: refusal.Hint}}
	}
	return target{judged: true, url: u}
}

// sameOrigin reports whether two saved payload URLs have one origin, so that credentials for the one may go to the
// other.
func sameOrigin(a, b string) bool {
	first, err := address.Origin(a)
	if err != nil {
		return false
	}
	second, err := address.Origin(b)
	return err == nil && first == second
}

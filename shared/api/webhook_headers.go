package api

import (
	"context"
	"maps"
	"slices"
	"strings"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/webhook"
)

const attributeHeaders = "headers"

// Sealer seals a secret so that only the sender can open it, and only where info says.
type Sealer interface {
	Seal(ctx context.Context, secret []byte, info webhook.SealInfo) ([]byte, error)
}

// checkHeaders judges the custom headers: their names and values, that what shall be kept is there, and that no
// value is kept when the payload URL moves to another origin. Who cannot read a credential must not be able to
// redirect it.
func (x *writing) checkHeaders(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	given, _ := x.patch.Headers.Get()
	if len(given) > webhook.HeadersMax { // told before anything is done for each
		found.Join(webhook.CheckHeaders(given))
		return nil
	}
	kept := keptHeaders(current)
	whole, err := x.withKept(ctx, w, given, kept)
	if err != nil {
		return err
	}
	found.Join(webhook.CheckHeaders(whole))
	for name, value := range given {
		if _, there := kept[strings.ToLower(name)]; value == hal.Masked && !there {
			found.addf(attributeHeaders, "A header has the value *** but there is none to keep.", "Give the value itself.")
		}
	}
	if current == nil || sameOrigin(current.PayloadURL, w.PayloadURL) || found.Has(attributeURL) {
		return nil
	}
	keeps := x.patch.Headers.IsAbsent() && len(kept) > 0 ||
		slices.Contains(slices.Collect(maps.Values(given)), hal.Masked)
	if keeps {
		found.addf(attributeHeaders, "The payload URL moves to another origin; header values are not sent there unseen.",
			"Give the value of every custom header again, or remove them.")
	}
	return nil
}

// withKept are the headers with something as long in the place of each value that is kept, so that their size can
// be judged. How much a seal adds shows in the seal of nothing.
func (x *writing) withKept(ctx context.Context, w *webhook.Webhook, given map[string]string, kept map[string]webhook.Header) (map[string]string, error) {
	whole := maps.Clone(given)
	for name, value := range given {
		header, there := kept[strings.ToLower(name)]
		if value != hal.Masked || !there {
			continue
		}
		nothing, err := x.Sealer.Seal(ctx, nil, webhook.HeaderInfo(w.ID, w.PayloadURL, name))
		if err != nil {
			return nil, err
		}
		whole[name] = strings.Repeat("*", max(0, len(header.Sealed)-len(nothing)))
	}
	return whole, nil
}

// keptHeaders are the present headers by their lower-case names.
func keptHeaders(current *webhook.Webhook) map[string]webhook.Header {
	kept := map[string]webhook.Header{}
	if current != nil {
		for _, h := range current.Headers {
			kept[strings.ToLower(h.Name)] = h
		}
	}
	return kept
}

// sealHeaders replaces the custom headers as a whole, in the order of their names. The value *** keeps the sealed
// one, which opens whatever the spelling of the name, and at every URL of the same origin.
func (x *writing) sealHeaders(ctx context.Context, w, current *webhook.Webhook) error {
	if x.patch.Headers.IsAbsent() {
		return nil
	}
	given, _ := x.patch.Headers.Get()
	kept := keptHeaders(current)
	w.Headers = nil
	for _, name := range slices.Sorted(maps.Keys(given)) {
		folded := strings.ToLower(name)
		header := webhook.Header{Name: name, Sealed: kept[folded].Sealed}
		if given[name] != hal.Masked {
			sealed, err := x.Sealer.Seal(ctx, []byte(given[name]), webhook.HeaderInfo(w.ID, w.PayloadURL, name))
			if err != nil {
				return err
			}
			header.Sealed = sealed
		}
		w.Headers = append(w.Headers, header)
	}
	return nil
}

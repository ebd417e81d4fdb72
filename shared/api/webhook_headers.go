package api

import (
	"context"
	"maps"
	"slices"
	"strings"

	"nepenthes/shared/webhook"
)

const attributeHeaders = "headers"

// Sealer seals a secret so that only the sender can open it, and only for the use that info names.
type Sealer interface {
	Seal(ctx context.Context, secret []byte, info webhook.SealInfo) ([]byte, error)
}

// checkHeaders adds the faults of the custom headers. It checks their names and values, that each value to keep exists, and
// that no value is kept if the payload URL moves to another origin: a caller who cannot read a credential must not be able
// to send it to another server.
func (x *writing) checkHeaders(ctx context.Context, found *faults, w, current *webhook.Webhook) error {
	given, _ := x.patch.Headers.Value()
	if len(given) > webhook.HeadersMax { // checked first, because each header costs a call of Seal
		found.Join(webhook.CheckHeaders(values(given)))
		return nil
	}
	kept := keptHeaders(current)
	complete, err := x.withKept(ctx, w, given, kept)
	if err != nil {
		return err
	}
	found.Join(webhook.CheckHeaders(complete))
	keeps := x.patch.Headers.IsAbsent() && len(kept) > 0
	for name, header := range given {
		keeps = keeps || header.Keep
		if _, exists := kept[strings.ToLower(name)]; header.Keep && !exists {
			found.addf(attributeHeaders, "A header has the value ***, but there is no value to keep.", "Give the value itself.")
		}
	}
	if current == nil || sameOrigin(current.PayloadURL, w.PayloadURL) || found.Has(attributeURL) {
		return nil
	}
	if keeps {
		found.addf(attributeHeaders, "The payload URL moves to another origin, so the stored values of the headers cannot be kept.",
			"Send the value of every custom header again, or remove the headers.")
	}
	return nil
}

// values returns the values of headers by their names.
func values(given map[string]HeaderPatch) map[string]string {
	all := make(map[string]string, len(given))
	for name, header := range given {
		all[name] = header.Value
	}
	return all
}

// withKept returns the values of the headers, with a text of the same length for each value that is kept, so that their
// size can be checked. The seal of an empty value shows how much a seal adds.
func (x *writing) withKept(ctx context.Context, w *webhook.Webhook, given map[string]HeaderPatch, kept map[string]webhook.Header) (map[string]string, error) {
	all := values(given)
	for name, patch := range given {
		header, exists := kept[strings.ToLower(name)]
		if !patch.Keep || !exists {
			continue
		}
		empty, err := x.Sealer.Seal(ctx, nil, webhook.HeaderInfo(w.ID, w.PayloadURL, name))
		if err != nil {
			return nil, err
		}
		all[name] = strings.Repeat("*", max(0, len(header.Sealed)-len(empty)))
	}
	return all, nil
}

// keptHeaders returns the current headers by their lower-case names.
func keptHeaders(current *webhook.Webhook) map[string]webhook.Header {
	kept := map[string]webhook.Header{}
	if current != nil {
		for _, h := range current.Headers {
			kept[strings.ToLower(h.Name)] = h
		}
	}
	return kept
}

// sealHeaders replaces all custom headers, in the order of their names. A value that is kept stays sealed as it is: the
// seal opens for any spelling of the name, and for every URL of the same origin.
func (x *writing) sealHeaders(ctx context.Context, w, current *webhook.Webhook) error {
	if x.patch.Headers.IsAbsent() {
		return nil
	}
	given, _ := x.patch.Headers.Value()
	kept := keptHeaders(current)
	w.Headers = nil
	for _, name := range slices.Sorted(maps.Keys(given)) {
		header := webhook.Header{Name: name, Sealed: kept[strings.ToLower(name)].Sealed}
		if !given[name].Keep {
			sealed, err := x.Sealer.Seal(ctx, []byte(given[name].Value), webhook.HeaderInfo(w.ID, w.PayloadURL, name))
			if err != nil {
				return err
			}
			header.Sealed = sealed
		}
		w.Headers = append(w.Headers, header)
	}
	return nil
}

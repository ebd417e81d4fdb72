package rest

import (
	"mime"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/fault"
)

// Media types of answers and requests.
const (
	typeHAL        = "application/hal+json"
	typeJSON       = "application/json"
	typePatch      = "application/merge-patch+json"
	typeCloudEvent = "application/cloudevents+json"
)

// negotiate chooses between the two types of answers by the header Accept (RFC 9110 §12.5.1). It chooses HAL unless the
// client prefers plain JSON or accepts only plain JSON. The body is the same for both. Some generated clients only accept
// application/json.
func negotiate(accept string) (plain bool, err error) {
	if accept == "" || accept == "*/*" {
		return false, nil
	}
	hal, json := quality(accept, typeHAL), quality(accept, typeJSON)
	if hal <= 0 && json <= 0 {
		return false, fault.New(fault.NotAcceptable, "Answers are %s or %s, and the header Accept allows neither.", typeHAL, typeJSON).
			With("Send Accept: " + typeHAL + ", or leave the header out.")
	}
	return json > hal, nil
}

// quality returns the weight of a media type in a list of media ranges, by the most specific range that contains it. If
// no range contains it, quality returns -1.
func quality(accept, mediaType string) float64 {
	kind, _, _ := strings.Cut(mediaType, "/")
	best, specific := -1.0, -1
	for part := range strings.SplitSeq(accept, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		rank := -1
		switch name {
		case mediaType:
			rank = 2
		case kind + "/*":
			rank = 1
		case "*/*":
			rank = 0
		}
		if rank <= specific {
			continue
		}
		specific, best = rank, 1
		if q, weighted := parameters["q"]; weighted { // a weight that is not a number counts as 0: it asks for nothing
			if best, err = strconv.ParseFloat(q, 64); err != nil {
				best = 0
			}
		}
	}
	return best
}

// checkType returns a fault of kind TypeNotSupported if the type of a body is not readable.
func checkType(contentType, encoding string, readable []string) error {
	name, parameters, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil && contentType != "":
		return fault.New(fault.TypeNotSupported, "The header Content-Type is not a media type with well-formed parameters.").
			With("Send Content-Type: " + readable[0] + ".")
	case !slices.Contains(readable, name):
		return fault.New(fault.TypeNotSupported, "The body must be %s.", strings.Join(readable, " or ")).
			With("Send Content-Type: " + readable[0] + ".")
	case !isUTF8(parameters["charset"]):
		return fault.New(fault.TypeNotSupported, "The body must be UTF-8, and the header Content-Type names another charset.").
			With("Send UTF-8, and leave charset out or write charset=utf-8.")
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return fault.New(fault.TypeNotSupported, "The body must not be encoded, but the header Content-Encoding names an encoding.").
			With("Send it uncompressed, without Content-Encoding.")
	}
	return nil
}

// isUTF8 reports whether a charset is UTF-8 or ASCII under one of their names. No charset means UTF-8 (RFC 8259 §8.1).
func isUTF8(charset string) bool {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(charset)) {
	case "", "utf8", "usascii", "ascii":
		return true
	}
	return false
}

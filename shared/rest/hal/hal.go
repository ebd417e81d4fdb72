// Package hal holds what the API answers with: HAL representations of the system's nouns (JSON with _type, _links
// and _embedded, modelled on OpenProject's APIv3), and how they are made from the nouns. Here is decided what may
// be seen; a secret cannot leak by a struct tag, since the nouns carry none.
//
// The tags doc, example and so on describe each member in the API's document.
package hal

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"nepenthes/shared/instant"
)

// Base is the path under which all resources live.
const Base = "/api/v3"

// Paths makes hrefs: root-relative, beginning with the stage path by which the request came ("" for none).
type Paths struct{ Prefix string }

// To joins the segments of a resource's path; they must be clean already, as ids are.
func (p Paths) To(segments ...string) string {
	return p.Prefix + Base + "/" + strings.Join(segments, "/")
}

// Root is the path of the API itself.
func (p Paths) Root() string { return p.Prefix + Base }

// Link points at another resource or names what can be done.
type Link struct {
	Href      string `json:"href" doc:"The path, relative to the root of the host. It includes the stage path." example:"/api/v3/webhooks/wh_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Title     string `json:"title,omitempty" doc:"A title for people." example:"Billing"`
	Method    string `json:"method,omitempty" doc:"The HTTP method to use. It is absent for get." example:"post"`
	Templated bool   `json:"templated,omitempty" doc:"True if the path has parts in braces to fill in (RFC 6570)." example:"true"`
}

// SelfLink holds the link to the resource itself.
type SelfLink struct {
	Self Link `json:"self" doc:"This resource."`
}

// Versioned is a representation under optimistic locking.
type Versioned interface{ ETag() string }

// Located is a representation that has an address of its own.
type Located interface{ Location() string }

// ETag is the entity tag of a lock version (RFC 9110 §8.8.3).
func ETag(lockVersion int64) string { return `"` + strconv.FormatInt(lockVersion, 10) + `"` }

// moment shows a time in UTC; the zero time is null.
func moment(t time.Time) *instant.Time {
	if t.IsZero() {
		return nil
	}
	return &instant.Time{Time: t.UTC()}
}

// text is null when there is none.
func text[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	t := string(s)
	return &t
}

// milliseconds shows a duration with three decimals; phases over loopback take far less than one.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// JSON is a part of an answer that is JSON already and passes through unchanged.
type JSON = json.RawMessage

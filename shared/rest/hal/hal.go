// Package hal makes the answers of the API from the nouns of the system: HAL representations, which are JSON with _type,
// _links and _embedded, modelled on OpenProject's APIv3. A representation decides what a client may see. The API
// never writes a noun itself as JSON, so a secret in a noun cannot leak.
//
// The tags doc, example and so on describe the members in the API's document.
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

// Paths makes paths relative to the root of the host. They begin with Prefix, the stage path of the request, or "".
type Paths struct{ Prefix string }

// To returns the path of a resource. The segments must be escaped already; ids need no escapes.
func (p Paths) To(segments ...string) string {
	return p.Prefix + Base + "/" + strings.Join(segments, "/")
}

// Root returns the path of the root of the API.
func (p Paths) Root() string { return p.Prefix + Base }

// Link leads to a resource or an operation.
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

// Versioned is a representation of a resource with a lock version.
type Versioned interface{ ETag() string }

// Located is a representation of a resource with a path of its own.
type Located interface{ Location() string }

// ETag returns the entity tag of a lock version (RFC 9110 §8.8.3).
func ETag(lockVersion int64) string { return `"` + strconv.FormatInt(lockVersion, 10) + `"` }

// moment returns a time in UTC, or nil for the zero time.
func moment(t time.Time) *instant.Time {
	if t.IsZero() {
		return nil
	}
	return &instant.Time{Time: t.UTC()}
}

// text returns s, or nil if it is empty.
func text[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	t := string(s)
	return &t
}

// milliseconds returns a duration in milliseconds, rounded to microseconds. Whole milliseconds would be too coarse: a phase on
// one machine takes far less.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// JSON is a part of an answer that is JSON already.
type JSON = json.RawMessage

// Package events is what a producer and Nepenthes have to agree on: the envelope of an event, the catalogue
// of event types, and the rules that both sides check.
//
// A producer makes an [Event], asks [Event.Validate] whether it would be accepted and [Event.Encode]s it; the
// sub-package publish sends it. Nepenthes [Decode]s what comes from the queue, in that envelope or as a
// CloudEvents 1.0 structured JSON message. Decoding is strict, because a member that is misspelt, repeated or
// of the wrong kind would otherwise vanish without anybody being told, and it never touches the bytes of
// data: numbers above 2^53, key order, repeated keys, white space and escapes arrive as they were written.
//
// The package depends on the standard library alone, so that importing it costs a producer nothing.
package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

const (
	// DefaultSource is the source of an event whose producer named none.
	DefaultSource = "urn:nepenthes"
	// OperationalSource is the source of events that Nepenthes makes about webhooks. It is refused from a
	// producer: receivers must be able to believe it.
	OperationalSource = "urn:nepenthes:webhooks"
	// MaxSize is the most bytes that one message may have, 256 KiB.
	MaxSize = 262144
)

// Event is something that happened.
type Event struct {
	// ID is the producer's name for the event: 1 to 128 of A–Z, a–z, 0–9, _ and -, unique per source for as
	// long as events are kept.
	ID string
	// Source says who produced it: a URI of at most 256 bytes; in what came as CloudEvents it may be a relative
	// reference. Empty means DefaultSource; [Decode] never leaves it empty.
	Source string
	// Type is a name of the catalogue, such as "work_package:updated".
	Type string
	// OccurredAt is the RFC 3339 time as the producer wrote it; text, so that it is passed on unchanged.
	OccurredAt string
	// Project is where it happened. An event without one reaches only webhooks for all projects.
	Project *Project
	// Actor is who did it, nil when nobody in particular did.
	Actor *Actor
	// Data is any JSON value but null. Its bytes reach the receiver unchanged.
	Data json.RawMessage
}

// Project names the project in which an event happened.
type Project struct {
	// ID follows the rule of an event's id.
	ID string `json:"id"`
	// Identifier is the project's short name, at most 255 characters.
	Identifier string `json:"identifier,omitempty"`
	// Name is at most 255 characters. An empty one tells nothing: it erases no name that is known.
	Name string `json:"name,omitempty"`
}

// Actor names the person or program that caused an event.
type Actor struct {
	// ID follows the rule of an event's id.
	ID string `json:"id"`
	// Name is at most 255 characters.
	Name string `json:"name,omitempty"`
}

// Occurred is OccurredAt as a time, in the producer's zone; the zero time when OccurredAt is not RFC 3339.
func (e Event) Occurred() time.Time {
	occurred, _ := ParseTime(e.OccurredAt)
	return occurred
}

// Digest is a fingerprint of every member, the exact bytes of data included, by which "the same event again"
// is told from "another event under the same id". The order of members and the white space of the envelope
// do not count, nor does whether it came as an envelope or as CloudEvents. Digests are stored: the way they
// are computed never changes.
func (e Event) Digest() [32]byte {
	e = e.canonical()
	var project Project
	if e.Project != nil {
		project = *e.Project
	}
	var actor Actor
	if e.Actor != nil {
		actor = *e.Actor
	}
	// Each part is preceded by its length, so that no two events have the same bytes here.
	whole := make([]byte, 0, 512+len(e.Data))
	for _, part := range [...]string{
		e.ID, e.Source, e.Type, e.OccurredAt,
		project.ID, project.Identifier, project.Name,
		actor.ID, actor.Name,
	} {
		whole = binary.BigEndian.AppendUint32(whole, uint32(len(part)))
		whole = append(whole, part...)
	}
	return sha256.Sum256(append(whole, e.Data...))
}

// canonical fills in the default source and drops the white space around data, which is no part of the value:
// a json.Encoder, for one, leaves a newline behind it.
func (e Event) canonical() Event {
	if e.Source == "" {
		e.Source = DefaultSource
	}
	e.Data = bytes.Trim(e.Data, " \t\r\n")
	return e
}

// Key stands for an event's source and id where a short key of fixed length is needed: the first 12 bytes of
// SHA-256 over source, NUL and id. Two events with one key by accident are not to be expected below 2^48
// events; who stores under it stores source and id as well and compares them.
type Key [12]byte

// KeyOf is the key of an event; an empty source means DefaultSource.
func KeyOf(source, id string) Key {
	if source == "" {
		source = DefaultSource
	}
	name := make([]byte, 0, 400) // 256 + 1 + 128, the longest that the rules allow
	name = append(name, source...)
	name = append(name, 0)
	name = append(name, id...)
	sum := sha256.Sum256(name)
	return Key(sum[:len(Key{})])
}

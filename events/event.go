// Package events defines the format of events, the catalogue of event types, and the rules that producers and Nepenthes
// check.
//
// A producer makes an [Event], checks it with [Event.Validate] and writes its envelope with [Event.Encode]. Package publish
// sends events. Nepenthes reads the messages of the queue with [Decode]. A message is an envelope or a CloudEvents 1.0
// structured JSON message. Decode is strict: if it ignored a misspelt or repeated member, nobody would notice the mistake.
// It never changes the bytes of data. Large numbers, key order, repeated keys, white space and escapes arrive as they were
// written.
//
// The package and its imports need only the standard library, so a producer gets no other modules with it.
package events

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

const (
	// DefaultSource is the source of an event whose producer did not give a source.
	DefaultSource = "urn:nepenthes"
	// OperationalSource is the source of the events that Nepenthes makes about webhooks. A producer cannot use it, so that
	// receivers can trust it.
	OperationalSource = "urn:nepenthes:webhooks"
	// MaxSize is the maximum size of a message in bytes: 256 KiB.
	MaxSize = 262144
)

// Event is a report that something happened.
type Event struct {
	// ID identifies the event among those of its source, for as long as events are kept. It has 1 to 128 of the
	// characters A–Z, a–z, 0–9, _ and -.
	ID string
	// Source identifies the producer. It is a URI of at most 256 bytes, or in CloudEvents also a relative reference. An
	// empty Source means DefaultSource. [Decode] never returns an empty Source.
	Source string
	// Type is the name of a type in the catalogue, such as "work_package:updated".
	Type string
	// OccurredAt is an RFC 3339 time. It is a string so that receivers get it as the producer wrote it.
	OccurredAt string
	// Project is where the event happened. If it is nil, only webhooks for all projects get the event.
	Project *Project
	// Actor is the person or program that caused the event. It may be nil.
	Actor *Actor
	// Data is any JSON value except null. Its bytes reach the receiver unchanged.
	Data json.RawMessage
}

// Project is the project in which an event happened.
type Project struct {
	// ID follows the same rule as the ID of an event.
	ID string `json:"id"`
	// Identifier is the short name of the project, at most 255 characters. An empty Identifier does not erase a known one.
	Identifier string `json:"identifier,omitempty"`
	// Name is at most 255 characters. An empty Name does not erase a known one.
	Name string `json:"name,omitempty"`
}

// Actor is the person or program that caused an event.
type Actor struct {
	// ID follows the same rule as the ID of an event.
	ID string `json:"id"`
	// Name is at most 255 characters.
	Name string `json:"name,omitempty"`
}

// Occurred returns OccurredAt as a time in the zone of the producer. It returns the zero time if OccurredAt is not an RFC
// 3339 time.
func (e Event) Occurred() time.Time {
	occurred, _ := ParseTime(e.OccurredAt)
	return occurred
}

// Digest returns a hash of all members and the exact bytes of data. It distinguishes a repeated event from another event
// with the same id. The format of the message, its white space and the order of its members do not matter. Digests are
// stored, so their algorithm must never change.
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
	// The length of each part comes first, so that different events never give the same bytes.
	hashed := make([]byte, 0, 512+len(e.Data))
	for _, part := range [...]string{
		e.ID, e.Source, e.Type, e.OccurredAt,
		project.ID, project.Identifier, project.Name,
		actor.ID, actor.Name,
	} {
		hashed = binary.BigEndian.AppendUint32(hashed, uint32(len(part)))
		hashed = append(hashed, part...)
	}
	return sha256.Sum256(append(hashed, e.Data...))
}

// canonical returns the event with the default source filled in and without white space around data. A json.Encoder, for
// example, writes a newline after each value.
func (e Event) canonical() Event {
	if e.Source == "" {
		e.Source = DefaultSource
	}
	e.Data = bytes.Trim(e.Data, " \t\r\n")
	return e
}

// Key is a short key of fixed length for the source and the id of an event: the first 12 bytes of SHA-256 over source, NUL
// and id. Two events are unlikely to have the same key by accident among fewer than 2^48 events. A store must keep source
// and id beside the key and compare them.
type Key [12]byte

// KeyOf returns the key of an event. An empty source means DefaultSource.
func KeyOf(source, id string) Key {
	if source == "" {
		source = DefaultSource
	}
	name := make([]byte, 0, 400) // the rules allow at most 256 + 1 + 128
	name = append(name, source...)
	name = append(name, 0)
	name = append(name, id...)
	sum := sha256.Sum256(name)
	return Key(sum[:len(Key{})])
}

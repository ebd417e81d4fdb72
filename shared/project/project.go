// Package project defines projects and the rule by which events change them.
package project

import (
	"time"

	"nepenthes/events"
)

// Project is what events and clients of the API have said about a project.
type Project struct {
	ID, Identifier, Name string
	// Gone reports whether a project:deleted was received. A webhook that selects the project stays valid.
	Gone bool
	// NewsAt is the time of the newest event or renaming that changed the project. It can be any RFC 3339 time, even
	// the zero Time or an earlier one.
	NewsAt    time.Time
	CreatedAt time.Time
	// Version is the version in the store, or 0 if the project is not stored yet.
	Version int64
}

// projectDeleted is the event type that sets Gone.
const projectDeleted = "project:deleted"

// Learn updates p from the project in e, an event that was received at the given time. It reports whether anything but
// NewsAt changed. An event that happened before NewsAt changes nothing, unless p is new (its ID is empty). An event
// that claims to have happened after its receipt counts as of its receipt: otherwise a producer whose clock is ahead
// could block all other news for years. If e has no name or identifier, p keeps its own. The event must belong to a
// project.
func (p *Project) Learn(e events.Event, received time.Time) (changed bool) {
	at := earlier(e.Occurred(), received)
	if p.ID != "" && at.Before(p.NewsAt) {
		return false
	}
	before := *p
	p.ID, p.NewsAt, p.Gone = e.Project.ID, at, e.Type == projectDeleted
	if e.Project.Identifier != "" {
		p.Identifier = e.Project.Identifier
	}
	if e.Project.Name != "" {
		p.Name = e.Project.Name
	}
	before.NewsAt = p.NewsAt
	return before != *p
}

// NoLaterThan sets NewsAt to now if it is later, and reports whether it was. Earlier versions of this program stored
// such times, because they did not compare the time of an event with its receipt.
func (p *Project) NoLaterThan(now time.Time) (moved bool) {
	moved = p.NewsAt.After(now)
	p.NewsAt = earlier(p.NewsAt, now)
	return moved
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Of returns the id of the project that e belongs to, or "" if e belongs to none.
func Of(e events.Event) string {
	if e.Project == nil {
		return ""
	}
	return e.Project.ID
}

// Package project is the noun of a project of Nepenthes, as far as events have told of it.
package project

import (
	"time"

	"nepenthes/events"
)

// Project is a project as events have told of it.
type Project struct {
	ID, Identifier, Name string
	// Gone: a project:deleted came. Webhooks that selected it stay valid.
	Gone bool
	// NewsAt is when the newest news of the project happened, as [Project.Learn] and whoever renames it count it. It
	// can be any RFC 3339 time, the zero Time and earlier ones included.
	NewsAt    time.Time
	CreatedAt time.Time
	// Version is the stored version, 0 when the project is not stored yet.
	Version int64
}

// projectDeleted is the event type that marks a project gone.
const projectDeleted = "project:deleted"

// Learn takes what e, received at the given time, tells about its project into p, and reports whether that changed
// anything but NewsAt. Older news than the newest changes nothing, unless p is of no project yet (its ID is empty).
// News that claim to be later than their receipt count as of the receipt, so that a producer whose clock runs ahead
// does not have the last word for years. An absent name or identifier erases none. e must belong to a project.
func (p *Project) Learn(e events.Event, received time.Time) (changed bool) {
	at := earlier(e.Occurred(), received)
	if p.ID != "" && at.Before(p.NewsAt) {
		return false
	}
	was := *p
	p.ID, p.NewsAt, p.Gone = e.Project.ID, at, e.Type == projectDeleted
	if e.Project.Identifier != "" {
		p.Identifier = e.Project.Identifier
	}
	if e.Project.Name != "" {
		p.Name = e.Project.Name
	}
	was.NewsAt = p.NewsAt
	return was != *p
}

// NoLaterThan moves NewsAt back to now if it is later, and reports whether it was. Versions that did not compare news
// with their receipt have stored such times.
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

// Of returns the id of the project that e belongs to, empty when it belongs to none.
func Of(e events.Event) string {
	if e.Project == nil {
		return ""
	}
	return e.Project.ID
}

package webhook

import (
	"time"

	"nepenthes/events"
)

// Project is a project as events have told of it.
type Project struct {
	ID, Identifier, Name string
	// Gone: a project:deleted came. Webhooks that selected it stay valid.
	Gone bool
	// NewsAt is the occurredAt of the newest event that told something about the project.
	NewsAt    time.Time
	CreatedAt time.Time
	// Version is the stored version, 0 when the project is not stored yet.
	Version int64
}

// projectDeleted is the event type that marks a project gone.
const projectDeleted = "project:deleted"

// Learn takes what e tells about its project into p, and reports whether that changed anything but NewsAt. Older
// news than the newest changes nothing; an absent name or identifier erases none. e must belong to a project.
func (p *Project) Learn(e events.Event) (changed bool) {
	at := e.Occurred()
	if at.Before(p.NewsAt) {
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

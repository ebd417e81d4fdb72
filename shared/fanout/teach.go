package fanout

import (
	"context"
	"sync"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/webhook"
)

// Projects is the list of projects, see conformance.Projects.
type Projects interface {
	ProjectsByID(ctx context.Context, ids ...string) ([]webhook.Project, error)
	PutProject(ctx context.Context, p *webhook.Project) error
}

// projectsKnown bounds the memory of a teacher: above it, it forgets all and learns again.
const projectsKnown = 50_000

// teacher keeps the project list up to what events tell. It remembers what it has seen, so that an event which
// tells nothing new costs no read and no write. That memory also holds how new the news were; the stored
// record's NewsAt moves only when the news changed something, since it would else cost a write per event.
type teacher struct {
	store Projects
	now   func() time.Time

	mu    sync.Mutex // protects known; held through a change, so that one process never races itself
	known map[string]webhook.Project
}

// teach takes what e tells about its project into the list.
func (t *teacher) teach(ctx context.Context, e events.Event) (err error) {
	if e.Project == nil {
		return nil
	}
	defer fault.Wrap(&err, "teach project %s", e.Project.ID)
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[e.Project.ID]
	if p := known; ok && !p.Learn(e) {
		t.remember(p)
		return nil
	}
	for {
		p, err := t.change(ctx, e, known.NewsAt)
		if fault.Is(err, fault.UpdateConflict) {
			continue
		}
		if err == nil {
			t.remember(p)
		}
		return err
	}
}

// change learns from e into the stored project, new or not, on condition that nobody else changes it meanwhile.
// seen is the time of the newest news that this process knows of.
func (t *teacher) change(ctx context.Context, e events.Event, seen time.Time) (webhook.Project, error) {
	stored, err := t.store.ProjectsByID(ctx, e.Project.ID)
	if err != nil {
		return webhook.Project{}, err
	}
	p := webhook.Project{CreatedAt: t.now().UTC().Truncate(time.Millisecond)}
	if len(stored) > 0 {
		p = stored[0]
	}
	if seen.After(p.NewsAt) {
		p.NewsAt = seen
	}
	if !p.Learn(e) {
		return p, nil
	}
	return p, t.store.PutProject(ctx, &p)
}

func (t *teacher) remember(p webhook.Project) {
	if t.known == nil || len(t.known) >= projectsKnown {
		t.known = map[string]webhook.Project{}
	}
	t.known[p.ID] = p
}

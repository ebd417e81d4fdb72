package fanout

import (
	"context"
	"sync"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

// Projects is the list of projects, see store.Projects.
type Projects interface {
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
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
	known map[string]project.Project
}

// teach takes what e, received at the given time, tells about its project into the list.
func (t *teacher) teach(ctx context.Context, e events.Event, received time.Time) (err error) {
	if e.Project == nil {
		return nil
	}
	defer fault.Wrap(&err, "teach project %s", e.Project.ID)
	t.mu.Lock()
	defer t.mu.Unlock()
	known, ok := t.known[e.Project.ID]
	if p := known; ok && !p.Learn(e, received) {
		t.remember(p)
		return nil
	}
	for {
		p, err := t.stored(ctx, e.Project.ID)
		if err != nil {
			return err
		}
		if ok && known.NewsAt.After(p.NewsAt) {
			p.NewsAt = known.NewsAt
		}
		if err = t.change(ctx, &p, e, received); fault.Is(err, fault.UpdateConflict) {
			continue
		}
		if err == nil {
			t.remember(p)
		}
		return err
	}
}

// stored reads a project; one that is not in the list has no ID.
func (t *teacher) stored(ctx context.Context, id string) (project.Project, error) {
	found, err := t.store.ProjectsByID(ctx, id)
	if err != nil || len(found) == 0 {
		return project.Project{CreatedAt: t.now().UTC().Truncate(time.Millisecond)}, err
	}
	return found[0], nil
}

// change learns from e into p and stores what that changed, on condition that nobody else changes it meanwhile. A time
// of news in the future is stored anew as the present even if e tells nothing else, for the next news to be newer.
func (t *teacher) change(ctx context.Context, p *project.Project, e events.Event, received time.Time) error {
	moved := p.NoLaterThan(t.now().UTC())
	if learned := p.Learn(e, received); !learned && !moved {
		return nil
	}
	return t.store.PutProject(ctx, p)
}

func (t *teacher) remember(p project.Project) {
	if t.known == nil || len(t.known) >= projectsKnown {
		t.known = map[string]project.Project{}
	}
	t.known[p.ID] = p
}

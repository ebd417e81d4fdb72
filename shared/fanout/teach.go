package fanout

import (
	"context"
	"sync"
	"time"

	"nepenthes/events"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

// Projects is the list of projects. See store.Projects.
type Projects interface {
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
}

// projectsKnown is the largest number of projects that a teacher remembers. It then forgets all of them and begins
// again.
const projectsKnown = 50_000

// teacher updates the list of projects from events. It remembers the projects that it has seen, so that an event without
// news costs neither a read nor a write. It also remembers the time of the newest event of each project. The stored
// NewsAt changes only when an event changes the project, because otherwise each event would cost a write.
type teacher struct {
	store Projects
	now   func() time.Time

	mu    sync.Mutex // protects known; held during a change, so that changes of one process do not conflict
	known map[string]project.Project
}

// teach updates the list from e, which was received at the given time.
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
		if ok && known.NewsAt.After(p.NewsAt) { // the newest event changed nothing, so its time is not stored
			p.NewsAt = known.NewsAt
		}
		if err = t.change(ctx, &p, e, received); fault.Is(err, fault.UpdateConflict) {
			continue // another process has changed the project; read it again
		}
		if err == nil {
			t.remember(p)
		}
		return err
	}
}

// stored reads a project. If the project is not in the list, stored returns a new project without an ID.
func (t *teacher) stored(ctx context.Context, id string) (project.Project, error) {
	found, err := t.store.ProjectsByID(ctx, id)
	if err != nil || len(found) == 0 {
		return project.Project{CreatedAt: t.now().UTC().Truncate(time.Millisecond)}, err
	}
	return found[0], nil
}

// change updates p from e and stores p if it has changed, on the condition that nobody has changed the stored project
// since it was read. It replaces a time in the future by the present time even if e changes nothing else, because later
// events would otherwise be ignored.
func (t *teacher) change(ctx context.Context, p *project.Project, e events.Event, received time.Time) error {
	corrected := p.NoLaterThan(t.now().UTC())
	if learned := p.Learn(e, received); !learned && !corrected {
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

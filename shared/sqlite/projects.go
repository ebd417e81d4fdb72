package sqlite

import (
	"cmp"
	"context"
	"slices"

	"zombiezen.com/go/sqlite"

	"nepenthes/shared/fault"
	"nepenthes/shared/project"
)

const projectKind = "project"

// Projects implements store.Projects.
func (db *DB) Projects(ctx context.Context) (projects []project.Project, err error) {
	defer fault.Wrap(&err, "list projects")
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		projects, err = list[project.Project](conn, projectKind)
		return err
	})
	slices.SortFunc(projects, func(a, b project.Project) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return projects, err
}

// ProjectsByID implements store.Projects.
func (db *DB) ProjectsByID(ctx context.Context, ids ...string) (projects []project.Project, err error) {
	defer fault.Wrap(&err, "read %d projects", len(ids))
	// An id that is repeated must be read once.
	wanted := slices.Compact(slices.Sorted(slices.Values(ids)))
	err = db.read(ctx, func(conn *sqlite.Conn) error {
		for _, id := range wanted {
			p, err := get[project.Project](conn, projectKind, id)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			projects = append(projects, p)
		}
		return nil
	})
	return projects, err
}

// PutProject implements store.Projects.
func (db *DB) PutProject(ctx context.Context, p *project.Project) (err error) {
	defer fault.Wrap(&err, "store project %s", p.ID)
	changed := *p
	changed.Version++
	r, err := newConfigRow(projectKind, p.ID, changed.Version, changed)
	if err != nil {
		return err
	}
	err = db.write(ctx, func(conn *sqlite.Conn) error {
		_, err := r.put(conn)
		return err
	})
	if err == nil {
		p.Version = changed.Version
	}
	return err
}

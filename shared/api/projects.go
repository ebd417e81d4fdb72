package api

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"nepenthes/shared/access"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/required"
)

// ProjectStore stores the list of projects. See store.Projects.
type ProjectStore interface {
	ProjectFinder
	Projects(ctx context.Context) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
}

// ProjectFinder finds the projects that are in the list. See store.Projects.
type ProjectFinder interface {
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
}

// ListProjects asks for a page of the projects.
type ListProjects struct {
	Paging Paging
	// Name, unless it is empty, selects the projects whose name or identifier contains it.
	Name string
}

// PutProject creates a project or renames it.
type PutProject struct {
	ID               string
	Identifier, Name Patch[string]
	Found            Found[project.Project]
}

// WrittenProject is a project after a change. Created reports whether the change created it.
type WrittenProject struct {
	project.Project
	Created bool
}

// projectID matches the ids that an event can name as its project.
var projectID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

const projectNameMax = 255 // characters

// ProjectsConfig holds the dependencies of the operations on projects.
type ProjectsConfig struct {
	Common
	Store ProjectStore
}

// Projects holds the operations on projects.
type Projects struct {
	List Operation[*ListProjects, *Page[project.Project]]
	Put  Operation[*PutProject, *WrittenProject]
}

// NewProjects returns the operations on projects. It panics if a dependency is missing.
func NewProjects(c ProjectsConfig) *Projects {
	required.Fields(c)
	o := projectsResource{c}
	return &Projects{
		List: operation(access.ProjectsRead, o.list),
		Put:  write(&c.Common, access.ProjectsWrite, WroteProject, o.put, func(in *PutProject, _ *WrittenProject) string { return in.ID }),
	}
}

// projectsResource has the methods of the operations on projects.
type projectsResource struct{ ProjectsConfig }

// list returns a page of the projects, oldest first.
func (o projectsResource) list(ctx context.Context, _ Call, in *ListProjects) (*Page[project.Project], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Store.Projects(ctx)
	if err != nil {
		return nil, err
	}
	return pageOf(page, Named(all, in.Name, func(p project.Project) []string { return []string{p.Name, p.Identifier} })), nil
}

// put creates the project or renames it. A repeated call changes nothing. The names count as news of this moment, so an event
// that occurred earlier does not change them back.
func (o projectsResource) put(ctx context.Context, _ Call, in *PutProject) (_ *WrittenProject, err error) {
	defer fault.Wrap(&err, "put a project")
	for {
		stored, err := o.Store.ProjectsByID(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		p, isNew := project.Project{ID: in.ID, CreatedAt: o.moment()}, true
		if len(stored) > 0 {
			p, isNew = stored[0], false
		}
		if err := in.apply(&p); err != nil {
			return nil, err
		}
		p.NewsAt = o.moment()
		again, err := settle(ctx, o.Store.PutProject(ctx, &p), false)
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		return &WrittenProject{p, isNew}, nil
	}
}

// apply changes the names of p. It returns a fault with every attribute that is not acceptable.
func (in *PutProject) apply(p *project.Project) error {
	found := faults{in.Found.Read}
	if !projectID.MatchString(in.ID) {
		found.addf("id", "The id in the path must have 1 to 128 of the characters A–Z, a–z, 0–9, _ and -.", "")
	}
	in.Found.compare(&found, *p)
	before := *p
	in.Identifier.Apply(&p.Identifier, "")
	in.Name.Apply(&p.Name, "")
	p.Identifier, p.Name = strings.TrimSpace(p.Identifier), strings.TrimSpace(p.Name)
	found.projectText("identifier", p.Identifier, before.Identifier)
	found.projectText("name", p.Name, before.Name)
	return found.Err()
}

// projectText checks a name of a project. It may be empty.
func (f *faults) projectText(attribute, text, before string) {
	if n := utf8.RuneCountInString(text); n > projectNameMax {
		f.addf(attribute, fmt.Sprintf("It has %d characters, but at most %d are allowed.", n, projectNameMax), "")
	}
	f.named(attribute, text, before)
}

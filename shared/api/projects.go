package api

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"nepenthes/shared/api/hal"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/strictjson"
)

// ProjectStore keeps the list of projects, see store.Projects.
type ProjectStore interface {
	Projects(ctx context.Context) ([]project.Project, error)
	ProjectsByID(ctx context.Context, ids ...string) ([]project.Project, error)
	PutProject(ctx context.Context, p *project.Project) error
}

// ListProjects asks for a page of the projects.
type ListProjects struct {
	Paging
	Name string `query:"name" doc:"Only projects whose name or identifier contains this, whatever the case of its letters." example:"plant"`
}

// PutProject makes a project or renames it.
type PutProject struct {
	ID   string `path:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The project's id: 1 to 128 letters, digits, _ and -." example:"7"`
	Body Body[ProjectPatch]
}

// ProjectPatch says what a project is called; what is absent stays.
type ProjectPatch struct {
	Identifier strictjson.Member[string] `json:"identifier,omitempty" maxLength:"255" nullable:"true" doc:"Its short name." example:"plant"`
	Name       strictjson.Member[string] `json:"name,omitempty" maxLength:"255" nullable:"true" doc:"Its name." example:"Plant"`
	Type       anything                  `json:"_type,omitempty" readOnly:"true" doc:"May come back unchanged."`
	ID         anything                  `json:"id,omitempty" readOnly:"true" doc:"May come back unchanged."`
	Gone       anything                  `json:"gone,omitempty" readOnly:"true" doc:"May come back unchanged."`
}

// projectID is what an event can name as its project.
var projectID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

const projectNameMax = 255 // characters

type projectsResource struct{ *Config }

func (o projectsResource) list(ctx context.Context, call Call, in *ListProjects) (*hal.Collection[hal.Project], error) {
	page, err := o.page(ctx, in.Paging)
	if err != nil {
		return nil, err
	}
	all, err := o.Store.Projects(ctx)
	if err != nil {
		return nil, err
	}
	all = Named(all, in.Name, func(p project.Project) []string { return []string{p.Name, p.Identifier} })
	return show(call.To("projects"), filters("name", in.Name), page, all, func(p project.Project) *hal.Project {
		return hal.FromProject(&p, false)
	}), nil
}

// put makes the project or renames it; the same twice changes nothing. It counts as the newest news of the project,
// so that an event that happened before does not take the name back.
func (o projectsResource) put(ctx context.Context, _ Call, in *PutProject) (_ *hal.Project, err error) {
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
		return hal.FromProject(&p, isNew), nil
	}
}

func (in *PutProject) apply(p *project.Project) error {
	found, patch := faults{in.Body.Problems}, &in.Body.Value
	if !projectID.MatchString(in.ID) {
		found.addf("id", "The id in the path must be 1 to 128 letters, digits, _ and -.", "")
	}
	found.unchanged("_type", patch.Type, "Project")
	found.unchanged("id", patch.ID, p.ID)
	found.unchanged("gone", patch.Gone, p.Gone)
	before := *p
	patch.Identifier.Take(&p.Identifier, "")
	patch.Name.Take(&p.Name, "")
	p.Identifier, p.Name = strings.TrimSpace(p.Identifier), strings.TrimSpace(p.Name)
	found.projectText("identifier", p.Identifier, before.Identifier)
	found.projectText("name", p.Name, before.Name)
	return found.Err()
}

// projectText judges what a project is called; it may be empty.
func (f *faults) projectText(attribute, text, before string) {
	if n := utf8.RuneCountInString(text); n > projectNameMax {
		f.addf(attribute, fmt.Sprintf("It has %d characters; it must be at most %d.", n, projectNameMax), "")
	}
	f.named(attribute, text, before)
}

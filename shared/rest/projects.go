package rest

import (
	"net/http"

	"nepenthes/shared/api"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/rest/hal"
	"nepenthes/shared/rest/mergepatch"
)

const pathProjects = hal.Base + "/projects"

// addProjects adds the routes of projects.
func (h *Handler) addProjects(o *api.Projects) {
	addPaged(h, o.List, spec{
		method: http.MethodGet, path: pathProjects, id: "listProjects", tag: tagProjects,
		summary: "List projects", about: "The projects of all events and the projects that were added here, oldest first.", answers: "A page of projects.",
	}, (*listProjects).input, showProjects)
	addRoute(h, o.Put, spec{
		method: http.MethodPut, path: pathProjects + "/{id}", id: "putProject", tag: tagProjects,
		alternativeStatus: http.StatusCreated, summary: "Create or rename a project", answers: "The project.",
		about: "A webhook can then select the project before its first event. Absent members stay as they are.",
	}, (*putProject).input, showWrittenProject)
}

// listProjects is the request for a page of projects.
type listProjects struct {
	paging
	Name string `query:"name" doc:"Only projects whose name or identifier contains this text. Case does not matter." example:"plant"`
}

func (in *listProjects) input() (*api.ListProjects, error) {
	return &api.ListProjects{Paging: in.page(), Name: in.Name}, nil
}

func showProjects(v view, in *listProjects, page *api.Page[project.Project]) *hal.Collection[hal.Project] {
	return collection(v.To("projects"), filters("name", in.Name), page, func(p *project.Project) *hal.Project {
		return hal.FromProject(p, false)
	})
}

// putProject is the request to create or rename a project. The client chooses the id, because events name it.
type putProject struct {
	ID   string `path:"id" pattern:"^[A-Za-z0-9_-]{1,128}$" doc:"The project's id: 1 to 128 of the characters A–Z, a–z, 0–9, _ and -." example:"7"`
	Body body[ProjectPatch]
}

// ProjectPatch is a change of the names of a project. Absent members stay as they are.
type ProjectPatch struct {
	Identifier mergepatch.Member[string] `json:"identifier,omitempty" maxLength:"255" nullable:"true" doc:"The short name." example:"plant"`
	Name       mergepatch.Member[string] `json:"name,omitempty" maxLength:"255" nullable:"true" doc:"The name." example:"Plant"`
	Type       anything                  `json:"_type,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	ID         anything                  `json:"id,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
	Gone       anything                  `json:"gone,omitempty" readOnly:"true" doc:"Read-only. It may be sent back unchanged."`
}

func (in *putProject) input() (*api.PutProject, error) {
	p := &in.Body.value
	return &api.PutProject{
		ID: in.ID, Identifier: patch(p.Identifier), Name: patch(p.Name),
		Found: api.Found[project.Project]{Read: in.Body.problems, Returned: p.returned},
	}, nil
}

// returned compares the members that cannot be written.
func (p *ProjectPatch) returned(current project.Project) fault.Details {
	var found returned
	found.unchanged("_type", p.Type, "Project")
	found.unchanged("id", p.ID, current.ID)
	found.unchanged("gone", p.Gone, current.Gone)
	return found.Details
}

func showWrittenProject(_ view, p *api.WrittenProject) *hal.Project {
	return hal.FromProject(&p.Project, p.Created)
}

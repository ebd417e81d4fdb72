package hal

import "nepenthes/shared/project"

// Project is a project that webhooks can select.
type Project struct {
	Type       string `json:"_type" enum:"Project" doc:"Always Project." example:"Project"`
	ID         string `json:"id" doc:"The id." example:"7"`
	Identifier string `json:"identifier" doc:"The short name. It is empty if it is not known." example:"plant"`
	Name       string `json:"name" doc:"The name. It is empty if it is not known." example:"Plant"`
	Gone       bool   `json:"gone" doc:"Whether the project was deleted. Webhooks that select it stay valid." example:"false"`
	created    bool
}

// FromProject represents a project. created reports whether the request created it.
func FromProject(p *project.Project, created bool) *Project {
	return &Project{Type: "Project", ID: p.ID, Identifier: p.Identifier, Name: p.Name, Gone: p.Gone, created: created}
}

// Created reports whether the request created the project.
func (p *Project) Created() bool { return p.created }

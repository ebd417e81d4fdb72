package hal

import "nepenthes/shared/project"

// Project is a project that events have told of.
type Project struct {
	Type       string `json:"_type" enum:"Project" doc:"Always Project." example:"Project"`
	ID         string `json:"id" doc:"Its id." example:"7"`
	Identifier string `json:"identifier" doc:"Its short name; empty when nobody has told it." example:"plant"`
	Name       string `json:"name" doc:"Its name; empty when nobody has told it." example:"Plant"`
	Gone       bool   `json:"gone" doc:"Whether it was deleted. Webhooks that selected it stay valid." example:"false"`
	created    bool
}

// FromProject shows a project; created says that this very request made it.
func FromProject(p *project.Project, created bool) *Project {
	return &Project{Type: "Project", ID: p.ID, Identifier: p.Identifier, Name: p.Name, Gone: p.Gone, created: created}
}

// Created reports whether the request that this answers made the project.
func (p *Project) Created() bool { return p.created }

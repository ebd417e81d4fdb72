package hal

// Root is the root of the API.
type Root struct {
	Type    string    `json:"_type" enum:"Root" doc:"Always Root." example:"Root"`
	Version string    `json:"version" doc:"The version of the service." example:"1.0.0"`
	Links   RootLinks `json:"_links"`
}

// RootLinks lead to every collection.
type RootLinks struct {
	Self         Link `json:"self" doc:"This resource."`
	Settings     Link `json:"settings" doc:"The settings."`
	Webhooks     Link `json:"webhooks" doc:"The webhooks."`
	Deliveries   Link `json:"deliveries" doc:"The deliveries that need a person."`
	Events       Link `json:"events" doc:"Push an event."`
	Event        Link `json:"event" doc:"An event by its id."`
	Explain      Link `json:"explain" doc:"Explain which webhooks would want an event."`
	EventTypes   Link `json:"eventTypes" doc:"The catalogue of event types."`
	Projects     Link `json:"projects" doc:"The projects that webhooks can select."`
	OAuthClients Link `json:"oauthClients" doc:"The applications that may call the API."`
	OpenAPI      Link `json:"openapi" doc:"The document that describes this API."`
}

// NewRoot returns the root.
func NewRoot(p Paths, version string) *Root {
	return &Root{Type: "Root", Version: version, Links: RootLinks{
		Self:         Link{Href: p.Root()},
		Settings:     Link{Href: p.To("settings")},
		Webhooks:     Link{Href: p.To("webhooks")},
		Deliveries:   Link{Href: p.To("deliveries") + "?state=dead"},
		Events:       Link{Href: p.To("events"), Method: "post"},
		Event:        Link{Href: p.To("events", "{id}{?source}"), Templated: true},
		Explain:      Link{Href: p.To("events", "explain"), Method: "post"},
		EventTypes:   Link{Href: p.To("event_types")},
		Projects:     Link{Href: p.To("projects")},
		OAuthClients: Link{Href: p.To("oauth_clients")},
		OpenAPI:      Link{Href: p.To("openapi.json")},
	}}
}

package console

import (
	"net/http"
	"strings"

	"nepenthes/shared/access"
	"nepenthes/shared/api"
	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
	"nepenthes/shared/project"
	"nepenthes/shared/webhook"
)

// projectsShown is the largest number of projects that the form lists without a filter. Nobody finds a project in a longer
// list of boxes.
const projectsShown = 200

func (x *exchange) newWebhook() error {
	return x.webhookForm(form.NewWebhook(), page.WebhookFormOptions{}, nil, http.StatusOK)
}

func (x *exchange) editWebhook() error {
	w, err := x.readWebhook()
	if err != nil {
		return err
	}
	return x.webhookForm(form.FromWebhook(w), page.WebhookFormOptions{Current: w}, nil, http.StatusOK)
}

// createWebhook creates a webhook. If a secret was generated, the answer shows it.
func (x *exchange) createWebhook() error {
	typed := form.ReadWebhook(x.r.PostForm)
	if answered, err := x.answerAboutProjects(typed, nil); answered {
		return err
	}
	first, err := x.useFormNumber(x.frame().To("/webhooks"))
	if !first {
		return err
	}
	w, err := do(x, x.h.Operations.Webhooks.Create, typed.Creation())
	if err != nil {
		x.freeFormNumber()
		if correctable(err) {
			return x.webhookForm(typed.WithoutSecrets(), page.WebhookFormOptions{}, err, http.StatusUnprocessableEntity)
		}
		return err
	}
	return x.savedWebhook(w, "created")
}

// saveWebhook changes a webhook. If somebody else saved meanwhile, the page shows both values. The form then has the new
// version, so that the next Save overwrites the other values.
func (x *exchange) saveWebhook() error {
	typed := form.ReadWebhook(x.r.PostForm)
	current, err := x.readWebhook()
	if err != nil {
		return err
	}
	if answered, err := x.answerAboutProjects(typed, current); answered {
		return err
	}
	first, err := x.useFormNumber(x.frame().To("/webhooks/" + current.ID))
	if !first {
		return err
	}
	w, err := do(x, x.h.Operations.Webhooks.Change, typed.Change(current.ID))
	if err == nil {
		return x.savedWebhook(w, "saved")
	}
	x.freeFormNumber()
	o := page.WebhookFormOptions{Current: current}
	switch {
	case fault.Is(err, fault.UpdateConflict):
		if o.Current, err = x.readWebhook(); err != nil {
			return err
		}
		if typed.Same(form.FromWebhook(o.Current)) { // the same form was sent twice
			return x.redirectWithNotice("/webhooks/"+o.Current.ID, "saved")
		}
		o.Conflict = true
		return x.webhookForm(typed.WithoutSecrets(), o, nil, http.StatusUnprocessableEntity)
	case correctable(err):
		return x.webhookForm(typed.WithoutSecrets(), o, err, http.StatusUnprocessableEntity)
	}
	return err
}

// savedWebhook shows the secret that was generated for a webhook, or leads to the webhook.
func (x *exchange) savedWebhook(w *api.WrittenWebhook, what string) error {
	if w.Secret == "" {
		return x.redirectWithNotice("/webhooks/"+w.ID, what, w.Warnings...)
	}
	newest := w.Secrets[len(w.Secrets)-1] // the secrets are sorted, oldest first
	return x.render(http.StatusOK, "secret", page.NewWebhookSecret(x.frame(), &w.Webhook, "The secret of "+page.NameOf(w.Name, w.ID), w.Secret, newest.PublicKey, w.Warnings,
		"The receiver uses it to verify that requests come from us. It is used from the next attempt on."))
}

// The values of the buttons of the form. The enter key presses the first button of a form. This is the invisible button
// doEnter, which stands for the button beside the field that was filled in: a user who types a filter and presses enter does
// not want to save.
const (
	doFilter = "filter"
	doAdd    = "add"
	doEnter  = "enter"
)

// pressed returns doFilter or doAdd, or an empty string for the button that saves.
func (x *exchange) pressed() string {
	v := x.r.PostForm
	switch button := v.Get("do"); {
	case button == doFilter || button == doAdd:
		return button
	case button == doEnter && v.Get("project_id") != "":
		return doAdd
	case button == doEnter && v.Get("project_filter") != v.Get("filtered"):
		return doFilter
	}
	return ""
}

// answerAboutProjects shows the form again if it was sent to find or add projects, and reports whether it did. It also shows
// the form again if it contains the id of a project that was not added, because saving would silently drop the id.
func (x *exchange) answerAboutProjects(typed form.Webhook, current *webhook.Webhook) (answered bool, err error) {
	o := page.WebhookFormOptions{Current: current, Pressed: x.pressed()}
	if o.Pressed != "" {
		return true, x.showProjects(typed, o)
	}
	o.Projects.Added = x.r.PostForm.Get("project_id")
	if typed.AllProjects || o.Projects.Added == "" {
		return false, nil
	}
	o.Projects.Refused = fault.Invalid(fault.Detail{Attribute: "id", Message: "This project is not selected yet.", Hint: "Press Add, or clear the field."})
	return true, x.webhookForm(typed.WithoutSecrets(), o, nil, http.StatusUnprocessableEntity)
}

// showProjects shows the form again with the projects that the filter finds, and adds a project if "Add" was pressed.
func (x *exchange) showProjects(typed form.Webhook, o page.WebhookFormOptions) error {
	o.SecretDropped = typed.Secret != ""
	status := http.StatusOK
	if o.Pressed == doAdd {
		added := strings.TrimSpace(x.r.PostForm.Get("project_id"))
		_, err := do(x, x.h.Operations.Projects.Put, &api.PutProject{ID: added})
		switch {
		case err == nil:
			typed.AllProjects, typed.ProjectIDs = false, append(typed.ProjectIDs, added)
		case correctable(err):
			o.Projects.Refused, o.Projects.Added, status = err, added, http.StatusUnprocessableEntity
		default:
			return err
		}
	}
	return x.webhookForm(typed.WithoutSecrets(), o, nil, status)
}

// webhookForm shows the form with the projects to choose from.
func (x *exchange) webhookForm(typed form.Webhook, o page.WebhookFormOptions, refused error, status int) error {
	c := &o.Projects
	c.Filter = x.r.PostForm.Get("project_filter")
	c.Hidden, c.Addable = !x.may(access.ProjectsRead), x.may(access.ProjectsWrite)
	if !c.Hidden {
		if err := x.chooseProjects(c, len(typed.ProjectIDs) > 0); err != nil {
			return err
		}
	}
	o.FormNumber, o.Now = newFormNumber(), x.h.Now()
	return x.render(status, "webhook_form", page.NewWebhookForm(x.frame(), typed, o, refused))
}

// chooseProjects sets the projects that the form offers: all of them if there are few, otherwise those that the filter finds.
// selected reports whether the form also needs the names of selected projects.
func (x *exchange) chooseProjects(c *page.ProjectChoices, selected bool) error {
	all, err := x.projects()
	if err != nil {
		return err
	}
	c.Listed, c.Total, c.Many = all, len(all), len(all) > projectsShown
	if !c.Many {
		return nil
	}
	c.Listed = nil
	if c.Filter != "" {
		found := api.Named(all, c.Filter, func(p project.Project) []string { return []string{p.Name, p.Identifier} })
		c.Listed = found[:min(len(found), projectsShown)]
	}
	if selected {
		c.Names, err = x.projectNames()
	}
	return err
}

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

// projectsShown is how many projects the form lists before it asks for a filter.
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

// createWebhook makes a webhook. A secret that was made with it is shown, this once.
func (x *exchange) createWebhook() error {
	typed := form.ReadWebhook(x.r.PostForm)
	if answered, err := x.answersAboutProjects(typed, nil); answered {
		return err
	}
	first, err := x.useOnce(x.frame().To("/webhooks"))
	if !first {
		return err
	}
	w, err := do(x, x.h.Operations.Webhooks.Create, typed.Creation())
	if err != nil {
		x.unuseOnce()
		if correctable(err) {
			return x.webhookForm(typed.Again(), page.WebhookFormOptions{}, err, http.StatusUnprocessableEntity)
		}
		return err
	}
	return x.savedWebhook(w, "created")
}

// saveWebhook changes a webhook. If somebody else was faster, both values are shown and the next Save decides.
func (x *exchange) saveWebhook() error {
	typed := form.ReadWebhook(x.r.PostForm)
	current, err := x.readWebhook()
	if err != nil {
		return err
	}
	if answered, err := x.answersAboutProjects(typed, current); answered {
		return err
	}
	first, err := x.useOnce(x.frame().To("/webhooks/" + current.ID))
	if !first {
		return err
	}
	w, err := do(x, x.h.Operations.Webhooks.Change, typed.Change(current.ID))
	if err == nil {
		return x.savedWebhook(w, "saved")
	}
	x.unuseOnce()
	o := page.WebhookFormOptions{Current: current}
	switch {
	case fault.Is(err, fault.UpdateConflict):
		if o.Current, err = x.readWebhook(); err != nil {
			return err
		}
		if typed.Same(form.FromWebhook(o.Current)) { // the form came twice
			return x.done("/webhooks/"+o.Current.ID, "saved")
		}
		o.Conflict = true
		return x.webhookForm(typed.Again(), o, nil, http.StatusUnprocessableEntity)
	case correctable(err):
		return x.webhookForm(typed.Again(), o, err, http.StatusUnprocessableEntity)
	}
	return err
}

// savedWebhook shows the secret that was generated for a webhook, or leads to the webhook.
func (x *exchange) savedWebhook(w *api.WrittenWebhook, what string) error {
	if w.Secret == "" {
		return x.done("/webhooks/"+w.ID, what, w.Warnings...)
	}
	newest := w.Secrets[len(w.Secrets)-1]
	return x.render(http.StatusOK, "secret", page.NewWebhookSecret(x.frame(), &w.Webhook, "The secret of "+page.NameOf(w.Name, w.ID), w.Secret, newest.PublicKey, w.Warnings,
		"The receiver verifies with it that requests come from here. It is used from the next attempt on."))
}

// What the buttons of the form ask for. The enter key presses a button that nobody sees; it means the field that was
// just filled in: who types a filter and presses enter does not want to save.
const (
	doFilter = "filter"
	doAdd    = "add"
	doEnter  = "enter"
)

// asked is doFilter, doAdd, or empty to save.
func (x *exchange) asked() string {
	v := x.r.PostForm
	switch pressed := v.Get("do"); {
	case pressed == doFilter || pressed == doAdd:
		return pressed
	case pressed == doEnter && v.Get("project_id") != "":
		return doAdd
	case pressed == doEnter && v.Get("project_filter") != v.Get("filtered"):
		return doFilter
	}
	return ""
}

// answersAboutProjects shows the form again when it was sent to find or add projects, and not to be saved, or when the
// id of a project was typed and not added, which saving would drop without a word.
func (x *exchange) answersAboutProjects(typed form.Webhook, current *webhook.Webhook) (answered bool, err error) {
	o := page.WebhookFormOptions{Current: current, Asked: x.asked()}
	if o.Asked != "" {
		return true, x.answerForm(typed, o)
	}
	o.Projects.Added = x.r.PostForm.Get("project_id")
	if typed.AllProjects || o.Projects.Added == "" {
		return false, nil
	}
	o.Projects.Refused = fault.Invalid(fault.Detail{Attribute: "id", Message: "It is not among the selected projects yet.", Hint: "Press Add, or clear the field."})
	return true, x.webhookForm(typed.Again(), o, nil, http.StatusUnprocessableEntity)
}

// answerForm shows the form again with the projects that were asked for, and adds one if that was asked.
func (x *exchange) answerForm(typed form.Webhook, o page.WebhookFormOptions) error {
	o.Dropped = typed.Secret != ""
	status := http.StatusOK
	if o.Asked == doAdd {
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
	return x.webhookForm(typed.Again(), o, nil, status)
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
	o.Once, o.Now = once(), x.h.Now()
	return x.render(status, "webhook_form", page.NewWebhookForm(x.frame(), typed, o, refused))
}

// chooseProjects finds the projects that the form offers: all when they are few, else those that the filter finds. The
// names of those that are ticked are looked up in any case.
func (x *exchange) chooseProjects(c *page.ProjectChoices, ticked bool) error {
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
	if ticked {
		c.Names, err = x.projectNames()
	}
	return err
}

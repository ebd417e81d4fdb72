package console

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"time"

	"nepenthes/shared/console/form"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
	"nepenthes/shared/tables"
)

// A form whose answer shows a new secret carries a number that counts once: its answer is no redirect, so a browser
// that reloads it sends the form again.

// onceKept is how long a number is known to be used: longer than any session.
const onceKept = 12 * time.Hour

// onceForm is the form of a number.
var onceForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// once makes the number for a form.
func once() string { return rand.Text() }

func (x *exchange) onceKey() string {
	return tables.FormsSent + x.client.ID + "/" + x.r.PostForm.Get("once")
}

// useOnce marks the form's number as used. False: it was used before, and the answer has been written.
func (x *exchange) useOnce(next string) (first bool, err error) {
	if !onceForm.MatchString(x.r.PostForm.Get("once")) {
		return false, fault.New(fault.InvalidRequestBody, "The form is incomplete.").With("Open the page again and press the button there.")
	}
	err = x.h.State.AddState(x.r.Context(), x.onceKey(), []byte{}, x.h.Now().Add(onceKept))
	if fault.Is(err, fault.UpdateConflict) {
		return false, x.repeated(next)
	}
	return err == nil, err
}

// unuseOnce lets the form's number count again: nothing was made.
func (x *exchange) unuseOnce() {
	if err := x.h.State.DropState(x.r.Context(), x.onceKey()); err != nil {
		x.h.Logger.WarnContext(x.r.Context(), "console.once_kept", "request", x.RequestID, "error", err)
	}
}

// repeated answers a form that was sent before.
func (x *exchange) repeated(next string) error {
	frame := x.frame()
	frame.Title = "This was done already"
	text := []string{"The form came a second time, as when a page is reloaded. Nothing was made again."}
	if choice := x.r.PostForm.Get("secret_choice"); choice == "" || choice == form.SecretGenerate {
		text = append(text, "A secret is shown only once. If it was not copied, have another one made with “Rotate secret”.")
	}
	return x.render(http.StatusConflict, "message", page.Message{Frame: frame, Text: text, Ways: []page.Crumb{{Label: "Go on", Href: next}}})
}

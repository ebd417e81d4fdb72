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

// The answer to some forms shows a new secret. It is not a redirect, so a browser that reloads it sends the form again.
// Such a form has a number, which can be used once.

// numberKept is how long a used number is stored. It is longer than any session.
const numberKept = 12 * time.Hour

// numberPattern matches the number of a form. It keeps other texts out of the keys of the store.
var numberPattern = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// newFormNumber returns a new number for a form.
func newFormNumber() string { return rand.Text() }

// formNumberKey returns the key under which the used number of the form is stored.
func (x *exchange) formNumberKey() string {
	return tables.FormsSent + x.client.ID + "/" + x.r.PostForm.Get("once")
}

// useFormNumber marks the number of the form as used. If the number was used before, first is false, and useFormNumber writes
// an answer with a link to next.
func (x *exchange) useFormNumber(next string) (first bool, err error) {
	if !numberPattern.MatchString(x.r.PostForm.Get("once")) {
		return false, fault.New(fault.InvalidRequestBody, "The form is incomplete.").With("Open the page again and press the button there.")
	}
	err = x.h.State.AddState(x.r.Context(), x.formNumberKey(), []byte{}, x.h.Now().Add(numberKept))
	if fault.Is(err, fault.UpdateConflict) {
		return false, x.answerRepeatedForm(next)
	}
	return err == nil, err
}

// freeFormNumber lets the number of a form be used again, because the form has created nothing. It only logs a failure: the
// user can open the form again and gets another number.
func (x *exchange) freeFormNumber() {
	if err := x.h.State.DropState(x.r.Context(), x.formNumberKey()); err != nil {
		x.h.Logger.WarnContext(x.r.Context(), "console.once_kept", "request", x.RequestID, "error", err)
	}
}

// answerRepeatedForm answers a form that was sent before.
func (x *exchange) answerRepeatedForm(next string) error {
	frame := x.frame()
	frame.Title = "This was already done"
	text := []string{"The form was sent a second time, for example by reloading the page. Nothing was created again."}
	if choice := x.r.PostForm.Get("secret_choice"); choice == "" || choice == form.SecretGenerate {
		text = append(text, "A secret is shown only once. If you did not copy it, create another one with “Rotate secret”.")
	}
	return x.render(http.StatusConflict, "message", page.Message{Frame: frame, Text: text, Links: []page.Crumb{{Label: "Continue", Href: next}}})
}

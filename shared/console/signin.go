package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"nepenthes/shared/api"
	"nepenthes/shared/auth"
	"nepenthes/shared/console/page"
	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
	"nepenthes/web"
)

// signInHref returns the address of the sign-in page, which leads back to the requested page.
func (x *exchange) signInHref() string {
	return x.base + page.Console + "/sign_in?to=" + url.QueryEscape(x.r.URL.RequestURI())
}

// ownPath returns to if it is the path of a page of the console, without the stage path. For any other address it returns the
// path of the first page. Otherwise somebody could send a link to the sign-in that leads to a foreign site afterwards. The
// sign-in itself would lead in a circle.
func ownPath(to string) string {
	const start = page.Console
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" || strings.ContainsAny(to, "\\\r\n\t") {
		return start
	}
	if path.Clean(u.Path) != u.Path || !strings.HasPrefix(u.Path, start+"/") || strings.HasPrefix(u.Path, start+"/sign_") {
		return start
	}
	u.Fragment = ""
	return u.String()
}

func (x *exchange) showSignIn() error {
	return x.render(http.StatusOK, "sign_in", page.NewSignIn(x.frame(), "", ownPath(x.r.URL.Query().Get("to")), nil))
}

// signIn checks the secret of a client and begins a session. Failures count together with those of the token endpoint, so that
// guessing is not faster here.
func (x *exchange) signIn() error {
	if err := x.readForm(); err != nil {
		return err
	}
	// A pasted id often has white space around it. A secret may begin or end with white space.
	ctx, clientID, back := x.r.Context(), strings.TrimSpace(x.r.PostForm.Get("client_id")), ownPath(x.r.PostForm.Get("to"))
	client, secretID, err := x.h.Authenticator.SignIn(ctx, clientID, x.r.PostForm.Get("client_secret"), httpedge.PeerAddress(x.r))
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return x.render(http.StatusUnprocessableEntity, "sign_in", page.NewSignIn(x.frame(), clientID, back, err))
	case fault.Is(err, fault.TooManyRequests):
		httpedge.SetRetryAfter(x.Header(), fault.From(err))
		return x.render(http.StatusTooManyRequests, "sign_in", page.NewSignIn(x.frame(), clientID, back, err))
	case err != nil:
		return err
	}
	if err := x.h.sessions.Begin(ctx, x.ResponseWriter, x.r, client, secretID); err != nil {
		return err
	}
	x.logSession(api.BeganSession, client.ID)
	x.redirect(x.base + back)
	return nil
}

// logSession logs the beginning or end of a session as a write. The target is the client, because the id of a session
// must not be logged.
func (x *exchange) logSession(action api.Action, clientID string) {
	call := api.Call{Caller: auth.Caller{ClientID: clientID}, Via: api.ViaConsole, Request: x.RequestID}
	api.LogWritten(x.r.Context(), x.h.Logger, call, action, clientID)
}

// signOut ends the session, if there is one, and leads to the sign-in.
func (x *exchange) signOut() error {
	x.tryRecognise()
	if err := x.h.sessions.End(x.r.Context(), x.ResponseWriter, x.r); err != nil {
		return err
	}
	if x.client.ID != "" {
		x.logSession(api.EndedSession, x.client.ID)
	}
	return x.redirectWithNotice("/sign_in", "signed_out")
}

// asset serves a static file.
func (x *exchange) asset() error {
	if !web.ServeAsset(x, x.r, x.r.PathValue("file")) {
		x.tryRecognise()
		return fault.New(fault.NotFound, "There is no such file.")
	}
	return nil
}

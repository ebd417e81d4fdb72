package oauth

import (
	"encoding/json"
	"net/http"

	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
)

// refusal is an error answer as in RFC 6749 §5.2. Descriptions are constant texts with only the characters that the
// RFC allows there: no quotation marks and no backslashes.
type refusal struct {
	status      int
	code        string // from the RFC's closed list where a code fits
	description string
	fault       *fault.Fault // nil unless the client should try again later
}

// invalidRequest refuses a request that does not follow the RFC, whoever sends it.
func invalidRequest(description string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "invalid_request", description: description}
}

// invalidClient refuses a client that did not prove who it is.
func invalidClient(description string) *refusal {
	return &refusal{status: http.StatusUnauthorized, code: "invalid_client", description: description}
}

// refuse returns the answer for an error. The RFC has no codes for a failing or throttling server at this endpoint, so
// refuse uses the RFC's codes for the authorization endpoint (§4.1.2.1).
func refuse(err error) *refusal {
	f := fault.From(err)
	switch f.Kind {
	case fault.Unauthenticated:
		return invalidClient(f.Message)
	case fault.TooManyRequests, fault.Unavailable:
		return &refusal{f.Kind.Status(), "temporarily_unavailable", f.Kind.Title() + ".", f}
	}
	return &refusal{status: http.StatusInternalServerError, code: "server_error", description: f.Kind.Title() + "."}
}

// realm names the protection space of client secrets (RFC 9110 §11.5).
const realm = `Basic realm="nepenthes"`

// write answers with the refusal. RFC 6749 requires the challenge only for clients that used the Authorization header, but
// allows it for all.
func (f *refusal) write(w http.ResponseWriter) {
	if f.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", realm)
	}
	if f.fault != nil {
		httpedge.SetRetryAfter(w.Header(), f.fault)
	}
	writeJSON(w, f.status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{f.code, f.description})
}

// writeJSON writes v as the answer. It panics when v cannot be encoded.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body) // it is not an error when the client has gone
}

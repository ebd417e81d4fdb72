package rest

import (
	"encoding/json"
	"strconv"

	"nepenthes/shared/fault"
	"nepenthes/shared/httpedge"
)

// Problem is the answer to every failure: a problem document (RFC 9457) with more members that clients of APIv3 know.
type Problem struct {
	URN        string         `json:"type" doc:"The kind of the problem as a URN." example:"urn:nepenthes:api:v3:errors:PropertyConstraintViolation"`
	Title      string         `json:"title" doc:"The kind of the problem in words. It is the same for every problem of this kind." example:"A property is not acceptable"`
	Status     int            `json:"status" doc:"The HTTP status." example:"422"`
	Detail     string         `json:"detail" doc:"What is wrong with this request." example:"It is required and cannot be blank."`
	Hint       string         `json:"hint,omitempty" doc:"What to do next." example:"Correct the member and send the request again."`
	Type       string         `json:"_type" enum:"Error" doc:"Always Error." example:"Error"`
	Identifier string         `json:"errorIdentifier" doc:"The same as type." example:"urn:nepenthes:api:v3:errors:PropertyConstraintViolation"`
	Message    string         `json:"message" doc:"The same as detail." example:"It is required and cannot be blank."`
	Errors     []ProblemEntry `json:"errors,omitempty" nullable:"false" doc:"One entry for each member or parameter that is not acceptable. After 100 entries a last entry says how many more there are."`
	Instance   string         `json:"instance" doc:"The id of this request as a URN. Tell it to the operator when you ask for help." example:"urn:nepenthes:request:req_01JH2W9V3M8Q7R5T6Y1Z4X0C2B"`
	Scheme     string         `json:"scheme,omitempty" doc:"With status 401: how to authenticate, as in WWW-Authenticate." example:"Bearer"`
	Error      string         `json:"error,omitempty" doc:"With status 401: invalid_token if the request had a token (RFC 6750)." example:"invalid_token"`
}

// ProblemEntry is one member or parameter that is not acceptable.
type ProblemEntry struct {
	Attribute string `json:"attribute" doc:"The path of the member, or the name of the parameter. It is empty in the entry that says how many more there are." example:"payloadUrl"`
	Message   string `json:"message" doc:"What is wrong with it." example:"The URL does not begin with https://."`
	Hint      string `json:"hint,omitempty" doc:"What to do next." example:"Give the receiver a certificate and use its https URL."`
}

const (
	typeProblem = "application/problem+json"
	urnErrors   = "urn:nepenthes:api:v3:errors:"
	urnRequest  = "urn:nepenthes:request:"
	scheme      = "Bearer"
	badToken    = "invalid_token"
)

// writeProblem answers with the problem document of a fault. It does not contain the cause.
func (x *exchange) writeProblem(f *fault.Fault) {
	p := Problem{
		URN: urnErrors + f.Kind.Identifier(), Title: f.Kind.Title(), Status: f.Kind.Status(),
		Detail: f.Message, Hint: f.Hint,
		Type: "Error", Identifier: urnErrors + f.Kind.Identifier(), Message: f.Message, Instance: urnRequest + x.RequestID,
	}
	for _, d := range f.Details {
		p.Errors = append(p.Errors, ProblemEntry{Attribute: d.Attribute, Message: d.Message, Hint: d.Hint})
	}
	header := x.Header()
	if f.Kind == fault.Unauthenticated {
		p.Scheme = scheme
		header.Set("WWW-Authenticate", scheme)
		if _, sent := bearer(x.r.Header.Get("Authorization")); sent {
			p.Error = badToken
			header.Set("WWW-Authenticate", scheme+` error="`+badToken+`"`)
		}
	}
	httpedge.SetRetryAfter(header, f)
	body, err := json.Marshal(p)
	if err != nil {
		panic(err) // impossible: a Problem has only texts and a number
	}
	header.Del("ETag")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Type", typeProblem)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	x.WriteHeader(p.Status)
	x.Write(body) // an error means that the client has gone
}

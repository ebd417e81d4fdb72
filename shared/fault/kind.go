package fault

import "net/http"

// Kind is a class of failure. The list is closed and append-only.
type Kind uint8

// The kinds, in the order in which a request is checked. Internal is the zero value, so that an error that nobody
// classified is our mistake and shows the client nothing.
const (
	Internal                    Kind = iota // an error of ours
	NotFound                                // no such path or resource
	MethodNotAllowed                        // the path does not have the method
	Unauthenticated                         // no valid token
	TooManyRequests                         // over a limit; RetryAfter says how long to wait
	APIDisabled                             // the settings switch the API off
	MissingPermission                       // the token does not have the required scope
	PayloadTooLarge                         // the body is too large
	TypeNotSupported                        // the Content-Type is not supported
	NotAcceptable                           // the Accept header allows none of our types
	InvalidRequestBody                      // the body cannot be read
	InvalidQuery                            // a query parameter or a header is wrong
	UpdateConflict                          // the client has read an older version
	InvalidState                            // the resource's state does not allow the operation
	PropertyConstraintViolation             // an attribute breaks a rule
	PropertyIsReadOnly                      // an attribute cannot be written
	MultipleErrors                          // several attributes are wrong
	Unavailable                             // temporary; the same request may succeed later
)

// kinds has the identifier, status and title of each kind.
var kinds = [...]struct {
	identifier string
	status     int
	title      string
}{
	Internal:                    {"InternalServerError", http.StatusInternalServerError, "Internal server error"},
	NotFound:                    {"NotFound", http.StatusNotFound, "Not found"},
	MethodNotAllowed:            {"MethodNotAllowed", http.StatusMethodNotAllowed, "Method not allowed"},
	Unauthenticated:             {"Unauthenticated", http.StatusUnauthorized, "Not authenticated"},
	TooManyRequests:             {"TooManyRequests", http.StatusTooManyRequests, "Too many requests"},
	APIDisabled:                 {"ApiDisabled", http.StatusForbidden, "The REST web service is switched off"},
	MissingPermission:           {"MissingPermission", http.StatusForbidden, "Missing permission"},
	PayloadTooLarge:             {"PayloadTooLarge", http.StatusRequestEntityTooLarge, "Payload too large"},
	TypeNotSupported:            {"TypeNotSupported", http.StatusUnsupportedMediaType, "Content type not supported"},
	NotAcceptable:               {"NotAcceptable", http.StatusNotAcceptable, "Not acceptable"},
	InvalidRequestBody:          {"InvalidRequestBody", http.StatusBadRequest, "Invalid request body"},
	InvalidQuery:                {"InvalidQuery", http.StatusBadRequest, "Invalid query or header"},
	UpdateConflict:              {"UpdateConflict", http.StatusConflict, "The version is not the current one"},
	InvalidState:                {"InvalidState", http.StatusConflict, "Not possible in the current state"},
	PropertyConstraintViolation: {"PropertyConstraintViolation", http.StatusUnprocessableEntity, "A property is not acceptable"},
	PropertyIsReadOnly:          {"PropertyIsReadOnly", http.StatusUnprocessableEntity, "A property cannot be written"},
	MultipleErrors:              {"MultipleErrors", http.StatusUnprocessableEntity, "Several properties are not acceptable"},
	Unavailable:                 {"Unavailable", http.StatusServiceUnavailable, "Temporarily unavailable"},
}

// Kinds returns every kind once, in the order of the constants.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i := range kinds {
		all[i] = Kind(i)
	}
	return all
}

// Identifier returns the name of the kind in the API, such as "InvalidQuery".
func (k Kind) Identifier() string { return kinds[k].identifier }

// Status returns the HTTP status of the kind (RFC 9110).
func (k Kind) Status() int { return kinds[k].status }

// Title returns a short text about the kind, the same for every fault of this kind (RFC 9457 §3.1.3).
func (k Kind) Title() string { return kinds[k].title }

// String returns the identifier.
func (k Kind) String() string { return k.Identifier() }

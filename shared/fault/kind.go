package fault

import "net/http"

// Kind is a class of failure. The list is closed and append-only.
type Kind uint8

// The kinds, in the order in which a request is checked (contract of the API, "Errors"). Internal is the
// zero value on purpose: what nobody classified is ours, and tells nothing.
const (
	Internal Kind = iota
	NotFound
	MethodNotAllowed
	Unauthenticated
	TooManyRequests
	APIDisabled
	MissingPermission
	PayloadTooLarge
	TypeNotSupported
	NotAcceptable
	InvalidRequestBody
	InvalidQuery
	UpdateConflict
	InvalidState
	PropertyConstraintViolation
	PropertyIsReadOnly
	MultipleErrors
	Unavailable
)

// kinds is the one table from kind to identifier, status and title.
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
	UpdateConflict:              {"UpdateConflict", http.StatusConflict, "The version is not the present one"},
	InvalidState:                {"InvalidState", http.StatusConflict, "Not possible in the present state"},
	PropertyConstraintViolation: {"PropertyConstraintViolation", http.StatusUnprocessableEntity, "A property is not acceptable"},
	PropertyIsReadOnly:          {"PropertyIsReadOnly", http.StatusUnprocessableEntity, "A property cannot be written"},
	MultipleErrors:              {"MultipleErrors", http.StatusUnprocessableEntity, "Several properties are not acceptable"},
	Unavailable:                 {"Unavailable", http.StatusServiceUnavailable, "Temporarily unavailable"},
}

// Kinds lists every kind once, for documents and tests.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i := range kinds {
		all[i] = Kind(i)
	}
	return all
}

// Identifier is the kind's name in the API, such as "InvalidQuery".
func (k Kind) Identifier() string { return kinds[k].identifier }

// Status is the kind's HTTP status (RFC 9110).
func (k Kind) Status() int { return kinds[k].status }

// Title is a short sentence about the kind that never changes (RFC 9457 §3.1.3).
func (k Kind) Title() string { return kinds[k].title }

// String is the identifier.
func (k Kind) String() string { return k.Identifier() }

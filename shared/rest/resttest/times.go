package resttest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var (
	anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?`)
	ourTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// theirs are the members with texts of producers and receivers, or examples of these.
var theirs = map[string]bool{"occurredAt": true, "data": true, "body": true, "headers": true, "example": true, "examples": true, "schema": true}

// strangeTimes returns the times in an answer that are not in UTC with milliseconds.
func strangeTimes(answer any, response *http.Response) (strange []string) {
	for name, values := range response.Header {
		strange = append(strange, timesIn(name, strings.Join(values, " "))...)
	}
	walk("", answer, func(path, text string) { strange = append(strange, timesIn(path, text)...) })
	return strange
}

// timesIn returns the strange times in a text.
func timesIn(where, text string) (strange []string) {
	if decoded, err := url.QueryUnescape(text); err == nil { // times within links
		text = decoded
	}
	for _, found := range anyTime.FindAllString(text, -1) {
		if !ourTime.MatchString(found) {
			strange = append(strange, where+": "+found)
		}
	}
	return strange
}

// walk visits every text in an answer, except those of others.
func walk(path string, value any, see func(path, text string)) {
	switch value := value.(type) {
	case string:
		see(path, value)
	case []any:
		for i, element := range value {
			walk(fmt.Sprintf("%s.%d", path, i), element, see)
		}
	case map[string]any:
		for name, member := range value {
			if !theirs[name] {
				walk(path+"."+name, member, see)
			}
		}
	}
}

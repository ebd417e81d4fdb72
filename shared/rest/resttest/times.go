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
	apiTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// foreignMembers are the members with texts of producers and receivers, or examples of these.
var foreignMembers = map[string]bool{"occurredAt": true, "data": true, "body": true, "headers": true, "example": true, "examples": true, "schema": true}

// wrongTimes returns the times in an answer that are not in UTC with milliseconds.
func wrongTimes(answer any, response *http.Response) (wrong []string) {
	for name, values := range response.Header {
		wrong = append(wrong, timesIn(name, strings.Join(values, " "))...)
	}
	walk("", answer, func(path, text string) { wrong = append(wrong, timesIn(path, text)...) })
	return wrong
}

// timesIn returns the wrong times in a text.
func timesIn(where, text string) (wrong []string) {
	if decoded, err := url.QueryUnescape(text); err == nil { // links contain escaped times
		text = decoded
	}
	for _, found := range anyTime.FindAllString(text, -1) {
		if !apiTime.MatchString(found) {
			wrong = append(wrong, where+": "+found)
		}
	}
	return wrong
}

// walk visits every text in an answer, except the texts in foreignMembers.
func walk(path string, value any, visit func(path, text string)) {
	switch value := value.(type) {
	case string:
		visit(path, value)
	case []any:
		for i, element := range value {
			walk(fmt.Sprintf("%s.%d", path, i), element, visit)
		}
	case map[string]any:
		for name, member := range value {
			if !foreignMembers[name] {
				walk(path+"."+name, member, visit)
			}
		}
	}
}

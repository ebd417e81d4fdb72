package resttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// check compares an answer with its step, and reports whether it is right.
func (r *runner) check(t *testing.T, name string, step Step, kept map[string]string, response *http.Response, body []byte) bool {
	t.Helper()
	ok := true
	fail := func(format string, args ...any) {
		t.Helper()
		ok = false
		t.Errorf(name+": "+format, args...)
	}
	if response.StatusCode != step.Status {
		fail("got status %d, want %d", response.StatusCode, step.Status)
	}
	if response.Header.Get("X-Request-Id") == "" {
		fail("got no X-Request-Id")
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode == http.StatusNoContent && got != "" && !r.Emulator.Has(TypeOfNothing) {
		fail("got Content-Type %q for an answer without content", got)
	}
	answer := decoded(body)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/hal+json") {
		for _, href := range hrefs(answer) {
			if !strings.HasPrefix(href, r.Stage+"/api/") {
				fail("got a link to %s, want it below %s/api/", href, r.Stage)
			}
		}
	}
	for _, wrong := range wrongTimes(answer, response) {
		fail("got time %s, want UTC with milliseconds", wrong)
	}
	if step.Kind != "" {
		checkProblem(fail, step, answer, response)
	}
	for path, want := range step.Want {
		if message := differs(answer, path, filled(want, kept)); message != "" {
			fail("%s", message)
		}
	}
	for header, want := range step.WantHeader {
		if got := response.Header.Get(header); got != fill(want, kept) {
			fail("got %s: %q, want %q", header, got, fill(want, kept))
		}
	}
	return ok
}

// checkProblem checks that the answer is a problem document with the kind and the attributes of the step.
func checkProblem(fail func(string, ...any), step Step, answer any, response *http.Response) {
	const urn = "urn:nepenthes:api:v3:errors:"
	if got := response.Header.Get("Content-Type"); got != "application/problem+json" {
		fail("got Content-Type %q, want application/problem+json", got)
	}
	if got, _ := at(answer, "errorIdentifier"); got != urn+step.Kind {
		fail("got errorIdentifier %v, want %s", got, urn+step.Kind)
	}
	id := response.Header.Get("X-Request-Id")
	if got, _ := at(answer, "instance"); got != "urn:nepenthes:request:"+id {
		fail("got instance %v, want the instance of request %s", got, id)
	}
	if step.Attributes == nil {
		return
	}
	var got []string
	errors, _ := at(answer, "errors")
	list, _ := errors.([]any)
	for i := range list {
		attribute, _ := at(answer, fmt.Sprintf("errors.%d.attribute", i))
		got = append(got, fmt.Sprint(attribute))
	}
	if !reflect.DeepEqual(got, step.Attributes) {
		fail("got errors for %q, want %q", got, step.Attributes)
	}
}

// filled replaces the names in braces by the kept values, also in lists and objects.
func filled(want any, kept map[string]string) any {
	switch want := want.(type) {
	case Some, None:
		return want
	case Like:
		return Like(fill(string(want), kept))
	}
	text, err := json.Marshal(want)
	if err != nil {
		panic(err) // impossible: cases are data
	}
	return json.RawMessage(fill(string(text), kept))
}

// differs returns a text about the difference between the member at path and the wanted value, or "" if there is none.
func differs(answer any, path string, want any) string {
	got, found := at(answer, path)
	switch want := want.(type) {
	case None:
		if found {
			return fmt.Sprintf("got %s %v, want none", path, got)
		}
		return ""
	case Some:
		if !found {
			return fmt.Sprintf("got no %s", path)
		}
		return ""
	case Like:
		text, isText := got.(string)
		if !isText || !regexp.MustCompile(string(want)).MatchString(text) {
			return fmt.Sprintf("got %s %v, want a text like %s", path, got, want)
		}
		return ""
	}
	if !found {
		return fmt.Sprintf("got no %s, want %s", path, want)
	}
	if !reflect.DeepEqual(got, decoded(want.(json.RawMessage))) {
		return fmt.Sprintf("got %s %v, want %s", path, got, want)
	}
	return ""
}

// decoded reads JSON and keeps the digits of numbers. It returns nil if the text is not JSON.
func decoded(text []byte) any {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil
	}
	return value
}

// hrefs returns the links in every _links of an answer. It skips the links in data of producers, which may lead
// anywhere.
func hrefs(value any) (all []string) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			all = append(all, hrefs(element)...)
		}
	case map[string]any:
		for name, member := range value {
			links, isLinks := member.(map[string]any)
			switch {
			case name == "data" || name == "example" || name == "schema":
			case name == "_links" && isLinks:
				for _, link := range links {
					href, _ := at(link, "href")
					all = append(all, fmt.Sprint(href))
				}
			default:
				all = append(all, hrefs(member)...)
			}
		}
	}
	return all
}

// at returns the member at a path of names and numbers, and reports whether it exists.
func at(value any, path string) (any, bool) {
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			member, found := v[name]
			if !found {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// block is a fenced block of code in a document.
type block struct {
	language, text string
	line           int // of the opening fence, from 1
}

// blocks returns the fenced blocks of a file in docs, in order.
func blocks(t testing.TB, name string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", name))
	check(t, err)
	var found []block
	inside := false
	for i, line := range strings.Split(string(text), "\n") {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && !inside:
			found, inside = append(found, block{language: language, line: i + 1}), true
		case fence:
			inside = false
		case inside:
			found[len(found)-1].text += line + "\n"
		}
	}
	if inside || len(found) == 0 {
		t.Fatalf("%s: %d blocks, the last one open: %v", name, len(found), inside)
	}
	return found
}

// step is a command of a tour and the answer that the document shows.
type step struct {
	command block
	answer  *block // nil if the document shows none
}

// steps pairs every sh block with the json or http block that follows it. Any other block fails the test, since it would
// not be tested.
func steps(t testing.TB, name string) []step {
	t.Helper()
	var all []step
	for _, b := range blocks(t, name) {
		switch {
		case b.language == "sh":
			all = append(all, step{command: b})
		case (b.language == "json" || b.language == "http") && len(all) > 0 && all[len(all)-1].answer == nil:
			all[len(all)-1].answer = &b
		default:
			t.Fatalf("%s:%d: a block of %q that no command precedes", name, b.line, b.language)
		}
	}
	return all
}

const (
	// boundary precedes the output of each command.
	boundary = "--- the next command ---\n"
	// tourLimit is the time limit of a tour, in case a command waits forever.
	tourLimit = time.Minute
)

// TestTheTourOfTheAPI runs every command of docs/api.md in one shell, like a reader who copies them one by one.
func TestTheTourOfTheAPI(t *testing.T) {
	p := start(t, "-data", "", "-demo=false")
	tour := steps(t, "api.md")
	var script strings.Builder
	for _, s := range tour {
		fmt.Fprintf(&script, "printf '%%s' '%s'\n%s", boundary, s.command.text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), tourLimit)
	defer cancel()
	shell := exec.CommandContext(ctx, "sh", "-eu", "-c", script.String())
	shell.Dir = t.TempDir()
	receiver, _, _ := strings.Cut(strings.TrimPrefix(p.line("receiver "), "receiver "), "/hooks")
	shell.Env = append(os.Environ(), "API="+p.api, "RECEIVER="+receiver, "CLIENT="+testAdmin)
	var stderr bytes.Buffer
	shell.Stderr = &stderr
	stdout, err := shell.Output()
	outputs := strings.Split(string(stdout), boundary)[1:]
	if err != nil || len(outputs) != len(tour) {
		t.Errorf("ended after %d of %d commands: %v %s", len(outputs), len(tour), err, &stderr)
	}
	for i, output := range outputs {
		t.Run(fmt.Sprintf("line %d", tour[i].command.line), func(t *testing.T) { tour[i].judge(t, output) })
	}
}

// judge compares the output of a command with the answer that the document shows. The output may contain an error only
// if the document shows one.
func (s step) judge(t *testing.T, output string) {
	answers := documents(t, output)
	var shown any
	if s.answer != nil && s.answer.language == "json" {
		check(t, json.Unmarshal([]byte(s.answer.text), &shown))
		if len(answers) == 0 {
			t.Fatalf("got %q, want JSON", output)
		}
		last := answers[len(answers)-1]
		if at := lacks(last, shown); at != "" {
			t.Errorf("%s differs from the document in the answer %s", at, output)
		}
		if failed(shown) {
			answers = answers[:len(answers)-1]
		}
	}
	for _, answer := range answers {
		if failed(answer) {
			t.Errorf("got an error that the document does not show: %v", answer)
		}
	}
	if s.answer != nil && s.answer.language == "http" {
		for line := range strings.Lines(s.answer.text) {
			if !strings.Contains(output, strings.TrimSpace(line)) {
				t.Errorf("got %q, want it to contain %q", output, strings.TrimSpace(line))
			}
		}
	}
}

// documents returns the JSON objects in the output of a command, from the first brace on.
func documents(t *testing.T, output string) []any {
	t.Helper()
	from := strings.Index(output, "{")
	if from < 0 {
		return nil
	}
	var all []any
	for decoder := json.NewDecoder(strings.NewReader(output[from:])); decoder.More(); {
		var document any
		check(t, decoder.Decode(&document))
		all = append(all, document)
	}
	return all
}

// failed reports whether an answer is an error: a problem document, or an error of RFC 6749.
func failed(answer any) bool {
	members, _ := answer.(map[string]any)
	_, oauth := members["error"].(string)
	return members["_type"] == "Error" || oauth
}

// lacks returns the path of the first value in want that got does not have, or "" if got has them all. It compares
// members of objects, all elements of lists, and texts, in which … matches anything.
func lacks(got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		members, _ := got.(map[string]any)
		for name, value := range want {
			member, there := members[name]
			if at := lacks(member, value); !there || at != "" {
				return "." + name + at
			}
		}
		return ""
	case []any:
		elements, _ := got.([]any)
		if len(elements) != len(want) {
			return fmt.Sprintf("[%d elements]", len(elements))
		}
		for i, value := range want {
			if at := lacks(elements[i], value); at != "" {
				return fmt.Sprintf("[%d]%s", i, at)
			}
		}
		return ""
	case string:
		text, ok := got.(string)
		pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
		if ok && regexp.MustCompile("^(?s:"+pattern+")$").MatchString(text) {
			return ""
		}
	default:
		if got == want {
			return ""
		}
	}
	return fmt.Sprintf(": %v", got)
}

// TestLacks checks that the comparison finds differences.
func TestLacks(t *testing.T) {
	const answer = `{"a":{"b":[1,2],"c":"wh_123"},"d":null,"e":true}`
	for shown, want := range map[string]bool{
		`{}`:                   true,
		`{"a":{"c":"wh_…"}}`:   true,
		`{"a":{"b":[1,2]}}`:    true,
		`{"d":null,"e":true}`:  true,
		`{"a":{"c":"sec_…"}}`:  false,
		`{"a":{"b":[1]}}`:      false,
		`{"a":{"b":[1,3]}}`:    false,
		`{"a":{"c":null}}`:     false,
		`{"f":null}`:           false,
		`{"e":"true"}`:         false,
		`{"a":{"b":{"c":{}}}}`: false,
	} {
		var got, wanted any
		check(t, json.Unmarshal([]byte(answer), &got))
		check(t, json.Unmarshal([]byte(shown), &wanted))
		if at := lacks(got, wanted); (at == "") != want {
			t.Errorf("%s: lacks %q, want contained: %v", shown, at, want)
		}
	}
}

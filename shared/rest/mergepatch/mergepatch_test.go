package mergepatch_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"nepenthes/shared/fault"
	"nepenthes/shared/rest/mergepatch"
)

type inner struct {
	All mergepatch.Member[bool]     `json:"all"`
	IDs mergepatch.Member[[]string] `json:"ids"`
}

type common struct {
	Version mergepatch.Member[int64] `json:"version,omitempty"`
}

type body struct {
	common
	Name    mergepatch.Member[string]            `json:"name"`
	Size    mergepatch.Member[int]               `json:"size"`
	Headers mergepatch.Member[map[string]string] `json:"headers"`
	Inner   mergepatch.Member[inner]             `json:"inner"`
	Any     mergepatch.Member[json.RawMessage]   `json:"any"`
	Hidden  mergepatch.Member[string]            `json:"-"`
}

func TestReadDistinguishesAbsentNullAndGiven(t *testing.T) {
	var b body
	problems, err := mergepatch.Read([]byte(`{"name":"x","size":null,"inner":{"ids":["a","b"]},"version":9007199254740993}`), &b)
	if err != nil || problems.Len() > 0 {
		t.Fatalf("got %v, %v, want no fault", problems, err)
	}
	if name, given := b.Name.Get(); name != "x" || !given {
		t.Errorf("got name %q, %t, want x", name, given)
	}
	if _, given := b.Size.Get(); given || !b.Size.IsNull() || b.Size.IsAbsent() {
		t.Error("got a size that is not null")
	}
	if !b.Headers.IsAbsent() || b.Headers.IsNull() {
		t.Error("got headers, want none")
	}
	nested, _ := b.Inner.Get()
	if ids, _ := nested.IDs.Get(); !reflect.DeepEqual(ids, []string{"a", "b"}) || !nested.All.IsAbsent() {
		t.Errorf("got inner %+v", nested)
	}
	if version, _ := b.Version.Get(); version != 9007199254740993 {
		t.Errorf("got version %d, want the exact number", version)
	}
}

func TestReadNamesEveryMemberThatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		text       string
		attributes []string
	}{
		{`{"name":7}`, []string{"name"}},
		{`{"Name":"x"}`, []string{"Name"}},
		{`{"NAME":"x","hidden":"x","Hidden":"y","-":"z","common":{}}`, []string{"NAME", "hidden", "Hidden", "-", "common"}},
		{`{"size":"7","size2":1,"name":[]}`, []string{"size", "size2", "name"}},
		{`{"size":1.5}`, []string{"size"}},
		{`{"size":1e99}`, []string{"size"}},
		{`{"size":true}`, []string{"size"}},
		{`{"size":3.0,"version":1e3}`, nil},
		{`{"version":9007199254740993.0}`, []string{"version"}},
		{`{"inner":[]}`, []string{"inner"}},
		{`{"inner":{"all":1,"ids":"a","more":{}}}`, []string{"inner.all", "inner.ids", "inner.more"}},
		{`{"inner":{"ids":[null]}}`, []string{"inner.ids"}},
		{`{"inner":{"ids":[1]}}`, []string{"inner.ids"}},
		{`{"headers":{"a":null}}`, []string{"headers"}},
		{`{"headers":{"a":{}}}`, []string{"headers"}},
		{`{"headers":[]}`, []string{"headers"}},
		{`{"any":{"anything":[1,{"a":null}]}}`, nil},
		{`{}`, nil},
		{" \n{\t}\r\n", nil},
	} {
		t.Run(c.text, func(t *testing.T) {
			problems, err := mergepatch.Read([]byte(c.text), &body{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range problems.List() {
				got = append(got, p.Attribute)
				if p.Message == "" {
					t.Errorf("%s: got no message", p.Attribute)
				}
			}
			if !reflect.DeepEqual(got, c.attributes) {
				t.Errorf("got %q, want %q", got, c.attributes)
			}
		})
	}
}

func TestReadReportsThePlaceOfAnError(t *testing.T) {
	for _, c := range []struct{ name, text, where string }{
		{"nothing", ``, "line 1, column 1."},
		{"white space", " \n ", "line 1, column 1."},
		{"a list", ` []`, "line 1, column 2. "},
		{"a text", `"x"`, "line 1, column 1. "},
		{"null", `null`, "line 1, column 1. "},
		{"an end too early", `{"name":`, "line 1, column 9. "},
		{"a comma too many", `{"name":"x",}`, "line 1, column 13. "},
		{"a second value", `{} {}`, "line 1, column 4. "},
		{"the second line", "{\n\t\"name\": x}", "line 2, column 10. "},
		{"columns are characters", `{"ä":ö}`, "line 1, column 6. "},
		{"a member twice", `{"name":"a","name":"b"}`, "line 1, column 13. "},
		{"a member twice, spelt otherwise", `{"name":"a", "n\u0061me":"b"}`, "line 1, column 14. "},
		{"a member twice, further in", "{\"any\":[{\"a\":1},\n{\"b\":{},\"b\":[]}]}", "line 2, column 9. "},
		{"no UTF-8", "{\"name\":\"\xff\"}", "line 1, column 10. "},
		{"half a character", "{\"name\":\"\xe2\x82", "line 1, column 10. "},
		{"a byte order mark", "\ufeff{}", "line 1, column 1. "},
		{"nested too deep", strings.Repeat(`{"a":`, 20_000), "line 1, column "},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mergepatch.Read([]byte(c.text), &body{})
			f := fault.From(err)
			if err == nil || f.Kind != fault.InvalidRequestBody || !strings.Contains(f.Message, c.where) {
				t.Errorf("got %v, want an invalid body at %s", err, c.where)
			}
		})
	}
}

// FuzzRead looks for a text that is accepted although encoding/json does not read it as an object, or that panics.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{`{}`, `{"name":"x","inner":{"ids":["a"]}}`, `{"a":1,"a":2}`, `[`, "{\"\xff\":1}", `{"size":1e400}`, `{"any":{"b":[{}]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		problems, err := mergepatch.Read(text, &body{})
		var members map[string]json.RawMessage
		jsonErr := json.Unmarshal(text, &members)
		if err == nil && (jsonErr != nil || members == nil) {
			t.Errorf("Read accepted %q, which is not an object: %v", text, jsonErr)
		}
		if err != nil && problems.Len() > 0 {
			t.Error("got problems of members of a text that cannot be read")
		}
		if err == nil && problems.Len() == 0 {
			for name := range members {
				if !known(name) {
					t.Errorf("Read accepted %q with the unknown member %q", text, name)
				}
			}
		}
	})
}

func known(name string) bool {
	switch name {
	case "version", "name", "size", "headers", "inner", "any":
		return true
	}
	return false
}

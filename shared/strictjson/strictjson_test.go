package strictjson_test

import (
	"slices"
	"strings"
	"testing"

	"nepenthes/shared/strictjson"
)

// place is where an error is.
type place struct{ line, column int }

func placeOf(err *strictjson.Error) (p place) {
	if err != nil {
		p = place{err.Line, err.Column}
	}
	return p
}

func TestObjectVisitsMembersInOrder(t *testing.T) {
	text := []byte(` { "a" : 1 , "b":{"c":[]},"\u0063":"x\n", "a":null} `)
	var got []string
	if err := strictjson.Object(text, func(name, value strictjson.Span) string {
		got = append(got, string(text[name.From:name.To])+" "+string(text[value.From:value.To]))
		return ""
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{`"a" 1`, `"b" {"c":[]}`, `"\u0063" "x\n"`, `"a" null`}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestObjectAtBeginsAtThePlace(t *testing.T) {
	text := []byte(`{"a":{"b":1,"c":2},"d":3}`)
	var got []string
	visit := func(name, _ strictjson.Span) string {
		got = append(got, string(text[name.From:name.To]))
		return ""
	}
	if err := strictjson.ObjectAt(text, 5, visit); err != nil || !slices.Equal(got, []string{`"b"`, `"c"`}) {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAVisitorCanRefuseAMember(t *testing.T) {
	text := []byte("{\"a\":1,\n \"b\":2,\"c\":3}")
	var visited int
	err := strictjson.Object(text, func(name, _ strictjson.Span) string {
		visited++
		if string(text[name.From:name.To]) == `"b"` {
			return "It must not be here."
		}
		return ""
	})
	if placeOf(err) != (place{2, 2}) || err.Problem != "It must not be here." || visited != 2 {
		t.Errorf("got %v after %d members", err, visited)
	}
}

// Both ways of reading an object refuse the same texts at the same place, except for the rules of I-JSON.
func TestTextsThatAreNotObjects(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want place
	}{
		"nothing":                    {"", place{1, 1}},
		"white space":                {" \n ", place{2, 2}},
		"a list":                     {" []", place{1, 2}},
		"a byte order mark":          {"\ufeff{}", place{1, 1}},
		"the end comes too early":    {`{"a":`, place{1, 6}},
		"a comma too many":           {`{"a":1,}`, place{1, 8}},
		"a second value":             {"{} {}", place{1, 4}},
		"columns are characters":     {`{"ä":ö}`, place{1, 6}},
		"not UTF-8":                  {"{\n\"a\":\"\xff\"}", place{2, 6}},
		"a line end in a string":     {"{\"a\":\"\n\"}", place{1, 7}},
		"an escape of two digits":    {`{"a":"\u00"}`, place{1, 11}},
		"a number that begins 01":    {`{"a":01}`, place{1, 7}},
		"a word that is cut":         {`{"a":tru}`, place{1, 6}},
		"deeper than the limit":      {strings.Repeat(`{"a":`, 1001), place{1, 1 + 5*1000}},
		"much deeper than the limit": {strings.Repeat(`{"a":`, 200_000), place{1, 1 + 5*1000}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := placeOf(strictjson.Object([]byte(c.text), nil)); got != c.want {
				t.Errorf("Object: got an error at %v, want %v", got, c.want)
			}
			if got := placeOf(strictjson.CheckIJSON([]byte(c.text))); got != c.want {
				t.Errorf("CheckIJSON: got an error at %v, want %v", got, c.want)
			}
		})
	}
}

// JSON allows these texts, but programs disagree about what they mean.
func TestTextsThatAreJSONButNotIJSON(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want place
	}{
		"a name twice":                    {`{"a":1,"a":2}`, place{1, 8}},
		"a name twice in two spellings":   {`{"a":1,"\u0061":2}`, place{1, 8}},
		"an empty name twice":             {`{"":1,"":2}`, place{1, 7}},
		"a name three names later":        {`{"a":1,"b":1,"c":1,"b":2}`, place{1, 20}},
		"a name twice further in":         {"{\"a\":[{\"a\":1},\n{\"b\":{},\"b\":[]}]}", place{2, 9}},
		"a name twice before a bad value": {`{"a":1,"a":x}`, place{1, 8}},
		"a first half alone":              {`{"a":"x\ud83d"}`, place{1, 8}},
		"a second half alone":             {`{"a":"\ude00"}`, place{1, 7}},
		"halves in the wrong order":       {`{"a":"\ude00\ud83d"}`, place{1, 7}},
		"a half before another escape":    {`{"a":"\ud83d\n"}`, place{1, 7}},
		"a half before a plain character": {`{"a":"\ud83du"}`, place{1, 7}},
		"a half in a name":                {`{"\ud83d":1}`, place{1, 3}},
		"a half in a list":                {`{"a":["\ud83d"]}`, place{1, 8}},
		"two first halves":                {`{"a":"\ud83d\ud83d\ude00"}`, place{1, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := placeOf(strictjson.CheckIJSON([]byte(c.text))); got != c.want {
				t.Errorf("CheckIJSON: got an error at %v, want %v", got, c.want)
			}
			if err := strictjson.Object([]byte(strings.ReplaceAll(c.text, "x}", "0}")), nil); err != nil {
				t.Errorf("Object: got %v", err)
			}
		})
	}
}

func TestTextsThatAreIJSON(t *testing.T) {
	for _, text := range []string{
		`{}`, " \t\r\n{ } ", `{"":1}`, `{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":"a"}`, `{"a":"\ud83d\ude00\\ud83d","\uD83D\uDE00":0}`,
		`{"a":-0.5e+3,"b":1e400,"c":true,"d":false,"e":null,"f":"\"\\\/\b\f\n\r\t"}`,
		strings.Repeat(`{"a":`, 999) + "[]" + strings.Repeat("}", 999),
	} {
		if err := strictjson.CheckIJSON([]byte(text)); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestIsValue(t *testing.T) {
	deep := strings.Repeat("[", 999) + strings.Repeat("]", 999)
	for _, c := range []struct {
		text  string
		depth int
		want  bool
	}{
		{`1`, 0, true},
		{"{\"a\":1} \n", 0, true},
		{` 1`, 0, false},
		{`1 2`, 0, false},
		{``, 0, false},
		{"\"\xff\"", 0, false},
		{deep, 1, true},
		{deep, 2, false},
	} {
		if got := strictjson.IsValue([]byte(c.text), c.depth); got != c.want {
			t.Errorf("%.20q inside %d levels: got %v, want %v", c.text, c.depth, got, c.want)
		}
	}
}

func TestUnquote(t *testing.T) {
	for _, c := range []struct {
		quoted, want string
		ok           bool
	}{
		{`""`, "", true},
		{`"plain ü"`, "plain ü", true},
		{`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", true},
		{`"\u00e4\uD83D\uDE00."`, "ä😀.", true},
		{`"\ud83d"`, "", false},
		{`"\ud83dx"`, "", false},
		{`"\ude00\ud83d"`, "", false},
	} {
		got, ok := strictjson.Unquote([]byte(c.quoted))
		if string(got) != c.want || ok != c.ok {
			t.Errorf("%s: got %q, %v, want %q, %v", c.quoted, got, ok, c.want, c.ok)
		}
	}
}

// An error ends in logs and answers, so it must not contain what a client sent.
func TestErrorsContainNoPartOfTheText(t *testing.T) {
	const secret = "s3cr3t"
	for _, text := range []string{`{"` + secret + `":1,"` + secret + `":2}`, `{"a":` + secret, `{"a":"` + secret, `{"` + secret + `"1}`} {
		if err := strictjson.CheckIJSON([]byte(text)); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

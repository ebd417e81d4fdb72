package page_test

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"nepenthes/shared/console/page"
	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/payload"
	"nepenthes/web"
)

const bodyShown = 16 << 10

func shownBody(text string, raw bool) page.Body {
	return page.Bodies([]*string{&text}, raw)[0]
}

// JSON that fits is indented as package json does it.
func TestPrettyIsJSONIndented(t *testing.T) {
	texts := []string{
		`{}`, `[]`, `{"a":[]}`, `[{},[],""]`, `{"a":{"b":[1,2.5e-7,true,null,"x\"y\\",{"":0}]},"c":"[,{:"}`, ` { "a" : [ ] , "b" : 1 } `,
		"{\n\t\"a\":\r\n 1}", `"text"`, `9007199254740993`, `null`, `{"a":"\u00e4\\"}`, "[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]",
	}
	check := func(t interface{ Errorf(string, ...any) }, text string) {
		var want bytes.Buffer
		if json.Indent(&want, []byte(text), "", "  ") != nil {
			return
		}
		got := shownBody(text, false)
		if wanted := strings.TrimSpace(want.String()); got.Text != wanted || got.Cut != "" {
			t.Errorf("%q: got %q, want %q", text, got.Text, wanted)
		}
	}
	for _, text := range texts {
		check(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringOfN(rapid.SampledFrom([]rune(`{}[],:"\ a1`)), 0, 60, -1).Draw(t, "text"))
	})
}

// No text costs more than a fixed multiple of the part that is shown.
func TestLongBodiesCostNoMore(t *testing.T) {
	const size = 260 << 10
	nested := strings.Repeat("[", 990) + strings.Repeat("]", 990)
	texts := map[string]string{
		"nested":        "[" + strings.Repeat(nested+",", 129) + nested + "]",
		"opened":        strings.Repeat("[", size),
		"objects":       strings.Repeat(`{"a":`, size/5),
		"one string":    `{"a":"` + strings.Repeat("x", size) + `"}`,
		"escapes":       `"` + strings.Repeat(`\\`, size/2) + `"`,
		"one number":    strings.Repeat("1", size),
		"commas":        "[" + strings.Repeat("1,", size/2) + "1]",
		"white space":   strings.Repeat(" ", size) + "1",
		"deletes":       `"` + strings.Repeat("\x7f", size) + `"`,
		"returns":       strings.Repeat("\r\n", size/2) + "1",
		"wide letters":  `"` + strings.Repeat("計", size/3) + `"`,
		"not JSON":      strings.Repeat("}", size),
		"empty members": "[" + strings.Repeat("{},", size/3) + "{}]",
	}
	blank := map[string]bool{"white space": true, "returns": true} // their indented form has nothing to cut
	for name, text := range texts {
		for _, raw := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				d := detailsOf(func(d *delivery.Delivery) { d.State = delivery.Dead })
				newest := &payload.Request{Attempt: &delivery.Attempt{ID: "att_1", Number: 50}, Body: &text}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				began := time.Now()
				p := page.NewDelivery(frame(), d, nil, page.DeliveryOptions{Raw: raw, Now: now}, nil)
				p.Bodies, p.Curl = page.Bodies(slices.Repeat([]*string{&text}, 50), raw), page.CurlOf(newest)
				took := time.Since(began)
				runtime.ReadMemStats(&after)
				if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 40*bodyShown {
					t.Errorf("got %d allocated bytes in %v, want at most %d", allocated, took, 40*bodyShown)
				}
				if b := p.Bodies[0]; len(b.Text) > 3*bodyShown || !utf8.ValidString(b.Text) || (b.Cut == "") != (blank[name] && !raw) {
					t.Errorf("got %d bytes and the note %q", len(b.Text), b.Cut)
				}
				if _, err := web.Render("delivery", p, limits.PageBody); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

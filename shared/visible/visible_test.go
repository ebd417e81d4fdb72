package visible_test

import (
	"fmt"
	"testing"

	"nepenthes/shared/visible"
)

func TestIn(t *testing.T) {
	for text, want := range map[string]bool{
		"": false, " ": false, "\t\n": false, "\u00a0": false, "\u3000": false, "\u2028": false, "\x00": false, "\x1b": false,
		"\u200b": false, "\u200b\u200c\u200d": false, "\ufeff": false, "\u2060": false, "\u00ad": false, "\u202e": false, "\u2066\u2069": false,
		"\u0301": false, "\ufe0f": false, "\u034f": false, "\u20dd": false, "\u115f": false, "\u1160": false, "\u3164": false, "\uffa0": false,
		"\u17b4": false, "\u180e": false, "\u2800": false, "\U000e0041": false, "\U0001d159": false, "\U00013441": false, "\u200b \u2800\u3164": false,
		"a": true, "-": true, "\u200ba": true, "e\u0301": true, "計": true, "한": true, "\u0600": true, "🏴\U000e0067\U000e007f": true, "❤\ufe0f": true, "\u2801": true, "ا": true, "\u0903": true,
	} {
		t.Run(fmt.Sprintf("%+q", text), func(t *testing.T) {
			if got := visible.In(text); got != want {
				t.Errorf("got %t, want %t", got, want)
			}
		})
	}
}

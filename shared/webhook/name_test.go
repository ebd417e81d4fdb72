package webhook_test

import (
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"nepenthes/shared/webhook"
)

func TestFoldName(t *testing.T) {
	same := map[string][2]string{
		"case":                        {"Billing", "bILLING"},
		"sharp s":                     {"Straße", "STRASSE"},
		"capital sharp s":             {"STRAẞE", "strasse"},
		"ligature":                    {"ﬁscal", "FISCAL"},
		"final sigma":                 {"ΣΊΣΥΦΟΣ", "σίσυφος"},
		"composed and decomposed":     {"Caf\u00e9", "CAFE\u0301"},
		"order of combining marks":    {"a\u0323\u0307", "A\u0307\u0323"},
		"dotted capital I of Turkish": {"\u0130stanbul", "i\u0307stanbul"},
		"Cherokee":                    {"\u13a0\u13fd", "\uab70\u13f5"},
		"Kelvin sign":                 {"\u212A", "k"},
		"iota subscript after a mark": {"\u1fb3\u0301", "\u03b1\u0301\u0345"},
	}
	for name, pair := range same {
		t.Run("equal: "+name, func(t *testing.T) {
			if a, b := webhook.FoldName(pair[0]), webhook.FoldName(pair[1]); a != b {
				t.Errorf("got %+q and %+q, want equal forms", a, b)
			}
		})
	}
	different := map[string][2]string{
		"dotless i":       {"\u0131sparta", "Isparta"},
		"accent":          {"Café", "Cafe"},
		"inner space":     {"a b", "ab"},
		"full-width form": {"Ａ", "A"}, // compatibility forms stay distinct
	}
	for name, pair := range different {
		t.Run("different: "+name, func(t *testing.T) {
			if a, b := webhook.FoldName(pair[0]), webhook.FoldName(pair[1]); a == b {
				t.Errorf("got %+q for both, want different forms", a)
			}
		})
	}
	t.Run("every letter equals its other cases", func(t *testing.T) {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if other := unicode.SimpleFold(r); other != r && webhook.FoldName(string(other)) != webhook.FoldName(string(r)) {
				t.Errorf("got different forms for %U and %U, want equal forms", r, other)
			}
		}
	})
	t.Run("folding a folded name changes nothing", rapid.MakeCheck(func(t *rapid.T) {
		once := webhook.FoldName(rapid.String().Draw(t, "name"))
		if twice := webhook.FoldName(once); twice != once {
			t.Errorf("got %+q, want %+q", twice, once)
		}
	}))
}

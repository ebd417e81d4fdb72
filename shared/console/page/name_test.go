package page_test

import (
	"testing"

	"nepenthes/shared/console/page"
)

func TestNameOf(t *testing.T) {
	for name, want := range map[string]string{
		"Billing": "Billing", "": "id", "\u200b": "id", "\u3164\u2800": "id", "\u202e": "id",
		"a\u202eb\u2066c\u2069d": "abcd", "שלום": "שלום", "\u200fשלום": "\u200fשלום", "👩\u200d💻": "👩\u200d💻",
	} {
		if got := page.NameOf(name, "id"); got != want {
			t.Errorf("%+q: got %+q, want %+q", name, got, want)
		}
	}
}

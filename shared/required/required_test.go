package required_test

import (
	"io"
	"testing"

	"nepenthes/shared/required"
)

// common is embedded, as the parts are that several Configs share.
type common struct{ Log io.Writer }

// config has a field of every kind.
type config struct {
	common
	In    io.Reader
	Count *int
	Extra io.Reader
	Size  int
	Now   func()
	note  *int
}

func complete() config {
	return config{common: common{Log: io.Discard}, In: io.MultiReader(), Count: new(int)}
}

func TestMissing(t *testing.T) {
	for want, spoil := range map[string]func(*config){
		"":      func(*config) {},
		"Log":   func(c *config) { c.Log = nil },
		"In":    func(c *config) { c.In = nil },
		"Count": func(c *config) { c.Count = nil },
	} {
		t.Run("field "+want, func(t *testing.T) {
			c := complete()
			spoil(&c)
			if got := required.Missing(c, "Extra"); got != want || c.note != nil {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFieldsNamesTheMissingField(t *testing.T) {
	defer func() {
		if got, want := recover(), "required_test.config: Extra is missing"; got != want {
			t.Errorf("got %v, want %q", got, want)
		}
	}()
	required.Fields(complete(), "Extra")
	required.Fields(complete())
}

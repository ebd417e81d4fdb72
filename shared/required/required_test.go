package required_test

import (
	"io"
	"testing"

	"nepenthes/shared/required"
)

// common is embedded in config, as a struct with the dependencies that several Configs share.
type common struct{ Log io.Writer }

// config has fields of several kinds.
type config struct {
	common
	In    io.Reader
	Count *int
	Extra io.Reader
	Size  int
	Now   func()
	note  *int
}

// complete returns a config whose only missing dependency is Extra.
func complete() config {
	return config{common: common{Log: io.Discard}, In: io.MultiReader(), Count: new(int)}
}

func TestMissing(t *testing.T) {
	for want, change := range map[string]func(*config){
		"":      func(*config) {},
		"Log":   func(c *config) { c.Log = nil },
		"In":    func(c *config) { c.In = nil },
		"Count": func(c *config) { c.Count = nil },
	} {
		t.Run("field "+want, func(t *testing.T) {
			c := complete()
			change(&c)
			if got := required.Missing(c, "Extra"); got != want || c.note != nil {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestPanics(t *testing.T) {
	for name, c := range map[string]struct {
		check func()
		want  any
	}{
		"no field is missing":    {func() { required.Fields(complete(), "Extra") }, nil},
		"a field is missing":     {func() { required.Fields(complete()) }, "required_test.config: Extra is missing"},
		"a value is valid":       {func() { required.That(true, complete(), "Size is below 1") }, nil},
		"a value is not allowed": {func() { required.That(false, complete(), "Size is below 1") }, "required_test.config: Size is below 1"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("got panic %v, want %v", got, c.want)
				}
			}()
			c.check()
		})
	}
}

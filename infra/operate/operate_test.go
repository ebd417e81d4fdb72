package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReservedByAddsUp(t *testing.T) {
	got, err := reservedBy([]byte(`{"Resources":{
		"a":{"Type":"AWS::Lambda::Function","Properties":{"ReservedConcurrentExecutions":20}},
		"b":{"Type":"AWS::Lambda::Function","Properties":{"ReservedConcurrentExecutions":30,"Timeout":{"Ref":"x"}}},
		"c":{"Type":"AWS::Lambda::Function","Properties":{}},
		"d":{"Type":"AWS::SQS::Queue"}}}`))
	if err != nil || got != 50 {
		t.Errorf("got %d, %v, want 50", got, err)
	}
	if _, err := reservedBy([]byte("no template")); err == nil {
		t.Error("no error")
	}
}

func TestWrongArgumentsAreToldInASentence(t *testing.T) {
	template := filepath.Join(t.TempDir(), "template.json")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing":            {nil, "say what to do"},
		"something else":     {[]string{"destroy"}, "say what to do"},
		"no lane":            {[]string{"redrive"}, "-lane is one of [events deliveries retries]"},
		"a dead-letter lane": {[]string{"redrive", "-lane", "events-dead"}, "-lane is one of"},
		"no purpose":         {[]string{"rotate-keys"}, "-purpose is webhook-secrets or token-signing"},
		"no template":        {[]string{"preflight", "-template", template}, "run cdk synth first"},
		"an unknown flag":    {[]string{"preflight", "-force"}, "not defined: -force"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_CONFIG_FILE", os.DevNull)
			err := run(t.Context(), c.args, io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

func TestReservedBy(t *testing.T) {
	got, err := reservedBy([]byte(`{"Resources":{
		"a":{"Type":"AWS::Lambda::Function","Properties":{"ReservedConcurrentExecutions":20}},
		"b":{"Type":"AWS::Lambda::Function","Properties":{"ReservedConcurrentExecutions":30,"Timeout":{"Ref":"x"}}},
		"c":{"Type":"AWS::Lambda::Function","Properties":{}},
		"d":{"Type":"AWS::SQS::Queue"}}}`))
	if err != nil || got != 50 {
		t.Errorf("got %d, %v, want 50", got, err)
	}
	if _, err := reservedBy([]byte("no template")); err == nil {
		t.Error("got no error for a text that is not a template")
	}
}

func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		wanted, free int
		can          bool
	}{
		"nothing in a small account":           {0, 10, true},
		"something in a small account":         {4, 10, false},
		"all but the part that must stay free": {900, 1000, true},
		"one more than that":                   {901, 1000, false},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := verdict(c.wanted, 1000, c.free)
			if (err == nil) != c.can || (said == "") == c.can {
				t.Errorf("got %q, %v, want possible: %v", said, err, c.can)
			}
		})
	}
}

func TestInvalidArgumentsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"nothing":            {nil, "name a command"},
		"something else":     {[]string{"destroy"}, "name a command"},
		"no lane":            {[]string{"redrive"}, "-lane must be one of [events deliveries retries]"},
		"a dead-letter lane": {[]string{"redrive", "-lane", "events-dead"}, "-lane must be one of"},
		"no purpose":         {[]string{"rotate-keys"}, "-purpose must be webhook-secrets or token-signing"},
		"no template":        {[]string{"preflight", "-stage", "dev"}, "run cdk synth first"},
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

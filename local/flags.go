package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"nepenthes/shared/settings"
	"nepenthes/shared/signing"
)

// options are the flags of the command line. Scripts rely on their names.
type options struct {
	addr, receiverAddr string
	publicURL          publicURL
	data               string
	demo, twice        bool
	speed              float64
	allowLoopback      bool
	admin              credentials
	receiverSecret     string
	rate               float64
	redrive            laneName
	logLevel           slog.Level
}

// credentials are a client's id and secret.
type credentials struct{ id, secret string }

// String returns id:secret, in the form of -admin.
func (c credentials) String() string {
	if c == (credentials{}) {
		return ""
	}
	return c.id + ":" + c.secret
}

// Set reads id:secret.
func (c *credentials) Set(text string) error {
	id, secret, ok := strings.Cut(text, ":")
	if !ok || id == "" || secret == "" {
		return errors.New("write it as id:secret")
	}
	c.id, c.secret = id, secret
	return nil
}

// adminSecretMin is the minimum length of the administrator's secret, in ASCII characters. A shorter secret could be
// guessed by somebody with enough time.
const adminSecretMin = 24

// publicURL is the scheme and host at which others reach the API and the console. Empty means the address of -addr.
type publicURL string

func (p publicURL) String() string { return string(p) }

// Set reads the address and normalises it as browsers do.
func (p *publicURL) Set(text string) error {
	origin, wrong := settings.NormaliseOrigin(text)
	if wrong != "" || !strings.HasPrefix(origin, "http://") && !strings.HasPrefix(origin, "https://") {
		return errors.New("write it as https://host or http://host:port, without a path")
	}
	*p = publicURL(origin)
	return nil
}

// errHelp is the error after -help. The flags have been printed then.
var errHelp = flag.ErrHelp

// parse reads the command line. Every error is one sentence for the user; the program then ends with exit code 2.
func parse(args []string, usage io.Writer) (options, error) {
	o := options{logLevel: slog.LevelWarn}
	f := flag.NewFlagSet("local", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` of the API and the console (port 0: any)")
	f.Var(&o.publicURL, "public-url", "`https://host` at which others reach the API and the console (default: the address of -addr)")
	f.StringVar(&o.receiverAddr, "receiver-addr", "127.0.0.1:8081", "`address` of the receiver (port 0: any)")
	f.StringVar(&o.data, "data", ".run/local", "`folder` of the data, created if it does not exist; empty: all data in memory")
	f.BoolVar(&o.demo, "demo", true, "create the demo's webhooks and push the example events")
	f.Float64Var(&o.speed, "speed", 1, "`factor` by which waits are shorter: with 60, a minute of waiting takes a second")
	f.BoolVar(&o.twice, "twice", false, "deliver every queue message twice")
	f.BoolVar(&o.allowLoopback, "allow-loopback", true, "let webhooks point at this machine, also with http")
	f.Var(&o.admin, "admin", "the administrator client as `id:secret`, with a secret of 24 characters or more (default: random, and kept in the data folder)")
	f.StringVar(&o.receiverSecret, "receiver-secret", "", "the secret `whsec_…` with which the receiver verifies (default: random, and kept in the data folder)")
	f.Float64Var(&o.rate, "rate", 0, "`requests` a second for each client; 0: no limit")
	f.Var(&o.redrive, "redrive", "move the dead letters of this `lane` (events, deliveries or retries) back to it, print why they were there, and exit")
	f.TextVar(&o.logLevel, "log-level", slog.LevelWarn, "`level` of the log on standard error: debug, info, warn or error")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(usage)
			fmt.Fprintln(usage, "local runs the whole system in one process, with a receiver that shows verified webhooks.")
			f.PrintDefaults()
		}
		return o, err
	}
	return o, o.check(f.Args())
}

// check returns an error for values that package flag accepts but that make no sense.
func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is not a flag; see -help", rest[0])
	case !(o.speed > 0): // NaN too
		return errors.New("-speed must be above 0")
	case o.admin != (credentials{}) && len(o.admin.secret) < adminSecretMin:
		return fmt.Errorf("the secret of -admin must have %d characters or more", adminSecretMin)
	case !(o.rate >= 0):
		return errors.New("-rate must be 0 or more")
	case o.receiverSecret != "" && !strings.HasPrefix(o.receiverSecret, "whsec_"):
		return errors.New("-receiver-secret must begin with whsec_")
	case o.receiverSecret != "":
		if _, err := signing.Parse(o.receiverSecret); err != nil {
			return fmt.Errorf("-receiver-secret: %w", err)
		}
	}
	return nil
}

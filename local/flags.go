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

// options are the command line; scripts rely on every name.
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

// String is id:secret, as -admin takes it.
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

// adminSecretMin is how long, in characters of ASCII, a secret of the administrator must be: with fewer it could be
// guessed by whoever can ask for long.
const adminSecretMin = 24

// publicURL is the address under which others reach the API and the console, scheme and host; empty for the one that
// is listened on.
type publicURL string

func (p publicURL) String() string { return string(p) }

// Set reads the address and brings it into the form in which browsers write it.
func (p *publicURL) Set(text string) error {
	origin, wrong := settings.NormaliseOrigin(text)
	if wrong != "" || !strings.HasPrefix(origin, "http://") && !strings.HasPrefix(origin, "https://") {
		return errors.New("write it as https://host or http://host:port, without a path")
	}
	*p = publicURL(origin)
	return nil
}

// errHelp says that the user asked for the flags and got them.
var errHelp = flag.ErrHelp

// parse reads the command line. Every error is one sentence for the user, who ends with exit code 2.
func parse(args []string, usage io.Writer) (options, error) {
	o := options{logLevel: slog.LevelWarn}
	f := flag.NewFlagSet("local", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` of the API and the console (port 0: any)")
	f.Var(&o.publicURL, "public-url", "`https://host` under which others reach the API and the console (default: the address listened on)")
	f.StringVar(&o.receiverAddr, "receiver-addr", "127.0.0.1:8081", "`address` of the receiver (port 0: any)")
	f.StringVar(&o.data, "data", ".run/local", "`folder` of the data, made when absent; empty: all in memory")
	f.BoolVar(&o.demo, "demo", true, "make the demo's webhooks and push the example events")
	f.Float64Var(&o.speed, "speed", 1, "`times` by which waits are shorter: with 60, a minute of waiting passes in a second")
	f.BoolVar(&o.twice, "twice", false, "deliver every queue message twice")
	f.BoolVar(&o.allowLoopback, "allow-loopback", true, "webhooks may point at this machine, over http too")
	f.Var(&o.admin, "admin", "the administrator client as `id:secret`, the secret of 24 characters or more (default: made at random and kept in the data folder)")
	f.StringVar(&o.receiverSecret, "receiver-secret", "", "`whsec_…` with which the receiver verifies (default: likewise)")
	f.Float64Var(&o.rate, "rate", 0, "`requests` a second for each client; 0: no limit")
	f.Var(&o.redrive, "redrive", "move the dead letters of this `lane` (events, deliveries or retries) back to it, say why they were there, and end")
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

// check refuses what flag takes but makes no sense.
func (o options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag; see -help", rest[0])
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

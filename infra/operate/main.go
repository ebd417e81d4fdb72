// Command operate has the operators' commands for a deployed stage: it redrives dead letters, rotates key pairs, and
// checks an account before a deployment. docs/operations.md says when to use them.
//
//	operate redrive -stage dev -lane events
//	operate rotate-keys -stage dev -purpose token-signing
//	operate preflight -stage dev
//
// It uses the credentials, the account and the region of its environment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nepenthes/shared/awsclient"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// verb is one of the commands.
type verb struct {
	flags func(*flag.FlagSet, *arguments)
	do    func(ctx context.Context, cfg aws.Config, a arguments) (said string, err error)
}

type arguments struct{ stage, lane, purpose string }

var verbs = map[string]verb{
	"redrive": {func(f *flag.FlagSet, a *arguments) {
		f.StringVar(&a.stage, "stage", "dev", "the `stage`")
		f.StringVar(&a.lane, "lane", "", "move dead letters back to this `lane`: events, deliveries or retries")
	}, redriveLane},
	"rotate-keys": {func(f *flag.FlagSet, a *arguments) {
		f.StringVar(&a.stage, "stage", "dev", "the `stage`")
		f.StringVar(&a.purpose, "purpose", "", "the `purpose` of the key pair: webhook-secrets or token-signing")
	}, rotateKeys},
	"preflight": {func(f *flag.FlagSet, a *arguments) {
		f.StringVar(&a.stage, "stage", "dev", "the `stage`; cdk synth must have written its template to cdk.out")
	}, preflight},
}

var errUsage = errors.New("name a command: redrive, rotate-keys or preflight; each has -help")

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	v, known := verbs[args[0]]
	if !known {
		return errUsage
	}
	var a arguments
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	v.flags(flags, &a)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	cfg, err := awsclient.Load(ctx, 1)
	if err != nil {
		return err
	}
	said, err := v.do(ctx, cfg, a)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, said)
	return err
}

// Command local runs the whole system in one process, with a receiver that shows verified webhooks. Its data is in one
// SQLite file, or at the AWS endpoint that AWS_ENDPOINT_URL names. A killed process loses nothing. With -redrive it
// only moves the dead letters of a lane back to the lane.
//
// Scripts may read standard output (see README and -help). The log goes to standard error. For an unknown flag, a port
// in use or a folder that cannot be used, the program prints one sentence and ends with exit code 2.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"nepenthes/shared/instant"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitRefused = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run runs the program until ctx ends, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, errHelp) {
		return exitOK
	}
	if err != nil {
		return refuse(stderr, err)
	}
	logger := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.logLevel, ReplaceAttr: instant.ReplaceAttr}))
	if o.redrive != "" {
		return redriveLane(ctx, o, stdout, stderr, logger)
	}
	s, err := open(ctx, o, stdout, logger)
	if err != nil {
		return refuse(stderr, err)
	}
	s.announce(stdout)
	if err := s.serve(ctx, stdout); err != nil {
		fmt.Fprintln(stderr, "nepenthes:", err)
		return exitFailed
	}
	return exitOK
}

// refuse prints why the program does not start, and returns the exit code.
func refuse(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "nepenthes:", err)
	return exitRefused
}

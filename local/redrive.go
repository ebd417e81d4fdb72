package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/lane"
	"nepenthes/shared/redrive"
	"nepenthes/shared/sqlite"
	"nepenthes/shared/sqs"
)

// laneName is the value of -redrive: the name of a lane that is not a dead-letter lane.
type laneName lane.Name

// String returns the name.
func (n laneName) String() string { return string(n) }

// Set reads a name.
func (n *laneName) Set(text string) error {
	for _, name := range lane.Names() {
		if text == string(name) {
			*n = laneName(name)
			return nil
		}
	}
	return fmt.Errorf("the lanes are %s, %s and %s", lane.Events, lane.Deliveries, lane.Retries)
}

// letters has the two open lanes of a redrive.
type letters struct {
	dead  redrive.Source
	lane  redrive.Destination
	close func() error
}

// redriveLane moves the dead letters of the lane back to it, prints how many there were and why, and returns the exit
// code. It delivers nothing. The next start does that, or another process that uses the same endpoint.
func redriveLane(ctx context.Context, o options, stdout, stderr io.Writer, logger *slog.Logger) int {
	name := lane.Name(o.redrive)
	l, err := openLetters(ctx, o.data, name, logger)
	if err != nil {
		return refuse(stderr, err)
	}
	moved, err := redrive.Move(ctx, l.dead, l.lane)
	if err == nil || len(moved) > 0 { // an interrupted redrive may have moved some
		fmt.Fprintln(stdout, moved.Report(name))
	}
	if err := errors.Join(err, l.close()); err != nil {
		fmt.Fprintln(stderr, "nepenthes:", err)
		return exitFailed
	}
	return exitOK
}

// openLetters opens the lane and its dead-letter lane. It creates nothing: it returns an error if there is no data.
func openLetters(ctx context.Context, folder string, name lane.Name, logger *slog.Logger) (*letters, error) {
	if os.Getenv(endpointVariable) != "" {
		return findLetters(ctx, name)
	}
	if folder == "" {
		return nil, errors.New("-redrive needs a data folder: -data is empty, and in memory there is nothing to move")
	}
	if !sqlite.Exists(folder) {
		return nil, fmt.Errorf("there is no data in %s; name the data folder with -data", folder)
	}
	db, err := sqlite.Open(folder, sqlite.Options{Log: logger})
	if err != nil {
		return nil, err
	}
	return &letters{dead: db.Lane(name.DeadLetters()), lane: db.Lane(name), close: db.Close}, nil
}

// findLetters finds the queues at the endpoint.
func findLetters(ctx context.Context, name lane.Name) (_ *letters, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s cannot be used: %w", endpointVariable, err)
		}
	}()
	cfg, err := awsclient.Load(ctx, 1)
	if err != nil {
		return nil, err
	}
	dead, err := sqs.Find(ctx, cfg, prefix+string(name.DeadLetters()))
	if err != nil {
		return nil, err
	}
	to, err := sqs.Find(ctx, cfg, prefix+string(name))
	if err != nil {
		return nil, err
	}
	return &letters{dead: dead, lane: to, close: func() error { return nil }}, nil
}

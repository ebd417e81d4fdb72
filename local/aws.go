package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/lane"
	"nepenthes/shared/limits"
	"nepenthes/shared/sqs"
	"nepenthes/shared/tables"
	"nepenthes/shared/vault"
)

const (
	// endpointVariable names the AWS endpoint, for every AWS tool alike.
	endpointVariable = "AWS_ENDPOINT_URL"
	// prefix begins the name of everything that is made at the endpoint.
	prefix = "nepenthes-local-"
	// keyAlias is the alias of the wrapping key.
	keyAlias = "alias/nepenthes-local"
	// connections to the endpoint are kept for every message that can be in work.
	connections = fanoutSlots + 2*senderSlots
)

// openAWS opens what is kept at the endpoint, and makes what is not there yet. The folder still holds what no
// store may know: credentials and the cursor key.
func openAWS(ctx context.Context, folder string) (_ *backend, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s cannot be used: %w", endpointVariable, err)
		}
	}()
	cfg, err := awsclient.Load(ctx, connections)
	if err != nil {
		return nil, err
	}
	names := tables.Prefixed(prefix)
	if err := dynamo.CreateTables(ctx, cfg, names); err != nil {
		return nil, err
	}
	lanes, err := createLanes(ctx, cfg)
	if err != nil {
		return nil, err
	}
	keys, err := vault.EnsureKMS(ctx, cfg, keyAlias)
	if err != nil {
		return nil, err
	}
	cursorKey, err := keepCursorKey(folder)
	if err != nil {
		return nil, err
	}
	return &backend{
		store: dynamo.New(dynamo.Config{AWS: cfg, Tables: names}), keys: keys, cursorKey: cursorKey,
		lane:  func(n lane.Name) ends { return lanes[n] },
		close: func() error { return nil }, // connections end with the process
	}, nil
}

// createLanes makes every lane with its dead letters.
func createLanes(ctx context.Context, cfg aws.Config) (map[lane.Name]*sqs.Lane, error) {
	lanes := map[lane.Name]*sqs.Lane{}
	for _, n := range lane.Names() {
		made, dead, err := sqs.Create(ctx, cfg, prefix+string(n), prefix+string(n.DeadLetters()), sqs.Options{Visibility: visibility(n)})
		if err != nil {
			return nil, err
		}
		lanes[n], lanes[n.DeadLetters()] = made, dead
	}
	return lanes, nil
}

// visibility is how long a message that was in work at a kill stays hidden. It needs no room for batches, unlike
// the functions' (limits.Visibility): a consumer begins each message as it receives it. The sender's outlasts the
// lease of the attempt that was killed, so that the message finds the delivery free when it comes back.
func visibility(n lane.Name) time.Duration {
	if n == lane.Events {
		return limits.FanoutTimeout
	}
	return limits.Lease + limits.LaneMargin
}

// keepCursorKey gives the key of the cursors of lists, and makes folder and key when they are absent.
func keepCursorKey(folder string) ([]byte, error) {
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	line, err := keep(folder, cursorKeyFile, random)
	return []byte(line), err
}

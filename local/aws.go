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
	// endpointVariable is the variable with the URL of the AWS endpoint. All AWS tools use it.
	endpointVariable = "AWS_ENDPOINT_URL"
	// prefix begins the names of all tables and queues at the endpoint.
	prefix = "nepenthes-local-"
	// keyAlias is the alias of the wrapping key.
	keyAlias = "alias/nepenthes-local"
	// connections is the number of connections to the endpoint: one for each message that can be in progress.
	connections = fanoutSlots + 2*senderSlots
)

// openAWS opens the tables, queues and key at the endpoint, and creates those that are missing. Credentials and the
// cursor key, which must not be in the store, are still kept in the folder.
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
		close: func() error { return nil }, // connections are closed when the process ends
	}, nil
}

// createLanes creates the queue and the dead-letter queue of every lane that has none yet.
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

// visibility returns how long a message that was in progress at a kill stays hidden. It is shorter than for the
// functions (limits.Visibility), which must allow for batches: a consumer begins each message when it receives it. The
// visibility for the sender is longer than the lease of an attempt, so that the lease of a killed attempt has ended
// when the message comes back.
func visibility(n lane.Name) time.Duration {
	if n == lane.Events {
		return limits.FanoutTimeout
	}
	return limits.Lease + limits.LaneMargin
}

// keepCursorKey returns the key that protects the cursors of lists. It creates the folder and the key if they do not
// exist.
func keepCursorKey(folder string) ([]byte, error) {
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	line, err := keep(folder, cursorKeyFile, random)
	return []byte(line), err
}

// Package wiring puts together, on AWS, the parts that several functions are made of, so that each main names only
// what is its own. It panics when a part cannot be made: a function that starts without one would fail its first
// request instead of its deployment.
package wiring

import (
	"context"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/catalogue"
	"nepenthes/shared/config"
	"nepenthes/shared/dynamo"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/limits"
	"nepenthes/shared/sqs"
	"nepenthes/shared/vault"
)

// concurrency is how many calls of AWS one process makes at a time: a batch's messages are worked side by side, with
// up to two calls each.
const concurrency = 2 * limits.BatchSize

// Base is what every function has.
type Base struct {
	Logger    *slog.Logger
	Store     *dynamo.Store
	Catalogue *catalogue.Catalogue
	aws       aws.Config
}

// New makes the base. It touches no network.
func New(c config.Common) Base {
	cfg := must(awsclient.Load(context.Background(), concurrency))
	store := dynamo.New(dynamo.Config{AWS: cfg, Tables: c.Tables()})
	return Base{Logger: lambdahost.Logger(c.Stage), Store: store, Catalogue: catalogue.New(store), aws: cfg}
}

// Lane is the lane whose queue has the URL.
func (b Base) Lane(url string) *sqs.Lane { return sqs.New(b.aws, url) }

// Opener opens webhook secrets, in the function whose role may.
func (b Base) Opener(keyARN string) *vault.Opener {
	return must(vault.NewOpener(vault.OpenerConfig{Pairs: b.Store, Unwrapper: vault.NewKMS(b.aws, keyARN)}))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

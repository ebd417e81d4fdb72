// Package wiring builds the parts that every function on AWS has, so that each main.go names only its own parts. Packages
// below it build what some functions have besides, so that a function links nothing that it does not use.
//
// The packages panic when a part cannot be built. A function that started without the part would fail at its first
// request, when the deployment has already succeeded.
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

// concurrency is the number of concurrent AWS calls of a process. The messages of a batch are processed concurrently,
// with up to two calls each.
const concurrency = 2 * limits.BatchSize

// Base holds the parts that every function has.
type Base struct {
	Logger    *slog.Logger
	Store     *dynamo.Store
	Catalogue *catalogue.Catalogue
	AWS       aws.Config
}

// New returns a new Base. It makes no network calls.
func New(c config.Common) Base {
	cfg := Must(awsclient.Load(context.Background(), concurrency))
	store := dynamo.New(dynamo.Config{AWS: cfg, Tables: c.Tables()})
	return Base{Logger: lambdahost.Logger(c.Stage), Store: store, Catalogue: catalogue.New(store), AWS: cfg}
}

// Lane returns the lane whose queue has the given URL.
func (b Base) Lane(url string) *sqs.Lane { return sqs.New(b.AWS, url) }

// Opener returns an opener of webhook secrets. Only the role of the sender is allowed to use it.
func (b Base) Opener(keyARN string) *vault.Opener {
	return vault.NewOpener(vault.OpenerConfig{Pairs: b.Store, Unwrapper: vault.NewKMS(b.AWS, keyARN)})
}

// Must returns value. It panics if err is not nil.
func Must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

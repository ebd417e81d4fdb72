// Command sender is the function that makes attempts. It is the only function that can open webhook secrets, and the
// only one that calls receivers.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
	"nepenthes/shared/sender"
)

func main() {
	env := config.MustLoad[config.Sender]()
	base := wiring.New(env.Common)
	s := sender.New(sender.Config{
		Catalogue: base.Catalogue, Events: base.Store, Deliveries: base.Store, Webhooks: base.Store,
		Retries: lambdahost.Gather(base.Lane(env.RetriesQueueURL)), Opener: base.Opener(env.KeyARN),
		Client: outbound.New(outbound.Options{MaxConns: limits.BatchSize}), Logger: base.Logger,
	})
	lambdahost.StartQueue(s.Handle, base.Logger)
}

// Command fanout is the function that turns events into deliveries.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/fanout"
	"nepenthes/shared/lambdahost"
)

func main() {
	env := config.MustLoad[config.Fanout]()
	base := wiring.New(env.Common)
	f := fanout.New(fanout.Config{
		Matcher: base.Catalogue, Recorder: base.Store, Projects: base.Store, Retention: env.Retention(), Logger: base.Logger,
		Deliveries: lambdahost.Gather(base.Lane(env.DeliveriesQueueURL)), DeadLetters: base.Lane(env.EventsDeadLettersURL),
	})
	lambdahost.StartQueue(f.Handle, base.Logger)
}

// Command sweeper is the clock: the function that sends doorbells for deliveries that are due.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/sweep"
)

func main() {
	env := config.MustLoad[config.Sweeper]()
	base := wiring.New(env.Common)
	s := sweep.New(sweep.Config{
		Deliveries: base.Store, Held: base.Store, Jobs: base.Store, Webhooks: base.Store,
		Retries: base.Lane(env.RetriesQueueURL), Logger: base.Logger,
	})
	lambdahost.StartClock(s.Sweep)
}

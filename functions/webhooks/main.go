// Command webhooks is the function that serves most of /api/v3, and every path that no other function serves.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/rest"
)

func main() {
	env := config.MustLoad[config.Webhooks]()
	base := wiring.New(env.Common)
	lambdahost.StartHTTP(base.API(env.API, rest.Config{Operations: base.Operations(env), CursorKey: base.CursorKey(env)}), base.Logger)
}

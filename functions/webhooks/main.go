// Command webhooks is the function that serves most of /api/v3, and every path that no other function serves.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/rest"
)

func main() {
	env := config.MustLoad[config.Webhooks]()
	base := wiring.New(env.Common)
	serves := rest.Config{Operations: httpapi.Operations(base, env), CursorKey: httpapi.CursorKey(base, env)}
	lambdahost.StartHTTP(httpapi.New(base, env.API, serves), base.Logger)
}

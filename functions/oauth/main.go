// Command oauth is the function that issues tokens and manages clients. It serves /oauth, /.well-known and
// /api/v3/oauth_clients.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/rest"
)

func main() {
	env := config.MustLoad[config.OAuth]()
	base := wiring.New(env.Common)
	lambdahost.StartHTTP(base.API(env.API, rest.Config{Operations: base.ClientOperations(), Mounts: base.Authorization(env)}), base.Logger)
}

// Command oauth is the function that issues tokens and manages clients. It serves /oauth, /.well-known and
// /api/v3/oauth_clients.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/authserver"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/rest"
)

func main() {
	env := config.MustLoad[config.OAuth]()
	base := wiring.New(env.Common)
	serves := rest.Config{Operations: httpapi.ClientOperations(base), Mounts: authserver.Mounts(base, env)}
	lambdahost.StartHTTP(httpapi.New(base, env.API, serves), base.Logger)
}

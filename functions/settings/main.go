// Command settings is the function that serves /api/v3/settings.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/httpapi"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
	"nepenthes/shared/rest"
)

func main() {
	env := config.MustLoad[config.Settings]()
	base := wiring.New(env.Common)
	lambdahost.StartHTTP(httpapi.New(base, env.API, rest.Config{Operations: httpapi.SettingsOperations(base)}), base.Logger)
}

// Command settings is the function that serves /api/v3/settings.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
)

func main() {
	env := config.MustLoad[config.Settings]()
	base := wiring.New(env.Common)
	lambdahost.StartHTTP(base.API(env.API, base.StoredOperations(), wiring.UnusedCursorKey(), nil), base.Logger)
}

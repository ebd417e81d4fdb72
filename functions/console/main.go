// Command console is the function that serves the pages /admin and /api/docs.
package main

import (
	"nepenthes/functions/internal/wiring"
	"nepenthes/functions/internal/wiring/pages"
	"nepenthes/shared/config"
	"nepenthes/shared/lambdahost"
)

func main() {
	env := config.MustLoad[config.Console]()
	base := wiring.New(env.Common)
	lambdahost.StartHTTP(pages.New(base, env), base.Logger)
}

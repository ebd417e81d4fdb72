// Command rehearse deploys the stack to a local AWS endpoint and plays the life of an event against it. Package
// rehearsal does the work. "make local-up deploy-local smoke local-down" runs its commands in order.
//
// If AWS_ENDPOINT_URL names a running endpoint, such as LocalStack, up and down are not needed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"nepenthes/infra/rehearsal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("rehearse", flag.ContinueOnError)
	run := flags.String("run", ".run", "the `folder` of env and out.json")
	port := flags.String("port", "", "the `port` of the endpoint (default: any free port)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	folder, err := rehearsal.Open(*run)
	if err != nil {
		return err
	}
	switch flags.Arg(0) {
	case "up":
		return up(ctx, folder, *port)
	case "deploy":
		return deploy(ctx, folder)
	case "smoke":
		return smoke(ctx, folder)
	case "down":
		return folder.Down()
	}
	return fmt.Errorf("name a command: up, deploy, smoke or down")
}

func up(ctx context.Context, folder rehearsal.Folder, port string) error {
	endpoint, err := folder.Up(ctx, port)
	if err != nil {
		return err
	}
	fmt.Printf("the endpoint is at %s, its variables are in %s\n", endpoint.URL(), folder.EnvFile())
	return nil
}

func cloud(folder rehearsal.Folder) (rehearsal.Cloud, error) {
	endpoint, err := folder.Endpoint()
	return rehearsal.Cloud{Folder: folder, Endpoint: endpoint}, err
}

func deploy(ctx context.Context, folder rehearsal.Folder) error {
	c, err := cloud(folder)
	if err != nil {
		return err
	}
	if err := c.Synthesise(ctx); err != nil {
		return err
	}
	outputs, err := c.Deploy(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("the stack is deployed, its API has the id %s, and its outputs are in %s\n", outputs.ApiID, folder.OutFile())
	return nil
}

func smoke(ctx context.Context, folder rehearsal.Folder) error {
	c, err := cloud(folder)
	if err != nil {
		return err
	}
	return rehearsal.Play(ctx, c, os.Stdout)
}

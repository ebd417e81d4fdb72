package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"nepenthes/shared/fault"
)

// Cloud is a stack and the endpoint to which it is deployed.
type Cloud struct {
	Folder   Folder
	Endpoint Endpoint
}

// Synthesise builds the functions for emulators and writes the template of the app, like "cdk synth".
func (c Cloud) Synthesise(ctx context.Context) error {
	host := ReceiverHost()
	return c.cdk(ctx, "make build-local RECEIVER_HOST="+host,
		"synth", "--quiet", "--output", c.assembly(), "--context", "assets=local")
}

// Deploy deploys the synthesised stack and writes its outputs. If the stack exists, Deploy updates it.
func (c Cloud) Deploy(ctx context.Context) (Outputs, error) {
	if err := c.DeployFrom(ctx, c.assembly()); err != nil {
		return Outputs{}, err
	}
	return c.Folder.Outputs()
}

// DeployFrom is like Deploy, but for another folder of templates, and does not return the outputs.
func (c Cloud) DeployFrom(ctx context.Context, assembly string) error {
	// With an empty app, bootstrapping does not synthesise first.
	if err := c.cdk(ctx, noBuild, "bootstrap", "aws://"+account+"/"+region, "--app", ""); err != nil {
		return err
	}
	return c.cdk(ctx, noBuild, "deploy", "--all", "--app", assembly, "--require-approval", "never", "--outputs-file", c.Folder.OutFile())
}

// Destroy removes the stack. By the template's policies, tables, queues and the key are kept.
func (c Cloud) Destroy(ctx context.Context) error {
	return c.cdk(ctx, noBuild, "destroy", "--all", "--force", "--app", c.assembly())
}

// assembly returns the folder of the templates.
func (c Cloud) assembly() string { return c.Folder.path("cdk.out") }

// noBuild is a build command that does nothing. It replaces the one in cdk.json, which would build for the cloud.
const noBuild = "true"

// cdk runs the build command and then the CDK's command line in the repository's root. The CDK caches in its home folder
// which account an access key belongs to. An emulator has a different account, so the rehearsal has its own home folder.
func (c Cloud) cdk(ctx context.Context, build string, arguments ...string) (err error) {
	defer fault.Wrap(&err, "cdk %s", arguments[0])
	home, err := root()
	if err != nil {
		return err
	}
	program := filepath.Join(home, "node_modules", ".bin", "cdk")
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("%w: run make tools", err)
	}
	caches, err := goFolders(ctx)
	if err != nil {
		return err
	}
	folder := c.Folder.path("home")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	var said bytes.Buffer
	command := exec.CommandContext(ctx, program, append(arguments, "--no-notices", "--ci", "--build", build)...)
	command.Dir, command.Stdout, command.Stderr = home, &said, &said
	command.Env = append(c.Endpoint.Environ(), caches...)
	command.Env = append(command.Env, "HOME="+folder, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1", "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION=1")
	if bundle := c.Endpoint[caBundle]; bundle != "" {
		command.Env = append(command.Env, "NODE_EXTRA_CA_CERTS="+bundle)
	}
	if err := command.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, last(said.String(), 40))
	}
	return nil
}

// goFolders returns the variables that keep Go's caches in their place although HOME is changed.
func goFolders(ctx context.Context) ([]string, error) {
	var variables []string
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOFLAGS", "GOPROXY"} {
		value, err := exec.CommandContext(ctx, "go", "env", name).Output()
		if err != nil {
			return nil, err
		}
		variables = append(variables, name+"="+strings.TrimSpace(string(value)))
	}
	return variables, nil
}

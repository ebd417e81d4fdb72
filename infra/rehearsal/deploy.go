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

// Cloud is a stack and the endpoint that it is deployed to.
type Cloud struct {
	Folder   Folder
	Endpoint Endpoint
}

// Synthesise builds the functions for emulators and writes the template of the app, as everybody's "cdk synth" does.
func (c Cloud) Synthesise(ctx context.Context) error {
	host := ReceiverHost()
	return c.cdk(ctx, "make build-local RECEIVER_HOST="+host,
		"synth", "--quiet", "--output", c.assembly(), "--context", "assets=local")
}

// Deploy deploys what was synthesised, and writes the outputs. A second time it updates.
func (c Cloud) Deploy(ctx context.Context) (Outputs, error) {
	if err := c.DeployFrom(ctx, c.assembly()); err != nil {
		return Outputs{}, err
	}
	return c.Folder.Outputs()
}

// DeployFrom is Deploy for another folder of templates.
func (c Cloud) DeployFrom(ctx context.Context, assembly string) error {
	// An app of its own, or bootstrapping would synthesise first.
	if err := c.cdk(ctx, noBuild, "bootstrap", "aws://"+account+"/"+region, "--app", ""); err != nil {
		return err
	}
	return c.cdk(ctx, noBuild, "deploy", "--all", "--app", assembly, "--require-approval", "never", "--outputs-file", c.Folder.OutFile())
}

// Destroy removes the stack. Tables, queues and the key are kept by the template.
func (c Cloud) Destroy(ctx context.Context) error {
	return c.cdk(ctx, noBuild, "destroy", "--all", "--force", "--app", c.assembly())
}

// assembly is the folder of the templates.
func (c Cloud) assembly() string { return c.Folder.path("cdk.out") }

// noBuild is what is built where everything is built already: cdk.json would build for the cloud.
const noBuild = "true"

// cdk runs the CDK's command line in the repository's root, after build. Its home is the rehearsal's: it remembers there which
// account an access key belongs to, which in an emulator is another one than anywhere else.
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

// goFolders are the variables that keep Go's caches where they are, although HOME is another one.
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

// Package rehearsal deploys the stack to a local AWS endpoint and plays the life of an event against it, as seen from
// outside. The endpoint is a MiniStack that the package starts, with TLS and with permissions enforced, or the endpoint
// that AWS_ENDPOINT_URL names, such as LocalStack.
//
// Files in a folder connect the steps: env has the variables by which AWS tools reach the endpoint, and out.json has
// the outputs of the stack.
package rehearsal

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nepenthes/shared/fault"
)

// The region and account of emulators.
const (
	region  = "us-east-1"
	account = "000000000000"
)

// Folder is the absolute path of the folder in which a rehearsal keeps its files.
type Folder string

// Open returns the folder with the path. The folder does not have to exist yet.
func Open(path string) (Folder, error) {
	absolute, err := filepath.Abs(path)
	return Folder(absolute), err
}

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// EnvFile returns the path of the file with the endpoint's variables, one NAME=value on a line.
func (f Folder) EnvFile() string { return f.path("env") }

// OutFile returns the path of the file with the outputs of the stack, as the CDK writes it.
func (f Folder) OutFile() string { return f.path("out.json") }

// Endpoint holds the variables by which AWS tools reach an endpoint.
type Endpoint map[string]string

// The variables of an endpoint.
const (
	endpointURL = "AWS_ENDPOINT_URL"
	caBundle    = "AWS_CA_BUNDLE"
)

// At returns the endpoint at the URL. If it uses TLS, AWS_CA_BUNDLE names its certificate.
func At(url string) Endpoint {
	e := newEndpoint(url)
	if bundle := os.Getenv(caBundle); bundle != "" {
		e[caBundle] = bundle
	}
	return e
}

// newEndpoint returns the variables for a URL. Emulators accept any credentials. localhost is replaced by an address,
// because the CDK would look for its bucket at a subdomain of localhost, which not every machine resolves.
func newEndpoint(url string) Endpoint {
	url = strings.Replace(url, "http://localhost:", "http://127.0.0.1:", 1)
	return Endpoint{endpointURL: url, "AWS_REGION": region, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
}

// URL returns the endpoint's address.
func (e Endpoint) URL() string { return e[endpointURL] }

// Environ returns the environment of a program that uses the endpoint, without AWS variables for other accounts.
func (e Endpoint) Environ() []string {
	environ := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(environ, e.lines()...)
}

func (e Endpoint) lines() (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(e)) {
		lines = append(lines, name+"="+e[name])
	}
	return lines
}

// Use makes this process use the endpoint.
func (e Endpoint) Use() error {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	for name, value := range e {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// Endpoint returns the endpoint that AWS_ENDPOINT_URL names, or else the one that Up started.
func (f Folder) Endpoint() (e Endpoint, err error) {
	if url := os.Getenv(endpointURL); url != "" {
		return At(url), nil
	}
	text, err := os.ReadFile(f.EnvFile())
	if err != nil {
		return nil, fmt.Errorf("there is no local AWS endpoint (%w): run make local-up, or set %s", err, endpointURL)
	}
	e = Endpoint{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			e[name] = value
		}
	}
	return e, nil
}

// Outputs are the outputs of the stack.
type Outputs struct {
	Stack                                                                        string
	ApiID, ApiURL, EventsQueueURL, EventsQueueARN, AdministratorSecretARN, Stage string //nolint:revive // as they are called
}

// Outputs reads the outputs that Deploy has written.
func (f Folder) Outputs() (o Outputs, err error) {
	defer fault.Wrap(&err, "read the outputs of the stack; run make deploy-local first")
	text, err := os.ReadFile(f.OutFile())
	if err != nil {
		return o, err
	}
	stacks := map[string]Outputs{}
	if err := json.Unmarshal(text, &stacks); err != nil {
		return o, err
	}
	for name, outputs := range stacks {
		o = outputs // there is only one stack
		o.Stack = name
	}
	return o, nil
}

// ReceiverHost returns the address at which functions reach this machine: RECEIVER_HOST, or else 127.0.0.1.
func ReceiverHost() string {
	if host := os.Getenv("RECEIVER_HOST"); host != "" {
		return host
	}
	return "127.0.0.1"
}

// root returns the repository's root, where everything is built and installed.
func root() (string, error) {
	folder, err := os.Getwd()
	for err == nil {
		if _, err = os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			break
		}
		folder, err = parent, nil
	}
	return "", fmt.Errorf("the current folder is not inside the repository: %w", err)
}

// freePort returns a port that was free a moment ago.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

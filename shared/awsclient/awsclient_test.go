package awsclient_test

import (
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/middleware"

	"nepenthes/shared/awsclient"
	"nepenthes/shared/limits"
)

// load returns the configuration of a process whose environment names the endpoint and has no settings of this machine.
func load(t *testing.T, endpoint string, concurrency int) aws.Config {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	cfg, err := awsclient.Load(t.Context(), concurrency)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func send(ctx context.Context, cfg aws.Config, body string) error {
	_, err := sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.DisableMessageChecksumValidation = true }).
		SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String("http://queue/1"), MessageBody: &body})
	return err
}

func answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = io.WriteString(w, `{"MessageId":"1"}`)
}

// gatedConn makes the race certain. Everything it writes after the first 4 KiB, the buffer size of net/http, reaches
// the other end at once, but Write returns only when the gate opens. The rest of a body of 20 KiB is one such write.
type gatedConn struct {
	net.Conn
	writes atomic.Int32
	gate   <-chan struct{}
}

func (c *gatedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if c.writes.Add(1) > 1 {
		<-c.gate
	}
	return n, err
}

func TestAResponseDuringTheRequestIsRead(t *testing.T) {
	closed := make(chan struct{}) // closed when the SDK has closed the body of the request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Like a real service, answer only when the whole request has arrived. net/http has then read all of the body
		// and is about to ask for more of it.
		_, _ = io.Copy(io.Discard, r.Body)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-closed
		answer(w)
	}))
	defer server.Close()
	var once sync.Once
	open := func() { once.Do(func() { close(closed) }) }
	defer open()

	cfg := load(t, server.URL, 1)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = cfg.HTTPClient.(*awshttp.BuildableClient).WithTransportOptions(func(tr *http.Transport) {
		dial := tr.DialContext
		tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return &gatedConn{Conn: conn, gate: closed}, err
		}
	})
	// The innermost step sees the response just after the SDK has closed the body.
	cfg.APIOptions = append(cfg.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("Open", func(
			ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
		) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			open()
			return out, metadata, err
		}), middleware.After)
	})
	if err := send(t.Context(), cfg, strings.Repeat("x", 20<<10)); err != nil {
		t.Errorf("the service did the work, but the call failed: %v", err)
	}
}

func TestRetries(t *testing.T) {
	for name, test := range map[string]struct {
		refusals int
		want     int // how many tries reach the service
		fails    bool
	}{
		"a passing failure is retried":  {refusals: 2, want: 3},
		"a lasting failure is returned": {refusals: 100, want: 5, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			var tries atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if int(tries.Add(1)) <= test.refusals {
					w.WriteHeader(http.StatusServiceUnavailable)
					return
				}
				answer(w)
			}))
			defer server.Close()
			err := send(t.Context(), load(t, server.URL, 1), "x")
			if got := int(tries.Load()); got != test.want || (err != nil) != test.fails {
				t.Errorf("got %d tries and error %v, want %d tries", got, err, test.want)
			}
		})
	}
}

// pipes is a listener without a network, so that time can be virtual.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours, nil
}

// TestACallSurvivesDeadConnections checks that a call on dead connections still succeeds within the time of an API
// request.
func TestACallSurvivesDeadConnections(t *testing.T) {
	cfg := load(t, "http://queue", 1)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), limits.APITimeout)
		defer cancel()
		var tries atomic.Int32
		network := make(pipes)
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // a pipe has no buffer, so the client can only write what is read
			if tries.Add(1) <= 4 {
				<-r.Context().Done() // until the client gives up
				return
			}
			answer(w)
		})}
		served := make(chan error)
		go func() { served <- server.Serve(network) }()
		cfg.HTTPClient = cfg.HTTPClient.(*awshttp.BuildableClient).WithTransportOptions(func(tr *http.Transport) {
			tr.DialContext, tr.DisableKeepAlives = network.dial, true
		})
		if err := send(ctx, cfg, "x"); err != nil || tries.Load() != 5 {
			t.Errorf("got %d tries and error %v, want the fifth to succeed", tries.Load(), err)
		}
		close(network)
		_ = server.Close()
		<-served
	})
}

func TestConnectionsOfParallelCallsAreKept(t *testing.T) {
	const concurrency = 40
	var opened atomic.Int32
	var together sync.WaitGroup // holds responses back until all requests of a round have arrived
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		together.Done()
		together.Wait()
		answer(w)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	cfg := load(t, server.URL, concurrency)
	for range 3 {
		together.Add(concurrency)
		var calls sync.WaitGroup
		for range concurrency {
			calls.Go(func() {
				if err := send(t.Context(), cfg, "x"); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
	}
	if got := opened.Load(); got != concurrency {
		t.Errorf("got %d connections for three rounds of %d parallel calls, want one for each call of a round", got, concurrency)
	}
}

func TestAnEndpointWithItsOwnCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w) }))
	defer server.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	if err := send(t.Context(), load(t, server.URL, 1), "x"); err != nil {
		t.Errorf("the bundle has the certificate of the server, but the call failed: %v", err)
	}
}

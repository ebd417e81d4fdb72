// Package awsclient loads the AWS configuration of a process. All clients are made from it, so the size of the
// connection pool, timeouts and retries are set in one place, as is the workaround for a fault of the SDK.
package awsclient

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"

	"nepenthes/shared/fault"
)

const (
	dialTimeout = 3 * time.Second
	// answerTimeout is how long a client waits for the headers of a response. They take milliseconds unless the
	// connection is dead. With this limit, a retry still fits into an API request (limits.APITimeout).
	answerTimeout = 5 * time.Second
	// maxTries includes the first try. With the waits below, a call to a service that refuses everything takes 0.75 s
	// on average and at most 1.5 s, so an API request or a batch still has time to report the failure.
	maxTries  = 5
	firstWait = 100 * time.Millisecond
)

// Load reads the configuration from the environment, as every AWS tool does: credentials, region, AWS_ENDPOINT_URL,
// AWS_CA_BUNDLE. Clients made from it share one connection pool, which keeps up to concurrency idle connections. The
// SDK keeps only 10 and would open a new connection for every other call. Load returns an error if the environment
// contradicts itself. It does not use the network.
func Load(ctx context.Context, concurrency int) (cfg aws.Config, err error) {
	defer fault.Wrap(&err, "load the AWS configuration")
	return config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(client(concurrency)),
		config.WithRetryer(func() aws.Retryer { return retryer() }),
		config.WithAPIOptions([]func(*middleware.Stack) error{addPlainBody}),
	)
}

// client returns the kind of client that the SDK makes itself. The SDK refuses AWS_CA_BUNDLE with any other kind.
func client(concurrency int) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = 0 // no limit: the limit per host is enough
			t.MaxIdleConnsPerHost = max(concurrency, http.DefaultMaxIdleConnsPerHost)
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = answerTimeout
		})
}

// retryer returns the standard retryer of the SDK with shorter waits. Its wait of a second after a throttle is made for
// provisioned tables.
func retryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxTries
		o.Backoff = retry.BackoffDelayerFunc(func(failed int, _ error) (time.Duration, error) {
			return rand.N(firstWait << (failed - 1)), nil
		})
	})
}

// Package awsclient makes the one AWS configuration that every client of a process is built from, so that pool
// size, time-outs, retries and the cure of a fault in the SDK are decided in one place.
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
	// answerTimeout bounds the wait for the headers of an answer, which takes milliseconds unless the connection is
	// dead: what is tried again then still ends within an API request (limits.APITimeout).
	answerTimeout = 5 * time.Second
	// maxTries counts the first try. With the waits below a service that refuses everything costs a call about
	// 0.75 s on average and 1.5 s at the most: an API request or a batch still has the time to say so.
	maxTries  = 5
	firstWait = 100 * time.Millisecond
)

// Load reads the configuration from the environment as every AWS tool does: credentials, region, AWS_ENDPOINT_URL,
// AWS_CA_BUNDLE. Clients made from it share one pool that keeps as many connections as concurrency says; the
// SDK's own 10 would open a new one for every call beyond them. It fails when the environment contradicts itself,
// and does not touch the network.
func Load(ctx context.Context, concurrency int) (cfg aws.Config, err error) {
	defer fault.Wrap(&err, "load the AWS configuration")
	return config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(client(concurrency)),
		config.WithRetryer(func() aws.Retryer { return retryer() }),
		config.WithAPIOptions([]func(*middleware.Stack) error{addPlainBody}),
	)
}

// client is the SDK's own kind of client: with any other AWS_CA_BUNDLE is refused.
func client(concurrency int) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns = 0 // unbounded: the bound per host is the one that counts
			t.MaxIdleConnsPerHost = max(concurrency, http.DefaultMaxIdleConnsPerHost)
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = answerTimeout
		})
}

// retryer is the SDK's standard one with shorter waits: its second for a throttle is made for provisioned tables.
func retryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = maxTries
		o.Backoff = retry.BackoffDelayerFunc(func(failed int, _ error) (time.Duration, error) {
			return rand.N(firstWait << (failed - 1)), nil
		})
	})
}

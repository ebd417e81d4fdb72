package outbound_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"nepenthes/shared/outbound"
)

// BenchmarkPost prints the CPU time of a POST, receiver included, as a ratio ("x-bare") to the same POST by a bare
// http.Client over a transport with the same pools. The rounds alternate, so that both run under the same load.
func BenchmarkPost(b *testing.B) {
	r := receive(b, func(c *conn) {
		answer := []byte(ok)
		buf := make([]byte, 4096)
		for { // the cheapest receiver: each read is one request
			if _, err := c.Read(buf); err != nil {
				return
			}
			c.Write(answer)
		}
	})
	c := client(b, outbound.Options{Loopback: true})
	bare := &http.Client{Transport: &http.Transport{MaxIdleConns: 100, MaxIdleConnsPerHost: 100, DisableCompression: true}}
	defer bare.CloseIdleConnections()
	ours := func() {
		asked := request(r.URL)
		if got := c.Post(context.Background(), asked); got.Class != "" {
			b.Error(got.Message)
		}
	}
	theirs := func() {
		if err := postBare(bare, request(r.URL)); err != nil {
			b.Error(err)
		}
	}
	const round, callers = 2000, 8
	var cost [2]time.Duration
	rounds := 0
	for b.Loop() {
		cost[0] += cpu(func() { spread(round, callers, ours) })
		cost[1] += cpu(func() { spread(round, callers, theirs) })
		rounds++
	}
	b.ReportMetric(float64(cost[0].Nanoseconds())/float64(rounds*round), "cpu-ns/post")
	b.ReportMetric(float64(cost[0])/float64(cost[1]), "x-bare")
	b.ReportMetric(0, "ns/op")
}

// postBare is the simplest POST: it has a deadline and reads the whole body.
func postBare(c *http.Client, r outbound.Request) error {
	ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return err
	}
	request.Header = r.Header
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.ReadAll(response.Body)
	return err
}

// spread calls do n times from several goroutines.
func spread(n, callers int, do func()) {
	var calls sync.WaitGroup
	for range callers {
		calls.Go(func() {
			for range n / callers {
				do()
			}
		})
	}
	calls.Wait()
}

// cpu returns the CPU time that the process spends on do.
func cpu(do func()) time.Duration {
	before := usage()
	do()
	return usage() - before
}

func usage() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

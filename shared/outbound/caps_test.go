package outbound_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
)

// TestPostReadsNoMoreThanTheLimits checks that bytes above the limits are not read and take no memory.
func TestPostReadsNoMoreThanTheLimits(t *testing.T) {
	block := strings.Repeat("x", 64<<10)
	tests := []struct {
		name, begin, repeat string
		class               delivery.ErrorClass
	}{
		{"endless body", "HTTP/1.1 200 OK\r\n\r\n", block, ""},
		{"endless failure", "HTTP/1.1 500 No\r\n\r\n", block, "status"},
		{"huge declared body", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", block, ""},
		{"endless chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "10000\r\n" + block + "\r\n", ""},
		{"endless headers", "HTTP/1.1 200 OK\r\n", "X-Bomb: " + block[:1000] + "\r\n", "response_too_large"},
		{"endless header", "HTTP/1.1 200 OK\r\nX-Bomb: ", block, "response_too_large"},
		{"endless 1xx", "", "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n", "response_too_large"},
		{"endless chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", block, "protocol"},
		{"endless trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Bomb: " + block[:1000] + "\r\n", "protocol"},
	}
	c := open(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			hungUp := make(chan struct{})
			r := receive(t, func(c *conn) {
				c.read()
				c.say(test.begin)
				c.sayForEver(test.repeat)
				close(hungUp)
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got := post(t, c, r.URL)
			runtime.ReadMemStats(&after)
			checkClass(t, got, test.class)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
				t.Errorf("the exchange allocated %d bytes, want at most 2 MiB", allocated)
			}
			if got.Answer != nil && test.class != "protocol" && (len(got.Answer.Body) != limits.AnswerBodyRead || !got.Answer.Truncated) {
				t.Errorf("body of %d bytes, truncated %t", len(got.Answer.Body), got.Answer.Truncated)
			}
			// The connection is closed rather than drained: the receiver writes no more than the buffers of the kernel
			// hold.
			<-hungUp
			if written := r.Written.Load(); written > 16<<20 {
				t.Errorf("the receiver could write %d bytes, want at most 16 MiB", written)
			}
		})
	}
	t.Run("body of exactly the limit", func(t *testing.T) {
		r := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", limits.AnswerBodyRead, block))
		got := post(t, c, r.URL)
		checkClass(t, got, "")
		if len(got.Answer.Body) != limits.AnswerBodyRead || got.Answer.Truncated {
			t.Errorf("body of %d bytes, truncated %t", len(got.Answer.Body), got.Answer.Truncated)
		}
	})
	t.Run("2xx that stops after the limit", func(t *testing.T) {
		r := receive(t, func(c *conn) { c.read(); c.say("HTTP/1.1 200 OK\r\n\r\n" + block + "x"); c.untilHungUp() })
		got := post(t, c, r.URL)
		checkClass(t, got, "")
		if !got.Answer.Truncated {
			t.Error("the answer is not truncated")
		}
	})
}

func TestPostNeverDecompresses(t *testing.T) {
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	zip.Write(make([]byte, 50<<20))
	zip.Close()
	r := answering(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), &bomb))
	got := post(t, open(t), r.URL)
	checkClass(t, got, "")
	if !bytes.Equal(got.Answer.Body, bomb.Bytes()[:len(got.Answer.Body)]) || got.Answer.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the answer is not as it came over the wire")
	}
}

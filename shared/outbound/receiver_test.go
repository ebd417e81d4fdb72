package outbound_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"nepenthes/shared/outbound"
)

// short is the timeout of exchanges that are meant to time out.
const short = 200 * time.Millisecond

// receiver is a server that treats each connection as a test says, in HTTP or not.
type receiver struct {
	net.Listener
	URL      string
	Accepted atomic.Int64  // connections
	Requests atomic.Int64  // requests that were read completely
	Written  atomic.Int64  // bytes that the kernel accepted
	Over     chan struct{} // closed when the test ends
}

// conn is a connection to a receiver, with the last request on it.
type conn struct {
	*net.TCPConn
	of      *receiver
	in      *bufio.Reader
	request *http.Request
	body    []byte
}

// receive starts a receiver on loopback. It calls behave for each connection and closes the connection when behave
// returns.
func receive(t testing.TB, behave func(c *conn)) *receiver {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{Listener: listener, URL: "http://" + listener.Addr().String() + "/hooks", Over: make(chan struct{})}
	var conns sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	t.Cleanup(func() {
		listener.Close()
		close(r.Over)
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		conns.Wait()
	})
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			r.Accepted.Add(1)
			mu.Lock()
			open[accepted] = true
			mu.Unlock()
			conns.Go(func() {
				defer accepted.Close()
				behave(&conn{TCPConn: accepted.(*net.TCPConn), of: r, in: bufio.NewReader(accepted)})
			})
		}
	}()
	return r
}

// answering starts a receiver that reads one request on each connection, writes text and closes the connection.
func answering(t testing.TB, text string) *receiver {
	return receive(t, func(c *conn) {
		c.read()
		c.say(text)
		c.end()
	})
}

// read reads one request. It reports false if the peer closed the connection.
func (c *conn) read() bool {
	request, err := http.ReadRequest(c.in)
	if err != nil {
		return false
	}
	c.request = request
	c.body, err = io.ReadAll(request.Body)
	if err == nil {
		c.of.Requests.Add(1)
	}
	return err == nil
}

// say writes text. It reports false if the peer closed the connection.
func (c *conn) say(text string) bool {
	n, err := io.WriteString(c.TCPConn, text)
	c.of.Written.Add(int64(n))
	return err == nil
}

// sayForEver repeats text until the peer closes the connection. It does not allocate, because a test counts
// allocations.
func (c *conn) sayForEver(text string) {
	bytes := []byte(text)
	for {
		n, err := c.Write(bytes)
		c.of.Written.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// drip writes text, over and over, one byte at a time, until the peer closes the connection. The pause between bytes is
// a small part of the timeout.
func (c *conn) drip(text string) {
	tick := time.NewTicker(short / 20)
	defer tick.Stop()
	for i := 0; c.say(text[i%len(text) : i%len(text)+1]); i++ {
		<-tick.C
	}
}

// end closes the connection so that everything written arrives, even if not everything was read.
func (c *conn) end() {
	c.CloseWrite()
	io.Copy(io.Discard, c.in)
}

// untilHungUp waits until the peer closes the connection.
func (c *conn) untilHungUp() { io.Copy(io.Discard, c.in) }

// open returns a client that may call loopback addresses.
func open(t testing.TB) *outbound.Client {
	return client(t, outbound.Options{Loopback: true})
}

func client(t testing.TB, o outbound.Options) *outbound.Client {
	c := outbound.New(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// post sends a POST that is not meant to time out.
func post(t testing.TB, c *outbound.Client, url string) outbound.Result {
	return c.Post(t.Context(), request(url))
}

func request(url string) outbound.Request {
	return outbound.Request{
		URL:     url,
		Header:  http.Header{"User-Agent": {"Nepenthes-Webhooks/test"}, "webhook-id": {"dlv_1"}},
		Body:    []byte(`{"action":"work_package:updated"}`),
		Timeout: 20 * time.Second,
	}
}

// names returns a resolver that calls zone for the addresses of each name, over connections in memory.
func names(zone func(name string) []string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			serveName(theirs, zone)
		}()
		return ours, nil
	}}
}

// serveName answers one question in DNS over TCP: two bytes of length, then a message (RFC 1035 §4.2.2).
func serveName(c net.Conn, zone func(name string) []string) {
	length := make([]byte, 2)
	if _, err := io.ReadFull(c, length); err != nil {
		return
	}
	packed := make([]byte, int(length[0])<<8|int(length[1]))
	if _, err := io.ReadFull(c, packed); err != nil {
		return
	}
	var question dnsmessage.Message
	if err := question.Unpack(packed); err != nil {
		return
	}
	answer, err := resolve(question, zone)
	if err != nil {
		return
	}
	c.Write(bytes.Join([][]byte{{byte(len(answer) >> 8), byte(len(answer))}, answer}, nil))
}

func resolve(question dnsmessage.Message, zone func(name string) []string) ([]byte, error) {
	q := question.Questions[0]
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: question.ID, Response: true, RCode: dnsmessage.RCodeNameError}, Questions: question.Questions}
	for _, text := range zone(q.Name.String()) {
		m.RCode = dnsmessage.RCodeSuccess
		addr := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type}
		switch {
		case addr.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: addr.As4()}})
		case addr.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}})
		}
	}
	return m.Pack()
}

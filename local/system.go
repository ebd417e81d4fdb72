package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"nepenthes/shared/delivery"
	"nepenthes/shared/limits"
	"nepenthes/shared/outbound"
	"nepenthes/shared/vault"
)

// system holds all parts of the program. open opens them, and serve runs them.
type system struct {
	options
	backend  *backend
	pipeline *pipeline
	client   *outbound.Client
	servers  []*server
	api      *server
	receiver *server
	logger   *slog.Logger
}

// server is an HTTP server and its open port. The port is opened first, so that a port in use is found before anything
// is created.
type server struct {
	http.Server
	listener net.Listener
}

// url returns the address with which this machine calls the server. For a server that listens on all addresses of the
// machine (an unspecified address) it is localhost.
func (s *server) url() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", addr.Port)
	}
	return "http://" + addr.String()
}

// address returns the address at which others reach the API and the console. It is printed, and it is the issuer of
// tokens.
func (s *system) address() string {
	if s.publicURL != "" {
		return s.publicURL.String()
	}
	return s.api.url()
}

// open opens the ports and the data. Every error is a sentence for the user. After an error nothing stays open.
func open(ctx context.Context, o options, lines io.Writer, logger *slog.Logger) (_ *system, err error) {
	s := &system{options: o, logger: logger}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.api, err = s.listen("-addr", o.addr); err != nil {
		return nil, err
	}
	if s.receiver, err = s.listen("-receiver-addr", o.receiverAddr); err != nil {
		return nil, err
	}
	if s.backend, err = openBackend(ctx, o.data, logger); err != nil {
		return nil, err
	}
	if err := s.secrets(); err != nil {
		return nil, err
	}
	return s, s.wire(ctx, lines)
}

// wire connects the parts.
func (s *system) wire(ctx context.Context, lines io.Writer) error {
	opener := vault.NewOpener(vault.OpenerConfig{Pairs: s.backend.store, Unwrapper: s.backend.keys})
	s.client = outbound.New(outbound.Options{Loopback: s.allowLoopback, MaxConns: senderSlots})
	s.pipeline = newPipeline(parts{
		store: s.backend.store, lane: s.backend.lane, opener: opener, client: s.client, clock: delivery.Clock{Speed: s.speed}, twice: s.twice, logger: s.logger,
	})
	var err error
	if s.api.Handler, err = s.front(ctx); err != nil {
		return err
	}
	s.receiver.Handler, err = newReceiver(s.receiverSecret, lines)
	return err
}

func (s *system) listen(flag, addr string) (*server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s cannot be used (%w); choose another address, or port 0 for any free port", flag, addr, err)
	}
	srv := &server{listener: listener, Server: http.Server{
		MaxHeaderBytes: limits.RequestHeader, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: limits.APITimeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}}
	s.servers = append(s.servers, srv)
	return srv, nil
}

// serve runs the system until ctx ends or a server fails. Work in progress is then interrupted, and its messages are
// processed again at the next start. Deliveries begin after "ready" was printed, so that the receiver's lines follow it.
func (s *system) serve(ctx context.Context, lines io.Writer) error {
	defer s.close()
	ctx, cancel := context.WithCancel(ctx)
	failed := make(chan error, len(s.servers))
	for _, srv := range s.servers {
		go func() { failed <- srv.Serve(srv.listener) }()
	}
	d := &demo{api: s.api.url(), receiver: s.receiver.url(), admin: s.admin, secret: s.receiverSecret}
	if err := s.show(ctx, d.prepare); err != nil {
		cancel()
		return err
	}
	fmt.Fprintln(lines, "ready")
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	working.Go(func() { s.pipeline.run(ctx) })
	if err := s.show(ctx, d.play); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// show calls do, which is a part of the demo, unless the demo is switched off.
func (s *system) show(ctx context.Context, do func(context.Context) error) error {
	if !s.demo {
		return nil
	}
	if err := do(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the demo failed: %w", err)
	}
	return nil
}

// shutdownGrace is how long requests in progress may take after an interrupt.
const shutdownGrace = 2 * time.Second

// close closes everything that was opened. Requests in progress may finish within shutdownGrace; then they are aborted.
func (s *system) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.receiver != nil {
		_ = s.receiver.Close() // requests to /hang/ would never end by themselves
		_ = s.receiver.listener.Close()
	}
	if s.api != nil {
		if err := s.api.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			_ = s.api.Close()
		}
		_ = s.api.listener.Close() // Shutdown does not close the listener of a server that never served
	}
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	if s.backend != nil {
		if err := s.backend.close(); err != nil {
			s.logger.Error("database.close_failed", "error", err)
		}
	}
}

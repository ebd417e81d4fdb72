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

// system is everything, opened and not yet at work.
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

// server is an HTTP server and the port that it holds already, so that a port in use is found before anything
// is made.
type server struct {
	http.Server
	listener net.Listener
}

// url is the server's address as this machine calls it: an unspecified address, at which a server listens on all of
// the machine's, cannot be called.
func (s *server) url() string {
	addr := s.listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("http://localhost:%d", addr.Port)
	}
	return "http://" + addr.String()
}

// address is where others reach the API and the console: the issuer of tokens, and what is printed.
func (s *system) address() string {
	if s.publicURL != "" {
		return s.publicURL.String()
	}
	return s.api.url()
}

// open takes the ports and opens the data. Every error is a sentence for the user; nothing stays open after one.
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

// wire puts the parts together.
func (s *system) wire(ctx context.Context, lines io.Writer) error {
	opener, err := vault.NewOpener(vault.OpenerConfig{Pairs: s.backend.store, Unwrapper: s.backend.keys})
	if err != nil {
		return err
	}
	s.client = outbound.New(outbound.Options{Loopback: s.allowLoopback, MaxConns: senderSlots})
	s.pipeline = newPipeline(parts{
		store: s.backend.store, lane: s.backend.lane, opener: opener, client: s.client, clock: delivery.Clock{Speed: s.speed}, twice: s.twice, logger: s.logger,
	})
	if s.api.Handler, err = s.front(ctx); err != nil {
		return err
	}
	s.receiver.Handler, err = newReceiver(s.receiverSecret, lines)
	return err
}

func (s *system) listen(flag, addr string) (*server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s %s cannot be used (%w); choose another, or port 0 for any", flag, addr, err)
	}
	srv := &server{listener: listener, Server: http.Server{
		MaxHeaderBytes: limits.RequestHeader, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: limits.APITimeout, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}}
	s.servers = append(s.servers, srv)
	return srv, nil
}

// serve works until ctx ends or a server fails. What is in work then is broken off: its message comes again at the
// next start. Deliveries begin after "ready", so that the lines about them come after it.
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

// show lets the demo do something, when there is one.
func (s *system) show(ctx context.Context, do func(context.Context) error) error {
	if !s.demo {
		return nil
	}
	if err := do(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("the demo failed: %w", err)
	}
	return nil
}

// shutdownGrace is how long requests may take to end after an interrupt.
const shutdownGrace = 2 * time.Second

// close ends what was opened. Requests under way may end; those that do not are broken off.
func (s *system) close() {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if s.receiver != nil {
		_ = s.receiver.Close() // its hanging requests would never end
		_ = s.receiver.listener.Close()
	}
	if s.api != nil {
		if err := s.api.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			_ = s.api.Close()
		}
		_ = s.api.listener.Close() // a server that never served does not know its listener
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

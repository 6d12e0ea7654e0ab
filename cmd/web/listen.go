package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"mooring/internal/handlers"
)

// Ending takes at most ten seconds, in three parts.
const (
	// drainTime is how long a replica that says "not ready" still takes requests, so that the proxy in front notices.
	drainTime = 1500 * time.Millisecond
	// requestTime is for the requests under way, a callback that waits for its provider among them.
	requestTime = 5500 * time.Millisecond
	// restTime is for jobs, pools and the private database.
	restTime = 3 * time.Second
)

// listen binds an address before anybody is told of it, so that a busy port is an error of the start.
func listen(name, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case isTakenPort(err):
		return nil, fmt.Errorf("%s: the port of %s is taken by another program; stop that one or set %s to a free port", name, addr, name)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: this user may not listen on %s", name, addr)
	case err != nil:
		return nil, fmt.Errorf("%s: %s cannot be listened on: %w", name, addr, err)
	}
	return l, nil
}

func isTakenPort(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }

// httpServer makes a server whose limits hold for everybody; a page that streams moves its own deadlines through
// http.ResponseController. Reading may take longer than connect gives a callback, because net/http ends a request's
// context when the read deadline passes, even with the body read.
func httpServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       45 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       90 * time.Second,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // strangers' broken requests, mostly
	}
}

// readiness says whether requests should come here.
type readiness struct {
	draining atomic.Bool
	check    func(context.Context) error
}

var errDraining = errors.New("this replica is about to end")

// Ready is what /readyz asks.
func (r *readiness) Ready(ctx context.Context) error {
	if r.draining.Load() {
		return errDraining
	}
	return r.check(ctx)
}

// server answers at an address.
type server struct {
	http    *http.Server
	address string
	failed  <-chan error // why it ended by itself
}

// answer binds the address, unless the plan has, and begins to serve there.
func (h *house) answer(pages *handlers.Server) (*server, error) {
	l := h.plan.listener
	if l == nil {
		var err error
		if l, err = listen("LISTEN_ADDR", h.config.ListenAddr); err != nil {
			return nil, err
		}
	}
	failed := make(chan error, 1)
	s := &server{http: httpServer(pages.Handler(), h.log), address: l.Addr().String(), failed: failed}
	s.http.RegisterOnShutdown(pages.EndStreams)
	go func() { failed <- s.http.Serve(l) }()
	h.onStop("the server", func(context.Context) error { return s.http.Close() })
	return s, nil
}

// serveUntil goes on until ctx ends, then says "not ready", lets the proxy notice, and waits for the requests under way.
// A server or a private database that ends by itself ends everything: whoever watches over us starts us anew.
func (h *house) serveUntil(ctx context.Context, s *server) error {
	select {
	case err := <-s.failed:
		return fmt.Errorf("serving: %w", err)
	case <-h.died:
		_ = s.http.Close()
		return fmt.Errorf("the private PostgreSQL has ended; its log is in %s", privateDir(h.config))
	case <-ctx.Done():
	}
	h.log.Info("ending: no longer ready")
	h.ready.draining.Store(true)
	time.Sleep(h.plan.drain)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	defer cancel()
	if err := s.http.Shutdown(ending); err != nil {
		h.log.Warn("ending: some requests did not end in time", "error", err.Error())
		_ = s.http.Close()
	}
	return nil
}

package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/config"
	"mooring/internal/mail"
	"mooring/internal/oauth"
)

type serveCmd struct{}

// Run carries out "web serve".
func (serveCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Serving)
	if err != nil {
		return err
	}
	return serve(ctx, c, plan{log: newLog(w.stderr, c), drain: drainTime})
}

// plan is what demo does differently from serve. Its zero value, with a log, is serve.
type plan struct {
	log      *slog.Logger
	drain    time.Duration
	demo     bool
	list     []oauth.Factory                           // nil: those of providers.go
	listener net.Listener                              // nil: LISTEN_ADDR is bound when everything else is ready
	letters  func() []mail.Captured                    // nil: mail is not captured
	prepare  func(ctx context.Context, h *house) error // when the address answers, before anybody is told it
	announce func(address string, took time.Duration)  // nil: the log alone says it
}

// serve is the way through: open the rooms from the lowest up, answer at the address, announce it, go on until ctx ends,
// and then end in order: not ready, requests, jobs, listener, pools, private database.
func serve(ctx context.Context, c config.Config, p plan) error {
	began := time.Now()
	if p.list == nil {
		p.list = factories()
	}
	h := &house{config: c, plan: p, log: p.log, metrics: newMetrics(), ready: &readiness{}}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTime)
		defer cancel()
		h.close(ending)
	}()
	server, err := h.open(ctx)
	if ctx.Err() != nil {
		return nil // asked to end before it was ready; what failed, failed for that
	}
	if err != nil {
		return err
	}
	p.log.Info("serving", "address", server.address, "public", c.PublicURL, "ms", time.Since(began).Milliseconds())
	if p.announce != nil {
		p.announce(c.PublicURL, time.Since(began))
	}
	return h.serveUntil(ctx, server)
}

// open furnishes the house, lets it answer, and prepares what a demo has in it.
func (h *house) open(ctx context.Context) (*server, error) {
	pages, err := h.furnish(ctx)
	if err != nil {
		return nil, err
	}
	if err := h.openMetrics(); err != nil {
		return nil, err
	}
	h.startCheckpoints()
	s, err := h.answer(pages)
	if err == nil && h.plan.prepare != nil {
		err = h.plan.prepare(ctx, h)
	}
	return s, err
}

// openMetrics gives the numbers a listener of their own, which the public never reaches.
func (h *house) openMetrics() error {
	if h.config.MetricsAddr == "" {
		return nil
	}
	l, err := listen("METRICS_ADDR", h.config.MetricsAddr)
	if err != nil {
		return err
	}
	h.metrics.registry.MustRegister(newPoolCollector(map[string]*pgxpool.Pool{"app": h.app, "platform": h.platform}))
	h.log.Info("metrics", "address", l.Addr().String())
	h.run("the metrics", func(ctx context.Context) { h.metrics.serve(ctx, l, h.log) })
	return nil
}

package main

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/config"
	"mooring/internal/mail"
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
	listener net.Listener                              // nil: LISTEN_ADDR is bound when everything else is ready
	letters  func() []mail.Captured                    // nil: mail is not captured
	prepare  func(ctx context.Context, h *house) error // before anybody is told the address
	announce func(address string, took time.Duration)  // nil: the log alone says it
}

// serve is the way through: open the rooms from the lowest up, bind the address, announce it, answer until ctx ends, and
// then end in order: not ready, requests, jobs, listener, pools, private database.
func serve(ctx context.Context, c config.Config, p plan) error {
	began := time.Now()
	h := &house{config: c, plan: p, log: p.log, metrics: newMetrics(), ready: &readiness{}}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), restTime)
		defer cancel()
		h.close(ending)
	}()
	pages, err := h.furnish(ctx)
	if err == nil && p.prepare != nil {
		err = p.prepare(ctx, h)
	}
	if ctx.Err() != nil {
		return nil // asked to end before it was ready; what failed, failed for that
	}
	if err != nil {
		return err
	}
	if err := h.openMetrics(); err != nil {
		return err
	}
	h.startCheckpoints()
	l := p.listener
	if l == nil {
		if l, err = listen("LISTEN_ADDR", c.ListenAddr); err != nil {
			return err
		}
	}
	p.log.Info("serving", "address", l.Addr().String(), "public", c.PublicURL, "ms", time.Since(began).Milliseconds())
	if p.announce != nil {
		p.announce(c.PublicURL, time.Since(began))
	}
	srv := httpServer(pages.Handler(), p.log)
	srv.RegisterOnShutdown(pages.EndStreams)
	return h.serveUntil(ctx, srv, l)
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

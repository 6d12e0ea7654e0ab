package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mooring/internal/outbound"
)

// metrics are the numbers of everything but requests, which handlers counts itself. Every label is a word of ours.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
	jobs     *prometheus.HistogramVec
	unmarked prometheus.Counter
	renewals *prometheus.CounterVec
	unknown  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "mooring_provider_call_seconds",
			Help:    "Time of calls to providers, by provider and outcome.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"provider", "outcome"}),
		jobs: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "mooring_job_seconds",
			Help:    "Time of background jobs, by kind and outcome.",
			Buckets: []float64{.01, .05, .1, .5, 1, 5, 15, 60},
		}, []string{"kind", "outcome"}),
		renewals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mooring_refreshes_total", Help: "Renewals of credentials, by provider and outcome.",
		}, []string{"provider", "outcome"}),
	}
	m.unmarked = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "mooring_audit_checkpoint_failures_total",
		Help: "Checkpoints of the audit chains that could not be written outside the database.",
	})
	m.unknown = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_provider_unknown_codes_total",
		Help: "Refusals with a code that no documentation explains, by provider.",
	}, []string{"provider"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "mooring_build_info", Help: "Always 1; the labels say what runs.", ConstLabels: buildLabels(),
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.jobs, m.renewals, m.unmarked, m.unknown, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// call is outbound's Observer.
func (m *metrics) call(provider string, outcome outbound.Outcome, took time.Duration) {
	m.calls.WithLabelValues(provider, string(outcome)).Observe(took.Seconds())
}

// unknownCode counts a code that nothing explains. The code itself is a stranger's word and no label.
func (m *metrics) unknownCode(provider string) { m.unknown.WithLabelValues(provider).Inc() }

// job is the jobs' Observer.
func (m *metrics) job(kind, outcome string, took time.Duration) {
	m.jobs.WithLabelValues(kind, outcome).Observe(took.Seconds())
}

// checkpointFailed counts a checkpoint that is not there.
func (m *metrics) checkpointFailed() { m.unmarked.Inc() }

// refreshed is told of every renewal of a credential.
func (m *metrics) refreshed(provider, outcome string) {
	m.renewals.WithLabelValues(provider, outcome).Inc()
}

func buildLabels() prometheus.Labels {
	labels := prometheus.Labels{"go": "unknown", "revision": "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return labels
	}
	labels["go"] = info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			labels["revision"] = s.Value
		}
	}
	return labels
}

// poolCollector reports a connection pool when the metrics are read, and costs nothing otherwise.
type poolCollector struct {
	pools               map[string]*pgxpool.Pool // by role
	inUse, idle, limit  *prometheus.Desc
	waits, waitsSeconds *prometheus.Desc
}

func newPoolCollector(pools map[string]*pgxpool.Pool) *poolCollector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("mooring_db_pool_"+name, help, []string{"role"}, nil)
	}
	return &poolCollector{
		pools:        pools,
		inUse:        desc("in_use", "Connections in use."),
		idle:         desc("idle", "Connections at rest."),
		limit:        desc("limit", "Connections there may be."),
		waits:        desc("waits_total", "Times that somebody had to wait for a connection."),
		waitsSeconds: desc("acquire_seconds_total", "Time spent acquiring connections."),
	}
}

// Describe implements prometheus.Collector.
func (p *poolCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, ch) }

// Collect implements prometheus.Collector.
func (p *poolCollector) Collect(ch chan<- prometheus.Metric) {
	for role, pool := range p.pools {
		s := pool.Stat()
		gauge := func(d *prometheus.Desc, kind prometheus.ValueType, v float64) {
			ch <- prometheus.MustNewConstMetric(d, kind, v, role)
		}
		gauge(p.inUse, prometheus.GaugeValue, float64(s.AcquiredConns()))
		gauge(p.idle, prometheus.GaugeValue, float64(s.IdleConns()))
		gauge(p.limit, prometheus.GaugeValue, float64(s.MaxConns()))
		gauge(p.waits, prometheus.CounterValue, float64(s.EmptyAcquireCount()))
		gauge(p.waitsSeconds, prometheus.CounterValue, s.AcquireDuration().Seconds())
	}
}

// serve answers "GET /metrics" until ctx ends.
func (m *metrics) serve(ctx context.Context, l net.Listener, log *slog.Logger) {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	srv := httpServer(mux, log)
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Error("the metrics are no longer served", "error", err.Error())
	}
}

package handlers

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are the numbers that requests leave behind. A label never holds what a stranger can choose: routes are
// patterns, statuses are classes, providers and outcomes are words of ours.
type Metrics struct {
	requests  *prometheus.HistogramVec
	outcomes  *prometheus.CounterVec
	callbacks *prometheus.CounterVec
	glass     *prometheus.CounterVec
}

// NewMetrics registers the numbers of this room.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "mooring_http_request_seconds",
			Help:    "Time to answer, by route pattern and class of status.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route", "class"}),
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mooring_connect_outcomes_total",
			Help: "Tries to connect that ended, by provider and outcome.",
		}, []string{"provider", "outcome"}),
		callbacks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mooring_callbacks_total",
			Help: "Calls from providers' servers: accepted, refused, or failed by us.",
		}, []string{"provider", "outcome"}),
		glass: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mooring_break_glass_total",
			Help: "Acts that want two of the staff and were done by one alone, by act.",
		}, []string{"act"}),
	}
	reg.MustRegister(m.requests, m.outcomes, m.callbacks, m.glass)
	return m
}

func (m *Metrics) request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

func (m *Metrics) ended(provider, outcome string) {
	m.outcomes.WithLabelValues(provider, outcome).Inc()
}

func (m *Metrics) called(provider, outcome string) {
	m.callbacks.WithLabelValues(provider, outcome).Inc()
}

func (m *Metrics) brokenGlass(act string) { m.glass.WithLabelValues(act).Inc() }

// Package dispatch owns what the platform's own systems are told: which events, in which words, signed how, and how long
// somebody who does not answer is tried again.
//
// The form is that of Standard Webhooks (https://www.standardwebhooks.com): Tell makes one delivery of an event for each
// endpoint that wants it, Deliver posts one, signed with every live secret of the endpoint, and says when the next try is
// due. A delivery is repeated under one id and with the same bytes until it is taken, so a receiver can tell a repeat;
// an order is not promised. Admins make endpoints and secrets here too. How a call leaves the house (the guard at dial,
// nothing followed, limits of time and size) belongs to outbound, rows to models, when a job runs to jobs.
package dispatch

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/vault"
)

// Queue words the job that posts one delivery; jobs.Queue is the real one.
type Queue interface {
	DeliverJob(tenant, delivery uuid.UUID) models.Statement
}

// Deps are the service's needs. Observe may be left out.
type Deps struct {
	Store   *models.Store
	Vault   *vault.Vault
	Queue   Queue
	Allow   outbound.Allowlist
	Observe outbound.Observer
	Now     func() time.Time
}

// Service tells the platform's systems. It is safe for concurrent use.
type Service struct {
	Deps

	mu  sync.Mutex
	out map[uuid.UUID]oauth.Caller // by endpoint: one that hangs neither fills the others' room nor opens their breaker
}

// New makes a service.
func New(d Deps) *Service { return &Service{Deps: d, out: map[uuid.UUID]oauth.Caller{}} }

// Limits of a call. A receiver should take what it is given and work afterwards, so it has no long time to answer.
const (
	callTime  = 15 * time.Second
	maxAnswer = 64 << 10
	inFlight  = 4
)

// wayTo gives the way out to one endpoint. There are at most MaxEndpoints at a time.
func (s *Service) wayTo(endpoint uuid.UUID) oauth.Caller {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out[endpoint] == nil {
		s.out[endpoint] = outbound.New(outbound.Options{
			Name: "endpoint", Allow: s.Allow, Timeout: callTime, MaxBody: maxAnswer, MaxInFlight: inFlight, Now: s.Now, Metrics: s.Observe,
		})
	}
	return s.out[endpoint]
}

// Kinds are the events that an endpoint may ask for, in the order of a form.
func Kinds() []string {
	return []string{
		"tenant.created",
		"connection.connected", "connection.reconnected", "connection.needs_you", "connection.recovered", "connection.expiring",
		"connection.changed", "connection.disconnected",
		"review.started", "review.approved", "review.more", "review.rejected", "review.reopened",
	}
}

func offered(kind string) bool { return slices.Contains(Kinds(), kind) }

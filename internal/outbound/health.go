package outbound

import (
	"slices"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// The states of a breaker, in words fit for a page and a column.
const (
	BreakerIsClosed   = "closed"    // calls go out
	BreakerIsHalfOpen = "half_open" // one call is tried
	BreakerIsOpen     = "open"      // calls are turned away
)

// Health is how this client sees its provider.
type Health struct {
	Skew    time.Duration // the provider's clock minus ours, the median of the last answers that told the time
	Samples int           // how many those are; 0: none did
	Breaker string
}

// Health gives the client's view of its provider. It asks nobody.
func (c *Client) Health() Health {
	h := Health{Breaker: BreakerIsClosed}
	h.Skew, h.Samples = c.clocks.median()
	switch c.gate.breaker.State() {
	case circuitbreaker.OpenState:
		h.Breaker = BreakerIsOpen
	case circuitbreaker.HalfOpenState:
		h.Breaker = BreakerIsHalfOpen
	}
	return h
}

// keptClocks is how many measurements a median is made of: enough that one slow answer, or one front of several with a
// clock of its own, does not decide.
const keptClocks = 15

// clocks are the last measurements of a provider's clock against ours.
type clocks struct {
	mu   sync.Mutex
	last [keptClocks]time.Duration
	n    int // ever taken
}

func (c *clocks) add(skew time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[c.n%keptClocks] = skew
	c.n++
}

func (c *clocks) median() (skew time.Duration, samples int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	samples = min(c.n, keptClocks)
	if samples == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(c.last[:samples]))
	return sorted[samples/2], samples
}

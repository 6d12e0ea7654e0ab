package outbound

import (
	"context"
	"time"

	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"mooring/internal/oauth"
)

// The breaker opens when half of at least breakerCalls calls within breakerWindow failed, and tries one call after
// breakerPause. A call that finds no room waits at most queuePatience for it.
const (
	breakerCalls  = 10
	breakerWindow = 30 * time.Second
	breakerPause  = 5 * time.Second
	queuePatience = 2 * time.Second
)

// verdict is what a call says about the provider's health.
type verdict int

const (
	healthy verdict = iota // the provider answered, whatever it said
	failing                // it did not, or with a 5xx
	unknown                // the call ended for a reason of ours
)

// gate keeps a provider that is down or slow from taking the program with it: a bulkhead bounds the calls in flight, a
// breaker stops calling for a while. Neither repeats anything.
type gate struct {
	room    bulkhead.Bulkhead[any]
	breaker circuitbreaker.CircuitBreaker[any]
	wait    time.Duration
}

func newGate(inFlight uint, timeout time.Duration) *gate {
	return &gate{
		room: bulkhead.New[any](inFlight),
		breaker: circuitbreaker.NewBuilder[any]().
			WithFailureRateThreshold(0.5, breakerCalls, breakerWindow).
			WithSuccessThreshold(1).
			WithDelay(breakerPause).
			Build(),
		wait: min(queuePatience, timeout),
	}
}

// turnedAway is a call that was not let in.
type turnedAway struct {
	reason     Outcome
	retryAfter time.Duration
}

func (t *turnedAway) Error() string { return "outbound: " + string(t.reason) }

// enter lets a call in; the caller must leave with a verdict. Room comes first, so that the breaker's one trial call
// is never spent on waiting.
func (g *gate) enter(ctx context.Context) (leave func(verdict), err error) {
	if err := g.room.AcquirePermitWithMaxWait(ctx, g.wait); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &turnedAway{reason: Busy, retryAfter: time.Second}
	}
	if !g.breaker.TryAcquirePermit() {
		g.room.ReleasePermit()
		return nil, &turnedAway{reason: BreakerOpen, retryAfter: max(g.breaker.RemainingDelay(), time.Second)}
	}
	return func(v verdict) {
		g.record(v)
		g.room.ReleasePermit()
	}, nil
}

func (g *gate) record(v verdict) {
	switch {
	case v == healthy:
		g.breaker.RecordSuccess()
	case v == failing:
		g.breaker.RecordFailure()
	case g.breaker.IsHalfOpen():
		// The trial call was given up by its caller and proved nothing. Its permit must be given back, and the only
		// way is a result: the breaker stays open for another pause.
		g.breaker.RecordFailure()
	}
}

// verdictOf judges by the answer alone. A refusal (4xx, 429 too) is a healthy provider's.
func verdictOf(answer oauth.Answer, err error) verdict {
	switch outcomeOf(answer, err) {
	case ServerError, Unreachable, Untrusted, TooLong, Broken:
		return failing
	case Refused, Cancelled:
		return unknown
	default:
		return healthy
	}
}

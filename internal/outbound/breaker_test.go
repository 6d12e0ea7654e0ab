package outbound_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

func TestBreakerOpensOnFailuresAndClosesAgain(t *testing.T) {
	var hits atomic.Int64
	var healthy atomic.Bool
	c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		hits.Add(1)
		if !healthy.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	for range outbound.BreakerCalls {
		if _, err := c.Call(t.Context(), request(t, base)); err != nil {
			t.Fatal(err)
		}
	}
	within(t, 100*time.Millisecond, func() {
		_, err := c.Call(t.Context(), request(t, base))
		fault := wantFault(t, err, outbound.BreakerOpen)
		if fault.Sent() || fault.RetryAfter() <= 0 || fault.RetryAfter() > outbound.BreakerPause {
			t.Errorf("sent %v, retry after %s", fault.Sent(), fault.RetryAfter())
		}
		if kind := oauth.KindOf(oauth.Unanswered("fake", err)); kind != oauth.Upstream {
			t.Errorf("kind = %s, want upstream: it was never sent", kind)
		}
	})
	if got := hits.Load(); got != outbound.BreakerCalls {
		t.Errorf("%d requests, want %d", got, outbound.BreakerCalls)
	}

	healthy.Store(true)
	time.Sleep(outbound.BreakerPause)
	for range 3 {
		if _, err := c.Call(t.Context(), request(t, base)); err != nil {
			t.Fatalf("after the pause: %v", err)
		}
	}
}

func TestBreakerDoesNotCountRefusalsOrOurOwnCancelling(t *testing.T) {
	const hold = 0
	var status atomic.Int64
	status.Store(http.StatusTooManyRequests)
	c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if code := int(status.Load()); code != hold {
			w.WriteHeader(code)
			return
		}
		<-r.Context().Done()
	})
	for range 2 * outbound.BreakerCalls {
		if _, err := c.Call(t.Context(), request(t, base)); err != nil {
			t.Fatal(err)
		}
	}
	status.Store(hold)
	for range 3 * outbound.BreakerCalls {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(5*time.Millisecond, cancel)
		_, err := c.Call(ctx, request(t, base))
		wantFault(t, err, outbound.Cancelled)
	}
}

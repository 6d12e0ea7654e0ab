package outbound_test

import (
	"net/http"
	"testing"
	"time"

	"mooring/internal/outbound"
)

func TestHealthTellsTheMedianOfTheLastClocksAndTheBreaker(t *testing.T) {
	skew, status := time.Duration(0), http.StatusOK
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	c, base := serve(t, outbound.Options{Now: func() time.Time { return now }}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", now.Add(skew).Format(http.TimeFormat))
		w.WriteHeader(status)
	})
	if h := c.Health(); h.Samples != 0 || h.Breaker != outbound.BreakerIsClosed {
		t.Errorf("before any call: %+v", h)
	}
	call := func(n int, s time.Duration) {
		skew = s
		for range n {
			if _, err := c.Call(t.Context(), request(t, base)); err != nil {
				t.Fatal(err)
			}
		}
	}
	call(7, 3*time.Second)
	call(1, 8*time.Hour) // one front with a clock of its own
	if h := c.Health(); h.Skew != 3*time.Second || h.Samples != 8 {
		t.Errorf("after one that is off: %+v, want a skew of 3s of 8", h)
	}
	call(20, -2*time.Minute)
	if h := c.Health(); h.Skew != -2*time.Minute {
		t.Errorf("after the clocks moved: %+v, want -2m", h)
	}
	status = http.StatusServiceUnavailable
	for range 30 { // the calls that succeeded count as well
		if c.Health().Breaker == outbound.BreakerIsOpen {
			return
		}
		_, _ = c.Call(t.Context(), request(t, base))
	}
	t.Errorf("after 30 failures: %+v, want an open breaker", c.Health())
}

package outbound_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mooring/internal/outbound"
)

func TestCallGivesTheWholeAnswer(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var seen []outbound.Outcome
	o := outbound.Options{Now: func() time.Time { return now }, Metrics: func(name string, got outbound.Outcome, took time.Duration) {
		if name != "fake" || took <= 0 {
			t.Errorf("observed %q, %s", name, took)
		}
		seen = append(seen, got)
	}}
	c, base := serve(t, o, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != "code="+canary {
			t.Errorf("body = %q", body)
		}
		w.Header().Set("Date", now.Add(40*time.Minute).Format(http.TimeFormat))
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"ok":true}`)
	})
	got, err := c.Call(t.Context(), request(t, base))
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 429 || string(got.Body) != `{"ok":true}` || !got.Dated || got.Skew != 40*time.Minute || got.RetryAfter != 7*time.Second {
		t.Errorf("answer = %+v", got)
	}
	if !slices.Equal(seen, []outbound.Outcome{outbound.ClientError}) {
		t.Errorf("observed %v", seen)
	}
}

func TestRetryAfterIsReadInBothFormsAndCapped(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "-5": 0, "120": 2 * time.Minute, "soon": 0, "999999999999999999": time.Hour, "1e9": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second,
		now.Add(-time.Hour).Format(http.TimeFormat):       0,
		now.AddDate(10, 0, 0).Format(http.TimeFormat):     time.Hour,
	} {
		c, base := serve(t, outbound.Options{Now: func() time.Time { return now }}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
		})
		got, err := c.Call(t.Context(), request(t, base))
		if err != nil {
			t.Fatal(err)
		}
		if got.RetryAfter != want {
			t.Errorf("Retry-After %q = %s, want %s", value, got.RetryAfter, want)
		}
	}
}

func TestGzipIsUnpacked(t *testing.T) {
	c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding = %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "hello")
		z.Close()
	})
	got, err := c.Call(t.Context(), request(t, base))
	if err != nil || string(got.Body) != "hello" {
		t.Errorf("body = %q, %v", got.Body, err)
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := tripwire(t)
		c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", elsewhere.URL+"/steal?x="+canary)
			w.WriteHeader(status)
			io.WriteString(w, canary)
		})
		_, err := c.Call(t.Context(), request(t, base))
		fault := wantFault(t, err, outbound.Redirected)
		if !fault.Sent() || !fault.Answered() || fault.Timeout() {
			t.Errorf("%d: sent %v, answered %v", status, fault.Sent(), fault.Answered())
		}
	}
}

// A kept connection that breaks before the answer makes net/http repeat a GET. A code in its query would be used twice.
func TestOnceIsSentOnce(t *testing.T) {
	for _, once := range []bool{true, false} {
		var hits atomic.Int64
		c, base := serve(t, outbound.Options{}, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/warm" {
				return
			}
			if r.ContentLength != 0 || len(r.TransferEncoding) != 0 {
				t.Errorf("a body was announced: %d %v", r.ContentLength, r.TransferEncoding)
			}
			if hits.Add(1) == 1 {
				panic(http.ErrAbortHandler)
			}
		})
		get := func(path string) *http.Request {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if once {
				req = outbound.Once(req)
			}
			return req
		}
		if _, err := c.Call(t.Context(), get("/warm")); err != nil {
			t.Fatal(err)
		}
		_, err := c.Call(t.Context(), get("/token"))
		if got := hits.Load(); once && (got != 1 || err == nil) {
			t.Errorf("Once: %d requests, error %v", got, err)
		} else if !once && got != 2 {
			t.Errorf("net/http no longer repeats (%d requests): Once can go", got)
		}
	}
}

func TestBulkheadTurnsTheSurplusAway(t *testing.T) {
	release := make(chan struct{})
	var entered sync.WaitGroup
	entered.Add(2)
	c, base := serve(t, outbound.Options{MaxInFlight: 2}, func(http.ResponseWriter, *http.Request) {
		entered.Done()
		<-release
	})
	t.Cleanup(func() { close(release) })
	for range 2 {
		go c.Call(context.WithoutCancel(t.Context()), request(t, base)) //nolint:errcheck // holds its place
	}
	entered.Wait()
	within(t, 4*time.Second, func() {
		_, err := c.Call(t.Context(), request(t, base))
		if fault := wantFault(t, err, outbound.Busy); fault.Sent() || fault.RetryAfter() == 0 {
			t.Errorf("sent %v, retry after %s", fault.Sent(), fault.RetryAfter())
		}
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	within(t, time.Second, func() {
		_, err := c.Call(gone, request(t, base))
		wantFault(t, err, outbound.Cancelled)
	})
}

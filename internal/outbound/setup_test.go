package outbound_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// canary stands for every secret: it is planted in the query, the headers, the body and the redirects of each test.
const canary = "canary-5f1d8c"

// allow makes an Allowlist of entries that must be right.
func allow(t testing.TB, entries ...string) outbound.Allowlist {
	t.Helper()
	list, err := outbound.ParseAllowlist(entries)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// hostOf gives host:port of a server.
func hostOf(t testing.TB, s *httptest.Server) string {
	t.Helper()
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// serve starts a server and a client that may reach it over plain http.
func serve(t testing.TB, o outbound.Options, h http.HandlerFunc) (*outbound.Client, string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // only then does the server notice that its client has gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	t.Cleanup(s.Close)
	o.Name = "fake"
	o.Allow = allow(t, hostOf(t, s))
	c := outbound.New(o)
	t.Cleanup(c.Close)
	return c, s.URL
}

// request carries the canary wherever a request can carry a secret.
func request(t testing.TB, base string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/token?client_secret="+canary, strings.NewReader("code="+canary))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+canary)
	return req
}

// wantFault asserts the reason and that the error tells nothing else, in any form of printing.
func wantFault(t testing.TB, err error, want outbound.Outcome) *outbound.Error {
	t.Helper()
	fault, ok := errors.AsType[*outbound.Error](err)
	if !ok {
		t.Fatalf("error = %v (%T), want an *outbound.Error %s", err, err, want)
	}
	if fault.Reason != want {
		t.Fatalf("reason = %s, want %s", fault.Reason, want)
	}
	wrapped := oauth.Unanswered("fake", err)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Error("call", "err", err, "wrapped", wrapped)
	slog.New(slog.NewTextHandler(&logged, nil)).Error("call", "err", err, "wrapped", wrapped)
	told := fmt.Sprintf("%v %+v %#v %q %v %+v", err, err, err, err.Error(), wrapped, wrapped) + logged.String()
	for _, secret := range []string{canary, "127.0.0.1", "http://", "https://", "client_secret", "Bearer", "169.254"} {
		if strings.Contains(told, secret) {
			t.Errorf("the error tells %q: %s", secret, told)
		}
	}
	return fault
}

// tripwire is a server that must never be reached.
func tripwire(t testing.TB) *httptest.Server {
	t.Helper()
	var hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(func() {
		s.Close()
		if n := hits.Load(); n != 0 {
			t.Errorf("a server that must not be reached saw %d requests", n)
		}
	})
	return s
}

// within fails when f takes longer than limit.
func within(t testing.TB, limit time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if took := time.Since(began); took > limit {
		t.Errorf("took %s, want at most %s", took, limit)
	}
}

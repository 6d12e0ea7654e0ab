package oauthtest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// What the providers' own tests set up, beside Run. What a provider answers is told by each of them.

// Serve puts h in a provider's place for the length of a test, and gives its address and a client that may go there.
func Serve(t testing.TB, slug string, h http.Handler, now func() time.Time) (base string, caller oauth.Caller) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL, callerTo(t, slug, s.URL, 0, now)
}

// callerTo makes a client that may go to one address. No patience is the client's own.
func callerTo(t testing.TB, slug, base string, patience time.Duration, now func() time.Time) *outbound.Client {
	t.Helper()
	allow, err := outbound.ParseAllowlist([]string{strings.TrimPrefix(base, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	client := outbound.New(outbound.Options{Name: slug, Allow: allow, Timeout: patience, Now: now})
	t.Cleanup(client.Close)
	return client
}

// SettingsOf makes settings of values; the later of a name counts.
func SettingsOf(sets ...map[string]string) oauth.Settings {
	all := oauth.Settings{}
	for _, set := range sets {
		for name, value := range set {
			all[name] = secret.New(value)
		}
	}
	return all
}

// Fixture reads a file of the test's testdata.
func Fixture(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Says answers every request with one JSON body.
func Says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// WantKind asserts the kind of an error.
func WantKind(t testing.TB, what string, err error, want oauth.Kind) {
	t.Helper()
	if got := oauth.KindOf(err); got != want {
		t.Errorf("%s: kind %q, want %q (%v)", what, got, want, err)
	}
}

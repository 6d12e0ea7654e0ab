package oauthtest

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// planted is a secret in every bad answer: in its body, its headers and the address it redirects to.
const planted = "canary-planted-2b9e"

// mischief answers in the provider's place; well is how it should have been.
type mischief func(w http.ResponseWriter, r *http.Request, well http.Handler)

// stage is the provider's server, which can be told to misbehave.
type stage struct {
	subject Subject
	slug    string
	server  *httptest.Server
	logged  bytes.Buffer
	secrets []string

	mu       sync.Mutex
	mischief mischief
	requests int
}

func newStage(t testing.TB, s Subject) *stage {
	t.Helper()
	st := &stage{subject: s, slug: s.Factory.Describe().Slug}
	st.secrets = append([]string{planted, s.Arrival.Code.Reveal()}, s.Secrets...)
	for _, value := range s.Values {
		st.secrets = append(st.secrets, value.Reveal())
	}
	st.server = httptest.NewServer(http.HandlerFunc(st.serve))
	t.Cleanup(func() {
		st.server.Close()
		st.quietText(t, "the log", st.logged.String())
	})
	return st
}

func (st *stage) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // only then does the server notice that its client has gone
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	st.mu.Lock()
	now := st.mischief
	st.requests++
	st.mu.Unlock()
	if now == nil {
		st.subject.Well.ServeHTTP(w, r)
		return
	}
	w.Header().Set("X-Planted", planted)
	now(w, r, st.subject.Well)
}

// misbehave starts a mischief and counts from zero.
func (st *stage) misbehave(m mischief) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.mischief, st.requests = m, 0
}

// behave ends it and says how many requests there were.
func (st *stage) behave() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.mischief = nil
	return st.requests
}

// provider makes the provider with a client of its own, so that no breaker remembers the fault before.
func (st *stage) provider(t testing.TB, patience time.Duration) oauth.Provider {
	t.Helper()
	client := callerTo(t, st.slug, st.server.URL, patience, Now)
	p, err := st.subject.Factory.New(oauth.Config{
		Settings: loaded(st.subject, st.server.URL), Environment: oauth.Test, Caller: client, Now: Now,
		Log: slog.New(slog.NewTextHandler(&st.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// loaded fills in the defaults, as the configuration loader does.
func loaded(s Subject, base string) oauth.Settings {
	settings := oauth.Settings{}
	for _, declared := range s.Factory.Describe().Settings {
		settings[declared.Name] = secret.New(declared.Default)
	}
	for name, value := range s.Settings(base) {
		settings[name] = secret.New(value)
	}
	return settings
}

// step makes a provider and a credential while all is well, and gives the step to take afterwards.
func (st *stage) step(t testing.TB, name string, patience time.Duration) step {
	t.Helper()
	way, _, enter := wayIn(t, st.subject, st.provider(t, 10*time.Second))
	cred, err := enter(t.Context())
	if err != nil {
		t.Fatalf("%s while all is well: %v", way, err)
	}
	st.secrets = append(st.secrets, cred.AccessToken.Reveal(), cred.RefreshToken.Reveal())
	for _, s := range steps(t, st.subject, st.provider(t, patience), cred) {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no step %s", name)
	return step{}
}

func (st *stage) stepNames(t testing.TB) []string {
	t.Helper()
	var names []string
	for _, s := range steps(t, st.subject, st.provider(t, time.Second), oauth.Credential{}) {
		names = append(names, s.name)
	}
	return names
}

// quiet asserts that an error tells no secret and no address, however it is printed.
func (st *stage) quiet(t testing.TB, name string, err error) {
	t.Helper()
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Error("failed", "err", err)
	slog.New(slog.NewTextHandler(&logged, nil)).Error("failed", "err", err)
	st.quietText(t, name, fmt.Sprintf("%v %+v %#v %q\n%s", err, err, err, err.Error(), &logged))
}

func (st *stage) quietText(t testing.TB, name, told string) {
	t.Helper()
	for _, s := range append([]string{"127.0.0.1", "http://"}, st.secrets...) {
		if s != "" && strings.Contains(told, s) {
			t.Errorf("%s tells %q: %s", name, s, told)
		}
	}
}

// tripwire is a server that must stay unknown.
func tripwire(t testing.TB) *httptest.Server {
	t.Helper()
	var hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(func() {
		s.Close()
		if n := hits.Load(); n != 0 {
			t.Errorf("a redirect was followed %d times", n)
		}
	})
	return s
}

package handlers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/database/dbtest"
	"mooring/internal/dispatch"
	"mooring/internal/i18n"
	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/vault"
)

// dock is a lobby whose merchants connect to a scripted provider, with every trip to the database counted.
type dock struct {
	*lobby
	fake    *oauthtest.Fake
	keyed   *oauthtest.KeyFake  // its way in is a form
	linked  *oauthtest.LinkFake // its way in is a link
	newsy   *oauthtest.NewsFake // keyed, and its server sends news
	connect *connect.Service
	store   *models.Store
	trips   *trips
}

func newDock(tb testing.TB) *dock {
	tb.Helper()
	d := &dock{lobby: &lobby{db: dbtest.New(tb)}, fake: &oauthtest.Fake{}, trips: &trips{}}
	check := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	pool, err := database.Open(context.Background(), d.db.AppURL, database.PoolOptions{MaxConns: 4, Tracer: d.trips})
	check(err)
	tb.Cleanup(pool.Close)
	d.store, err = models.NewStore(models.Options{App: pool, Platform: d.db.Platform, Now: time.Now})
	check(err)
	keyset, err := vault.NewKeyset()
	check(err)
	v, err := vault.New(keyset)
	check(err)
	words, err := i18n.NewBundle()
	check(err)
	composer, err := mail.NewComposer(words)
	check(err)
	d.keyed = &oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "keyed"}}
	d.linked = &oauthtest.LinkFake{Fake: oauthtest.Fake{Slug: "linked"}, FormFields: oauthtest.RichFields()}
	d.newsy = &oauthtest.NewsFake{KeyFake: oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "newsy"}}}
	registry, err := connect.NewRegistry([]oauth.Provider{d.fake, d.keyed, d.linked, d.newsy},
		[]oauth.Descriptor{d.fake.Descriptor(), d.keyed.Descriptor(), d.linked.Descriptor(), d.newsy.Descriptor()})
	check(err)
	log := slog.New(slog.DiscardHandler)
	var site http.Handler
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	tb.Cleanup(d.Close)
	d.accounts = accounts.New(accounts.Deps{
		Store: d.store, Vault: v, Queue: d, Letters: composer, Sender: d, MailConfigured: true, PublicURL: d.URL, Log: log,
	})
	d.connect = connect.New(connect.Deps{
		Vault: v, Providers: registry, Queue: jobs.Queue{}, Wakes: d, PublicURL: d.URL, Now: time.Now, Log: log,
	})
	server, err := New(Deps{
		Accounts: d.accounts, Connect: d.connect, Dispatch: dispatch.New(dispatch.Deps{}), Store: d.store, Words: words, Wakes: d, PublicURL: d.URL,
		MailConfigured: true,
		Ready:          func(context.Context) error { return nil }, Now: time.Now, Log: log, Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	check(err)
	site = server.Handler()
	return d
}

// begin presses Connect and gives the path that the browser comes back to after consenting as account.
func (d *dock) begin(t *testing.T, v *visitor, account string) (callback string) {
	t.Helper()
	away := v.post(t, "/connect/fake")
	if away.status != http.StatusSeeOther {
		t.Fatalf("pressing connect: %d\n%s", away.status, away.body)
	}
	return "/oauth/fake/callback?" + d.fake.Approve(away.location, account).Encode()
}

// trips counts round trips to the database. A statement that is prepared first costs one more, once per connection.
type trips struct {
	mu sync.Mutex
	n  int
	of []string
}

func (t *trips) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	t.of = append(t.of, what)
}

func (t *trips) take() (n int, of []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, of = t.n, t.of
	t.n, t.of = 0, nil
	return n, of
}

// TraceQueryStart implements pgx.QueryTracer.
func (t *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	t.add(strings.Join(strings.Fields(q.SQL), " "))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (t *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	t.add("a batch of " + strings.Join(strings.Fields(b.Batch.QueuedQueries[len(b.Batch.QueuedQueries)-1].SQL), " "))
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (t *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TestRoundTrips holds each hot path to its trips. The limit that the statements themselves set is one for a page and
// for pressing connect, and two for the callback, which must spend the attempt before the provider is asked. Each is one
// above it today: the session is looked up in a trip of its own.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	connected := v.get(t, d.begin(t, v, "10001")) // every statement is prepared once now, on some connection
	if connected.status != http.StatusSeeOther || !strings.HasPrefix(connected.location, "/connections/") {
		t.Fatalf("connecting: %d to %q", connected.status, connected.location)
	}
	pages := []string{"/overview", "/connections", connected.location, connected.location + "/history", "/activity", "/connect/fake"}

	count := func(what string, want int, do func() answer) {
		t.Helper()
		d.trips.take()
		got := do()
		if got.status >= 400 {
			t.Fatalf("%s: %d\n%s", what, got.status, got.body)
		}
		if n, of := d.trips.take(); n != want {
			t.Errorf("%s took %d trips, want %d:\n%s", what, n, want, strings.Join(of, "\n"))
		}
	}
	for _, page := range pages {
		want := 2
		if page == "/connect/fake" {
			want = 1 // nothing but the session
		}
		count("GET "+page, want, func() answer { return v.get(t, page) })
	}
	var callback string
	count("POST /connect/fake", 2, func() answer {
		away := v.post(t, "/connect/fake")
		callback = "/oauth/fake/callback?" + d.fake.Approve(away.location, "10002").Encode()
		return away
	})
	count("the callback", 3, func() answer { return v.get(t, callback) })
	count("the callback again", 3, func() answer { return v.get(t, callback) })
}

// TestNoConnectionIsHeldWhileAProviderIsAsked would hang if one were: the pool has four, and five callbacks wait.
func TestNoConnectionIsHeldWhileAProviderIsAsked(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	hold, entered := make(chan struct{}), make(chan struct{}, 8)
	d.fake.Set(func(f *oauthtest.Fake) { f.Hold, f.Entered = hold, entered })
	var waiting sync.WaitGroup
	for i := range 5 {
		v := d.visitor(t)
		v.member(t, string(rune('a'+i))+"@example.com")
		callback := d.begin(t, v, "1000"+string(rune('0'+i)))
		waiting.Go(func() { v.get(t, callback) })
		<-entered
	}
	v := d.visitor(t)
	v.member(t, "z@example.com") // the database is free for others
	close(hold)
	waiting.Wait()
}

func BenchmarkCallback(b *testing.B) {
	d := newDock(b)
	jar := d.benchmarkMember(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		away := benchmarkSend(b, jar, http.MethodPost, d.URL+"/connect/fake")
		callback := d.URL + "/oauth/fake/callback?" + d.fake.Approve(away, "10001").Encode()
		b.StartTimer()
		benchmarkSend(b, jar, http.MethodGet, callback)
	}
}

func BenchmarkPages(b *testing.B) {
	d := newDock(b)
	client := d.benchmarkMember(b)
	away := benchmarkSend(b, client, http.MethodPost, d.URL+"/connect/fake")
	connection := benchmarkSend(b, client, http.MethodGet, d.URL+"/oauth/fake/callback?"+d.fake.Approve(away, "10001").Encode())
	for name, path := range map[string]string{
		"overview": "/overview", "connections": "/connections", "connection": connection, "activity": "/activity", "connect": "/connect/fake",
		"settings": "/settings", "landing": "/", "login": "/login",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				benchmarkSend(b, client, http.MethodGet, d.URL+path)
			}
		})
	}
}

// benchmarkMember signs somebody up without mail and gives their browser.
func (d *dock) benchmarkMember(b *testing.B) *http.Client {
	b.Helper()
	deps := d.accounts.Deps
	deps.MailConfigured = false
	*d.accounts = *accounts.New(deps)
	client := &http.Client{Jar: newJar(b), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(d.URL+"/signup", url.Values{
		"business_name": {"Pier"}, "email": {"a@example.com"}, "password": {lobbyPassword},
	})
	if err != nil || response.StatusCode != http.StatusSeeOther {
		b.Fatalf("signing up: %v", err)
	}
	return client
}

func newJar(b *testing.B) http.CookieJar {
	b.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	return jar
}

// benchmarkSend sends, reads all of the answer and gives where it leads.
func benchmarkSend(b *testing.B, client *http.Client, method, address string) (location string) {
	b.Helper()
	request, err := http.NewRequestWithContext(b.Context(), method, address, nil)
	if err != nil {
		b.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode >= 400 {
		b.Fatalf("%s %s: %d, %v", method, address, response.StatusCode, err)
	}
	return response.Header.Get("Location")
}

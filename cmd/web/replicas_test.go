package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mooring/internal/database/dbtest"
	"mooring/internal/simulator"
	"mooring/internal/simulator/asiabill"
	"mooring/internal/simulator/bench"
)

// fleet is replicas of the program over one database, with a simulated provider beside them.
type fleet struct {
	t        *testing.T
	db       dbtest.DB
	asiabill *asiabill.Simulator
	client   asiabill.Registration
	dir      string // where the simulator keeps its tokens
	replicas []*process
	bases    []string // http://localhost:port of each
	keyset   string
}

func newFleet(t *testing.T, size int) *fleet {
	t.Helper()
	f := &fleet{t: t, db: dbtest.New(t), dir: t.TempDir(), keyset: newKeyset(t)}
	sim, err := simulator.New(simulator.Options{Dir: f.dir})
	if err != nil {
		t.Fatal(err)
	}
	at, err := sim.Start(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = sim.Stop(ctx)
	})
	f.asiabill = sim.AsiaBill
	if f.client, err = sim.AsiaBill.EnrolSample("http://localhost:8080/oauth/asiabill/callback", "Mooring"); err != nil {
		t.Fatal(err)
	}
	provider := at.Providers["asiabill"]
	for range size {
		p := startWeb(t, []string{
			"DATABASE_URL=" + f.db.AppURL, "PLATFORM_DATABASE_URL=" + f.db.PlatformURL, "KEYSET=" + f.keyset,
			"PUBLIC_URL=http://localhost:8080", "LISTEN_ADDR=127.0.0.1:0", "LOG_LEVEL=debug",
			"OUTBOUND_ALLOW=" + strings.TrimPrefix(provider, "http://"), "ASIABILL_OAUTH_URL=" + provider, "ASIABILL_OPENAPI_URL=" + provider,
			"ASIABILL_CLIENT_ID=" + f.client.ClientID, "ASIABILL_CLIENT_SECRET=" + f.client.ClientSecret,
		}, "serve")
		f.replicas = append(f.replicas, p)
	}
	for _, p := range f.replicas {
		_, port, _ := strings.Cut(p.await(t, servingLine)[1], ":")
		f.bases = append(f.bases, "http://localhost:"+port)
	}
	return f
}

// person is somebody with a browser that follows nothing by itself. Cookies do not look at ports, so the replicas
// share them, as behind a proxy.
type visitor struct {
	*http.Client
	f *fleet
}

func (f *fleet) visitor() *visitor {
	f.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	f.t.Cleanup(transport.CloseIdleConnections)
	return &visitor{f: f, Client: &http.Client{Jar: jar, Transport: transport, Timeout: 40 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (v *visitor) send(method, address string, form url.Values) (status int, location, body string) {
	v.f.t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.f.t.Error(err)
		return 0, "", ""
	}
	req.Header.Set("Accept-Language", "en")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := v.Do(req)
	if err != nil {
		v.f.t.Error(err)
		return 0, "", ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.f.t.Error(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(text)
}

// signUp makes an account; without mail that completes at once.
func (v *visitor) signUp(email, password string) {
	v.f.t.Helper()
	status, location, body := v.send(http.MethodPost, v.f.bases[0]+"/signup",
		url.Values{"business_name": {"Pier " + email}, "email": {email}, "password": {password}})
	if status != http.StatusSeeOther || location != "/overview" {
		v.f.t.Fatalf("signing up: %d to %q\n%s", status, location, body)
	}
}

// begin presses Connect and gives the state that left for the provider.
func (v *visitor) begin() (state string) {
	v.f.t.Helper()
	status, location, body := v.send(http.MethodPost, v.f.bases[0]+"/connect/asiabill", nil)
	u, err := url.Parse(location)
	if status != http.StatusSeeOther || err != nil || u.Query().Get("state") == "" {
		v.f.t.Fatalf("pressing connect: %d to %q\n%s", status, location, body)
	}
	return u.Query().Get("state")
}

// consent is the merchant's consent at the provider: the address to come back with.
func (f *fleet) consent(merNo, state string) (path string, code string) {
	f.t.Helper()
	back, err := f.asiabill.Authorise(f.client.ClientID, merNo, state)
	if err != nil {
		f.t.Fatal(err)
	}
	return "/oauth/asiabill/callback?" + back.Encode(), back.Get("code")
}

func (f *fleet) count(sql string) (n int) {
	f.t.Helper()
	if err := f.db.Owner.QueryRow(f.t.Context(), sql).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

func TestReplicas_HundredIdenticalCallbacks(t *testing.T) {
	f := newFleet(t, 2)
	v := f.visitor()
	v.signUp("a@example.com", "tidewater-lantern-58")
	path, code := f.consent("31760", v.begin())

	var wg sync.WaitGroup
	locations := make([]string, 100)
	start := make(chan struct{})
	for i := range locations {
		wg.Go(func() {
			<-start
			status, location, body := v.send(http.MethodGet, f.bases[i%2]+path, nil)
			if status != http.StatusSeeOther {
				t.Errorf("callback %d: %d\n%s", i, status, body)
			}
			locations[i] = location
		})
	}
	close(start)
	wg.Wait()
	for _, location := range locations {
		if !strings.HasPrefix(location, "/connections/") || location != locations[0] {
			t.Fatalf("a callback led to %q, another to %q; want one connection", location, locations[0])
		}
	}
	_, counters := f.asiabill.Ledger.After(0)
	if n := counters.TokenExchanges[bench.Fingerprint(code)]; n != 1 {
		t.Errorf("the code was exchanged %d times, want 1", n)
	}
	if n := f.count(`SELECT count(*) FROM connections`); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestReplicas_ForeignCallbacksSendNothing(t *testing.T) {
	f := newFleet(t, 2)
	v, stranger, nobody := f.visitor(), f.visitor(), f.visitor()
	v.signUp("a@example.com", "tidewater-lantern-58")
	stranger.signUp("b@example.com", "tidewater-lantern-59")
	stranger.begin()
	path, _ := f.consent("31760", v.begin())

	again := f.visitor() // the same person in another browser
	again.send(http.MethodPost, f.bases[0]+"/login", url.Values{"email": {"a@example.com"}, "password": {"tidewater-lantern-58"}})
	for name, other := range map[string]*visitor{"another tenant": stranger, "another browser": again} {
		if status, _, _ := other.send(http.MethodGet, f.bases[1]+path, nil); status != http.StatusForbidden {
			t.Errorf("%s: %d, want 403", name, status)
		}
	}
	if status, location, _ := nobody.send(http.MethodGet, f.bases[1]+path, nil); status != http.StatusSeeOther || !strings.HasPrefix(location, "/login") || strings.Contains(location, "code") {
		t.Errorf("nobody: %d to %q, want the sign-in page without the code", status, location)
	}
	f.db.Owner.Exec(t.Context(), `UPDATE attempts SET expires_at = now() - interval '1 second' WHERE status = 'pending'`) //nolint:errcheck // its effect is asserted
	if status, location, _ := v.send(http.MethodGet, f.bases[0]+path, nil); status != http.StatusSeeOther || !strings.HasPrefix(location, "/attempts/") {
		t.Errorf("too late: %d to %q, want the attempt's page", status, location)
	}
	_, counters := f.asiabill.Ledger.After(0)
	if calls := counters.Stages["token"]; calls != 0 {
		t.Errorf("%d token calls, want 0", calls)
	}
}

// trouble is a way to fail: a fault of the provider's servers, or something odd in what the browser brings back.
type trouble struct {
	fault string
	back  func(query url.Values)
}

// troubles lead to every class of error there is on the way in.
func troubles() []trouble {
	all := []trouble{
		{back: func(q url.Values) { q.Del("state") }},
		{back: func(q url.Values) { q.Set("state", "somebody-elses-canary-state") }},
		{back: func(q url.Values) { q.Add("code", "a-second-canary-code") }},
		{back: func(q url.Values) { q.Set("code", "a-made-up-canary-code") }},
		{back: func(q url.Values) { q.Set("merNo", "99999") }},
		{back: func(q url.Values) { q.Del("code") }},
		{back: func(q url.Values) { q.Set("error", "access_denied") }},
	}
	for _, fault := range []string{"server_error", "html", "truncated", "huge", "gzip_bomb", "success_false", "rate_limited",
		"redirect_elsewhere", "token_in_data", "token_dead", "clock_ahead", "no_expires_in"} {
		all = append(all, trouble{fault: fault})
	}
	return append(all, trouble{}) // the last one goes well
}

func TestReplicas_NothingReadableInTheDatabaseOrTheLogs(t *testing.T) {
	f := newFleet(t, 2)
	v := f.visitor()
	const password = "canary-password-2211"
	v.signUp("a@example.com", password)
	secrets := map[string]string{"password": password, "client secret": f.client.ClientSecret}

	note := func(what, value string) {
		if value != "" {
			secrets[what+" "+value[:4]] = value
		}
	}
	for i, trouble := range troubles() {
		if trouble.fault != "" {
			if err := f.asiabill.Board.Set(bench.Rule{Name: trouble.fault}); err != nil {
				t.Fatalf("%s: %v", trouble.fault, err)
			}
		}
		state := v.begin()
		path, code := f.consent("31760", state)
		if trouble.back != nil {
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			query := u.Query()
			trouble.back(query)
			path = u.Path + "?" + query.Encode()
		}
		status, _, body := v.send(http.MethodGet, f.bases[i%2]+path, nil)
		if status >= 500 {
			t.Errorf("trouble %d %s: %d\n%s", i, trouble.fault, status, body)
		}
		note("state", state)
		note("code", code)
		f.asiabill.Board.Clear()
	}
	status, location, _ := v.send(http.MethodGet, f.bases[0]+"/connections", nil)
	if status != http.StatusOK {
		t.Fatalf("/connections: %d to %q", status, location)
	}
	site, err := url.Parse(f.bases[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range v.Jar.Cookies(site) {
		note("cookie "+cookie.Name, cookie.Value)
	}
	for _, token := range f.issuedTokens() {
		note("token", token)
	}
	for _, key := range regexp.MustCompile(`"value":"([^"]+)"`).FindAllStringSubmatch(f.keyset, -1) {
		note("key", key[1])
	}
	if len(secrets) < 20 {
		t.Fatalf("only %d secrets were planted", len(secrets))
	}
	for _, p := range f.replicas {
		p.end(t, syscall.SIGTERM)
	}
	dump := f.dump()
	for name, secret := range secrets {
		for where, text := range map[string]string{"the database": dump, "log 1": f.replicas[0].out.String(), "log 2": f.replicas[1].out.String()} {
			for form, written := range map[string]string{
				"plain": secret, "hex": hex.EncodeToString([]byte(secret)), "base64": base64.StdEncoding.EncodeToString([]byte(secret))[:len(secret)],
				"escaped": url.QueryEscape(secret),
			} {
				if strings.Contains(text, written) {
					t.Errorf("%s holds the %s, %s", where, name, form)
				}
			}
		}
	}
}

// issuedTokens reads what the simulator has issued from where it keeps it.
func (f *fleet) issuedTokens() (tokens []string) {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.dir, "simulators", "*.json"))
	if err != nil || len(files) == 0 {
		f.t.Fatalf("the simulator keeps nothing in %s: %v", f.dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`"([A-Za-z0-9_-]{30,})"`).FindAllStringSubmatch(string(text), -1) {
			tokens = append(tokens, found[1])
		}
	}
	if len(tokens) == 0 {
		f.t.Fatal("the simulator has issued no token")
	}
	return tokens
}

// dump writes out every row of every table, as text.
func (f *fleet) dump() string {
	f.t.Helper()
	ctx := f.t.Context()
	rows, err := f.db.Owner.Query(ctx, `SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname IN ('public', 'river')`)
	if err != nil {
		f.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		f.t.Fatalf("%d tables, %v", len(tables), err)
	}
	var all strings.Builder
	for _, table := range tables {
		rows, err := f.db.Owner.Query(ctx, fmt.Sprintf(`SELECT t::text FROM %s t`, table))
		if err != nil {
			f.t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			f.t.Fatal(err)
		}
		all.WriteString(table + "\n" + strings.Join(lines, "\n") + "\n")
	}
	return all.String()
}

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

func TestServeAnswersAndEnds(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	p := startWeb(t, serveEnv(t, db, "METRICS_ADDR=127.0.0.1:0"), "serve")
	base := "http://" + p.await(t, servingLine)[1]
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/": 200, "/metrics": 404, "/debug/pprof/": 404, "/debug/vars": 404} {
		if status, _ := get(t, base+path); status != want {
			t.Errorf("GET %s = %d, want %d", path, status, want)
		}
	}
	numbers := "http://" + p.await(t, `"msg":"metrics","address":"([^"]+)"`)[1]
	_, text := get(t, numbers+"/metrics")
	for _, name := range []string{"mooring_http_request_seconds", "mooring_build_info", "mooring_db_pool_limit", "go_goroutines"} {
		if !strings.Contains(text, name) {
			t.Errorf("the metrics lack %s", name)
		}
	}
	if status, _ := get(t, numbers+"/"); status != http.StatusNotFound {
		t.Errorf("the metrics' listener answers / with %d", status)
	}
	if code := p.end(t, syscall.SIGINT); code != 0 {
		t.Errorf("SIGINT: code %d, want 0", code)
	}
}

// A replica that ends says so first, goes on answering for a moment, and lets a request under way finish.
func TestServeDrains(t *testing.T) {
	t.Parallel()
	p := startWeb(t, serveEnv(t, dbtest.New(t)), "serve")
	addr := p.await(t, servingLine)[1]
	slow, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	form := url.Values{"email": {"nobody@mooring.example"}, "password": {"quay-side-lantern-77"}}.Encode()
	fmt.Fprintf(slow, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(form), form[:5])

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.await(t, "no longer ready")
	if status, _ := get(t, "http://"+addr+"/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("/readyz while draining = %d, want 503", status)
	}
	if status, _ := get(t, "http://"+addr+"/"); status != http.StatusOK {
		t.Errorf("/ while draining = %d, want 200", status)
	}
	fmt.Fprint(slow, form[5:])
	resp, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil || resp.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the request under way: %v, %v", resp, err)
	}
	if code := p.code(t); code != 0 {
		t.Errorf("code %d, want 0", code)
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	p := startWeb(t, serveEnv(t, dbtest.New(t)), "serve")
	p.await(t, servingLine)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.await(t, "no longer ready")
	began := time.Now()
	p.end(t, syscall.SIGTERM)
	if took := time.Since(began); took > time.Second {
		t.Errorf("the second signal took %v", took)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	db, empty := dbtest.New(t), dbtest.NewEmpty(t)
	served := dbtest.New(t)
	first := startWeb(t, serveEnv(t, served), "serve")
	first.await(t, servingLine)
	first.end(t, syscall.SIGTERM)

	for _, test := range []struct {
		name, want string
		env        []string
	}{
		{"a superuser", "is a superuser", serveEnv(t, db, "DATABASE_URL="+superuserURL(t))},
		{"the owner", "has BYPASSRLS", serveEnv(t, db, "DATABASE_URL="+db.OwnerURL)},
		{"the roles exchanged", "DATABASE_URL: ", serveEnv(t, db, "DATABASE_URL="+db.PlatformURL, "PLATFORM_DATABASE_URL="+db.AppURL)},
		{"an empty database", "run `web migrate`", serveEnv(t, empty)},
		{"another keyset", "KEYSET: this is not the keyset", serveEnv(t, served)},
		{"nobody there", "the server does not answer", serveEnv(t, db, "DATABASE_URL=postgres://app:hidden-0123@127.0.0.1:9/mooring?sslmode=disable")},
	} {
		p := startWeb(t, test.env, "serve")
		code := p.code(t)
		text := p.out.String()
		if code != 1 || !strings.Contains(text, test.want) || strings.Contains(text, "panic") || strings.Contains(text, "hidden-0123") {
			t.Errorf("%s: code %d, printed %s", test.name, code, text)
		}
	}
}

// superuserURL gives the superuser's address of a whole private cluster.
func superuserURL(t *testing.T) string {
	t.Helper()
	cluster, err := database.StartCluster(t.Context(), t.TempDir(), database.ClusterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cluster.Stop(t.Context()) })
	u, err := url.Parse(cluster.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/mooring"
	return u.String()
}

func TestEightReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	db := dbtest.NewEmpty(t)
	env := serveEnv(t, db, "MIGRATE_DATABASE_URL="+db.OwnerURL)
	var replicas []*process
	for range 8 {
		replicas = append(replicas, startWeb(t, env, "serve"))
	}
	migrated := 0
	for _, p := range replicas {
		base := "http://" + p.await(t, servingLine)[1]
		if status, _ := get(t, base+"/readyz"); status != http.StatusOK {
			t.Errorf("/readyz = %d", status)
		}
		migrated += strings.Count(p.out.String(), `"msg":"migrated"`)
	}
	if migrated != 1 {
		t.Errorf("%d replicas migrated, want 1", migrated)
	}
	var twice int
	err := db.Owner.QueryRow(t.Context(), `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`).Scan(&twice)
	if err != nil || twice != 0 {
		t.Errorf("%d migrations were applied twice, %v", twice, err)
	}
	for _, p := range replicas {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	for _, p := range replicas {
		if code := p.code(t); code != 0 {
			t.Errorf("code %d, want 0", code)
		}
	}
}

func TestMigrateSaysWhatItDid(t *testing.T) {
	t.Parallel()
	env := []string{"MIGRATE_DATABASE_URL=" + dbtest.NewEmpty(t).OwnerURL}
	first := startWeb(t, env, "migrate")
	if code := first.code(t); code != 0 || !strings.Contains(first.out.String(), "applied; the database is up to date") {
		t.Errorf("code %d, %s", code, first.out)
	}
	second := startWeb(t, env, "migrate")
	if code := second.code(t); code != 0 || second.out.String() != "The database is up to date.\n" {
		t.Errorf("code %d, %s", code, second.out)
	}
}

// Whatever a request carries, the log at its most talkative holds none of it, and none of the configured secrets.
func TestLogsHoldNoSecret(t *testing.T) {
	t.Parallel()
	const planted = "canary-0123456789"
	db := dbtest.New(t)
	env := serveEnv(t, db, "LOG_LEVEL=debug",
		"SMTP_URL=smtp://u:"+planted+"@127.0.0.1:9", "MAIL_FROM=m@mooring.example",
		"ASIABILL_CLIENT_ID=partner", "ASIABILL_CLIENT_SECRET="+planted)
	p := startWeb(t, env, "serve")
	base := "http://" + p.await(t, servingLine)[1]

	ask := func(method, path, body string) {
		t.Helper()
		req, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("User-Agent", planted)
		req.Header.Set("X-Request-Id", planted)
		req.Header.Set("Authorization", "Bearer "+planted)
		req.AddCookie(&http.Cookie{Name: "mooring-session", Value: planted + strings.Repeat("A", 43-len(planted))})
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	for _, path := range []string{"/", "/" + planted, "/login?next=/" + planted, "/overview", "/admin", "/connections/" + planted,
		"/oauth/asiabill/callback?code=" + planted + "&state=" + planted, "/oauth/" + planted + "/callback?code=" + planted,
		"/reset/" + planted, "/invitations/" + planted, "/static/" + planted + "/x.css"} {
		ask(http.MethodGet, path, "")
	}
	form := url.Values{"email": {"a@mooring.example"}, "password": {planted}, "business_name": {planted}}.Encode()
	for _, path := range []string{"/login", "/signup", "/forgot", "/reset/" + planted, "/connect/asiabill", "/webhooks/asiabill/" + planted} {
		ask(http.MethodPost, path, form)
		ask(http.MethodPost, path, "%zz="+planted)
		ask("BREW", path, planted)
	}
	ask(http.MethodPost, "/login", strings.Repeat(planted, 100_000))
	p.end(t, syscall.SIGTERM)

	text := p.out.String()
	if strings.Contains(text, planted) {
		t.Error("the log holds what was planted")
	}
	for _, secret := range []string{"only-for-tests", `"primaryKeyId"`} {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
	requests := 0
	for line := range strings.Lines(text) {
		var event struct{ Msg, Route string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Errorf("not one JSON value a line: %q", line)
		}
		if event.Msg == "request" {
			requests++
		}
	}
	if requests < 30 {
		t.Errorf("only %d requests left an event", requests)
	}
}

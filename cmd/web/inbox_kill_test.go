package main

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"mooring/internal/database/dbtest"
	"mooring/internal/simulator"
	"mooring/internal/simulator/redemption"
)

// quay is one program and a provider whose server calls it, at an address that stays while the program dies and comes
// back behind it.
type quay struct {
	*fleet
	provider *redemption.Simulator
	env      []string
	program  *process
	behind   atomic.Pointer[url.URL]
}

func newQuay(t *testing.T) *quay {
	t.Helper()
	q := &quay{fleet: &fleet{t: t, db: dbtest.New(t)}}
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(q.behind.Load()); r.Out.Host = r.In.Host },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	t.Cleanup(front.Close)
	q.bases = []string{strings.Replace(front.URL, "127.0.0.1", "localhost", 1)}

	sim, err := simulator.New(simulator.Options{RetryScale: 0.01}) // 150 ms, 300 ms, 1.8 s, 6 s, 12 s
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
	given, err := sim.Enrol("Mooring", func(string) string { return q.bases[0] })
	if err != nil {
		t.Fatal(err)
	}
	q.provider = sim.Redemption
	q.env = serveEnv(t, q.db, "OUTBOUND_ALLOW="+strings.TrimPrefix(at.Providers[redemption.Slug], "http://"), "PUBLIC_URL="+q.bases[0])
	for name, value := range given[redemption.Slug] {
		q.env = append(q.env, "REDEMPTION_"+name+"="+value)
	}
	q.start()
	return q
}

// start starts the program, again after it was killed.
func (q *quay) start() {
	q.t.Helper()
	q.program = startWeb(q.t, q.env, "serve")
	q.behind.Store(&url.URL{Scheme: "http", Host: q.program.await(q.t, servingLine)[1]})
}

// link presses Connect and gives the attempt's page and the link that was made.
func (q *quay) link(v *visitor) (attempt, link string) {
	q.t.Helper()
	status, attempt, body := v.send(http.MethodPost, q.bases[0]+"/connect/redemption", url.Values{
		"business_id": {"820260101002"}, "merchant_id": {"M10086022"}, "sign_type": {"MD5"}, "md5_key": {"lantern-and-leaf-5f2c7d"},
	})
	if status != http.StatusSeeOther || !strings.HasPrefix(attempt, "/attempts/") {
		q.t.Fatalf("asking for a link: %d to %q\n%s", status, attempt, body)
	}
	_, _, page := v.send(http.MethodGet, q.bases[0]+attempt, nil)
	found := regexp.MustCompile(`id="open-link" href="([^"]+)"`).FindStringSubmatch(page)
	if found == nil {
		q.t.Fatalf("the attempt's page shows no link:\n%s", page)
	}
	return attempt, html.UnescapeString(found[1])
}

// until looks again and again.
func (q *quay) until(what string, look func() bool) {
	q.t.Helper()
	for deadline := time.Now().Add(50 * time.Second); !look(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			q.t.Fatalf("never: %s; the provider's deliveries: %+v", what, q.provider.Deliveries())
		}
	}
}

// answered says whether the provider has been told SUCCESS.
func (q *quay) answered() bool {
	sent := q.provider.Deliveries()
	return len(sent) > 0 && sent[len(sent)-1].Outcome == "success"
}

// hold takes what the program will wait for, until release.
func (q *quay) hold(sql string) (release func()) {
	q.t.Helper()
	tx, err := q.db.Owner.Begin(q.t.Context())
	if err == nil {
		_, err = tx.Exec(q.t.Context(), sql)
	}
	if err != nil {
		q.t.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(q.t.Context()); err != nil {
			q.t.Error(err)
		}
	}
}

// waiting are the program's transactions that wait for what the test holds.
func (q *quay) waiting() []int32 {
	q.t.Helper()
	rows, err := q.db.App.Query(q.t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if err != nil {
		q.t.Fatal(err)
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		q.t.Fatal(err)
	}
	return pids
}

// killWaiting kills the program while it waits. What it asked PostgreSQL for is lost with it if undone is set; else it
// reached PostgreSQL whole, which carries it out and has nobody to tell.
func (q *quay) killWaiting(undone bool) {
	q.t.Helper()
	q.until("the program waits", func() bool { return len(q.waiting()) > 0 })
	q.program.end(q.t, syscall.SIGKILL)
	if !undone {
		return
	}
	for _, pid := range q.waiting() {
		if _, err := q.db.App.Exec(q.t.Context(), `SELECT pg_terminate_backend($1)`, pid); err != nil {
			q.t.Fatal(err)
		}
	}
	q.until("PostgreSQL has noticed", func() bool { return len(q.waiting()) == 0 })
}

func (q *quay) exec(sql string) {
	q.t.Helper()
	if _, err := q.db.Owner.Exec(q.t.Context(), sql); err != nil {
		q.t.Fatal(err)
	}
}

const (
	// holdAttempts lets a callback be stored, but not commit: the attempt that it spends is held.
	holdAttempts = `SELECT FROM attempts FOR NO KEY UPDATE`
	// holdJobs lets jobs be put in, but not be taken.
	holdJobs    = `SELECT pg_advisory_xact_lock(4711)`
	jobsAreHeld = `CREATE FUNCTION hold_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$;
		CREATE TRIGGER hold_jobs BEFORE UPDATE ON river.river_job FOR EACH ROW WHEN (OLD.kind = 'callback') EXECUTE FUNCTION hold_jobs()`
)

// TestKill_NoCallbackIsLostOrDoubled kills the program at each step between a provider's call and what comes of it.
func TestKill_NoCallbackIsLostOrDoubled(t *testing.T) {
	for _, c := range []struct {
		name  string
		kill  func(q *quay, agree func())
		tries int // of the provider, at least
	}{
		{"before it is stored", func(q *quay, agree func()) {
			release := q.hold(holdAttempts)
			agree()
			q.killWaiting(true)
			release()
			if n := q.count(`SELECT count(*) FROM inbox`); n != 0 || q.answered() {
				q.t.Errorf("%d callbacks are stored, answered: %v; want neither", n, q.answered())
			}
		}, 2},
		{"stored and not answered", func(q *quay, agree func()) {
			release := q.hold(holdAttempts)
			agree()
			q.killWaiting(false)
			release()
			q.until("the callback is stored", func() bool { return q.count(`SELECT count(*) FROM inbox`) == 1 })
			if q.answered() {
				q.t.Error("the callback was answered")
			}
		}, 2},
		{"answered and not begun", func(q *quay, agree func()) {
			q.exec(jobsAreHeld)
			release := q.hold(holdJobs)
			agree()
			q.until("the callback is answered", q.answered)
			q.killWaiting(true)
			release()
			q.exec(`DROP TRIGGER hold_jobs ON river.river_job`)
		}, 1},
		{"begun and not ended", func(q *quay, agree func()) {
			q.exec(jobsAreHeld)
			release := q.hold(holdJobs)
			agree()
			q.until("the callback is answered", q.answered)
			q.killWaiting(false)
			release()
			q.until("the job is taken", func() bool {
				return q.count(`SELECT count(*) FROM river.river_job WHERE kind = 'callback' AND state = 'running'`) == 1
			})
			q.exec(`DROP TRIGGER hold_jobs ON river.river_job`)
			// What river does when a job has run for three minutes.
			q.exec(`UPDATE river.river_job SET state = 'available' WHERE kind = 'callback' AND state = 'running'`)
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := newQuay(t)
			v := q.visitor()
			v.signUp("a@example.com", "tidewater-lantern-58")
			attempt, link := q.link(v)
			c.kill(q, func() {
				if err := q.provider.Agree(link, ""); err != nil {
					t.Fatal(err)
				}
			})
			q.start()
			q.appliedOnce(v, attempt)
			if sent := q.provider.Deliveries(); len(sent) < c.tries || !q.answered() {
				t.Errorf("the provider's deliveries: %+v; want at least %d, the last one answered", sent, c.tries)
			}
		})
	}
}

// appliedOnce waits until the person may confirm, confirms, and looks for anything lost or doubled.
func (q *quay) appliedOnce(v *visitor, attempt string) {
	q.t.Helper()
	q.until("it has come back", func() bool { return q.count(`SELECT count(*) FROM attempts WHERE status = 'returned'`) == 1 })
	q.until("the callback is answered", q.answered)
	if _, _, page := v.send(http.MethodGet, q.bases[0]+attempt, nil); !strings.Contains(page, `id="confirm"`) {
		q.t.Errorf("the page does not ask to confirm:\n%s", page)
	}
	status, connection, body := v.send(http.MethodPost, q.bases[0]+attempt+"/confirm", nil)
	if status != http.StatusSeeOther || !strings.HasPrefix(connection, "/connections/") {
		q.t.Fatalf("confirming: %d to %q\n%s", status, connection, body)
	}
	for what, sql := range map[string]string{
		"callbacks that were acted on": `SELECT count(*) FROM inbox WHERE state = 'processed' AND tries = 0 AND credential_sealed IS NULL`,
		"callbacks":                    `SELECT count(*) FROM inbox`,
		"jobs of callbacks":            `SELECT count(*) FROM river.river_job WHERE kind = 'callback'`,
		"events that it came back":     `SELECT count(*) FROM events WHERE kind = 'attempt.returned'`,
		"connections":                  `SELECT count(*) FROM connections`,
	} {
		if n := q.count(sql); n != 1 {
			q.t.Errorf("%d %s, want 1", n, what)
		}
	}
}

func TestSlowCallbackIsRefused(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	conn, err := net.Dial("tcp", q.behind.Load().Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	began := time.Now()
	fmt.Fprintf(conn, "POST /webhooks/redemption/%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", strings.Repeat("a", 43))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil) // the body's other 99 bytes never come
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if took := time.Since(began); resp.StatusCode != http.StatusRequestTimeout || took < 9*time.Second || took > 13*time.Second {
		t.Errorf("a body that stays away: %d after %s, want 408 after about 10 s", resp.StatusCode, took)
	}
}

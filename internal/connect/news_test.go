package connect_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

// quay is a harness whose provider sends news.
type quay struct {
	*harness
	m    *merchant
	conn uuid.UUID
}

func newQuay(t *testing.T) *quay {
	t.Helper()
	fake := &oauthtest.NewsFake{KeyFake: oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "newsy"}}}
	q := &quay{harness: newHarness(t, &fake.Fake, fake)}
	q.m = q.newMerchant()
	a := q.submit(nil)
	q.conn = *a.ResultConnection
	must(t, q.m.sync(q.conn))
	q.queue.take()
	q.clock.forward(time.Hour)
	return q
}

// submit pastes the key, for a new connection or the known one.
func (q *quay) submit(reconnect *uuid.UUID) models.Attempt {
	q.t.Helper()
	a, err := q.service.Submit(q.t.Context(), q.m.again(), connect.SubmitRequest{
		Provider: "newsy", UserID: q.m.user, SessionID: q.m.session, Reconnect: reconnect,
		Values: oauth.Values{oauthtest.KeyFakeID: secret.New("42"), oauthtest.KeyFakeSecret: secret.New("canary-key")},
	})
	must(q.t, err)
	if a.Status != models.Stored {
		q.t.Fatalf("connecting ended %s (%s)", a.Status, a.Reason)
	}
	return a
}

// take gives what was enqueued since, and forgets it.
func (q *queue) take() (syncs, callbacks []uuid.UUID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	syncs, callbacks = q.syncs, q.callbacks
	q.syncs, q.callbacks = nil, nil
	return syncs, callbacks
}

func (q *quay) view() *connect.NewsView {
	q.t.Helper()
	view, err := q.service.Show(q.t.Context(), q.m.again(), q.conn)
	must(q.t, err)
	return view.News
}

func (q *quay) say(s *connect.Service, address, body string) error {
	token := address[strings.LastIndex(address, "/")+1:]
	answer, err := s.Receive(q.t.Context(), q.store, connect.Incoming{Provider: "newsy", Token: secret.New(token), Body: []byte(body)})
	if err == nil && string(answer) != oauthtest.NewsFakeAnswer {
		q.t.Errorf("answered %q", answer)
	}
	return err
}

// work acts on every callback that waits, and gives the longest wait that one of them asks for.
func (q *quay) work() (wait time.Duration) {
	q.t.Helper()
	rows, err := q.db.Owner.Query(q.t.Context(), `SELECT id FROM inbox WHERE state = 'waiting'`)
	must(q.t, err)
	var due []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		must(q.t, rows.Scan(&id))
		due = append(due, id)
	}
	must(q.t, rows.Err())
	for _, id := range due {
		more, err := q.service.Process(q.t.Context(), q.store.ForTenant(q.m.tenant, models.Actor{Kind: models.System}), id)
		must(q.t, err)
		wait = max(wait, more)
	}
	return wait
}

func (q *quay) states() (list string) {
	q.t.Helper()
	must(q.t, q.db.Owner.QueryRow(q.t.Context(), `SELECT coalesce(string_agg(state || ' ' || calls, ', ' ORDER BY id), '') FROM inbox`).Scan(&list))
	return list
}

// read runs the syncs that were asked for, and counts them.
func (q *quay) read() int {
	q.t.Helper()
	syncs, _ := q.queue.take()
	for _, id := range syncs {
		must(q.t, q.m.sync(id))
	}
	return len(syncs)
}

func TestNews_MakesTheConnectionBeReadAgain(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	address := q.view().URL
	if !strings.HasPrefix(address, publicURL+"/webhooks/newsy/") || len(address) != len(publicURL+"/webhooks/newsy/")+43 {
		t.Fatalf("the address is %q, want 256 bits below the provider", address)
	}
	must(t, q.say(q.service, address, "card 1 is frozen"))
	if n := q.count(`SELECT count(*) FROM inbox WHERE NOT verified AND connection_id = $1`, q.conn); n != 1 {
		t.Fatalf("%d callbacks stored as not verified, want 1", n)
	}
	if wait := q.work(); wait != 0 || q.states() != "processed 1" {
		t.Errorf("acting on it: wait %s, %s", wait, q.states())
	}
	if n := q.read(); n != 1 {
		t.Errorf("%d readings, want 1", n)
	}
	if q.m.connection(q.conn).State != models.Connected {
		t.Error("the connection is not as it was")
	}
}

func TestNews_AFloodIsOneReadingAMinute(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	address, replicas := q.view().URL, []*connect.Service{q.service, q.replica()}
	flood := func(times int) {
		var all sync.WaitGroup
		for i := range times {
			all.Go(func() {
				if err := q.say(replicas[i%2], address, "the same"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	flood(1000)
	if got := q.states(); got != "waiting 1000" {
		t.Fatalf("a thousand calls became %q", got)
	}
	q.work()
	if n := q.read(); n != 1 {
		t.Errorf("%d readings, want 1", n)
	}
	flood(50)
	if wait := q.work(); wait <= 0 || wait > time.Minute || q.read() != 0 {
		t.Errorf("at once again: wait %s", wait)
	}
	q.clock.forward(time.Minute)
	if wait := q.work(); wait != 0 || q.read() != 1 {
		t.Errorf("a minute later: wait %s", wait)
	}
	if got := q.states(); got != "processed 1000, processed 50" {
		t.Errorf("in the end %q", got)
	}
}

func TestNews_DuringAReadingBringsAnother(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	q.exec(`UPDATE connections SET sync_state = 'running', sync_since = $1`, q.clock.now())
	must(t, q.say(q.service, q.view().URL, "late"))
	if wait := q.work(); wait <= 0 || q.states() != "waiting 1" {
		t.Errorf("while it is being read: wait %s, %s", wait, q.states())
	}
	q.exec(`UPDATE connections SET sync_state = 'queued'`)
	if wait := q.work(); wait != 0 || q.read() != 0 || q.states() != "processed 1" {
		t.Errorf("a reading that has not begun is enough: wait %s, %s", wait, q.states())
	}
}

// TestNews_EveryOrderEndsInOneState sends six callbacks in each of their 720 orders, acting on them now and then.
func TestNews_EveryOrderEndsInOneState(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	address := q.view().URL
	order := 0
	permute([]string{"opened", "reviewed", "recharged", "withdrawn", "frozen", "closed"}, func(said []string) {
		q.exec(`DELETE FROM inbox`)
		readings := 0
		for i, body := range said {
			must(t, q.say(q.service, address, body))
			if (order+i)%4 == 0 {
				q.work()
				readings += q.read()
			}
		}
		q.clock.forward(2 * time.Minute)
		q.work()
		readings += q.read()
		var calls, open int
		must(t, q.db.Owner.QueryRow(t.Context(), `SELECT sum(calls), count(*) FILTER (WHERE state <> 'processed') FROM inbox`).Scan(&calls, &open))
		if calls != 6 || open != 0 || readings < 1 || readings > 2 {
			t.Fatalf("order %d %v: %d calls, %d open, %d readings", order, said, calls, open, readings)
		}
		if c := q.m.connection(q.conn); c.State != models.Connected || c.SyncState != models.SyncIdle {
			t.Fatalf("order %d: the connection is %s, %s", order, c.State, c.SyncState)
		}
		q.clock.forward(2 * time.Minute)
		order++
	})
	if n := q.count(`SELECT count(DISTINCT (block, version)) FROM snapshots`); order != 720 || n != 5 {
		t.Errorf("%d orders left %d versions", order, n)
	}
}

func permute(said []string, each func([]string)) {
	var walk func(n int)
	walk = func(n int) {
		if n == len(said) {
			each(said)
			return
		}
		for i := n; i < len(said); i++ {
			said[n], said[i] = said[i], said[n]
			walk(n + 1)
			said[n], said[i] = said[i], said[n]
		}
	}
	walk(0)
}

func TestNews_OfADisconnectedConnectionIsParkedAndJoins(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	address := q.view().URL
	must(t, q.say(q.service, address, "before"))
	must(t, q.service.Disconnect(t.Context(), q.m.again(), q.conn, false))
	q.work()
	must(t, q.say(q.service, address, "after"))
	if got := q.states(); got != "parked 2" || q.read() != 0 || q.view() != nil {
		t.Fatalf("disconnected: %q", got)
	}
	if c := q.m.connection(q.conn); c.State != models.Disconnected {
		t.Errorf("the connection is %s", c.State)
	}
	q.submit(&q.conn)
	if got := q.states(); got != "processed 2" || q.read() != 1 {
		t.Errorf("reconnected: %q", got)
	}
	if q.view().URL != address {
		t.Error("a reconnection changed the address")
	}
	must(t, q.service.Disconnect(t.Context(), q.m.again(), q.conn, false))
	must(t, q.say(q.service, address, "too early"))
	q.clock.forward(25 * time.Hour)
	_, err := q.store.Sweep(t.Context())
	must(t, err)
	if n := q.count(`SELECT count(*) FROM inbox WHERE state = 'discarded' AND reason = 'parked_long' AND body_sealed = ''`); n != 1 {
		t.Errorf("after a day: %s", q.states())
	}
}

func TestNews_TheAddressIsRenewedWithADayForTheOldOne(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	old := q.view()
	renew := func(before uuid.UUID) {
		t.Helper()
		must(t, q.service.RenewAddress(t.Context(), q.m.again(), q.conn, before))
	}
	renew(old.ID)
	renew(old.ID) // pressed twice
	fresh := q.view()
	if fresh.URL == old.URL || fresh.OldUntil.IsZero() {
		t.Fatalf("renewed: %+v", fresh)
	}
	renew(fresh.ID) // the old one is still answered: at most two are
	if again := q.view(); again.URL != fresh.URL {
		t.Error("renewed while the old address was still open")
	}
	for _, address := range []string{old.URL, fresh.URL} {
		must(t, q.say(q.service, address, "news"))
	}
	q.clock.forward(24 * time.Hour)
	if err := q.say(q.service, old.URL, "news"); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("the old one after a day: %v", err)
	}
	must(t, q.say(q.service, fresh.URL, "news"))
	renew(fresh.ID)
	must(t, q.service.EndAddress(t.Context(), q.m.again(), q.conn))
	must(t, q.service.EndAddress(t.Context(), q.m.again(), q.conn))
	if err := q.say(q.service, fresh.URL, "news"); errs.CodeOf(err) != errs.NotFound || !q.view().OldUntil.IsZero() {
		t.Errorf("ended at once: %v", err)
	}
	if n := q.count(`SELECT count(*) FROM events WHERE kind LIKE 'callback.address_%'`); n != 3 {
		t.Errorf("%d events, want two renewals and one end", n)
	}
	q.clock.forward(24 * time.Hour)
	_, err := q.store.Sweep(t.Context())
	must(t, err)
	if n := q.count(`SELECT count(*) FROM callback_addresses`); n != 1 {
		t.Errorf("%d addresses are kept", n)
	}
}

func TestNews_OneAddressIsOneConnections(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	address := q.view().URL
	stranger := q.newMerchant()
	if _, err := q.service.Show(t.Context(), stranger.again(), q.conn); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a stranger looks: %v", err)
	}
	if err := q.service.RenewAddress(t.Context(), stranger.again(), q.conn, q.view().ID); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a stranger renews: %v", err)
	}
	for name, in := range map[string]connect.Incoming{
		"another provider": {Provider: "other", Token: secret.New(address[len(address)-43:]), Body: []byte("x")},
		"nothing said":     {Provider: "newsy", Token: secret.New(address[len(address)-43:])},
		"another token":    {Provider: "newsy", Token: secret.New(strings.Repeat("a", 43)), Body: []byte("x")},
	} {
		if _, err := q.service.Receive(t.Context(), q.store, in); errs.CodeOf(err) != errs.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if q.states() != "" {
		t.Errorf("stored: %s", q.states())
	}
	must(t, q.say(q.service, address, "canary-body"))
	var dump string
	must(t, q.db.Owner.QueryRow(t.Context(), `SELECT string_agg(line, '') FROM (SELECT a::text AS line FROM callback_addresses a UNION ALL SELECT i::text FROM inbox i) l`).Scan(&dump))
	for _, value := range []string{address[len(address)-43:], "canary-body"} {
		if strings.Contains(dump, value) || strings.Contains(dump, hexOf(value)) {
			t.Errorf("%q can be read in the database", value)
		}
	}
	q.exec(`UPDATE callback_addresses SET token_hash = 'moved'`)
	if q.view().URL != "" {
		t.Error("a token that is not the address's is shown")
	}
}

func TestNews_AConnectionOfBeforeGetsItsAddressWhenAskedFor(t *testing.T) {
	t.Parallel()
	q := newQuay(t)
	q.exec(`DELETE FROM callback_addresses`)
	if view := q.view(); view == nil || view.URL != "" {
		t.Fatalf("without an address: %+v", view)
	}
	must(t, q.service.RenewAddress(t.Context(), q.m.again(), q.conn, uuid.Nil))
	must(t, q.service.RenewAddress(t.Context(), q.m.again(), q.conn, uuid.Nil))
	must(t, q.say(q.service, q.view().URL, "news"))
}

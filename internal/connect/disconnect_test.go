package connect_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// leaver is a merchant of a provider that can be told, with one connection.
type leaver struct {
	*harness
	m    *merchant
	conn uuid.UUID
}

func newLeaver(t *testing.T, fake *oauthtest.Fake) *leaver {
	t.Helper()
	l := &leaver{harness: newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})}
	fake.Set(func(f *oauthtest.Fake) { f.Now = l.clock.now })
	l.m = l.newMerchant()
	l.conn = l.m.connected("12345").ID
	must(t, l.m.sync(l.conn))
	return l
}

func (l *leaver) disconnect(erase bool) {
	l.t.Helper()
	must(l.t, l.service.Disconnect(l.t.Context(), l.m.again(), l.conn, erase))
}

// due claims what has fallen due, as the due work does, and acts on it.
func (l *leaver) due(kind string, act func(ctx context.Context, st *models.TenantStore, id uuid.UUID) error) (claimed int) {
	l.t.Helper()
	rows, err := l.db.App.Query(l.t.Context(), `SELECT tenant_id, id FROM claim_due_`+kind+`($1, 100)`, l.clock.now())
	must(l.t, err)
	var due [][2]uuid.UUID
	for rows.Next() {
		var one [2]uuid.UUID
		must(l.t, rows.Scan(&one[0], &one[1]))
		due = append(due, one)
	}
	must(l.t, rows.Err())
	for _, one := range due {
		must(l.t, act(l.t.Context(), l.store.ForTenant(one[0], models.Actor{Kind: models.System}), one[1]))
	}
	return len(due)
}

func (l *leaver) show() connect.ConnectionView {
	l.t.Helper()
	view, err := l.service.Show(l.t.Context(), l.m.again(), l.conn)
	must(l.t, err)
	return view
}

func TestDisconnect_DestroysTheCredentialAndKeepsTheData(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	l.disconnect(false)
	if n := l.count(`SELECT count(*) FROM credentials`); n != 0 {
		t.Error("the credential is still there")
	}
	l.disconnect(true) // twice is harmless, and does not change what was chosen
	if c := l.m.connection(l.conn); c.EraseAt != nil {
		t.Error("a second press had the data erased")
	}
	before := l.fake.Calls(oauthtest.OpMerchant)
	if err := l.m.sync(l.conn); err != nil || l.fake.Calls(oauthtest.OpMerchant) != before {
		t.Errorf("a sync after disconnecting asked the provider (%v)", err)
	}
	if err := l.service.RequestSync(t.Context(), l.m.again(), l.conn); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("asking for a sync after disconnecting: %v, want conflict", err)
	}
	if view := l.show(); view.State != models.Disconnected || !view.Blocks[0].Fetched() || !view.Telling() {
		t.Errorf("the page shows %s, data %v, revocation %+v", view.State, view.Blocks[0].Fetched(), view.Revocation)
	}
	if n := l.due("revocations", l.service.Revoke); n != 1 || l.fake.Calls(oauthtest.OpRevoke) != 1 {
		t.Errorf("%d revocations fell due, the provider was told %d times", n, l.fake.Calls(oauthtest.OpRevoke))
	}
	if r := l.show().Revocation; r == nil || r.State != models.RevocationConfirmed || r.EndedAt == nil {
		t.Errorf("confirmed by the provider, the page shows %+v", r)
	}
	if n := l.count(`SELECT count(*) FROM revocations WHERE sealed IS NOT NULL`); n != 0 {
		t.Error("what was needed to revoke outlives it")
	}
	if again := l.m.connected("12345"); again.ID != l.conn || again.State != models.Connected {
		t.Errorf("connecting again gave %v (%s), want %v connected", again.ID, again.State, l.conn)
	}
	if view := l.show(); view.Revocation != nil {
		t.Errorf("connected again, the page still tells of %+v", view.Revocation)
	}
}

func TestRevoke_IsRepeatedUntilItIsConfirmedOrTheTimeIsOver(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fails int // tries that fail; negative: all
		want  models.RevocationState
		event string
	}{
		"confirmed at the fourth try": {3, models.RevocationConfirmed, "connection.revoked"},
		"never confirmed":             {-1, models.RevocationGivenUp, "connection.revoke_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			l := newLeaver(t, &oauthtest.Fake{OnRevoke: func(context.Context, oauth.Credential) error {
				if tries++; tc.fails < 0 || tries <= tc.fails {
					return &oauth.Error{Provider: "fake", Kind: oauth.Upstream}
				}
				return nil
			}})
			began := l.clock.now()
			l.disconnect(false)
			for l.count(`SELECT count(*) FROM revocations WHERE state = 'waiting'`) == 1 {
				if l.clock.now().Sub(began) > 4*24*time.Hour {
					t.Fatal("nobody gives up")
				}
				l.due("revocations", l.service.Revoke)
				if r := l.show().Revocation; r.State == models.RevocationWaiting {
					if r.Reason != "upstream" || r.Tries != tries || r.NextAt == nil {
						t.Fatalf("after %d tries the page shows %+v", tries, r)
					}
					if n := l.due("revocations", l.service.Revoke); n != 0 {
						t.Fatal("it fell due before its time")
					}
					l.clock.forward(r.NextAt.Sub(l.clock.now()))
				}
			}
			if r := l.show().Revocation; r.State != tc.want {
				t.Errorf("it ended %s after %d tries in %s, want %s", r.State, tries, l.clock.now().Sub(began), tc.want)
			}
			if tc.fails < 0 && (l.clock.now().Sub(began) < 2*24*time.Hour || tries > 40) {
				t.Errorf("given up after %d tries in %s", tries, l.clock.now().Sub(began))
			}
			if n := l.count(`SELECT count(*) FROM revocations WHERE sealed IS NOT NULL`); n != 0 {
				t.Error("what was needed to revoke outlives it")
			}
			if !slices.Contains(l.m.eventKinds(), tc.event) {
				t.Errorf("the history does not tell %s", tc.event)
			}
		})
	}
}

func TestRevoke_SaysWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil) // one that cannot be told
	m := h.newMerchant()
	c := m.connected("12345")
	must(t, h.service.Disconnect(t.Context(), m.again(), c.ID, false))
	view, err := h.service.Show(t.Context(), m.again(), c.ID)
	if err != nil || view.Revocation == nil || view.Revocation.State != models.RevocationNoWay {
		t.Errorf("%+v, %v; want no_way", view.Revocation, err)
	}
	if n := h.count(`SELECT count(*) FROM revocations WHERE sealed IS NOT NULL`); n != 0 {
		t.Error("a credential is kept although nobody can be told with it")
	}

	l := newLeaver(t, &oauthtest.Fake{})
	l.exec(`UPDATE credentials SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)`)
	l.disconnect(false)
	if r := l.show().Revocation; r.State != models.RevocationUnreadable {
		t.Errorf("a credential that does not open: %s, want unreadable", r.State)
	}
}

// TestDisconnect_ARefreshInFlightBringsNoTokenBack blocks the provider in the middle of a refresh, disconnects, and lets
// it answer then.
func TestDisconnect_ARefreshInFlightBringsNoTokenBack(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{Lifetime: time.Hour})
	entered, release := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	revoked := map[string]bool{}
	l.fake.Set(func(f *oauthtest.Fake) {
		f.OnRefresh = func(context.Context, oauth.Credential) (oauth.Credential, error) {
			close(entered)
			<-release
			return l.fake.Credential("12345"), nil
		}
		f.OnRevoke = func(_ context.Context, cred oauth.Credential) error {
			mu.Lock()
			defer mu.Unlock()
			revoked[cred.AccessToken.Reveal()] = true
			return nil
		}
	})
	l.clock.forward(58 * time.Minute)
	done := make(chan error, 1)
	go func() { done <- l.m.sync(l.conn) }()
	<-entered
	reads := l.fake.Calls(oauthtest.OpMerchant)
	l.disconnect(false)
	close(release)
	<-done // however it ended: there is nothing to try again
	if n := l.count(`SELECT count(*) FROM credentials`); n != 0 {
		t.Fatal("a token reappeared")
	}
	if c := l.m.connection(l.conn); c.State != models.Disconnected {
		t.Errorf("the connection is %s", c.State)
	}
	if l.fake.Calls(oauthtest.OpMerchant) != reads {
		t.Error("something was read after the disconnection")
	}
	l.due("revocations", l.service.Revoke)
	if len(revoked) != 2 {
		t.Errorf("%d tokens were revoked, want the old one and the one that came too late", len(revoked))
	}
}

func TestErase_CanBeUndoneForThirtyDays(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	snapshots := func() int { return l.count(`SELECT count(*) FROM snapshots`) }
	all := snapshots()
	l.disconnect(true)
	c := l.m.connection(l.conn)
	if c.EraseAt == nil || c.EraseAt.Sub(c.StateSince) != 30*24*time.Hour {
		t.Fatalf("erased at %v, want 30 days after %s", c.EraseAt, c.StateSince)
	}
	l.clock.forward(29 * 24 * time.Hour)
	if n := l.due("erasures", l.service.Erase); n != 0 || snapshots() != all {
		t.Fatal("erased before its time")
	}
	must(t, l.service.Erase(t.Context(), l.m.again(), l.conn)) // nor by a job that comes too early
	must(t, l.service.UndoErasure(t.Context(), l.m.again(), l.conn))
	l.clock.forward(2 * 24 * time.Hour)
	if n := l.due("erasures", l.service.Erase); n != 0 || snapshots() != all {
		t.Fatal("erased although it was undone")
	}
	if err := l.service.UndoErasure(t.Context(), l.m.again(), l.conn); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("undone twice: %v, want conflict", err)
	}

	must(t, l.service.PlanErasure(t.Context(), l.m.again(), l.conn))
	l.clock.forward(30*24*time.Hour + time.Second)
	if err := l.service.UndoErasure(t.Context(), l.m.again(), l.conn); errs.CodeOf(err) != errs.Conflict {
		t.Errorf("undone after its time: %v, want conflict", err)
	}
	if n := l.due("erasures", func(context.Context, *models.TenantStore, uuid.UUID) error { return nil }); n != 1 {
		t.Fatalf("%d fell due, want 1", n)
	}
	if n := l.due("erasures", l.service.Erase); n != 0 {
		t.Fatal("given to two at once")
	}
	l.clock.forward(11 * time.Minute) // the first one has died
	if n := l.due("erasures", l.service.Erase); n != 1 || snapshots() != 0 {
		t.Fatalf("%d fell due again, %d versions are left", n, snapshots())
	}
	view := l.show()
	if view.ErasedAt == nil || view.AccountName != "" || view.Blocks[0].Fetched() || view.State != models.Disconnected {
		t.Errorf("after it the page shows %s, %q, data %v", view.State, view.AccountName, view.Blocks[0].Fetched())
	}
	if n := l.count(`SELECT count(*) FROM connections WHERE length(account_sealed) > 0`); n != 0 {
		t.Error("the account's name outlives the data")
	}
	kinds := l.m.eventKinds()
	for _, want := range []string{"connection.erase_planned", "connection.erase_undone", "connection.erased"} {
		if !slices.Contains(kinds, want) {
			t.Errorf("the history does not tell %s", want)
		}
	}
	l.m.connected("12345")
	must(t, l.m.sync(l.conn))
	if view := l.show(); view.State != models.Connected || view.ErasedAt != nil || !view.Blocks[0].Fetched() {
		t.Errorf("connected again: %s (%s), data %v", view.State, view.Reason, view.Blocks[0].Fetched())
	}
}

func TestErase_ReconnectingKeepsTheData(t *testing.T) {
	t.Parallel()
	l := newLeaver(t, &oauthtest.Fake{})
	l.disconnect(true)
	l.m.connected("12345")
	l.clock.forward(31 * 24 * time.Hour)
	if n := l.due("erasures", l.service.Erase); n != 0 {
		t.Error("a connection that stands fell due to be erased")
	}
	if !l.show().Blocks[0].Fetched() {
		t.Error("its data is gone")
	}
}

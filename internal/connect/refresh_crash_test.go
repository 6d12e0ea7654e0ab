package connect_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// killed leaves what a program leaves that is killed while it asks for new tokens: the lease, the note, and nobody to go
// on. rotated says whether the provider had changed the tokens by then.
func (m *merchant) killed(provider *strict, c models.Connection, rotated bool) {
	m.h.t.Helper()
	ctx := m.h.t.Context()
	held, err := m.again().Credential(ctx, c.ID)
	must(m.h.t, err)
	_, err = m.again().LeaseCredential(ctx, held, m.h.clock.now().Add(30*time.Second), true)
	must(m.h.t, err)
	if !rotated {
		return
	}
	must(m.h.t, m.h.service.Use(ctx, m.again(), c.ID, func(_ context.Context, cred oauth.Credential) error {
		_, err := provider.rotate(m.h.fake, cred)
		return err
	}))
}

func TestRefresh_AfterAKillThereIsOneMarkedRecovery(t *testing.T) {
	t.Parallel()
	for name, rotated := range map[string]bool{"before the provider was reached": false, "after the provider had changed the tokens": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, provider := renewing(t)
			m := h.newMerchant()
			c := m.connected("12345")
			m.killed(provider, c, rotated)
			if _, err := m.use(h.service, c.ID); err != nil {
				t.Errorf("under the dead one's lease the token that is still good is used: %v", err)
			}
			if calls, _ := provider.count(); calls != 0 {
				t.Errorf("%d calls under somebody else's lease", calls)
			}
			h.clock.forward(31 * time.Second)
			for range 3 {
				_, _ = m.use(h.service, c.ID)
			}
			calls, most := provider.count()
			got, kinds := m.connection(c.ID), m.eventKinds()
			if calls != 1 {
				t.Errorf("%d recoveries, want 1", calls)
			}
			if rotated {
				if most != 2 || got.State != models.NeedsYou || !slices.Contains(kinds, "connection.needs_you") {
					t.Errorf("used %d times, %s, %v", most, got.State, kinds)
				}
			} else if most != 1 || got.State != models.Connected || !slices.Contains(kinds, "connection.refresh_recovered") {
				t.Errorf("used %d times, %s, %v", most, got.State, kinds)
			}
		})
	}
}

// A holder that was stopped and wakes up after its lease finds its number passed: what it brings is not kept.
func TestRefresh_APausedHolderIsRejectedWhenItWrites(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	other := h.replica()
	h.clock.forward(2 * time.Minute)
	hold := make(chan struct{})
	provider.set(func(s *strict) { s.hold = hold })
	var paused string
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		if paused, err = m.use(h.service, c.ID); err != nil {
			t.Error("the paused holder's own reading:", err)
		}
	})
	<-provider.entered
	h.clock.forward(31 * time.Second)
	provider.set(func(s *strict) { s.hold = nil })
	now, err := m.use(other, c.ID)
	must(t, err)
	close(hold)
	wg.Wait()
	if got := m.connection(c.ID); got.CredentialVersion != 2 || got.State != models.Connected {
		t.Errorf("v%d %s after the paused holder wrote, want v2 connected", got.CredentialVersion, got.State)
	}
	if paused != now {
		t.Error("the paused holder read with a token that nobody keeps")
	}
}

func TestRefresh_NothingReappearsAfterDisconnecting(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	h.clock.forward(2 * time.Minute)
	hold := make(chan struct{})
	provider.set(func(s *strict) { s.hold, s.after = hold, true })
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := m.use(h.service, c.ID); !notFound(err) {
			t.Errorf("a reading of a disconnected account: %v", err)
		}
	})
	<-provider.entered
	must(t, h.service.Disconnect(t.Context(), m.again(), c.ID, false))
	close(hold)
	wg.Wait()
	if n := h.count(`SELECT count(*) FROM credentials`); n != 0 {
		t.Error("a credential reappeared")
	}
	if got := m.connection(c.ID); got.State != models.Disconnected {
		t.Errorf("the connection is %s", got.State)
	}
	if n := h.count(`SELECT count(*) FROM revocations WHERE state = 'waiting'`); n != 2 {
		t.Errorf("%d tokens are to be given back, want the old one and the one that came too late", n)
	}
}

func TestRefresh_AReconnectInFlightWins(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	h.clock.forward(2 * time.Minute)
	hold := make(chan struct{})
	provider.set(func(s *strict) { s.hold, s.after = hold, true })
	var late string
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		if late, err = m.use(h.service, c.ID); err != nil {
			t.Error(err)
		}
	})
	<-provider.entered
	m.connected("12345")
	now, err := m.use(h.service, c.ID)
	must(t, err)
	close(hold)
	wg.Wait()
	if again, err := m.use(h.service, c.ID); err != nil || again != now || late != now {
		t.Errorf("the reconnected credential was replaced by one from before: %v", err)
	}
	if got := m.connection(c.ID); got.CredentialVersion != 2 {
		t.Errorf("v%d, want v2", got.CredentialVersion)
	}
}

// refresh is what the job of a credential that fell due does.
func (m *merchant) refresh(c models.Connection) error {
	return m.h.service.Refresh(m.h.t.Context(), m.h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), c.ID)
}

// due says when somebody is to look at the credential without being asked; no: never.
func (m *merchant) due(c models.Connection) (at time.Time, ever bool) {
	m.h.t.Helper()
	var next *time.Time
	must(m.h.t, m.h.db.Owner.QueryRow(m.h.t.Context(), `SELECT next_refresh_at FROM credentials WHERE connection_id = $1`, c.ID).Scan(&next))
	if next == nil {
		return time.Time{}, false
	}
	return *next, true
}

// Where nobody reads, what a killed program has left is settled all the same, and within a minute.
func TestRefresh_AKillIsSettledThoughNobodyReads(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	m := h.newMerchant()
	c := m.connected("12345")
	if _, ever := m.due(c); ever {
		t.Error("a token of a minute is due by the clock")
	}
	began := h.clock.now()
	m.killed(provider, c, true)
	at, ever := m.due(c)
	if !ever || at.Sub(began) > 45*time.Second {
		t.Fatalf("nobody looks before %v", at)
	}
	h.clock.forward(at.Sub(began))
	must(t, m.refresh(c))
	if got := m.connection(c.ID); got.State != models.NeedsYou || got.Reason != string(oauth.NeedsReauth) {
		t.Errorf("the connection is %s (%s)", got.State, got.Reason)
	}
	if _, ever := m.due(c); ever {
		t.Error("it is looked at again")
	}
}

func TestRefresh_ALongTokenIsRenewedByTheClockAndAShortOneIsNot(t *testing.T) {
	t.Parallel()
	for life, timed := range map[time.Duration]bool{time.Minute: false, 9 * time.Minute: false, time.Hour: true, 90 * 24 * time.Hour: true} {
		h, provider := renewing(t)
		h.fake.Set(func(f *oauthtest.Fake) { f.Lifetime = life })
		m := h.newMerchant()
		c := m.connected("12345")
		for round := range 3 {
			at, ever := m.due(c)
			if ever != timed {
				t.Fatalf("%v: due by the clock: %v", life, ever)
			}
			if !timed {
				break
			}
			if left := h.clock.now().Add(life).Sub(at); left < 4*time.Minute || left > 5*time.Minute {
				t.Errorf("%v: renewed %v before its end", life, left)
			}
			must(t, m.refresh(c)) // called before its time it does nothing
			h.clock.forward(at.Sub(h.clock.now()))
			must(t, m.refresh(c))
			if calls, most := provider.count(); calls != round+1 || most != 1 {
				t.Errorf("%v: %d calls after %d rounds, a token used %d times", life, calls, round+1, most)
			}
		}
	}
}

// A failure by the clock rests longer and longer, keeps its own time, and takes nothing from who reads.
func TestRefresh_AFailureByTheClockHasItsNextTime(t *testing.T) {
	t.Parallel()
	h, provider := renewing(t)
	h.fake.Set(func(f *oauthtest.Fake) { f.Lifetime = time.Hour })
	m := h.newMerchant()
	c := m.connected("12345")
	at, _ := m.due(c)
	h.clock.forward(at.Sub(h.clock.now()))
	down := &oauth.Error{Provider: "fake", Kind: oauth.Upstream}
	provider.set(func(s *strict) { s.answers = []error{down, down, down} })
	last := time.Duration(0)
	for range 3 {
		must(t, m.refresh(c))
		next, ever := m.due(c)
		rest := next.Sub(h.clock.now())
		if !ever || rest <= last || rest > time.Minute {
			t.Fatalf("the next try is in %v, after one in %v", rest, last)
		}
		if _, err := m.use(h.service, c.ID); err != nil {
			t.Error("a reading meanwhile:", err)
		}
		last = rest
		h.clock.forward(rest)
	}
	must(t, m.refresh(c))
	if calls, _ := provider.count(); calls != 4 {
		t.Errorf("%d calls, want 4", calls)
	}
	if kinds := m.eventKinds(); !slices.Contains(kinds, "connection.refresh_failed") || kinds[0] != "connection.refresh_recovered" {
		t.Errorf("the history is %v", kinds)
	}
}

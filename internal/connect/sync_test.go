package connect_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestSync_ReadsEveryBlockAndKeepsVersions(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	must(t, m.sync(c.ID))

	view, err := h.service.Show(t.Context(), m.again(), c.ID)
	must(t, err)
	if len(view.Blocks) != 5 {
		t.Fatalf("%d blocks, want 5", len(view.Blocks))
	}
	for _, b := range view.Blocks {
		if !b.Fetched() {
			t.Errorf("%s was not fetched", b.Block)
		}
	}
	if view.SyncState != models.SyncIdle || view.SyncDone != 5 || view.SyncTotal != 5 || view.SyncedAt == nil {
		t.Errorf("sync = %s %d/%d", view.SyncState, view.SyncDone, view.SyncTotal)
	}
	if n := h.count(`SELECT count(*) FROM snapshots`); n != 5 {
		t.Errorf("%d versions after two equal syncs, want 5", n)
	}
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{Data: oauth.Merchant{ID: "12345", Name: "Renamed"}, Raw: []byte(`{}`)}, nil
		}
	})
	must(t, m.sync(c.ID))
	if n := h.count(`SELECT count(*) FROM snapshots WHERE block = 'merchant'`); n != 2 {
		t.Errorf("%d versions of the merchant after a change, want 2", n)
	}
	view, err = h.service.Show(t.Context(), m.again(), c.ID)
	must(t, err)
	if view.Blocks[0].Merchant.Name != "Renamed" {
		t.Errorf("the page shows %q", view.Blocks[0].Merchant.Name)
	}
}

func TestSync_FailuresSayWhoMustAct(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	const never, soon, ordinary = 0, 10 * time.Second, time.Hour
	for _, tc := range []struct {
		kind oauth.Kind
		want models.State
		next time.Duration
	}{
		{oauth.NeedsReauth, models.NeedsYou, never},
		{oauth.Permission, models.NeedsYou, ordinary},
		{oauth.ClockSkew, models.Ours, ordinary},
		{oauth.AuthConfig, models.Ours, ordinary},
		{oauth.Upstream, models.Provider, soon},
		{oauth.RateLimited, models.Provider, time.Minute},
		{oauth.BadResponse, models.Provider, 5 * time.Minute},
		{oauth.NotFound, models.Connected, ordinary},
		{oauth.Upstream, models.Provider, soon},
	} {
		h.fake.Set(func(f *oauthtest.Fake) {
			f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
				return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: tc.kind}
			}
		})
		must(t, m.sync(c.ID))
		got := m.connection(c.ID)
		if got.State != tc.want || got.SyncState != models.SyncIdle {
			t.Errorf("%s: %s (%s), %s; want %s", tc.kind, got.State, got.Reason, got.SyncState, tc.want)
		}
		h.wantNext(string(tc.kind), got, tc.next)
	}
	h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = nil })
	must(t, m.sync(c.ID))
	if got := m.connection(c.ID); got.State != models.Connected || got.Reason != "" {
		t.Errorf("a success left %s (%s)", got.State, got.Reason)
	}
}

// wantNext looks when the connection is fetched next: after so long, or a little later.
func (h *harness) wantNext(what string, c models.Connection, after time.Duration) {
	h.t.Helper()
	switch {
	case after == 0 && c.NextSyncAt != nil:
		h.t.Errorf("%s: the next try is at %v, want none by itself", what, c.NextSyncAt)
	case after == 0:
	case c.NextSyncAt == nil:
		h.t.Errorf("%s: there is no next try", what)
	default:
		if rest := c.NextSyncAt.Sub(h.clock.now()); rest < after-time.Second || rest > after+after/5+time.Second {
			h.t.Errorf("%s: the next try is in %v, want %v or a little more", what, rest, after)
		}
	}
}

func TestSync_AProviderSaysHowLongToRest(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	for asked, want := range map[time.Duration]time.Duration{
		3 * time.Minute: 3 * time.Minute, 1000 * time.Hour: time.Hour, time.Millisecond: 10 * time.Second,
	} {
		h.fake.Set(func(f *oauthtest.Fake) {
			f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
				return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: oauth.RateLimited, RetryAfter: asked}
			}
		})
		must(t, m.sync(c.ID))
		h.wantNext(asked.String(), m.connection(c.ID), want)
	}
}

func TestSync_AnOutageNeverOutlivesItself(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: oauth.Upstream}
		}
	})
	for range 50 { // days of it
		must(t, m.sync(c.ID))
	}
	h.wantNext("after fifty failures", m.connection(c.ID), time.Hour)
	h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = nil })
	must(t, m.sync(c.ID))
	got := m.connection(c.ID)
	if got.State != models.Connected || got.Reason != "" || got.SyncFailures != 0 {
		t.Errorf("a success left %s (%s) and %d failures", got.State, got.Reason, got.SyncFailures)
	}
	h.wantNext("after the success", got, time.Hour)
}

func TestSync_AnEndingProgramIsNobodysFailure(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	ctx, end := context.WithCancel(t.Context())
	h.fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			end()
			return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: oauth.Upstream, Cause: ctx.Err()}
		}
	})
	must(t, h.service.Sync(ctx, h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), c.ID))
	got := m.connection(c.ID)
	if got.State != models.Connected || got.SyncState != models.SyncIdle || got.NextSyncAt == nil || got.NextSyncAt.After(h.clock.now()) {
		t.Errorf("%s, %s, next at %v; want it untouched and due at once", got.State, got.SyncState, got.NextSyncAt)
	}
}

func TestSync_NothingNewIsNoNewsUnlessSomebodyAsked(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	told := func() int { return h.count(`SELECT count(*) FROM events WHERE kind = 'connection.synced'`) }
	for _, step := range []struct {
		what  string
		asked bool
		want  int
	}{{"the first", true, 1}, {"one that fell due", false, 1}, {"one that somebody asked for", true, 2}} {
		if step.asked {
			must(t, h.service.RequestSync(t.Context(), m.again(), c.ID))
		}
		must(t, m.sync(c.ID))
		if n := told(); n != step.want {
			t.Errorf("%d events after %s sync, want %d", n, step.what, step.want)
		}
	}
}

func TestSync_OnlyOneAtATime(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	since := c.SyncSince
	h.clock.forward(time.Second)
	must(t, h.service.RequestSync(t.Context(), m.again(), c.ID))
	if got := m.connection(c.ID); !got.SyncSince.Equal(*since) {
		t.Error("a sync was queued although the first one still is")
	}
	h.exec(`UPDATE connections SET sync_state = 'running', sync_since = $1`, h.clock.now())
	must(t, m.sync(c.ID))
	if n := h.fake.Calls(oauthtest.OpMerchant); n != 0 {
		t.Errorf("a second sync read %d times beside the running one", n)
	}
	h.clock.forward(4 * time.Minute) // the running one has died
	must(t, m.sync(c.ID))
	if n := h.fake.Calls(oauthtest.OpMerchant); n != 1 {
		t.Errorf("the dead sync was not taken over (%d reads)", n)
	}
}

func TestSync_RenewsAnEndingTokenAndKeepsTheNewOneBeforeUse(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{Lifetime: time.Hour}
	h := newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})
	fake.Now = h.clock.now
	m := h.newMerchant()
	c := m.connected("12345")
	for want := int64(2); want <= 6; want++ {
		h.clock.forward(58 * time.Minute)
		must(t, m.sync(c.ID))
		if got := m.connection(c.ID); got.CredentialVersion != want || got.State != models.Connected {
			t.Fatalf("v%d %s (%s), want v%d connected", got.CredentialVersion, got.State, got.Reason, want)
		}
	}
	fake.Set(func(f *oauthtest.Fake) {
		f.OnRefresh = func(context.Context, oauth.Credential) (oauth.Credential, error) {
			return oauth.Credential{}, errors.New("a passing outage")
		}
	})
	h.clock.forward(58 * time.Minute)
	must(t, m.sync(c.ID))
	if got := m.connection(c.ID); got.State != models.Connected {
		t.Errorf("a passing outage of the refresh disconnected: %s (%s)", got.State, got.Reason)
	}
}

func TestTamperingWithCiphertextMakesTheConnectionSaySo(t *testing.T) {
	t.Parallel()
	for name, tamper := range map[string]string{
		"swapped between connections": `UPDATE credentials SET sealed = (SELECT sealed FROM credentials o WHERE o.connection_id = $2) WHERE connection_id = $1`,
		"edited":                      `UPDATE credentials SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) WHERE connection_id = $1 AND $2::uuid IS NOT NULL`,
		"emptied":                     `UPDATE credentials SET sealed = '' WHERE connection_id = $1 AND $2::uuid IS NOT NULL`,
		"removed":                     `DELETE FROM credentials WHERE connection_id = $1 AND $2::uuid IS NOT NULL`,
		"account swapped":             `UPDATE connections SET account_sealed = (SELECT account_sealed FROM connections o WHERE o.id = $2) WHERE id = $1`,
		"put back from the past":      `UPDATE credentials SET sealed = (SELECT sealed FROM old) WHERE connection_id = $1 AND $2::uuid IS NOT NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, &oauthtest.Fake{}, nil)
			m := h.newMerchant()
			c, other := m.connected("12345"), m.connected("67890")
			h.exec(`CREATE TABLE old AS SELECT sealed FROM credentials WHERE connection_id = '` + c.ID.String() + `'`)
			m.connected("12345") // the credential is of version 2 now

			h.exec(tamper, c.ID, other.ID)
			view, err := h.service.Show(t.Context(), m.again(), c.ID)
			if err != nil || view.State != models.Ours || view.Reason != connect.ReasonSealedBroken {
				t.Fatalf("the page says %s (%s), %v; want ours (sealed_broken)", view.State, view.Reason, err)
			}
			if !strings.Contains(name, "account") {
				must(t, m.sync(c.ID))
				if n := h.fake.Calls(oauthtest.OpMerchant); n != 0 {
					t.Errorf("the provider was asked %d times with a credential that does not open", n)
				}
			}
			if !slices.Contains(m.eventKinds(), "connection.sealed_broken") {
				t.Error("the history does not tell")
			}
			must(t, m.sync(other.ID))
			if got := m.connection(other.ID); got.State != models.Connected {
				t.Errorf("the other connection is %s (%s)", got.State, got.Reason)
			}
		})
	}
}

func TestTamperingWithDataIsShownAsBrokenAndMendedByTheNextSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")
	must(t, m.sync(c.ID))
	h.exec(`UPDATE snapshots SET data_sealed = (SELECT data_sealed FROM snapshots o WHERE o.block = 'wallet') WHERE block = 'merchant'`)
	view, err := h.service.Show(t.Context(), m.again(), c.ID)
	must(t, err)
	if !view.Blocks[0].Broken || view.Blocks[0].Merchant != nil && view.Blocks[0].Merchant.ID != "" {
		t.Errorf("the swapped block is shown: %+v", view.Blocks[0])
	}
	must(t, m.sync(c.ID))
	view, err = h.service.Show(t.Context(), m.again(), c.ID)
	if err != nil || view.Blocks[0].Broken {
		t.Errorf("the next sync did not mend it: %v", err)
	}
}

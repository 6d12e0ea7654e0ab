package connect_test

import (
	"context"
	"sync"
	"testing"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestOneAccountBelongsToOneTenant(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{}
	h := newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})
	first, second := h.newMerchant(), h.newMerchant()
	c := first.connected("12345")

	a, err := second.finish(fake.Approve(second.begin(nil).Location, "12345"))
	if err != nil || a.Status != models.Failed || a.Reason != connect.ReasonClaimed {
		t.Fatalf("the second tenant ended %s (%s), %v; want failed (claimed)", a.Status, a.Reason, err)
	}
	if n := fake.Calls(oauthtest.OpRevoke); n != 1 {
		t.Errorf("the loser's tokens were revoked %d times, want 1", n)
	}
	if got := first.connection(c.ID); got.State != models.Connected {
		t.Errorf("the holder's connection is %s", got.State)
	}

	must(t, h.service.Disconnect(t.Context(), first.again(), c.ID, false))
	second.connected("12345")
}

func TestAMaskedAccountCountsWithinItsTenantOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{OnIdentify: func(context.Context, oauth.Credential) (oauth.Account, error) {
		return oauth.Account{ExternalID: "133****0170", TenantOnly: true}, nil
	}}, nil)
	first, second := h.newMerchant(), h.newMerchant()
	c := first.connected("1")
	if again := first.connected("2"); again.ID != c.ID {
		t.Error("the same masked account became a second connection of its tenant")
	}
	if other := second.connected("3"); other.ID == c.ID {
		t.Error("two tenants share a connection")
	}
}

func TestTwoTenantsClaimAtOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	var wg sync.WaitGroup
	results := make(chan models.Attempt, 8)
	for range 8 {
		m := h.newMerchant()
		query := h.fake.Approve(m.begin(nil).Location, "12345")
		wg.Go(func() {
			a, err := m.finish(query)
			if err != nil {
				t.Error(err)
			}
			results <- a
		})
	}
	wg.Wait()
	close(results)
	stored := 0
	for a := range results {
		switch {
		case a.Status == models.Stored:
			stored++
		case a.Status != models.Failed || a.Reason != connect.ReasonClaimed:
			t.Errorf("a loser ended %s (%s), want failed (claimed)", a.Status, a.Reason)
		}
	}
	if stored != 1 {
		t.Errorf("%d tenants hold the account, want 1", stored)
	}
}

func TestConnectingTheSameAccountAgainKeepsTheConnection(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	first := m.connected("12345")
	again := m.connected("12345")
	if again.ID != first.ID || again.CredentialVersion != 2 {
		t.Errorf("connecting again gave %v v%d, want %v v2", again.ID, again.CredentialVersion, first.ID)
	}
	must(t, m.sync(first.ID))
	if c := m.connection(first.ID); c.State != models.Connected || c.SyncedAt == nil {
		t.Errorf("after a sync with the second credential: %s (%s)", c.State, c.Reason)
	}
}

func TestReconnect(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	c := m.connected("12345")

	a, err := m.finish(h.fake.Approve(m.begin(&c.ID).Location, "67890"))
	if err != nil || a.Status != models.Failed || a.Reason != connect.ReasonAccountDiffers || a.AccountMasked != "6•••0" {
		t.Fatalf("another account ended %s (%s) %s, %v; want failed (account_differs) 6•••0", a.Status, a.Reason, a.AccountMasked, err)
	}
	if got := m.connection(c.ID); got.CredentialVersion != 1 {
		t.Errorf("the credential was replaced: v%d", got.CredentialVersion)
	}
	a, err = m.finish(h.fake.Approve(m.begin(&c.ID).Location, "12345"))
	if err != nil || a.Status != models.Stored || *a.ResultConnection != c.ID {
		t.Fatalf("the same account ended %s (%s), %v; want stored", a.Status, a.Reason, err)
	}

	stranger := h.newMerchant()
	_, err = h.service.Begin(t.Context(), stranger.again(), connect.BeginRequest{
		Provider: "fake", UserID: stranger.user, SessionID: stranger.session, Reconnect: &c.ID,
	})
	if errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a stranger began a reconnect: %v, want not found", err)
	}
}

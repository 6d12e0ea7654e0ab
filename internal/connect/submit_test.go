package connect_test

import (
	"context"
	"slices"
	"testing"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func newKeyHarness(t *testing.T) (*harness, *oauthtest.KeyFake) {
	t.Helper()
	fake := &oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "keyed"}}
	return newHarness(t, &fake.Fake, fake), fake
}

func (m *merchant) submit(id, key string) (models.Attempt, error) {
	return m.h.service.Submit(m.h.t.Context(), m.again(), connect.SubmitRequest{
		Provider: "keyed", UserID: m.user, SessionID: m.session,
		Values: oauth.Values{oauthtest.KeyFakeID: secret.New(id), oauthtest.KeyFakeSecret: secret.New(key)},
	})
}

func TestSubmit_ConnectsByTheValuesOfAForm(t *testing.T) {
	t.Parallel()
	h, _ := newKeyHarness(t)
	m := h.newMerchant()
	a, err := m.submit(" 12345\n", "a key")
	if err != nil || a.Status != models.Stored || a.AccountMasked != "1•••5" {
		t.Fatalf("ended %s (%s) %s, %v; want stored 1•••5", a.Status, a.Reason, a.AccountMasked, err)
	}
	must(t, m.sync(*a.ResultConnection))
	if c := m.connection(*a.ResultConnection); c.State != models.Connected || c.SyncedAt == nil {
		t.Errorf("after the first sync: %s (%s)", c.State, c.Reason)
	}
	again, err := m.submit("12345", "another key")
	if err != nil || again.Status != models.Stored || *again.ResultConnection != *a.ResultConnection {
		t.Errorf("the same account again ended %s, %v; want the same connection", again.Status, err)
	}
	if n := h.count(`SELECT count(*) FROM connections`); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestSubmit_AWrongKeyEndsTheAttemptAndSaysWhy(t *testing.T) {
	t.Parallel()
	h, _ := newKeyHarness(t)
	m := h.newMerchant()
	a, err := m.submit("12345", oauthtest.KeyFakeWrong)
	if err != nil || a.Status != models.Failed || a.Reason == "" {
		t.Fatalf("ended %s (%s), %v; want failed with a reason", a.Status, a.Reason, err)
	}
	if !slices.Contains(m.eventKinds(), "attempt.failed") {
		t.Error("the failure is not in the history")
	}
}

func TestSubmit_AnEmptyFieldSendsNothing(t *testing.T) {
	t.Parallel()
	h, fake := newKeyHarness(t)
	m := h.newMerchant()
	_, err := m.submit("12345", " \n ")
	if errs.CodeOf(err) != errs.Invalid || errs.As(err).Field != oauthtest.KeyFakeSecret {
		t.Errorf("error = %v, want invalid at %s", err, oauthtest.KeyFakeSecret)
	}
	if _, err := m.submit(string(make([]byte, 20<<10)), "a key"); errs.CodeOf(err) != errs.Invalid {
		t.Errorf("a huge value: %v, want invalid", err)
	}
	if n := fake.Calls(oauthtest.OpVerify); n != 0 {
		t.Errorf("the provider was asked %d times, want 0", n)
	}
}

func TestSubmit_ABrowserThatHangsUpDoesNotLeaveItHalfDone(t *testing.T) {
	t.Parallel()
	h, fake := newKeyHarness(t)
	m := h.newMerchant()
	ctx, hangUp := context.WithCancel(t.Context())
	fake.Set(func(f *oauthtest.Fake) {
		f.OnIdentify = func(context.Context, oauth.Credential) (oauth.Account, error) {
			hangUp()
			return oauth.Account{ExternalID: "12345"}, nil
		}
	})
	a, err := h.service.Submit(ctx, m.again(), connect.SubmitRequest{
		Provider: "keyed", UserID: m.user, SessionID: m.session,
		Values: oauth.Values{oauthtest.KeyFakeID: secret.New("12345"), oauthtest.KeyFakeSecret: secret.New("a key")},
	})
	if err != nil || a.Status != models.Stored {
		t.Errorf("ended %s (%s), %v; want stored", a.Status, a.Reason, err)
	}
}

func TestWaysInDoNotMix(t *testing.T) {
	t.Parallel()
	h, _ := newKeyHarness(t)
	m := h.newMerchant()
	_, err := h.service.Begin(t.Context(), m.again(), connect.BeginRequest{Provider: "keyed", UserID: m.user, SessionID: m.session})
	if errs.CodeOf(err) != errs.NotFound {
		t.Errorf("leaving for a provider with a form: %v, want not found", err)
	}
	other := newHarness(t, &oauthtest.Fake{}, nil)
	n := other.newMerchant()
	_, err = other.service.Submit(t.Context(), n.again(), connect.SubmitRequest{Provider: "fake", UserID: n.user, SessionID: n.session})
	if errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a form for a provider that browsers are sent to: %v, want not found", err)
	}
}

func TestSync_AKeyThatNoLongerOpensIsTheMerchantsToMend(t *testing.T) {
	t.Parallel()
	h, fake := newKeyHarness(t)
	m := h.newMerchant()
	a, err := m.submit("12345", "a key")
	must(t, err)
	fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "keyed", Kind: oauth.AuthConfig}
		}
	})
	must(t, m.sync(*a.ResultConnection))
	if c := m.connection(*a.ResultConnection); c.State != models.NeedsYou || c.Reason != string(oauth.AuthConfig) {
		t.Errorf("the connection is %s (%s), want needs_you (auth_config)", c.State, c.Reason)
	}
}

func TestSync_KeepsWhatNoDocumentNames(t *testing.T) {
	t.Parallel()
	h, fake := newKeyHarness(t)
	m := h.newMerchant()
	a, err := m.submit("12345", "a key")
	must(t, err)
	fake.Set(func(f *oauthtest.Fake) {
		f.OnMerchant = func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
			return oauth.Reading[oauth.Merchant]{Data: oauth.Merchant{ID: "12345"}, Unmapped: []oauth.Unmapped{{Name: "mccCode", Value: "5734"}}}, nil
		}
	})
	must(t, m.sync(*a.ResultConnection))
	view, err := h.service.Show(t.Context(), m.again(), *a.ResultConnection)
	must(t, err)
	b := view.Blocks[0]
	if b.Merchant == nil || b.Merchant.ID != "12345" || len(b.Unmapped) != 1 || b.Unmapped[0].Value.Reveal() != "5734" {
		t.Errorf("the block shows %+v", b)
	}
}

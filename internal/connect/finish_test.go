package connect_test

import (
	"context"
	"net/url"
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
	"mooring/internal/secret"
)

func TestFinish_StoresTheAccountAndEnqueuesItsFirstSync(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()

	c := m.connected("12345")
	if c.State != models.Connected || c.AccountMasked != "1•••5" || c.CredentialVersion != 1 {
		t.Errorf("connection = %s %s v%d, want connected 1•••5 v1", c.State, c.AccountMasked, c.CredentialVersion)
	}
	if !slices.Equal(h.queue.syncs, []uuid.UUID{c.ID}) {
		t.Errorf("enqueued syncs = %v, want the one of %v", h.queue.syncs, c.ID)
	}
	if kinds := m.eventKinds(); !slices.Equal(kinds, []string{"connection.connected", "attempt.begun"}) {
		t.Errorf("events = %v", kinds)
	}
}

func TestFinish_RefusesWhatThisBrowserAndPersonDidNotBegin(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{StatePolicy: oauth.StateStrict}, nil)
	m, stranger := h.newMerchant(), h.newMerchant()
	b := m.begin(nil)
	good := h.fake.Approve(b.Location, "12345")
	with := func(change func(r *connect.Return)) connect.Return {
		r := m.back(url.Values{"code": good["code"], "state": good["state"]})
		change(&r)
		return r
	}
	foreign := stranger.begin(nil)

	for name, tc := range map[string]struct {
		store *models.TenantStore
		back  connect.Return
	}{
		"no state":              {m.again(), with(func(r *connect.Return) { r.Query.Del("state") })},
		"empty state":           {m.again(), with(func(r *connect.Return) { r.Query.Set("state", "") })},
		"made-up state":         {m.again(), with(func(r *connect.Return) { r.Query.Set("state", "AAAA") })},
		"state twice":           {m.again(), with(func(r *connect.Return) { r.Query.Add("state", "AAAA") })},
		"code twice":            {m.again(), with(func(r *connect.Return) { r.Query.Add("code", "AAAA") })},
		"huge parameter":        {m.again(), with(func(r *connect.Return) { r.Query.Set("merNo", string(make([]byte, 4000))) })},
		"no flow cookie":        {m.again(), with(func(r *connect.Return) { r.Cookies = nil })},
		"another's flow cookie": {m.again(), with(func(r *connect.Return) { r.Cookies = map[uuid.UUID]secret.String{b.Attempt: foreign.Cookie} })},
		"another session":       {m.again(), with(func(r *connect.Return) { r.SessionID = newID() })},
		"another person":        {m.again(), with(func(r *connect.Return) { r.UserID = stranger.user })},
		"another tenant":        {stranger.again(), with(func(*connect.Return) {})},
		"another's state":       {m.again(), with(func(r *connect.Return) { r.Query.Set("state", stateOf(t, foreign.Location)) })},
	} {
		_, err := h.service.Finish(t.Context(), tc.store, tc.back)
		if errs.CodeOf(err) != errs.Forbidden {
			t.Errorf("%s: error = %v, want forbidden", name, err)
		}
	}
	if n := h.fake.Calls(oauthtest.OpExchange); n != 0 {
		t.Fatalf("the provider was asked %d times, want 0", n)
	}
	if n := h.count(`SELECT count(*) FROM connections`); n != 0 {
		t.Fatalf("%d connections exist, want 0", n)
	}
	if !slices.Contains(m.eventKinds(), "attempt.refused") {
		t.Error("the refusals are not in the history")
	}
	if a, err := m.finish(good); err != nil || a.Status != models.Stored {
		t.Errorf("after all that, the honest return ended %s, %v; want stored", a.Status, err)
	}
}

func TestFinish_AfterFifteenMinutesNothingIsSent(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	b := m.begin(nil)
	h.clock.forward(15*time.Minute + time.Second)
	a, err := m.finish(h.fake.Approve(b.Location, "12345"))
	if err != nil || a.Status != models.Failed || a.Reason != connect.ReasonExpired {
		t.Errorf("ended %s (%s), %v; want failed (expired)", a.Status, a.Reason, err)
	}
	if n := h.fake.Calls(oauthtest.OpExchange); n != 0 {
		t.Errorf("the provider was asked %d times, want 0", n)
	}
}

func TestFinish_HundredParallelCallbacksOverTwoReplicas(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	b := m.begin(nil)
	query := h.fake.Approve(b.Location, "12345")
	replicas := []*connect.Service{h.service, h.replica()}

	results := make([]models.Attempt, 100)
	failures := make([]error, 100)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range results {
		wg.Go(func() {
			<-start
			results[i], failures[i] = replicas[i%2].Finish(t.Context(), m.again(), m.back(query))
		})
	}
	close(start)
	wg.Wait()

	for i, a := range results {
		if failures[i] != nil || a.Status != models.Stored || *a.ResultConnection != *results[0].ResultConnection {
			t.Fatalf("callback %d: %s (%s), %v; want stored with the same connection", i, a.Status, a.Reason, failures[i])
		}
	}
	if n := h.fake.Exchanges(query.Get("code")); n != 1 {
		t.Errorf("the code was exchanged %d times, want 1", n)
	}
	if n := h.count(`SELECT count(*) FROM connections`); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestFinish_DifferentCodesWithOneStateMakeOneExchange(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	b := m.begin(nil)
	var wg sync.WaitGroup
	for range 20 {
		query := h.fake.Approve(b.Location, "12345")
		wg.Go(func() { _, _ = h.service.Finish(t.Context(), m.again(), m.back(query)) })
	}
	wg.Wait()
	if n := h.fake.Calls(oauthtest.OpExchange); n != 1 {
		t.Errorf("%d exchanges, want 1", n)
	}
}

func TestFinish_DeniedEndsTheAttemptAndCanBeRepeated(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	denied := h.fake.Deny(m.begin(nil).Location)
	for range 2 { // the second is a reload
		a, err := m.finish(denied)
		if err != nil || a.Status != models.Denied || a.Reason != connect.ReasonDenied {
			t.Fatalf("ended %s (%s), %v; want denied", a.Status, a.Reason, err)
		}
	}
	if !slices.Contains(m.eventKinds(), "attempt.denied") {
		t.Error("the refusal is not in the history")
	}
	m.connected("12345")
}

func TestFinish_ProviderFailuresEndWithTheirReason(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	for _, kind := range []oauth.Kind{oauth.AuthConfig, oauth.Upstream, oauth.Ambiguous, oauth.AccountMismatch, oauth.RateLimited} {
		h.fake.Set(func(f *oauthtest.Fake) {
			f.OnExchange = func(context.Context, oauth.Arrival) (oauth.Credential, error) {
				return oauth.Credential{}, &oauth.Error{Provider: "fake", Kind: kind, Code: "E7"}
			}
		})
		query := h.fake.Approve(m.begin(nil).Location, "12345")
		before := h.fake.Calls(oauthtest.OpExchange)
		for range 2 {
			a, err := m.finish(query)
			if err != nil || a.Status != models.Failed || a.Reason != string(kind) || a.ProviderCode != "E7" {
				t.Errorf("%s: ended %s (%s, %s), %v", kind, a.Status, a.Reason, a.ProviderCode, err)
			}
		}
		if n := h.fake.Calls(oauthtest.OpExchange) - before; n != 1 {
			t.Errorf("%s: %d exchanges, want 1", kind, n)
		}
	}
}

func TestFinish_WithoutStateNothingIsBoundBeforeThePersonConfirms(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{OmitState: true}, nil)
	m := h.newMerchant()
	query := h.fake.Approve(m.begin(nil).Location, "12345")
	a, err := m.finish(query)
	if err != nil || a.Status != models.Returned || a.AccountMasked != "1•••5" {
		t.Fatalf("ended %s (%s) %s, %v; want returned 1•••5", a.Status, a.Reason, a.AccountMasked, err)
	}
	if again, err := m.finish(query); err != nil || again.Status != models.Returned || again.ID != a.ID {
		t.Errorf("a reload gave %s, %v; want the same parked attempt", again.Status, err)
	}
	if n := h.count(`SELECT count(*) FROM connections`); n != 0 {
		t.Fatalf("%d connections before the confirmation, want 0", n)
	}

	if _, err := h.service.Confirm(t.Context(), m.again(), a.ID, m.user, newID()); errs.CodeOf(err) != errs.Forbidden {
		t.Errorf("another session confirmed: %v", err)
	}
	stranger := h.newMerchant()
	if _, err := h.service.Confirm(t.Context(), stranger.again(), a.ID, stranger.user, stranger.session); errs.CodeOf(err) != errs.NotFound {
		t.Errorf("a stranger confirmed: %v", err)
	}
	for range 2 { // the second is a double click
		done, err := h.service.Confirm(t.Context(), m.again(), a.ID, m.user, m.session)
		if err != nil || done.Status != models.Stored {
			t.Fatalf("confirming ended %s (%s), %v; want stored", done.Status, done.Reason, err)
		}
	}
	if n := h.count(`SELECT count(*) FROM attempts WHERE returned_sealed IS NOT NULL`); n != 0 {
		t.Error("the parked credential is still there")
	}
}

func TestFinish_WithoutStateTwoOpenAttemptsAreAmbiguous(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{OmitState: true}, nil)
	m := h.newMerchant()
	m.begin(nil)
	query := h.fake.Approve(m.begin(nil).Location, "12345")
	a, err := m.finish(query)
	if err != nil && errs.CodeOf(err) != errs.Forbidden {
		t.Fatal(err)
	}
	if a.Status == models.Returned || h.fake.Calls(oauthtest.OpExchange) != 0 {
		t.Errorf("one of two open attempts was guessed (%s)", a.Status)
	}
}

func TestCancel_AfterReturningDestroysWhatCameBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{OmitState: true}, nil)
	m := h.newMerchant()
	a, err := m.finish(h.fake.Approve(m.begin(nil).Location, "12345"))
	must(t, err)
	done, err := h.service.Cancel(t.Context(), m.again(), a.ID, m.user)
	if err != nil || done.Status != models.Cancelled {
		t.Fatalf("cancelling ended %s, %v", done.Status, err)
	}
	if confirmed, err := h.service.Confirm(t.Context(), m.again(), a.ID, m.user, m.session); err != nil || confirmed.Status != models.Cancelled {
		t.Errorf("confirming a cancelled attempt gave %s, %v; want cancelled", confirmed.Status, err)
	}
	if n := h.count(`SELECT count(*) FROM attempts WHERE returned_sealed IS NOT NULL`); n != 0 {
		t.Error("the parked credential is still there")
	}
}

func TestFinish_InterruptedBetweenExchangeAndCommitIsToldWithinAMinute(t *testing.T) {
	t.Parallel()
	h := newHarness(t, &oauthtest.Fake{}, nil)
	m := h.newMerchant()
	b := m.begin(nil)
	// What kill -9 leaves behind: an attempt that was spent and never ended.
	h.exec(`UPDATE attempts SET status = 'exchanging', consumed_at = $2 WHERE id = $1`, b.Attempt, h.clock.now())
	h.clock.forward(61 * time.Second)
	a, err := m.finish(h.fake.Approve(b.Location, "12345"))
	if err != nil || a.Status != models.Failed || a.Reason != connect.ReasonInterrupted {
		t.Errorf("a reload gave %s (%s), %v; want failed (interrupted)", a.Status, a.Reason, err)
	}
	m.connected("12345")
}

func TestFinish_StoringFailsAfterTokensWereIssued(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{}
	h := newHarness(t, fake, oauthtest.RenewingFake{Fake: fake})
	m := h.newMerchant()
	h.queue.setFailure(true)
	a, err := m.finish(fake.Approve(m.begin(nil).Location, "12345"))
	if err != nil || a.Status != models.Failed || a.Reason != connect.ReasonStoreFailed {
		t.Fatalf("ended %s (%s), %v; want failed (store_failed)", a.Status, a.Reason, err)
	}
	if !slices.Contains(m.eventKinds(), "connection.orphaned") {
		t.Error("the orphan is not recorded")
	}
	if n := fake.Calls(oauthtest.OpRevoke); n != 1 {
		t.Errorf("the provider was told %d times, want 1", n)
	}
	if n := h.count(`SELECT count(*) FROM connections`) + h.count(`SELECT count(*) FROM credentials`) + h.count(`SELECT count(*) FROM account_claims`); n != 0 {
		t.Error("half a connection was stored")
	}
	h.queue.setFailure(false)
	m.connected("12345")
}

func stateOf(t *testing.T, location string) string {
	t.Helper()
	u, err := url.Parse(location)
	must(t, err)
	return u.Query().Get("state")
}

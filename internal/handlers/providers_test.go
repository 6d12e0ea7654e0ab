package handlers

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// until waits for what another replica's news brings about.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestProviders_PausedMeansNotOfferedAndNotRead(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v, staff := h.owner(t, "a@example.com"), h.staff(t)
	connection := h.connected(t, v, "12345")
	leaving := v.leave(t, "/connect/fake")

	staff.get(t, "/admin/providers").want(t, "the list", 200, "", "Fake", "Offered", "Not offered", "FAR_KEY")
	staff.get(t, "/admin/providers/fake").want(t, "the provider", 200, "", "/oauth/fake/callback", "Pause this provider", "FAKE_ID", "Set")
	staff.post(t, "/admin/providers/fake/pause").want(t, "pausing", 303, "/admin/providers/fake")
	staff.get(t, "/admin/providers/fake").want(t, "when paused", 200, "", "Paused since", "admin@example.com", "Resume")
	until(t, "the pause", func() bool { _, paused := h.keeper.Paused("fake"); return paused })

	v.get(t, "/connections").want(t, "the card", 200, "", "Paused by the platform since")
	ask := v.get(t, "/connect/fake")
	ask.want(t, "the question", 200, "", "Paused by the platform since")
	if strings.Contains(ask.body, `action="/connect/fake"`) {
		t.Error("the form is still there")
	}
	v.post(t, "/connect/fake").want(t, "beginning all the same", http.StatusConflict, "", "has paused this provider")
	v.get(t, connection).want(t, "the connection", 200, "", "Nothing is fetched until it goes on")
	h.work(t)
	if n := h.fake.Calls(oauthtest.OpMerchant); n != 0 {
		t.Errorf("a paused provider was read %d times", n)
	}
	if got := v.comeBack(t, h.fake.Approve(leaving, "12346")); !strings.HasPrefix(got.location, "/connections/") {
		t.Errorf("who was on the way already came back to %q", got.location)
	}

	staff.post(t, "/admin/providers/fake/pause").want(t, "pausing twice", 303, "/admin/providers/fake")
	staff.post(t, "/admin/providers/fake/resume").want(t, "resuming", 303, "/admin/providers/fake")
	until(t, "the end of the pause", func() bool { _, paused := h.keeper.Paused("fake"); return !paused })
	v.leave(t, "/connect/fake")
	var told int
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM platform_events WHERE kind IN ('provider.paused', 'provider.resumed')`).Scan(&told))
	if told != 2 {
		t.Errorf("%d events tell of one pause and its end", told)
	}
}

func TestProviders_WhatNobodyExplainsWaitsToBeLookedAt(t *testing.T) {
	t.Parallel()
	fake := &oauthtest.Fake{OnExchange: func(context.Context, oauth.Arrival) (oauth.Credential, error) {
		return oauth.Credential{}, &oauth.Error{
			Provider: "fake", Kind: oauth.ClockSkew, Code: `E-77 <b>请联系 & 小王`,
			Facts: []oauth.Fact{{Name: oauth.SentTime, Value: "2026-03-02T12:00:00"}, {Name: oauth.Clocks, Value: "8h0m0s"}},
		}
	}}
	h := newHarbour(t, "", fake)
	v, staff := h.owner(t, "a@example.com"), h.staff(t)
	for range 2 {
		ended := v.comeBack(t, h.fake.Approve(v.leave(t, "/connect/fake"), "12345"))
		merchants := v.get(t, ended.location)
		if strings.Contains(merchants.body, "2026-03-02T12:00:00") || strings.Contains(merchants.body, "<b>请") {
			t.Error("the merchant is shown what the operator compares, or the provider's own markup")
		}
	}
	h.keeper.Tell(t.Context())
	staff.get(t, "/admin/providers").want(t, "the list", 200, "", "1 finding to look at")
	page := staff.get(t, "/admin/providers/fake")
	page.want(t, "the provider", 200, "", "Unknown codes", "<code>E-77??b????", "Our clock refused", "2026-03-02T12:00:00", "8h0m0s", "2 times")
	var code string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT code FROM provider_codes`).Scan(&code))
	staff.post(t, "/admin/providers/fake/codes", "code", code).want(t, "acknowledging", 303, "/admin/providers/fake")
	staff.post(t, "/admin/providers/fake/codes", "code", "E-99").want(t, "one that never came", 404, "")
	if got := staff.get(t, "/admin/providers/fake"); strings.Contains(got.body, "Unknown codes") || !strings.Contains(got.body, "Looked at before") {
		t.Error("an acknowledged code still waits")
	}
}

func TestProviders_AnswersThatChangeAreNoticedByTheirFieldsAlone(t *testing.T) {
	t.Parallel()
	raw := `{"merNo":"20488","contact":{"mail":"canary@example.com"},"wallets":[{"coin":"BTC","n":1}],"rates":{"USD":{"canary":1}}}`
	fake := &oauthtest.Fake{OnMerchant: func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
		return oauth.Reading[oauth.Merchant]{Data: oauth.Merchant{ID: "1"}, Raw: []byte(raw)}, nil
	}}
	h := newHarbour(t, "", fake)
	v, staff := h.owner(t, "a@example.com"), h.staff(t)
	h.connected(t, v, "12345")
	h.work(t)
	none := staff.get(t, "/admin/providers/fake")
	if strings.Contains(none.body, "Changed answers") {
		t.Error("the first answer of all differs from nothing")
	}
	h.fake.Set(func(*oauthtest.Fake) { raw = `{"merNo":20488,"wallets":[],"level":"gold"}` })
	h.connected(t, h.owner(t, "b@example.com"), "99999")
	h.work(t)
	page := staff.get(t, "/admin/providers/fake")
	page.want(t, "the provider", 200, "", "Changed answers", "<code>level</code>", "New: text", "<code>merNo</code>", "Is now a number", "<code>contact</code>", "Missing (was an object)")
	for _, never := range []string{"<code>contact.mail</code>", "<code>wallets[].coin</code>", "USD", "canary", "gold"} {
		if strings.Contains(page.body, never) {
			t.Errorf("the page tells %q", never)
		}
	}
	staff.post(t, "/admin/providers/fake/drift", "block", "merchant", "field", "level", "change", "new").want(t, "accepting", 303, "/admin/providers/fake")
	staff.post(t, "/admin/providers/fake/drift", "block", "merchant", "field", "level", "change", "new").want(t, "accepting twice", 404, "")
	var stored string
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT (SELECT string_agg(s::text, ' ') FROM provider_shapes s) || (SELECT string_agg(d::text, ' ') FROM provider_drift d)`).Scan(&stored))
	for _, value := range []string{"canary", "BTC", "20488", "gold"} {
		if strings.Contains(stored, value) {
			t.Errorf("a value is kept: %q in %s", value, stored)
		}
	}
}

func TestProviders_TestCallIsLimitedAndKept(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	calls := 0
	h.server.Probe = func(_ context.Context, provider string) []models.ProbeResult {
		calls++
		return []models.ProbeResult{{Host: provider + ".example", Outcome: "untrusted", Secure: true}}
	}
	staff := h.staff(t)
	for range 3 {
		staff.post(t, "/admin/providers/fake/test").want(t, "testing", 303, "/admin/providers/fake")
	}
	staff.post(t, "/admin/providers/fake/test").want(t, "testing too often", http.StatusTooManyRequests, "")
	if calls != 3 {
		t.Errorf("%d test calls were made, want 3", calls)
	}
	staff.get(t, "/admin/providers/fake").want(t, "what was found", 200, "", "fake.example", "Certificate not trusted", "over https")
	v := h.owner(t, "a@example.com")
	v.post(t, "/admin/providers/fake/pause").want(t, "a merchant pausing", 403, "")
	v.get(t, "/admin/providers").want(t, "a merchant looking", 403, "")
	staff.get(t, "/admin/providers/nobody").want(t, "an invented one", 404, "")
	staff.post(t, "/admin/providers/nobody/pause").want(t, "pausing an invented one", 404, "")
}

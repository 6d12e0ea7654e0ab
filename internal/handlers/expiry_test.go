package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth/oauthtest"
)

func TestExpiring_MerchantsBoard(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{Lifetime: 10*day - time.Hour})
	v := h.owner(t, "a@example.com")
	if page := v.get(t, "/expiring"); page.status != http.StatusOK || !strings.Contains(page.body, "Nothing ends") {
		t.Errorf("without anything: %d\n%s", page.status, page.body)
	}
	connection := h.connected(t, v, "12345")
	v.leave(t, "/connect/fake") // and one that waits
	page := v.get(t, "/expiring")
	for _, want := range []string{"10 days", "1•••5", connection + "/reconnect", "Links waiting", `href="/attempts/`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the board lacks %q\n%s", want, page.body)
		}
	}
	if page := v.get(t, connection); !strings.Contains(page.body, "Access ends") || !strings.Contains(page.body, "10 days") {
		t.Errorf("the connection does not say when it ends\n%s", page.body)
	}
	stranger := h.owner(t, "b@example.com")
	if page := stranger.get(t, "/expiring"); strings.Contains(page.body, "1•••5") {
		t.Error("a stranger sees the account")
	}
	h.demote(t, "a@example.com")
	if page := v.get(t, "/expiring"); strings.Contains(page.body, "/reconnect") || !strings.Contains(page.body, "An owner or operator can renew it") {
		t.Errorf("a viewer is sent to reconnect\n%s", page.body)
	}
}

func TestExpiryBoard_RemindsOnceADay(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{Lifetime: 20 * day})
	v := h.owner(t, "a@example.com")
	connection := strings.TrimPrefix(h.connected(t, v, "12345"), "/connections/")
	admin := h.staff(t)
	page := admin.get(t, "/admin/expiring?within=14")
	if page.status != http.StatusOK || strings.Contains(page.body, "1•••5") {
		t.Errorf("it ends in 20 days, not in 14: %d\n%s", page.status, page.body)
	}
	page = admin.get(t, "/admin/expiring?within=30&provider=fake")
	_, rest, found := strings.Cut(page.body, `action="/admin/tenants/`)
	address, _, _ := strings.Cut(rest, `"`)
	if !found || !strings.Contains(address, connection) {
		t.Fatalf("the board has no reminder for the connection\n%s", page.body)
	}
	address = "/admin/tenants/" + strings.ReplaceAll(address, "&amp;", "&")
	back := "/admin/expiring?provider=fake&within=30"
	admin.post(t, address).want(t, "reminding", http.StatusSeeOther, back)
	page = admin.get(t, back)
	if !strings.Contains(page.body, "The reminder is on its way") || strings.Contains(page.body, `action="/admin/tenants/`) || !strings.Contains(page.body, "Reminded") {
		t.Errorf("after reminding\n%s", page.body)
	}
	admin.post(t, address).want(t, "reminding again", http.StatusSeeOther, back)
	if page = admin.get(t, back); !strings.Contains(page.body, "Nobody was reminded") {
		t.Errorf("after reminding twice\n%s", page.body)
	}
	if page = v.get(t, "/activity"); strings.Count(page.body, "Reminded that access to Fake") != 1 || !strings.Contains(page.body, "Platform staff") {
		t.Errorf("the merchant's activity\n%s", page.body)
	}
	for who, got := range map[string]answer{"a merchant": v.get(t, "/admin/expiring"), "a merchant, reminding": v.post(t, address)} {
		if got.status != http.StatusForbidden {
			t.Errorf("%s: %d", who, got.status)
		}
	}
}

package handlers

import (
	"net/http"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

func TestAKeyIsAskedForCheckedAndNeverShownAgain(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	v.get(t, "/connect/keyed").want(t, "the form", http.StatusOK, "", `name="client_id"`, `name="client_secret" type="password"`, "Nineteen digits.")

	missing := v.post(t, "/connect/keyed", oauthtest.KeyFakeID, "12345")
	missing.want(t, "without a secret", http.StatusUnprocessableEntity, "", `value="12345"`, `id="client_secret-fault"`)
	if n := d.keyed.Calls(oauthtest.OpVerify); n != 0 {
		t.Errorf("the provider was asked %d times for an incomplete form", n)
	}
	long := v.post(t, "/connect/keyed", oauthtest.KeyFakeID, strings.Repeat("1", 20<<10), oauthtest.KeyFakeSecret, "canary-key")
	long.want(t, "too long", http.StatusUnprocessableEntity, "", `id="client_id-fault"`)
	if strings.Contains(long.body, "canary-key") {
		t.Error("the secret was sent back")
	}

	wrong := v.post(t, "/connect/keyed", oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, oauthtest.KeyFakeWrong)
	if wrong.status != http.StatusSeeOther || !strings.HasPrefix(wrong.location, "/attempts/") {
		t.Fatalf("a wrong key: %d to %q, want the attempt's page", wrong.status, wrong.location)
	}
	v.get(t, wrong.location).want(t, "the attempt", http.StatusOK, "", `href="/connect/keyed"`)

	good := v.post(t, "/connect/keyed", oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, "canary-key")
	if good.status != http.StatusSeeOther || !strings.HasPrefix(good.location, "/connections/") {
		t.Fatalf("a good key: %d to %q, want the connection", good.status, good.location)
	}
	v.get(t, good.location+"/reconnect").want(t, "reconnecting", http.StatusOK, "", `name="client_secret"`)
	again := v.post(t, good.location+"/reconnect", oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, "another-key")
	again.want(t, "reconnecting with another key", http.StatusSeeOther, good.location)
	other := v.post(t, good.location+"/reconnect", oauthtest.KeyFakeID, "99999", oauthtest.KeyFakeSecret, "another-key")
	if !strings.HasPrefix(other.location, "/attempts/") {
		t.Errorf("reconnecting with another account led to %q", other.location)
	}
}

package handlers

import (
	"net/http"
	"strings"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestWhatIsPlainlyMalformedIsToldAtItsFieldAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	connected := v.post(t, "/connect/keyed", oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, "a-key")
	before := d.rows(t, "attempts")
	d.keyed.Set(func(*oauthtest.Fake) {
		d.keyed.OnCheck = func(values oauth.Values) error {
			return &oauth.Error{Provider: "keyed", Kind: oauth.BadRequest, Code: oauthtest.KeyFakeSecret}
		}
	})
	for _, path := range []string{"/connect/keyed", connected.location + "/reconnect"} {
		got := v.post(t, path, oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, "half-a-canary")
		got.want(t, path, http.StatusUnprocessableEntity, "", `value="12345"`, `id="client_secret-fault"`, "not in the form that is expected")
		if strings.Contains(got.body, "half-a-canary") {
			t.Error("the secret was sent back")
		}
	}
	d.keyed.Set(func(f *oauthtest.Fake) {
		f.Describe = func(d *oauth.Descriptor) {
			d.Errors = []oauth.Explanation{{
				Kind: oauth.BadRequest, Code: oauthtest.KeyFakeSecret,
				Cause: oauth.Text{ZH: "这是半个密钥。", EN: "This is half a key."}, Next: oauth.Text{ZH: "请全部粘贴。", EN: "Paste all of it."},
			}}
		}
	})
	v.post(t, "/connect/keyed?lang=en", oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, "half").
		want(t, "in its own words", http.StatusUnprocessableEntity, "", "This is half a key. Paste all of it.")
	if now := d.rows(t, "attempts"); now != before {
		t.Errorf("%d attempts, want %d: nothing was tried", now, before)
	}
	if n := d.keyed.Calls(oauthtest.OpVerify); n != 1 {
		t.Errorf("the provider was asked %d times, want once, for the good one", n)
	}
}

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

// rows counts a table's rows.
func (l *lobby) rows(t *testing.T, table string) (n int) {
	t.Helper()
	must(t, l.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n))
	return n
}

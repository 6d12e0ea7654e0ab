package handlers

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

var goOn = regexp.MustCompile(`<a class="button slight" href="([^"]+)">Continue`)

// waysOn are where the unfinished tries of a page lead.
func waysOn(a answer) (ways []string) {
	for _, found := range goOn.FindAllStringSubmatch(a.body, -1) {
		ways = append(ways, found[1])
	}
	return ways
}

func TestUnfinished_SaysWhichStepIsOpenAndLeadsThere(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{OmitState: true})
	v := h.owner(t, "a@example.com")
	v.leave(t, "/connect/fake")
	attempt := regexp.MustCompile(`/attempts/[0-9a-f-]{36}/cancel`)
	holds := func(what, way string, texts ...string) (drop string) {
		t.Helper()
		for _, page := range []string{"/overview", "/connections"} {
			got := v.get(t, page)
			got.want(t, what+" on "+page, http.StatusOK, "", texts...)
			if ways := waysOn(got); len(ways) != 1 || ways[0] != way {
				t.Errorf("%s on %s leads to %q, want %q", what, page, ways, way)
			}
			drop = attempt.FindString(got.body)
			if way == "/attempts" {
				way = strings.TrimSuffix(drop, "/cancel")
			}
		}
		return drop
	}
	drop := holds("left for the provider", "/connect/fake", "Open step: agree at Fake", "Connect Fake")
	v.get(t, strings.TrimSuffix(drop, "/cancel")).want(t, "the neutral page", http.StatusOK, "", "Not finished yet", `href="/connect/fake"`)

	exec(t, h, `UPDATE attempts SET expires_at = now() - interval '1 minute'`)
	drop = holds("left too long", "/connect/fake", "The time ran out")
	v.post(t, drop, "back", "/overview").want(t, "dropping it", http.StatusSeeOther, "/overview")
	got := v.get(t, "/overview")
	got.want(t, "the list without it", http.StatusOK, "", "Dropped.")
	if ways := waysOn(got); len(ways) != 0 {
		t.Errorf("what was dropped still leads to %q", ways)
	}

	left := v.leave(t, "/connect/fake")
	back := v.comeBack(t, h.fake.Approve(left, "12345"))
	drop = holds("an account to confirm", back.location, "Open step: confirm that account 1•••5 is yours")
	exec(t, h, `INSERT INTO sessions SELECT (jsonb_populate_record(s, jsonb_build_object('id', gen_random_uuid(), 'token_hash', '\x01'))).* FROM sessions s`)
	exec(t, h, `UPDATE attempts SET session_id = (SELECT id FROM sessions WHERE token_hash = '\x01') WHERE status = 'returned'`)
	v.get(t, back.location).want(t, "in another sign-in", http.StatusOK, "", "Begin again here", `href="/connect/fake"`)
	v.post(t, drop, "back", "https://elsewhere.example").want(t, "a way back that is none of ours", http.StatusSeeOther, back.location)

	h.fake.Set(func(f *oauthtest.Fake) { f.OnExchange = failing(oauth.Upstream) })
	v.comeBack(t, h.fake.Approve(v.leave(t, "/connect/fake"), "12345"))
	drop = holds("one that failed", "/connect/fake", "Fake")
	other := h.owner(t, "b@example.com")
	if ways := waysOn(other.get(t, "/overview")); len(ways) != 0 {
		t.Errorf("a stranger is led to %q", ways)
	}
	other.post(t, drop, "back", "/overview").want(t, "a stranger drops it", http.StatusNotFound, "")
	v.post(t, drop, "back", "/connections").want(t, "dropping what failed", http.StatusSeeOther, "/connections")
	if ways := waysOn(v.get(t, "/connections")); len(ways) != 0 {
		t.Errorf("what failed and was dropped still leads to %q", ways)
	}
}

func TestUnfinished_KeepsWhatWasTypedButNoSecret(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	const form = "/connect/keyed"
	if body := v.get(t, form).body; strings.Contains(body, "Your entries are still here") {
		t.Error("something is kept before anything was typed")
	}
	for what, key := range map[string]string{"what can be corrected": "", "what the provider refused": oauthtest.KeyFakeWrong} {
		sent := v.post(t, form, oauthtest.KeyFakeID, "12345", oauthtest.KeyFakeSecret, key)
		if key != "" {
			cookie := regexp.MustCompile(typedName + `=([^;]+); .*HttpOnly`).FindStringSubmatch(strings.Join(sent.header.Values("Set-Cookie"), "\n"))
			if cookie == nil {
				t.Fatal("nothing was kept")
			}
			if text, err := base64.RawURLEncoding.DecodeString(cookie[1]); err != nil || strings.Contains(string(text), oauthtest.KeyFakeSecret) {
				t.Errorf("the browser keeps %q (%v)", text, err)
			}
		}
		got := v.get(t, form)
		got.want(t, what, http.StatusOK, "", `value="12345"`, "Your entries are still here")
		if key != "" && strings.Contains(got.body, `value="`+key) {
			t.Error("the secret was sent back")
		}
	}
	if body := v.get(t, "/connect/newsy").body; strings.Contains(body, "12345") {
		t.Error("another provider's form holds it")
	}
	v.post(t, "/logout")
	v.member(t, "b@example.com")
	if body := v.get(t, form).body; strings.Contains(body, "12345") {
		t.Error("another person in the same browser sees it")
	}
	v.post(t, form, oauthtest.KeyFakeID, "67890", oauthtest.KeyFakeSecret, "a-key")
	if body := v.get(t, form).body; strings.Contains(body, "67890") {
		t.Error("it outlives the connection")
	}
}

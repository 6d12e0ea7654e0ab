package handlers

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// app is somebody's authenticator app.
type app struct{ secret, used string }

// code is what the app shows, so many steps of 30 seconds from now.
func (a app) code(t *testing.T, steps int) string {
	t.Helper()
	code, err := totp.GenerateCode(a.secret, time.Now().Add(time.Duration(steps)*30*time.Second))
	must(t, err)
	return code
}

// setUp adds an authenticator app and gives it, with the recovery codes.
func setUp(t *testing.T, v *visitor) (app, []string) {
	t.Helper()
	v.post(t, "/settings/factors/totp").want(t, "beginning", 303, "/settings/factors/totp")
	page := v.get(t, "/settings/factors/totp")
	page.want(t, "the set-up", 200, "", `class="qr"`)
	found := regexp.MustCompile(`<code>([A-Z2-7 ]+)</code>`).FindStringSubmatch(page.body)
	if found == nil {
		t.Fatal("no key to type")
	}
	a := app{secret: strings.ReplaceAll(found[1], " ", "")}
	a.used = a.code(t, 0)
	v.post(t, "/settings/factors/totp/confirm", "code", "000000", "label", "My <phone>").
		want(t, "a wrong code", 422, "", "not right", `value="My &lt;phone&gt;"`, found[1])
	done := v.post(t, "/settings/factors/totp/confirm", "code", a.used, "label", "My <phone>")
	done.want(t, "the right code", 200, "", "Recovery codes", "one time only")
	codes := regexp.MustCompile(`<code>([a-z2-7]{5}-[a-z2-7]{5})</code>`).FindAllStringSubmatch(done.body, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	var all []string
	for _, c := range codes {
		all = append(all, c[1])
	}
	return a, all
}

func TestFactors_SigningInWithAnApp(t *testing.T) {
	t.Parallel()
	l := newLobby(t, false)
	v, other := l.visitor(t), l.visitor(t)
	v.signUp(t, "a@example.com")
	other.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "another device", 303, "/overview")
	v.get(t, "/settings").want(t, "the settings", 200, "", "Your password alone opens your account")
	a, recovery := setUp(t, v)
	v.get(t, "/settings/factors").want(t, "the list", 200, "", "My &lt;phone&gt;", "10 codes are left", "not used yet")
	other.get(t, "/overview").want(t, "the other device", 303, "/login?next=%2Foverview")

	v.post(t, "/logout").want(t, "out", 303, "/login")
	signIn := func(code string) answer {
		t.Helper()
		v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword, "next", "/settings").want(t, "the password", 303, "/login/code?next=%2Fsettings")
		v.get(t, "/overview").want(t, "with the password alone", 303, "/login?next=%2Foverview")
		v.get(t, "/login/code?next=%2Fsettings").want(t, "the question", 200, "", "authenticator app shows", `value="/settings"`)
		return v.post(t, "/login/code", "code", code, "next", "/settings")
	}
	signIn("000000").want(t, "a wrong code", 422, "", "not right")
	signIn(a.used).want(t, "a code that was used", 422, "", "used already")
	next := a.code(t, 1) // the step after the one that was used; taken already now
	signIn(next).want(t, "the right code", 303, "/settings")
	v.get(t, "/settings").want(t, "signed in", 200, "", "takes your password and a second proof")
	v.post(t, "/logout").want(t, "out", 303, "/login")
	signIn(next).want(t, "the same code again", 422, "", "used already")
	signIn(recovery[3]).want(t, "a recovery code", 303, "/settings")
	v.post(t, "/logout").want(t, "out", 303, "/login")
	signIn(recovery[3]).want(t, "a spent recovery code", 422, "", "not right")
	v.post(t, "/login/code", "code", recovery[4], "next", "https://evil.example/").want(t, "somewhere else to go on", 303, "/overview")
	v.get(t, "/settings/factors").want(t, "the list", 200, "", "8 codes are left")
	l.visitor(t).get(t, "/login/code").want(t, "a code without a password", 303, "/login")
	l.visitor(t).post(t, "/login/code", "code", recovery[5]).want(t, "a code without a password", 303, "/login")
}

func TestFactors_SensitiveActsWantARecentProof(t *testing.T) {
	t.Parallel()
	l := newLobby(t, false)
	v := l.visitor(t)
	v.signUp(t, "a@example.com")
	a, _ := setUp(t, v)
	list := v.get(t, "/settings/factors")
	remove := regexp.MustCompile(`/settings/factors/[0-9a-f-]{36}/remove`).FindString(list.body)
	stale := func() {
		t.Helper()
		_, err := l.db.Owner.Exec(t.Context(), `UPDATE sessions SET proved_at = now() - interval '16 minutes'`)
		must(t, err)
	}
	stale()
	v.get(t, remove).want(t, "a stale session", 303, "/prove?next="+strings.ReplaceAll(remove, "/", "%2F"))
	v.post(t, remove).want(t, "a form of a stale session", 303, "/prove?next=%2F")
	v.post(t, "/settings/factors/recovery").want(t, "a form of a stale session", 303, "/prove?next=%2F")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.URL+remove, nil)
	must(t, err)
	r.Header.Set("Referer", l.URL+remove)
	v.do(t, r).want(t, "a form that says where it stood", 303, "/prove?next="+strings.ReplaceAll(remove, "/", "%2F"))
	v.get(t, "/prove?next="+remove).want(t, "the question", 200, "", "Is it you?", `value="`+remove+`"`)
	before := v.session(t, l)
	v.post(t, "/prove", "code", "000000", "next", remove).want(t, "a wrong code", 422, "", "not right")
	v.post(t, "/prove", "password", lobbyPassword, "next", remove).want(t, "the password alone", 422, "", "not right")
	v.post(t, "/prove", "code", a.code(t, 1), "next", remove).want(t, "the right code", 303, remove)
	if v.session(t, l) == before {
		t.Error("the session kept its token")
	}
	v.get(t, remove).want(t, "after the proof", 200, "", html.EscapeString("Remove “My <phone>”?"), "your last one")
	v.post(t, remove).want(t, "removing", 303, "/settings/factors")
	v.get(t, "/settings/factors").want(t, "the list", 200, "", "Nothing yet")

	stale()
	v.post(t, "/settings/factors/totp").want(t, "a stale session", 303, "/prove?next=%2F")
	v.post(t, "/prove", "password", "not it").want(t, "a wrong password", 422, "", "not your current password")
	v.post(t, "/prove", "password", lobbyPassword).want(t, "the password", 303, "/overview")
	v.post(t, "/settings/factors/totp").want(t, "a proved session", 303, "/settings/factors/totp")
	v.post(t, "/logout").want(t, "out", 303, "/login")
	v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "the password is enough again", 303, "/overview")
}

func TestFactors_CodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	l := newLobby(t, false)
	v := l.visitor(t)
	v.signUp(t, "a@example.com")
	setUp(t, v)
	refused := 0
	for range 12 {
		if got := v.post(t, "/prove", "code", "123456"); got.status == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("twelve codes in a row were looked at")
	}
}

// session gives the token that the browser holds.
func (v *visitor) session(t *testing.T, l *lobby) string {
	t.Helper()
	for _, cookie := range v.Jar.Cookies(mustURL(t, l.URL)) {
		if cookie.Name == sessionName {
			return cookie.Value
		}
	}
	return ""
}

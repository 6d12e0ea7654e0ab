package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/accounts"
	"mooring/internal/secret"
)

func TestSignUp_ByMail(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.get(t, "/signup").want(t, "the form", 200, "", `name="business_name"`, `autocomplete="new-password"`, `minlength="10"`)

	v.signUp(t, "owner@example.com").want(t, "sign-up", 200, "", "owner@example.com", "24 h")
	link := l.deliver(t)
	v.get(t, link).want(t, "the link", 200, "", "Harbour Ltd", "owner@example.com", `action="`+link+`"`)
	v.get(t, link).want(t, "the link again: looking uses nothing up", 200, "")
	phone := l.visitor(t)
	phone.post(t, link).want(t, "the button in another browser", 303, "/login")
	phone.get(t, "/login").want(t, "after it", 200, "", "Your account is ready")
	v.post(t, link).want(t, "the button again", 404, "", "no longer works", "sign in", `href="/signup"`)
	v.get(t, link).want(t, "the link after its use", 404, "", "no longer works")
	v.get(t, "/signup/invented").want(t, "an invented link", 404, "", "no longer works")
	v.post(t, "/login", "email", "OWNER@example.com", "password", lobbyPassword).want(t, "signing in", 303, "/overview")
	v.get(t, "/login").want(t, "the form while signed in", 303, "/overview")
}

func TestSignUp_BodiesAreEqualForKnownAndUnknownAddresses(t *testing.T) {
	l := newLobby(t, true)
	l.visitor(t).member(t, "known@example.com")
	for name, try := range map[string]func(v *visitor, email string) answer{
		"sign-up": func(v *visitor, email string) answer { return v.signUp(t, email) },
		"sign-in": func(v *visitor, email string) answer {
			return v.post(t, "/login", "email", email, "password", "wrong password")
		},
		"forgot": func(v *visitor, email string) answer { return v.post(t, "/forgot", "email", email) },
	} {
		known, other := try(l.visitor(t), "known@example.com"), try(l.visitor(t), "other@example.com")
		if known.status != other.status || strings.ReplaceAll(known.body, "known@", "other@") != other.body {
			t.Errorf("%s tells the addresses apart: %d and %d", name, known.status, other.status)
		}
		if got, want := cookieNames(known.header), cookieNames(other.header); got != want {
			t.Errorf("%s: cookies %q and %q tell the addresses apart", name, got, want)
		}
		for _, header := range []string{"Location", "Retry-After", "Content-Type"} {
			if known.header.Get(header) != other.header.Get(header) {
				t.Errorf("%s: header %s tells the addresses apart", name, header)
			}
		}
	}
}

func TestSignUp_BrowserThatFilledInTheFormIsSignedInByTheLink(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.member(t, "a@example.com")
	v.get(t, "/settings").want(t, "settings", 200, "", "a@example.com")
	l.visitor(t).post(t, "/login", "email", "a@example.com", "password", lobbyPassword).want(t, "elsewhere", 303, "/overview")
}

// cookieNames gives the names of the cookies that are set and the lengths of their values.
func cookieNames(h http.Header) string {
	var names []string
	for _, cookie := range (&http.Response{Header: h}).Cookies() {
		names = append(names, fmt.Sprint(cookie.Name, len(cookie.Value)))
	}
	return strings.Join(names, " ")
}

func TestSignUp_WithoutMailSignsInAtOnce(t *testing.T) {
	l := newLobby(t, false)
	l.visitor(t).signUp(t, "owner@example.com").want(t, "sign-up", 303, "/overview")
	v := l.visitor(t)
	v.signUp(t, "owner@example.com").want(t, "the same address", 422, "", `value="Harbour Ltd"`, "has an account already", `id="email-fault"`)
	v.get(t, "/forgot").want(t, "forgotten without mail", 200, "", "cannot send mail")
}

func TestForms_SayWhatIsWrongAtTheFieldInBothLanguagesAndKeepWhatWasTyped(t *testing.T) {
	l := newLobby(t, true)
	for lang, texts := range map[string][]string{
		"en":    {"Enter the name of your business.", "This is not a mail address.", "Use at least 10 characters."},
		"zh-CN": {"请填写商户名称。", "这不是有效的邮箱", "至少 10 个字符。"},
	} {
		v := l.visitor(t)
		v.lang = lang
		got := v.post(t, "/signup", "business_name", "", "email", `a"b@c@d`, "password", "hunter2")
		got.want(t, "sign-up in "+lang, 422, "", append(texts, `value="a&#34;b@c@d"`, `aria-describedby="email-fault`)...)
		if strings.Contains(got.body, "hunter2") {
			t.Error("the password came back in the page")
		}
		for _, path := range []string{"/login", "/signup", "/forgot"} {
			v.get(t, path).want(t, path+" in "+lang, 200, "", `<html lang="`+lang+`"`)
		}
	}
}

func TestSignIn_GoesOnLocallyOnly(t *testing.T) {
	l := newLobby(t, true)
	l.visitor(t).member(t, "a@example.com")
	for next, want := range map[string]string{
		"/connections?x=1": "/connections?x=1", "https://evil.example": "/overview", "//evil.example": "/overview", "": "/overview",
	} {
		v := l.visitor(t)
		v.post(t, "/login", "email", "a@example.com", "password", "wrong", "next", next).want(t, "a wrong password", 422, "")
		got := v.post(t, "/login", "email", "a@example.com", "password", lobbyPassword, "next", next)
		got.want(t, "next="+next, 303, want)
		for _, cookie := range []string{"mooring-session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(got.header.Get("Set-Cookie"), cookie) {
				t.Errorf("the cookie %q lacks %s", got.header.Get("Set-Cookie"), cookie)
			}
		}
	}
}

func TestSignOut_EndsTheSession(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.member(t, "a@example.com")
	site, _ := url.Parse(l.URL)
	stolen := v.Jar.Cookies(site)
	v.post(t, "/logout").want(t, "signing out", 303, "/login")
	v.get(t, "/login").want(t, "after it", 200, "", "You are signed out.")

	thief := l.visitor(t)
	thief.Jar.SetCookies(site, stolen)
	thief.get(t, "/settings").want(t, "the cookie of before", 303, "/login?next=%2Fsettings")
}

func TestReset_ByMail(t *testing.T) {
	l := newLobby(t, true)
	phone, v := l.visitor(t), l.visitor(t)
	phone.member(t, "a@example.com")
	v.post(t, "/forgot", "email", "a@example.com").want(t, "forgotten", 200, "", "1 h")
	link := l.deliver(t)
	v.get(t, link).want(t, "the link", 200, "", "a@example.com", `action="`+link+`"`)
	v.post(t, link, "password", "short").want(t, "a short password", 422, "", "Use at least 10 characters.", "a@example.com")
	v.post(t, link, "password", "another good password").want(t, "a good one", 303, "/login")
	v.get(t, "/login").want(t, "after it", 200, "", "Your new password is set")
	v.post(t, link, "password", "yet another password").want(t, "the link again", 404, "", "no longer works", `href="/forgot"`)
	phone.get(t, "/settings").want(t, "the other browser", 303, "/login?next=%2Fsettings")
	v.post(t, "/login", "email", "a@example.com", "password", "another good password").want(t, "signing in", 303, "/overview")
}

func TestReset_LinkHostIsFixed(t *testing.T) {
	l := newLobby(t, true)
	l.visitor(t).member(t, "a@example.com")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.URL+"/forgot", strings.NewReader("email=a%40example.com"))
	must(t, err)
	r.Host = "evil.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-Host", "evil.example")
	l.visitor(t).do(t, r)
	l.deliver(t) // finds a link of ours, or fails
	if letter := l.letters[len(l.letters)-1]; strings.Contains(letter.Text+letter.HTML, "evil.example") {
		t.Error("a stranger's host stands in the mail")
	}
}

func TestSignIn_TooManyTriesSayWhenToComeBack(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	var got answer
	for range 15 {
		if got = v.post(t, "/login", "email", "a@example.com", "password", "wrong password"); got.status != 422 {
			break
		}
	}
	got.want(t, "guessing", 429, "", "Too many tries", `value="a@example.com"`)
	if got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestSignIn_StaffWorkElsewhere(t *testing.T) {
	l := newLobby(t, true)
	must(t, accounts.CreateAdmin(t.Context(), l.db.Owner, "admin@example.com", secret.New(lobbyPassword), time.Now()))
	v := l.visitor(t)
	v.post(t, "/login", "email", "admin@example.com", "password", lobbyPassword).want(t, "signing in", 303, homeOf(accounts.Session{IsAdmin: true}))
	v.get(t, "/settings").want(t, "settings", 200, "", "admin@example.com")
}

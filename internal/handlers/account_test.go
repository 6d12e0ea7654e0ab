package handlers

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/database/dbtest"
	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// lobby is the whole site as far as people need it: real database, real router, a post office in memory.
type lobby struct {
	*httptest.Server
	accounts *accounts.Service
	db       dbtest.DB
	queued   []uuid.UUID
	letters  []mail.Letter
}

func (l *lobby) EnqueueMail(_ context.Context, _ *models.Tx, link uuid.UUID) error {
	l.queued = append(l.queued, link)
	return nil
}

func (l *lobby) Send(_ context.Context, letter mail.Letter) error {
	l.letters = append(l.letters, letter)
	return nil
}

// Subscribe implements Wakes; nothing wakes here.
func (l *lobby) Subscribe(uuid.UUID) (<-chan struct{}, func()) { return nil, func() {} }

func newLobby(t *testing.T, withMail bool) *lobby {
	t.Helper()
	l := &lobby{db: dbtest.New(t)}
	store, err := models.NewStore(models.Options{App: l.db.App, Platform: l.db.Platform, Now: time.Now})
	must(t, err)
	keyset, err := vault.NewKeyset()
	must(t, err)
	v, err := vault.New(keyset)
	must(t, err)
	words, err := i18n.NewBundle()
	must(t, err)
	composer, err := mail.NewComposer(words)
	must(t, err)
	log := slog.New(slog.DiscardHandler)
	var site http.Handler
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	t.Cleanup(l.Close)
	l.accounts = accounts.New(accounts.Deps{
		Store: store, Vault: v, Queue: l, Letters: composer, Sender: l, MailConfigured: withMail, PublicURL: l.URL, Log: log,
	})
	server, err := New(Deps{
		Accounts: l.accounts, Connect: connect.New(connect.Deps{}), Store: store, Words: words, Wakes: l, PublicURL: l.URL,
		MailConfigured: withMail, Ready: func(context.Context) error { return nil }, Now: time.Now, Log: log,
		Metrics: NewMetrics(prometheus.NewRegistry()),
	})
	must(t, err)
	site = server.Handler()
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// deliver sends the newest mail and gives the path of its link.
func (l *lobby) deliver(t *testing.T) string {
	t.Helper()
	must(t, l.accounts.SendLink(t.Context(), l.queued[len(l.queued)-1]))
	link := regexp.MustCompile(regexp.QuoteMeta(l.URL) + `(/\S+)`).FindStringSubmatch(l.letters[len(l.letters)-1].Text)
	if link == nil {
		t.Fatal("the mail has no link")
	}
	return link[1]
}

// visitor is a browser that follows nothing by itself.
type visitor struct {
	*http.Client
	site *lobby
	lang string
}

func (l *lobby) visitor(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	must(t, err)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &visitor{Client: client, site: l, lang: "en"}
}

// answer is what a visitor sees.
type answer struct {
	status   int
	location string
	body     string
	header   http.Header
}

func (v *visitor) do(t *testing.T, r *http.Request) answer {
	t.Helper()
	r.Header.Set("Accept-Language", v.lang)
	response, err := v.Do(r)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if strings.Contains(string(body), "⟨") {
		t.Errorf("%s %s shows a key instead of words", r.Method, r.URL.Path)
	}
	return answer{response.StatusCode, response.Header.Get("Location"), string(body), response.Header}
}

func (v *visitor) get(t *testing.T, path string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.site.URL+path, nil)
	must(t, err)
	return v.do(t, r)
}

func (v *visitor) post(t *testing.T, path string, pairs ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.site.URL+path, strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(t, r)
}

func (a answer) want(t *testing.T, what string, status int, location string, texts ...string) {
	t.Helper()
	if a.status != status || a.location != location {
		t.Errorf("%s: %d to %q, want %d to %q", what, a.status, a.location, status, location)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%s: the page does not say %q:\n%s", what, text, a.body)
		}
	}
}

const lobbyPassword = "correct horse battery"

func (v *visitor) signUp(t *testing.T, email string) answer {
	t.Helper()
	return v.post(t, "/signup", "business_name", "Harbour Ltd", "email", email, "password", lobbyPassword)
}

// member makes an account and signs in with it.
func (v *visitor) member(t *testing.T, email string) {
	t.Helper()
	v.signUp(t, email)
	v.post(t, v.site.deliver(t)).want(t, "finishing the sign-up", http.StatusSeeOther, "/login")
	v.post(t, "/login", "email", email, "password", lobbyPassword).want(t, "signing in", http.StatusSeeOther, "/overview")
}

func TestSignUp_ByMail(t *testing.T) {
	l := newLobby(t, true)
	v := l.visitor(t)
	v.get(t, "/signup").want(t, "the form", 200, "", `name="business_name"`, `autocomplete="new-password"`, `minlength="10"`)

	v.signUp(t, "owner@example.com").want(t, "sign-up", 200, "", "owner@example.com", "24 h")
	link := l.deliver(t)
	v.get(t, link).want(t, "the link", 200, "", "Harbour Ltd", "owner@example.com", `action="`+link+`"`)
	v.get(t, link).want(t, "the link again: looking uses nothing up", 200, "")
	v.post(t, link).want(t, "the button", 303, "/login")
	v.get(t, "/login").want(t, "after it", 200, "", "Your account is ready")
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
		"sign-in": func(v *visitor, email string) answer { return v.post(t, "/login", "email", email, "password", "wrong password") },
		"forgot":  func(v *visitor, email string) answer { return v.post(t, "/forgot", "email", email) },
	} {
		known, other := try(l.visitor(t), "known@example.com"), try(l.visitor(t), "other@example.com")
		if known.status != other.status || strings.ReplaceAll(known.body, "known@", "other@") != other.body {
			t.Errorf("%s tells the addresses apart: %d and %d", name, known.status, other.status)
		}
		for _, header := range []string{"Set-Cookie", "Location", "Retry-After", "Content-Type"} {
			if known.header.Get(header) != other.header.Get(header) {
				t.Errorf("%s: header %s tells the addresses apart", name, header)
			}
		}
	}
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

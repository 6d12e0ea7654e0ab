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
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/database/dbtest"
	"mooring/internal/dispatch"
	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/vault"
)

// lobby is the whole site as far as people need it: real database, real router, a post office in memory.
type lobby struct {
	*httptest.Server
	accounts *accounts.Service
	db       dbtest.DB

	mu      sync.Mutex
	queued  []uuid.UUID
	letters []mail.Letter
}

func (l *lobby) EnqueueMail(_ context.Context, _ *models.Tx, link uuid.UUID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queued = append(l.queued, link)
	return nil
}

func (l *lobby) Send(_ context.Context, letter mail.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
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
		Accounts: l.accounts, Connect: connect.New(connect.Deps{}), Dispatch: dispatch.New(dispatch.Deps{}),
		Store: store, Words: words, Wakes: l, PublicURL: l.URL,
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
	l.mu.Lock()
	newest := l.queued[len(l.queued)-1]
	l.mu.Unlock()
	_, err := l.accounts.SendLink(t.Context(), newest)
	must(t, err)
	l.mu.Lock()
	defer l.mu.Unlock()
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
		t.Errorf("%s %s shows a key instead of words: %s", r.Method, r.URL.Path, regexp.MustCompile("⟨[^⟩]*⟩").FindString(string(body)))
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
		form.Add(pairs[i], pairs[i+1])
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

// member makes an account and is signed in to it.
func (v *visitor) member(t *testing.T, email string) {
	t.Helper()
	v.signUp(t, email)
	v.post(t, v.site.deliver(t)).want(t, "finishing the sign-up", http.StatusSeeOther, "/overview")
}

package accounts

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/errs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// house is a service over a real database, with a fake post office and a hash that counts instead of working.
type house struct {
	*Service
	db     dbtest.DB
	post   *post
	hashed *atomic.Int64
}

// post keeps queued links and, when they are delivered, the notes of their letters.
type post struct {
	mu     sync.Mutex
	queued []uuid.UUID
	notes  []mail.Note
}

func (p *post) EnqueueMail(_ context.Context, _ *models.Tx, link uuid.UUID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queued = append(p.queued, link)
	return nil
}

func (p *post) Compose(n mail.Note) (mail.Letter, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.notes = append(p.notes, n)
	return mail.Letter{To: n.To, Text: n.URL}, nil
}

func (p *post) Send(context.Context, mail.Letter) error { return nil }

type option func(*Deps)

func withoutMail(d *Deps) { d.MailConfigured = false }

func wide(d *Deps) {
	many := models.Rate{Every: time.Millisecond, Burst: 100_000}
	d.Limits = Limits{many, many, many, many, many, many, many, many, many}
}

func newHouse(t *testing.T, options ...option) *house {
	t.Helper()
	h := &house{db: dbtest.New(t), post: &post{}}
	h.Service, h.hashed = h.replica(t, options...)
	return h
}

// replica makes one more service on the same database. Its hash is quick; real ones have their own tests.
func (h *house) replica(t *testing.T, options ...option) (*Service, *atomic.Int64) {
	t.Helper()
	store, err := models.NewStore(models.Options{App: h.db.App, Platform: h.db.Platform, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	keyset, err := vault.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	if h.Service != nil {
		keyset = nil // replicas share the keyset
	}
	d := Deps{
		Store: store, Queue: h.post, Letters: h.post, Sender: h.post, MailConfigured: true,
		PublicURL: "http://localhost:8080", Log: slog.New(slog.DiscardHandler),
	}
	if keyset == nil {
		d.Vault = h.Vault
	} else if d.Vault, err = vault.New(keyset); err != nil {
		t.Fatal(err)
	}
	for _, o := range options {
		o(&d)
	}
	s, hashed := New(d), &atomic.Int64{}
	s.hasher.create = func(password string) (string, error) { hashed.Add(1); return "quick:" + password, nil }
	s.hasher.compare = func(password, hash string) (bool, error) { hashed.Add(1); return hash == "quick:"+password, nil }
	return s, hashed
}

const goodPassword = "correct horse battery"

// member signs a business up the whole way.
func (h *house) member(t *testing.T, email string) {
	t.Helper()
	request := SignUpRequest{BusinessName: "Harbour", Email: email, Password: secret.New(goodPassword), Language: "en"}
	if _, err := h.SignUp(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	if !h.MailConfigured {
		return
	}
	if _, err := h.CompleteSignUp(t.Context(), CompleteRequest{Token: h.deliver(t)}); err != nil {
		t.Fatal(err)
	}
}

// deliver sends the newest mail and gives the token in it, if any.
func (h *house) deliver(t *testing.T) secret.String {
	t.Helper()
	if _, err := h.SendLink(t.Context(), h.post.queued[len(h.post.queued)-1]); err != nil {
		t.Fatal(err)
	}
	url := h.post.notes[len(h.post.notes)-1].URL
	return secret.New(url[strings.LastIndex(url, "/")+1:])
}

func (h *house) signIn(t *testing.T, email, password string, from Browser) (SignedIn, error) {
	t.Helper()
	return h.SignIn(t.Context(), SignInRequest{Email: email, Password: secret.New(password), Browser: from})
}

func (h *house) mustSignIn(t *testing.T, email, password string) (secret.String, Session) {
	t.Helper()
	signedIn, err := h.signIn(t, email, password, Browser{Address: "192.0.2.1", UserAgent: "Mozilla/5.0 (X11; Linux) Firefox/140.0"})
	if err != nil {
		t.Fatal(err)
	}
	return signedIn.Token, h.mustOpen(t, signedIn.Token)
}

func (h *house) mustOpen(t *testing.T, token secret.String) Session {
	t.Helper()
	session, err := h.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func (h *house) count(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := h.db.Owner.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func wantCode(t *testing.T, what string, err error, want errs.Code, key string) {
	t.Helper()
	if got := errs.CodeOf(err); got != want || (key != "" && errs.As(err).Key != key) {
		t.Errorf("%s: %v, want %s %s", what, err, want, key)
	}
}

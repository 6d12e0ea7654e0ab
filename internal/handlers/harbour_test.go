package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/database/dbtest"
	"mooring/internal/dispatch"
	"mooring/internal/i18n"
	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/outbound"
	"mooring/internal/secret"
	"mooring/internal/vault"
	"mooring/internal/watch"
)

// harbour is a lobby with the connections behind it: a scripted provider, the real flow, the real listener.
type harbour struct {
	*lobby
	fake     *oauthtest.Fake
	connect  *connect.Service
	dispatch *dispatch.Service
	store    *models.Store
	server   *Server
	keeper   *watch.Keeper

	mu    sync.Mutex
	syncs [][2]uuid.UUID // tenant, connection
}

// SyncJob implements connect.Queue: it remembers what was asked for, for work.
func (h *harbour) SyncJob(tenant, connection uuid.UUID, _ string) models.Statement {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.syncs = append(h.syncs, [2]uuid.UUID{tenant, connection})
	return models.Statement{SQL: "SELECT 1"}
}

// CallbackJob implements connect.Queue; no callback comes here.
func (h *harbour) CallbackJob(uuid.UUID, uuid.UUID) models.Statement {
	return models.Statement{SQL: "SELECT 1"}
}

func newHarbour(t *testing.T, publicURL string, fake *oauthtest.Fake) *harbour {
	t.Helper()
	h := &harbour{lobby: &lobby{db: dbtest.New(t)}, fake: fake}
	h.lobby.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.server.Handler().ServeHTTP(w, r) }))
	t.Cleanup(h.lobby.Close)
	if publicURL == "" {
		publicURL = h.URL
	}
	var err error
	h.store, err = models.NewStore(models.Options{App: h.db.App, Platform: h.db.Platform, Now: time.Now})
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
	h.accounts = accounts.New(accounts.Deps{Store: h.store, Vault: v, Queue: h, Letters: composer, Sender: h, PublicURL: publicURL, Log: log})
	far := oauth.Descriptor{Slug: "far", Title: oauth.Text{ZH: "远方", EN: "Far"}, Flow: oauth.FlowRedirect, Environment: oauth.Live}
	registry, err := connect.NewRegistry([]oauth.Provider{fake}, []oauth.Descriptor{fake.Descriptor(), far})
	must(t, err)
	listener := h.listen(t)
	h.keeper = watch.New(watch.Options{Replica: "pier/1", Now: time.Now, Log: log})
	must(t, h.keeper.Open(t.Context(), h.store))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.keeper.Run(ctx, listener) }()
	t.Cleanup(func() { cancel(); <-done })
	h.connect = connect.New(connect.Deps{
		Vault: v, Providers: registry, Queue: h, Wakes: listener, Watch: h.keeper, PublicURL: publicURL, Now: time.Now, Log: log,
	})
	allow, err := outbound.ParseAllowlist([]string{"127.0.0.0/8"})
	must(t, err)
	h.dispatch = dispatch.New(dispatch.Deps{Store: h.store, Vault: v, Queue: jobs.Queue{}, Allow: allow, Now: time.Now})
	h.server, err = New(Deps{
		Accounts: h.accounts, Connect: h.connect, Dispatch: h.dispatch, Store: h.store, Words: words, Wakes: listener, PublicURL: publicURL,
		Ready: func(context.Context) error { return nil }, Now: time.Now, Log: log, Metrics: NewMetrics(prometheus.NewRegistry()),
		Setups: []ProviderSetup{
			{Slug: "fake", Settings: []SettingState{{Name: "FAKE_ID", Set: true, Required: true}}}, {Slug: "far", Missing: []string{"FAR_KEY"}},
		},
		CapturedMail: func() []mail.Captured {
			return []mail.Captured{{At: time.Now(), To: "a@example.com", Subject: "Hello", Text: "Press\nhttps://mooring.example/reset/x\n"}}
		},
	})
	must(t, err)
	return h
}

func (h *harbour) listen(t *testing.T) *database.Listener {
	t.Helper()
	listener := database.NewListener(h.db.App)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); listener.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return listener
}

// work runs the syncs that were asked for.
func (h *harbour) work(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	due := h.syncs
	h.syncs = nil
	h.mu.Unlock()
	for _, s := range due {
		_ = h.connect.Sync(t.Context(), h.store.ForTenant(s[0], models.Actor{Kind: models.System}), s[1])
	}
}

// owner signs up and is signed in.
func (h *harbour) owner(t *testing.T, email string) *visitor {
	t.Helper()
	v := h.visitor(t)
	v.signUp(t, email).want(t, "signing up", http.StatusSeeOther, "/overview")
	return v
}

// staff signs in as a member of the platform's staff.
func (h *harbour) staff(t *testing.T) *visitor {
	t.Helper()
	return h.colleague(t, "admin@example.com")
}

// colleague signs in as another one.
func (h *harbour) colleague(t *testing.T, email string) *visitor {
	t.Helper()
	must(t, accounts.CreateAdmin(t.Context(), h.db.Owner, email, secret.New(lobbyPassword), time.Now()))
	v := h.visitor(t)
	v.post(t, "/login", "email", email, "password", lobbyPassword).want(t, "signing in", http.StatusSeeOther, "/admin")
	return v
}

// demote makes everybody of the tenant a viewer.
func (h *harbour) demote(t *testing.T, email string) {
	t.Helper()
	_, err := h.db.Owner.Exec(t.Context(),
		`UPDATE memberships SET role = 'viewer' WHERE user_id = (SELECT id FROM users WHERE email = $1)`, email)
	must(t, err)
}

// leave presses connect and gives the provider's address.
func (v *visitor) leave(t *testing.T, path string) string {
	t.Helper()
	got := v.post(t, path)
	if got.status != http.StatusSeeOther {
		t.Fatalf("POST %s: %d", path, got.status)
	}
	return got.location
}

// comeBack opens the callback with what the provider gives along.
func (v *visitor) comeBack(t *testing.T, query url.Values) answer {
	t.Helper()
	return v.get(t, "/oauth/fake/callback?"+query.Encode())
}

// connected walks the whole flow and gives the connection's path.
func (h *harbour) connected(t *testing.T, v *visitor, account string) string {
	t.Helper()
	got := v.comeBack(t, h.fake.Approve(v.leave(t, "/connect/fake"), account))
	if !regexp.MustCompile(`^/connections/[0-9a-f-]{36}$`).MatchString(got.location) {
		t.Fatalf("coming back led to %d %q", got.status, got.location)
	}
	return got.location
}

// failing makes Exchange fail; the zero kind lets it be.
func failing(kind oauth.Kind) func(context.Context, oauth.Arrival) (oauth.Credential, error) {
	if kind == "" {
		return nil
	}
	return func(context.Context, oauth.Arrival) (oauth.Credential, error) {
		return oauth.Credential{}, &oauth.Error{Provider: "fake", Kind: kind, Code: "E-77"}
	}
}

func failingMerchant(kind oauth.Kind) func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
	return func(context.Context, oauth.Credential) (oauth.Reading[oauth.Merchant], error) {
		return oauth.Reading[oauth.Merchant]{}, &oauth.Error{Provider: "fake", Kind: kind}
	}
}

func mustURL(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u
}

func pageTypeOf(page any) reflect.Type { return reflect.TypeOf(page) }

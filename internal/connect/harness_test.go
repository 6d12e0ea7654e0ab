package connect_test

import (
	"context"
	"io"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/database/dbtest"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

const publicURL = "https://mooring.example"

// harness is the real store, vault and listener around a scripted provider.
type harness struct {
	t        *testing.T
	db       dbtest.DB
	vault    *vault.Vault
	store    *models.Store
	fake     *oauthtest.Fake
	provider oauth.Provider
	queue    *queue
	clock    *clock
	service  *connect.Service
}

// newHarness starts one. A nil provider means the plain fake.
func newHarness(t *testing.T, fake *oauthtest.Fake, provider oauth.Provider) *harness {
	t.Helper()
	if provider == nil {
		provider = fake
	}
	h := &harness{t: t, db: dbtest.New(t), fake: fake, provider: provider, queue: &queue{}, clock: &clock{at: time.Now().UTC()}}
	keyset, err := vault.NewKeyset()
	must(t, err)
	h.vault, err = vault.New(keyset)
	must(t, err)
	h.store, err = models.NewStore(models.Options{App: h.db.App, Platform: h.db.Platform, Now: h.clock.now})
	must(t, err)
	h.service = h.replica()
	return h
}

// replica makes another service over the same database, as a second process would be.
func (h *harness) replica() *connect.Service {
	h.t.Helper()
	registry, err := connect.NewRegistry([]oauth.Provider{h.provider}, []oauth.Descriptor{h.provider.Descriptor()})
	must(h.t, err)
	listener := database.NewListener(h.db.App)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); listener.Run(ctx) }()
	h.t.Cleanup(func() { cancel(); <-done })
	return connect.New(connect.Deps{
		Vault: h.vault, Providers: registry, Queue: h.queue, Wakes: listener, PublicURL: publicURL,
		Now: h.clock.now, Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
}

// merchant is a person at work in a tenant of their own.
type merchant struct {
	h             *harness
	tenant        uuid.UUID
	user, session uuid.UUID
	store         *models.TenantStore
	cookies       map[uuid.UUID]secret.String
}

func (h *harness) newMerchant() *merchant {
	h.t.Helper()
	m := &merchant{h: h, tenant: newID(), user: newID(), session: newID(), cookies: map[uuid.UUID]secret.String{}}
	key, err := h.vault.NewTenantKey(m.tenant)
	must(h.t, err)
	h.exec(`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1::uuid, 'merchant', $1::uuid::text || '@example.com', '', now(), now())`, m.user)
	h.exec(`INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Pier & Co', now())`, m.tenant)
	h.exec(`INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'owner', now())`, m.tenant, m.user)
	h.exec(`INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now())`, m.tenant, []byte(key))
	m.store = h.store.ForTenant(m.tenant, models.Actor{Kind: models.Person, ID: m.user})
	return m
}

// again is the same merchant in a request of its own.
func (m *merchant) again() *models.TenantStore {
	return m.h.store.ForTenant(m.tenant, models.Actor{Kind: models.Person, ID: m.user})
}

// begin presses Connect and keeps the flow cookie.
func (m *merchant) begin(reconnect *uuid.UUID) connect.Begun {
	m.h.t.Helper()
	b, err := m.h.service.Begin(m.h.t.Context(), m.again(), connect.BeginRequest{
		Provider: "fake", UserID: m.user, SessionID: m.session, Reconnect: reconnect,
	})
	must(m.h.t, err)
	m.cookies[b.Attempt] = b.Cookie
	return b
}

func (m *merchant) back(query url.Values) connect.Return {
	return connect.Return{Provider: "fake", Query: query, UserID: m.user, SessionID: m.session, Cookies: m.cookies}
}

func (m *merchant) finish(query url.Values) (models.Attempt, error) {
	return m.h.service.Finish(m.h.t.Context(), m.again(), m.back(query))
}

// connected walks the whole flow as account and gives the connection.
func (m *merchant) connected(account string) models.Connection {
	m.h.t.Helper()
	b := m.begin(nil)
	a, err := m.finish(m.h.fake.Approve(b.Location, account))
	must(m.h.t, err)
	if a.Status != models.Stored || a.ResultConnection == nil {
		m.h.t.Fatalf("connecting ended %s (%s)", a.Status, a.Reason)
	}
	return m.connection(*a.ResultConnection)
}

func (m *merchant) connection(id uuid.UUID) models.Connection {
	m.h.t.Helper()
	d, err := m.again().Connection(m.h.t.Context(), id)
	must(m.h.t, err)
	return d.Connection
}

func (m *merchant) sync(id uuid.UUID) error {
	return m.h.service.Sync(m.h.t.Context(), m.h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), id)
}

func (m *merchant) eventKinds() []string {
	m.h.t.Helper()
	events, err := m.again().Events(m.h.t.Context(), uuid.Nil, 100)
	must(m.h.t, err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (h *harness) exec(sql string, args ...any) {
	h.t.Helper()
	_, err := h.db.Owner.Exec(h.t.Context(), sql, args...)
	must(h.t, err)
}

func (h *harness) count(sql string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Owner.QueryRow(h.t.Context(), sql, args...).Scan(&n))
	return n
}

// queue remembers what was enqueued.
type queue struct {
	mu        sync.Mutex
	syncs     []uuid.UUID
	callbacks []uuid.UUID
	fail      bool
}

func (q *queue) CallbackJob(_, callback uuid.UUID) models.Statement {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.callbacks = append(q.callbacks, callback)
	return models.Statement{SQL: "SELECT 1"}
}

func (q *queue) SyncJob(_, connection uuid.UUID, _ string) models.Statement {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.syncs = append(q.syncs, connection)
	if q.fail {
		return models.Statement{SQL: "SELECT 1/0"}
	}
	return models.Statement{SQL: "SELECT 1"}
}

func (q *queue) setFailure(fail bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.fail = fail
}

// clock is moved by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

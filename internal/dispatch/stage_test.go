package dispatch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/jobs"
	"mooring/internal/models"
	"mooring/internal/outbound"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receiver is a system of the platform's, written from the standard alone. It takes nothing that is not signed with each
// of its secrets.
type receiver struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	secrets []string
	got     []receipt
	answer  func(w http.ResponseWriter)
}

type receipt struct{ id, body string }

func newReceiver(t *testing.T) *receiver {
	r := &receiver{t: t, answer: func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(q.Body)
	id, stamp := q.Header.Get("Webhook-Id"), q.Header.Get("Webhook-Timestamp")
	if _, err := strconv.ParseInt(stamp, 10, 64); err != nil || q.Method != http.MethodPost ||
		q.Header.Get("Content-Type") != "application/json" || !json.Valid(body) || !strings.HasPrefix(id, "msg_") {
		r.t.Errorf("not a webhook: %s %v %s", q.Method, q.Header, body)
	}
	signatures := strings.Fields(q.Header.Get("Webhook-Signature"))
	if len(signatures) != len(r.secrets) {
		r.t.Errorf("%d signatures, want one for each of %d secrets", len(signatures), len(r.secrets))
	}
	for _, s := range r.secrets {
		if !signedWith(s, signatures, id+"."+stamp+"."+string(body)) {
			r.t.Errorf("no signature of %v is made with a secret that must be live", signatures)
		}
	}
	r.got = append(r.got, receipt{id, string(body)})
	r.answer(w)
}

func signedWith(s string, signatures []string, content string) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
	if err != nil || !strings.HasPrefix(s, "whsec_") || len(key) < 24 || len(key) > 64 {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(content))
	for _, each := range signatures {
		version, text, _ := strings.Cut(each, ",")
		sum, err := base64.StdEncoding.DecodeString(text)
		if version == "v1" && err == nil && hmac.Equal(sum, mac.Sum(nil)) {
			return true
		}
	}
	return false
}

// knows replaces what the receiver verifies with.
func (r *receiver) knows(secrets ...secret.String) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = nil
	for _, s := range secrets {
		r.secrets = append(r.secrets, s.Reveal())
	}
}

func (r *receiver) answers(status int, headers ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

func (r *receiver) receipts() []receipt {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]receipt(nil), r.got...)
}

// stage is the platform with one tenant, and a clock that only the test moves.
type stage struct {
	*Service
	t      *testing.T
	db     dbtest.DB
	tenant uuid.UUID
	admin  *models.PlatformStore

	mu    sync.Mutex
	clock time.Time
}

func newStage(t *testing.T, allow ...string) *stage {
	t.Helper()
	s := &stage{t: t, db: dbtest.New(t), tenant: uuid.Must(uuid.NewV7()), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	store, err := models.NewStore(models.Options{App: s.db.App, Platform: s.db.Platform, Now: s.now})
	must(t, err)
	keyset, err := vault.NewKeyset()
	must(t, err)
	v, err := vault.New(keyset)
	must(t, err)
	list, err := outbound.ParseAllowlist(allow)
	must(t, err)
	s.Service = New(Deps{Store: store, Vault: v, Queue: jobs.Queue{}, Allow: list, Now: s.now})
	s.admin = store.Platform(models.Actor{Kind: models.Staff, ID: uuid.Must(uuid.NewV7())})
	_, err = s.db.Owner.Exec(t.Context(), `INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Harbour & Söhne 蓝鲸', now())`, s.tenant)
	must(t, err)
	return s
}

func (s *stage) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock
}

func (s *stage) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(d)
}

func (s *stage) store() *models.TenantStore {
	return s.Store.ForTenant(s.tenant, models.Actor{Kind: models.System})
}

// endpoint makes one that wants everything.
func (s *stage) endpoint(r *receiver, path string) uuid.UUID {
	s.t.Helper()
	id := uuid.Must(uuid.NewV7())
	made, err := s.Create(s.t.Context(), s.admin, id, Form{URL: r.URL + path, Kinds: Kinds()})
	must(s.t, err)
	r.knows(made)
	return id
}

// happens writes an event and tells it.
func (s *stage) happens(kind, detail string) (event uuid.UUID) {
	s.t.Helper()
	event = uuid.Must(uuid.NewV7())
	_, err := s.db.Owner.Exec(s.t.Context(), `INSERT INTO events (tenant_id, id, actor_kind, kind, detail, created_at) VALUES ($1, $2, 'system', $3, $4, $5)`,
		s.tenant, event, kind, detail, s.now())
	must(s.t, err)
	must(s.t, s.Tell(s.t.Context(), s.store(), event))
	return event
}

// deliveries gives those of an endpoint, newest first.
func (s *stage) deliveries(endpoint uuid.UUID) []models.Delivery {
	s.t.Helper()
	d, err := s.admin.Endpoint(s.t.Context(), endpoint, models.DeliveryQuery{Limit: 100})
	must(s.t, err)
	return d.Deliveries
}

// only gives the one delivery of an endpoint.
func (s *stage) only(endpoint uuid.UUID) models.Delivery {
	s.t.Helper()
	all := s.deliveries(endpoint)
	if len(all) != 1 {
		s.t.Fatalf("%d deliveries, want 1", len(all))
	}
	return all[0]
}

// deliver does what the job does.
func (s *stage) deliver(d models.Delivery) time.Duration {
	s.t.Helper()
	again, err := s.Deliver(s.t.Context(), s.store(), d.ID)
	must(s.t, err)
	return again
}

func (s *stage) count(query string, args ...any) (n int) {
	s.t.Helper()
	must(s.t, s.db.Owner.QueryRow(s.t.Context(), query, args...).Scan(&n))
	return n
}

package connect_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// till gives tokens of 60 seconds, each of which ends the one before, and counts them.
type till struct {
	mu    sync.Mutex
	given int
	reads int
}

func (s *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case strings.HasSuffix(r.URL.Path, "/token"):
		s.given++
		_, _ = fmt.Fprintf(w, `{"success":true,"code":"200","data":{"access_token":"token-%d","expires_in":60}}`, s.given)
	case r.Header.Get("Authorization") == fmt.Sprintf("Bearer token-%d", s.given):
		s.reads++
		_, _ = fmt.Fprint(w, `{"success":true,"code":"200","data":[]}`)
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func (s *till) count() (given, reads int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given, s.reads
}

// atTheTill connects an account of the provider whose tokens live for a minute, over two replicas.
func atTheTill(t *testing.T) (h *harness, m *merchant, s *till, conn uuid.UUID, replicas [2]*connect.Service) {
	t.Helper()
	s = &till{}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	allow, err := outbound.ParseAllowlist([]string{strings.TrimPrefix(server.URL, "http://")})
	must(t, err)
	caller := outbound.New(outbound.Options{Name: "cardwallet", Allow: allow, Now: time.Now})
	t.Cleanup(caller.Close)
	p, err := cardwallet.Factory().New(oauth.Config{
		Settings: oauth.Settings{"BASE_URL": secret.New(server.URL), "WALLET_PATH": secret.New("/wallet"), "FLOW_PATH": secret.New("/flow")},
		Caller:   caller, Now: func() time.Time { return h.clock.now() },
	})
	must(t, err)
	h = newHarness(t, nil, p)
	m = h.newMerchant()
	a, err := h.service.Submit(t.Context(), m.again(), connect.SubmitRequest{
		Provider: "cardwallet", UserID: m.user, SessionID: m.session,
		Values: oauth.Values{"client_id": secret.New("1958203847561029377"), "client_secret": secret.New("a-secret")},
	})
	must(t, err)
	if a.ResultConnection == nil {
		t.Fatalf("connecting ended %s (%s)", a.Status, a.Reason)
	}
	return h, m, s, *a.ResultConnection, [2]*connect.Service{h.service, h.replica()}
}

func TestAMinutesTokenIsSharedByEverybody(t *testing.T) {
	t.Parallel()
	h, m, s, conn, replicas := atTheTill(t)
	wallets := func(replica *connect.Service) error {
		return replica.Use(t.Context(), h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), conn,
			func(ctx context.Context, cred oauth.Credential) error {
				_, err := h.provider.(oauth.WalletFetcher).FetchWallets(ctx, cred)
				return err
			})
	}
	for life := range 3 {
		var wg sync.WaitGroup
		for i := range 10 { // pages and readings, all at the same moment
			wg.Go(func() {
				if _, err := replicas[i%2].Show(t.Context(), m.again(), conn); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := wallets(replicas[i%2]); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		must(t, replicas[life%2].Sync(t.Context(), h.store.ForTenant(m.tenant, models.Actor{Kind: models.System}), conn))
		if given, reads := s.count(); given != life+1 || reads != 12*(life+1) {
			t.Errorf("in its life %d: %d token calls for %d readings, want %d", life, given, reads, life+1)
		}
		h.clock.forward(48 * time.Second)
	}
	if n := h.count(`SELECT count(*) FROM credentials WHERE next_refresh_at IS NOT NULL`); n != 0 {
		t.Error("a token of a minute would be renewed though nobody reads")
	}
}

package cardwallet_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

const (
	clientID     = "1958203847561029377" // 19 digits: more than a float holds
	clientSecret = "canary-secret_0123456789abcdefghijklmnopqrs"
	accessToken  = "canary+access/1AAAAbbbbCCCCddddEEEEffffGGGGhhhhIIIIjjjjKKKKllllMMMMnnnnOOOOppppQQQQrrrrSSSSttttUUUUvvvvWWWWxxxxYYYYzzzz00001111=="

	tokenPath    = "/api/open/auth/token"
	merchantPath = "/api/open/merchant/detail"
	walletPath   = "/api/open/wallet/info"
	flowPath     = "/api/open/wallet/flow"
)

// call is a request with its body read.
type call struct {
	*http.Request
	body string
}

// desk answers in the service's place: per path, what a function says. It remembers requests.
type desk struct {
	mu    sync.Mutex
	seen  []call
	serve map[string]http.HandlerFunc
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text := new(strings.Builder)
	_, _ = io.Copy(text, http.MaxBytesReader(w, r.Body, 1<<20))
	d.mu.Lock()
	d.seen = append(d.seen, call{r, text.String()})
	handler := d.serve[r.URL.Path]
	d.mu.Unlock()
	if handler == nil || r.Method != http.MethodPost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	handler(w, r)
}

// calls lists the requests to one path.
func (d *desk) calls(path string) (list []call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.seen {
		if c.URL.Path == path {
			list = append(list, c)
		}
	}
	return list
}

// usual is the service with one merchant.
func usual(t testing.TB) *desk {
	t.Helper()
	return &desk{serve: map[string]http.HandlerFunc{
		tokenPath:    oauthtest.Says(200, oauthtest.Fixture(t, "token.json")),
		merchantPath: oauthtest.Says(200, oauthtest.Fixture(t, "merchant.json")),
		walletPath:   oauthtest.Says(200, oauthtest.Fixture(t, "wallets.json")),
		flowPath:     oauthtest.Says(200, oauthtest.Fixture(t, "flow.json")),
	}}
}

func allPaths() map[string]string {
	return map[string]string{"MERCHANT_PATH": merchantPath, "WALLET_PATH": walletPath, "FLOW_PATH": flowPath}
}

// open makes the provider with h in the service's place and, unless settings say otherwise, all that can be read.
func open(t testing.TB, h http.Handler, settings map[string]string) oauth.KeyFlow {
	t.Helper()
	base, caller := oauthtest.Serve(t, "cardwallet", h, oauthtest.Now)
	all := oauthtest.SettingsOf(map[string]string{"BASE_URL": base + "/"}, allPaths(), settings)
	p, err := cardwallet.Factory().New(oauth.Config{Settings: all, Environment: oauth.Test, Caller: caller, Now: oauthtest.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p.(oauth.KeyFlow)
}

func values() oauth.Values {
	return oauth.Values{"client_id": secret.New(clientID), "client_secret": secret.New(clientSecret)}
}

func credential() oauth.Credential {
	return oauth.Credential{
		AccessToken: secret.New(accessToken), ObtainedAt: oauthtest.Now(), ExpiresAt: oauthtest.Now().Add(48 * time.Second),
		Extra: map[string]secret.String{"client_id": secret.New(clientID), "client_secret": secret.New(clientSecret)},
	}
}

func tokenSays(access string, expiresIn string) http.HandlerFunc {
	return oauthtest.Says(200, `{"success":true,"code":"200","data":{"access_token":"`+access+`","expires_in":`+expiresIn+`}}`)
}

func query(t testing.TB, text string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

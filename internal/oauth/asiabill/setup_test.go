package asiabill_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/asiabill"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

const (
	clientID     = "client-1"
	clientSecret = "canary-client-secret-1"
	code         = "canary-code-1"
	accessToken  = "canary-access-1"
	refreshToken = "canary-refresh-1"
)

// desk answers in AsiaBill's place: per path, the body of a fixture or what a function says. It remembers requests.
type desk struct {
	mu    sync.Mutex
	seen  []*http.Request
	forms []url.Values // of the request with the same index, parsed from its body
	serve map[string]http.HandlerFunc
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := http.MaxBytesReader(w, r.Body, 1<<20)
	text := new(strings.Builder)
	if _, err := io.Copy(text, body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	form, _ := url.ParseQuery(text.String())
	d.mu.Lock()
	d.seen, d.forms = append(d.seen, r), append(d.forms, form)
	handler := d.serve[r.URL.Path]
	d.mu.Unlock()
	if handler == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	handler(w, r)
}

// paths lists what was asked for, in order.
func (d *desk) paths() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, r := range d.seen {
		list = append(list, r.Method+" "+r.URL.Path)
	}
	return list
}

// usual is AsiaBill with one merchant, 12345.
func usual(t testing.TB) *desk {
	t.Helper()
	return &desk{serve: map[string]http.HandlerFunc{
		"/oauth/token":          oauthtest.Says(200, oauthtest.Fixture(t, "token_top.json")),
		"/openApi/chargebacks":  oauthtest.Says(200, oauthtest.Fixture(t, "chargebacks.json")),
		"/openApi/transactions": oauthtest.Says(200, oauthtest.Fixture(t, "transactions.json")),
	}}
}

// open makes the provider with h in AsiaBill's place.
func open(t testing.TB, h http.Handler, settings map[string]string) oauth.RedirectFlow {
	t.Helper()
	base, caller := oauthtest.Serve(t, "asiabill", h, oauthtest.Now)
	all := oauthtest.SettingsOf(map[string]string{
		"OAUTH_URL": base, "OPENAPI_URL": base + "/", "CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret,
	}, settings)
	p, err := asiabill.Factory().New(oauth.Config{Settings: all, Environment: oauth.Test, Caller: caller, Now: oauthtest.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p.(oauth.RedirectFlow)
}

func arrival() oauth.Arrival {
	return oauth.Arrival{Code: secret.New(code), Params: url.Values{"merNo": {"12345"}}, RedirectURI: oauthtest.RedirectURI}
}

func credential(merNo string) oauth.Credential {
	cred := oauth.Credential{AccessToken: secret.New(accessToken), RefreshToken: secret.New(refreshToken), ObtainedAt: oauthtest.Now().Add(-time.Hour)}
	if merNo != "" {
		cred.Extra = map[string]secret.String{"merNo": secret.New(merNo)}
	}
	return cred
}

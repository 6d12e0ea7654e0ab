package zhiyun_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/zhiyun"
	"mooring/internal/secret"
)

const (
	clientID     = "1000000001"
	clientSecret = "canary-secret-16"
	accessToken  = "canarytoken0123456789abcdef0123456789"
	authCode     = "0f3c2a1b4d5e6f708192a3b4c5d6e7f809112233"

	authorize = "/apis/rest/authService/authorize/"
	user      = "/apis/rest/userService/getUserInfo/"
	company   = "/apis/rest/companyService/getCompanyInfo/"
)

// desk answers in the provider's place, per path, with one body after another; the last one stays. It remembers requests.
type desk struct {
	mu    sync.Mutex
	seen  []*http.Request
	serve map[string][]http.HandlerFunc
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.seen = append(d.seen, r)
	queue := d.serve[r.URL.Path]
	if len(queue) > 1 {
		d.serve[r.URL.Path] = queue[1:]
	}
	d.mu.Unlock()
	if len(queue) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	queue[0](w, r)
}

// paths lists the services that were called, in order.
func (d *desk) paths() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	for _, r := range d.seen {
		list = append(list, strings.Split(r.URL.Path, "/")[4])
	}
	return strings.Join(list, " ")
}

// set replaces what is answered at a path.
func (d *desk) set(path string, answers ...http.HandlerFunc) { d.serve[path] = answers }

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if w.Header().Get("Date") == "" {
			w.Header().Set("Date", oauthtest.Now().Format(http.TimeFormat)) // a 401 is judged by it
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// refuses is an error as the provider writes it: with status 200.
func refuses(code string) http.HandlerFunc {
	return says(http.StatusOK, `{"code":`+code+`,"message":"canary-prose"}`)
}

// usual is the provider with one merchant, in both formats.
func usual(t testing.TB) *desk {
	t.Helper()
	d := &desk{serve: map[string][]http.HandlerFunc{}}
	for path, name := range map[string]string{authorize: "authorize", user: "user", company: "company"} {
		for _, format := range []string{"json", "xml"} {
			d.set(path+format, says(http.StatusOK, oauthtest.Fixture(t, name+"."+format)))
		}
	}
	return d
}

// opened is the provider with a clock of the test's.
func opened(t testing.TB, h http.Handler, now func() time.Time, settings map[string]string) *zhiyun.Provider {
	t.Helper()
	base, caller := oauthtest.Serve(t, "zhiyun", h, now)
	all := oauthtest.SettingsOf(settingsAt(base), settings)
	p, err := zhiyun.New(oauth.Config{Settings: all, Environment: oauth.Test, Caller: caller, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	made, ok := p.(*zhiyun.Provider)
	if !ok {
		t.Fatalf("made %T", p)
	}
	return made
}

func open(t testing.TB, h http.Handler) *zhiyun.Provider {
	t.Helper()
	return opened(t, h, oauthtest.Now, nil)
}

func settingsAt(base string) map[string]string {
	return map[string]string{"BASE_URL": base + "/apis/rest", "CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret}
}

func credential() oauth.Credential {
	return oauth.Credential{AccessToken: secret.New(accessToken), ObtainedAt: oauthtest.Now().Add(-time.Hour)}
}

func pasted(token string) oauth.Values {
	return oauth.Values{"access_token": secret.New(token)}
}

package asiabill

import (
	"encoding/json"
	"fmt"
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

	"mooring/internal/simulator/bench"
)

const (
	callback = "https://app.example/oauth/asiabill/callback"
	clientID = "partner-1"
	secret   = "partner-secret-1"
)

// noon is a Monday noon in Beijing.
func noon() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }

// world is a simulator, its address, and a browser that stops at the partner's door.
type world struct {
	*testing.T
	sim     *Simulator
	url     string
	browser *http.Client
	calls   int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, "")
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	sim, err := New(Options{Dir: dir, Now: noon, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Register(Registration{clientID, secret, callback, "Test partner"}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stop := func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "app.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return &world{T: t, sim: sim, url: server.URL, browser: &http.Client{Jar: jar, CheckRedirect: stop}}
}

// page is an answer that has been read.
type page struct {
	Status int
	Header http.Header
	Body   string
	URL    *url.URL
}

func (w *world) read(res *http.Response, err error) page {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return page{res.StatusCode, res.Header, string(body), res.Request.URL}
}

func (w *world) get(path string) page {
	w.Helper()
	return w.read(w.browser.Get(w.url + path))
}

func (w *world) post(path string, form url.Values) page {
	w.Helper()
	return w.read(w.browser.PostForm(w.url+path, form))
}

// fault switches a fault on.
func (w *world) fault(name string, times int) {
	w.Helper()
	if err := w.sim.Board.Set(bench.Rule{Name: name, Times: times}); err != nil {
		w.Fatal(err)
	}
}

// visit finds the hidden field of a page's form.
func (w *world) visit(p page) string {
	w.Helper()
	found := regexp.MustCompile(`name="visit" value="([A-Z2-7]+)"`).FindStringSubmatch(p.Body)
	if found == nil {
		w.Fatalf("no form on this page (%d):\n%s", p.Status, p.Body)
	}
	return found[1]
}

func authorizePath(extra ...string) string {
	q := url.Values{"client_id": {clientID}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"state-1"}}
	for i := 0; i+1 < len(extra); i += 2 {
		q.Del(extra[i])
		if extra[i+1] != "" {
			q.Set(extra[i], extra[i+1])
		}
	}
	return "/oauth/authorize?" + q.Encode()
}

// consentPage walks to the consent page as a merchant's super administrator.
func (w *world) consentPage(merNo string) page {
	w.Helper()
	login := w.get(authorizePath())
	return w.post("/oauth/login", url.Values{
		"visit": {w.visit(login)}, "merchantId": {merNo}, "username": {"admin"}, "password": {"asiabill-" + merNo},
	})
}

// decide presses a button of the consent page and gives what came back on the redirect.
func (w *world) decide(consent page, decision string) url.Values {
	w.Helper()
	p := w.post("/oauth/consent", url.Values{"visit": {w.visit(consent)}, "decision": {decision}})
	location := p.Header.Get("Location")
	if p.Status != http.StatusSeeOther || !strings.HasPrefix(location, callback+"?") {
		w.Fatalf("consent ended at %d %s", p.Status, location)
	}
	u, err := url.Parse(location)
	if err != nil {
		w.Fatal(err)
	}
	return u.Query()
}

// code walks the whole way and gives a fresh code.
func (w *world) code() string {
	w.Helper()
	return w.decide(w.consentPage("10231"), "allow").Get("code")
}

func tokenForm(code string) url.Values {
	return url.Values{
		"client_id": {clientID}, "client_secret": {secret}, "code": {code},
		"grant_type": {"authorization_code"}, "redirect_uri": {callback},
	}
}

// answer reads a JSON answer of either envelope.
type answer struct {
	pair
	Error   string  `json:"error"`
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Success *bool   `json:"success"`
	Data    *inside `json:"data"`
	Result  *struct {
		Code    string  `json:"code"`
		Message string  `json:"message"`
		Data    *inside `json:"data"`
	} `json:"result"`
}

type inside struct {
	pair
	Page listing[map[string]any] `json:"page"`
}

func (w *world) decode(p page) answer {
	w.Helper()
	var a answer
	if err := json.Unmarshal([]byte(p.Body), &a); err != nil {
		w.Fatalf("%v in %q", err, p.Body)
	}
	return a
}

// exchange sends a form and reads the answer.
func (w *world) exchange(form url.Values) (page, answer) {
	w.Helper()
	p := w.read(http.PostForm(w.url+"/oauth/token", form))
	return p, w.decode(p)
}

// access walks the whole way and gives a token.
func (w *world) access() string {
	w.Helper()
	_, a := w.exchange(tokenForm(w.code()))
	if a.AccessToken == "" {
		w.Fatalf("no token: %+v", a)
	}
	return a.AccessToken
}

// reading makes a correct read call; change spoils it.
func (w *world) reading(path, token string, change func(*http.Request)) page {
	w.Helper()
	r, err := http.NewRequest(http.MethodGet, w.url+path, nil)
	if err != nil {
		w.Fatal(err)
	}
	w.calls++
	r.Header.Set("authorization", "Bearer "+token)
	r.Header.Set("request-id", fmt.Sprintf("rq%d", w.calls))
	r.Header.Set("request-time", w.sim.Clock.Now().In(zone()).Format(timeLayout))
	if change != nil {
		change(r)
	}
	return w.read(http.DefaultTransport.RoundTrip(r))
}

// last is the newest line of the ledger.
func (w *world) last() bench.Entry {
	w.Helper()
	entries, _ := w.sim.Ledger.After(0)
	if len(entries) == 0 {
		w.Fatal("the ledger is empty")
	}
	return entries[len(entries)-1]
}

func (w *world) want(got, want any, what string) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}

package zhiyun

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

const (
	clientID = "1000000001"
	secret   = "sixteen-letters1"
)

// noon is a Monday noon in Beijing.
func noon() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }

// world is a simulator and its address.
type world struct {
	*testing.T
	sim *Simulator
	url string
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
	if _, err := sim.Register(Registration{clientID, secret}); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	return &world{T: t, sim: sim, url: server.URL}
}

// page is an answer that has been read.
type page struct {
	Status int
	Header http.Header
	Body   string
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
	return page{res.StatusCode, res.Header, string(body)}
}

func (w *world) get(path string) page {
	w.Helper()
	return w.read(http.Get(w.url + path))
}

func (w *world) post(path string, form url.Values) page {
	w.Helper()
	return w.read(http.PostForm(w.url+path, form))
}

// token is what a user copies from the desktop software.
func (w *world) token(username string) string {
	w.Helper()
	p := w.post("/desktop", url.Values{"username": {username}, "password": {"zhiyun-" + username}})
	found := regexp.MustCompile(`readonly value="([a-z0-9]+)"`).FindStringSubmatch(p.Body)
	if found == nil {
		w.Fatalf("no access_token on this page (%d):\n%s", p.Status, p.Body)
	}
	return found[1]
}

// params are the correct parameters of a call at the provider's time, with the extra ones.
func (w *world) params(extra ...string) url.Values {
	ms := w.sim.Clock.Now().UnixMilli()
	q := url.Values{"client_id": {clientID}, "t_": {strconv.FormatInt(ms, 10)}, "p_": {strconv.FormatInt(ms%10000*3+2345, 10)}}
	for i := 0; i+1 < len(extra); i += 2 {
		q.Set(extra[i], extra[i+1])
	}
	return q
}

// call makes a call; change spoils it.
func (w *world) call(method string, q url.Values, change func(*http.Request)) page {
	w.Helper()
	r, err := http.NewRequest(http.MethodGet, w.url+BasePath+"/"+method+"?"+q.Encode(), nil)
	if err != nil {
		w.Fatal(err)
	}
	r.SetBasicAuth(clientID, secret)
	if change != nil {
		change(r)
	}
	return w.read(http.DefaultTransport.RoundTrip(r))
}

// envelope reads a JSON answer.
type envelope struct {
	Data    map[string]any `json:"data"`
	Code    any            `json:"code"`
	Message string         `json:"message"`
}

func (w *world) decode(p page) envelope {
	w.Helper()
	var e envelope
	if err := json.Unmarshal([]byte(p.Body), &e); err != nil {
		w.Fatalf("%v in %q", err, p.Body)
	}
	return e
}

// code is the code of an answer.
func (w *world) code(p page) int {
	w.Helper()
	switch code := w.decode(p).Code.(type) {
	case float64:
		return int(code)
	case string:
		n, _ := strconv.Atoi(code)
		return n
	}
	return 0
}

// authCode walks to an auth_code.
func (w *world) authCode(access string) string {
	w.Helper()
	p := w.call("authService/authorize/json", w.params("access_token", access), nil)
	for _, name := range []string{"auth_code", "authorize_code"} {
		if code, there := w.decode(p).Data[name].(string); there {
			return code
		}
	}
	w.Fatalf("no auth_code: %s", p.Body)
	return ""
}

// user and company read with a fresh auth_code.
func (w *world) user(username string) page {
	w.Helper()
	access := w.token(username)
	return w.call("userService/getUserInfo/json", w.params("access_token", access, "auth_code", w.authCode(access)), nil)
}

func (w *world) company(username string) page {
	w.Helper()
	access := w.token(username)
	return w.call("companyService/getCompanyInfo/json", w.params("access_token", access, "auth_code", w.authCode(access)), nil)
}

// fault switches a fault on.
func (w *world) fault(name string, value int) {
	w.Helper()
	if err := w.sim.Board.Set(bench.Rule{Name: name, Value: value}); err != nil {
		w.Fatal(err)
	}
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

func (w *world) contains(text, part, what string) {
	w.Helper()
	if !strings.Contains(text, part) {
		w.Errorf("%s: %q is not in %s", what, part, text)
	}
}

package chainup

import (
	"bytes"
	"crypto"
	"crypto/md5" //nolint:gosec // the documents' own
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

const (
	callback = "https://app.example/oauth/chainup/callback"
	appID    = "app-1"
)

// noon is a Monday noon in Beijing.
func noon() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }

// pool makes a handful of keys once for all tests: they take their time.
var pool = sync.OnceValue(func() []*rsa.PrivateKey {
	var keys []*rsa.PrivateKey
	for range 4 {
		key, err := rsa.GenerateKey(rand.Reader, keyBits)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

// appKey is rsa_third_pri of the tests' own application; the simulators take the others in turn.
func appKey() *rsa.PrivateKey { return pool()[3] }

func fromPool() func() (*rsa.PrivateKey, error) {
	next := 0
	return func() (*rsa.PrivateKey, error) {
		next++
		return pool()[(next-1)%3], nil
	}
}

// world is a simulator, its address, and a browser that stops at the partner's door.
type world struct {
	*testing.T
	sim     *Simulator
	url     string
	browser *http.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, "")
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	sim, err := New(Options{Dir: dir, Now: noon, Log: slog.New(slog.DiscardHandler), keys: fromPool()})
	if err != nil {
		t.Fatal(err)
	}
	public, err := publicText(&appKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Register(Registration{AppID: appID, PublicKey: public, RedirectURL: callback, Name: "Test partner"}); err != nil {
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
func (w *world) fault(name string, times, value int) {
	w.Helper()
	if err := w.sim.Board.Set(bench.Rule{Name: name, Times: times, Value: value}); err != nil {
		w.Fatal(err)
	}
}

// visit finds the hidden field of a page's form.
func (w *world) visit(p page) string {
	w.Helper()
	found := regexp.MustCompile(`name="visit" value="([a-z2-7]+)"`).FindStringSubmatch(p.Body)
	if found == nil {
		w.Fatalf("no form on this page (%d):\n%s", p.Status, p.Body)
	}
	return found[1]
}

func loginPath(extra ...string) string {
	q := url.Values{"appKey": {appID}, "redirectUrl": {callback}, "state": {"state-1"}}
	for i := 0; i+1 < len(extra); i += 2 {
		q.Del(extra[i])
		if extra[i+1] != "" {
			q.Set(extra[i], extra[i+1])
		}
	}
	return "/platform/login.html?" + q.Encode()
}

// consentPage walks to the consent page as a user.
func (w *world) consentPage(uid string) page {
	w.Helper()
	login := w.get(loginPath())
	return w.post("/platform/login", url.Values{"visit": {w.visit(login)}, "account": {uid}, "password": {"chainup-" + uid}})
}

// decide presses a button of the consent page and gives what came back on the redirect.
func (w *world) decide(consent page, decision string) url.Values {
	w.Helper()
	p := w.post("/platform/consent", url.Values{"visit": {w.visit(consent)}, "decision": {decision}})
	u, err := url.Parse(p.Header.Get("Location"))
	if err != nil || !strings.HasPrefix(p.Header.Get("Location"), callback+"?") {
		w.Fatalf("the browser was sent to %q: %v", p.Header.Get("Location"), err)
	}
	return u.Query()
}

// code gives a fresh code of a user, without a browser.
func (w *world) code(uid string) string {
	w.Helper()
	back, err := w.sim.Authorise(appID, uid, "")
	if err != nil {
		w.Fatal(err)
	}
	return back.Get("code")
}

// pack writes a call's body as the documents' program does; it is written apart from the simulator's own.
func (w *world) pack(plain string) map[string]any {
	w.Helper()
	var sealed []byte
	for rest := []byte(plain); len(rest) > 0; {
		n := min(245, len(rest))
		block, err := rsa.EncryptPKCS1v15(rand.Reader, &w.sim.key.PublicKey, rest[:n]) //nolint:staticcheck // the documents' own
		if err != nil {
			w.Fatal(err)
		}
		sealed, rest = append(sealed, block...), rest[n:]
	}
	return map[string]any{
		"app_id": appID, "time": w.sim.Clock.Now().UnixMilli(),
		"data": base64.RawURLEncoding.EncodeToString(sealed), "sign": w.signature(appKey(), plain),
	}
}

func (w *world) signature(key *rsa.PrivateKey, plain string) string {
	w.Helper()
	sum := md5.Sum([]byte(plain)) //nolint:gosec // the documents' own
	hashed := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, hashed[:])
	if err != nil {
		w.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(signature)
}

// answer is a reply with its data opened, if it could be, and whether its signature is the exchange's.
type answer struct {
	Code   string
	Plain  string
	Opened bool
	Signed bool
	Raw    map[string]any
}

// send posts a body; change spoils the request.
func (w *world) send(path string, body map[string]any, change func(*http.Request)) answer {
	w.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, w.url+api+path, bytes.NewReader(text))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	if change != nil {
		change(r)
	}
	return w.unpack(w.read(http.DefaultTransport.RoundTrip(r)))
}

// call makes a correct call.
func (w *world) call(path, plain string) answer {
	w.Helper()
	return w.send(path, w.pack(plain), nil)
}

func (w *world) unpack(p page) answer {
	w.Helper()
	dec := json.NewDecoder(strings.NewReader(p.Body))
	dec.UseNumber()
	a := answer{}
	if err := dec.Decode(&a.Raw); err != nil {
		w.Fatalf("%v in %q", err, p.Body)
	}
	switch code := a.Raw["code"].(type) {
	case string:
		a.Code = code
	case json.Number:
		a.Code = "#" + code.String()
	}
	data, _ := a.Raw["data"].(string)
	sealed, ok := anyBase64(data)
	if !ok || data == "" {
		return a
	}
	a.Opened = true
	for len(sealed) >= 256 {
		chunk, err := rsa.DecryptPKCS1v15(nil, appKey(), sealed[:256]) //nolint:staticcheck // the documents' own
		if err != nil {
			a.Opened = false
			break
		}
		a.Plain, sealed = a.Plain+string(chunk), sealed[256:]
	}
	sign, _ := a.Raw["sign"].(string)
	signature, _ := anyBase64(sign)
	sum := md5.Sum([]byte(a.Plain)) //nolint:gosec // the documents' own
	hashed := sha256.Sum256([]byte(hex.EncodeToString(sum[:])))
	a.Signed = rsa.VerifyPKCS1v15(&w.sim.key.PublicKey, crypto.SHA256, hashed[:], signature) == nil
	return a
}

func anyBase64(text string) ([]byte, bool) {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	b, err := base64.RawStdEncoding.DecodeString(text)
	return b, err == nil
}

// tokens is a pair as a client reads it.
type tokens struct {
	OpenID   string `json:"openId"`
	ExpireIn any    `json:"expireIn"`
	Token    string `json:"token"`
	Refresh  string `json:"refreshToken"`
	Misspelt string `json:"refersh_token"`
	Under    string `json:"refresh_token"`
}

func (w *world) pair(a answer) tokens {
	w.Helper()
	if !a.Signed {
		w.Fatalf("no signed answer: %+v", a)
	}
	var t tokens
	if err := json.Unmarshal([]byte(a.Plain), &t); err != nil {
		w.Fatal(err)
	}
	return t
}

func (w *world) exchange(code string) answer {
	w.Helper()
	return w.call("/auth/token", `{"code":"`+code+`"}`)
}

func (w *world) refresh(t tokens) answer {
	w.Helper()
	return w.call("/auth/refreshToken", `{"openId":"`+t.OpenID+`","refreshToken":"`+t.Refresh+`","token":"`+t.Token+`"}`)
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

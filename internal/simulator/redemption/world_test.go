package redemption

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

// noon is a Monday noon in Beijing.
func noon() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }

// keys are made once: they are what a world takes longest to make.
var keys = sync.OnceValue(func() map[string]string {
	sim, err := New(Options{Now: noon, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	for _, owner := range []string{platformOwner, strangerOwner, "820260101001", "820260101003"} {
		if _, err := sim.key(owner); err != nil {
			panic(err)
		}
	}
	return sim.state.Keys
})

// world is a simulator, its address, and a merchant's server that waits for callbacks.
type world struct {
	*testing.T
	sim   *Simulator
	url   string
	inbox *inbox
	calls int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, "")
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	sim, err := New(Options{Dir: dir, Now: noon, Log: slog.New(slog.DiscardHandler), RetryScale: 0.0005})
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(sim.state.Keys, keys())
	w := &world{T: t, sim: sim, inbox: newInbox(t)}
	w.url = serve(t, sim.Handler())
	t.Cleanup(sim.Close)
	return w
}

// serve starts a server for a handler, as package simulator does.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	if door, ok := h.(*Door); ok {
		server.Listener = door.Prepare(server.Config, server.Listener)
	}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// inbox is the merchant's server. It answers SUCCESS unless told otherwise.
type inbox struct {
	url    string
	got    chan received
	mu     sync.Mutex
	answer func(n int) (int, string)
	n      int
}

// received is a callback as it came, the letters of its header names included.
type received struct {
	head head
	body string
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{got: make(chan received, 500), answer: func(int) (int, string) { return 200, "SUCCESS" }}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h, _ := headOf(r)
		in.mu.Lock()
		in.n++
		status, text := in.answer(in.n)
		in.mu.Unlock()
		in.got <- received{h, string(body)}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	server.Config.ConnContext, server.Listener = rememberConn, watcher{server.Listener}
	server.Start()
	t.Cleanup(server.Close)
	in.url = server.URL
	return in
}

// next waits for a callback.
func (w *world) next() received {
	w.Helper()
	select {
	case r := <-w.inbox.got:
		return r
	case <-time.After(5 * time.Second):
		w.Fatal("no callback came")
		return received{}
	}
}

// quiet expects that no further callback comes.
func (w *world) quiet() {
	w.Helper()
	select {
	case r := <-w.inbox.got:
		w.Errorf("another callback came: %s", r.body)
	case <-time.After(60 * time.Millisecond):
	}
}

func (r received) header(name string) string {
	values, _ := r.head.values(name)
	return strings.Join(values, ",")
}

// headers are those of a callback by their exact names, without sign.
func (r received) signed() []byte {
	headers := map[string]string{}
	for _, name := range []string{"businessId", "nonce", "timestamp", "signType"} {
		headers[name] = r.header(name)
	}
	return text(headers, []byte(r.body))
}

// request is a call before it is signed; a test changes what it likes.
type request struct {
	method, path string
	business     string
	body         string
	md5          string                    // the key; empty: RSA
	after        func(r *http.Request)     // changes what is signed already
	before       func(h map[string]string) // changes what is to be signed
}

func linkBody(extra ...string) string {
	return fieldsOf(append([]string{"merchantId", "M10086021", "businessId", "820260101001", "serialNo", "S1", "userId", "u-1"}, extra...)...)
}

func fieldsOf(pairs ...string) string {
	fields := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if fields[pairs[i]] = pairs[i+1]; pairs[i+1] == "" {
			delete(fields, pairs[i])
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(fields); err != nil {
		panic(err)
	}
	return strings.TrimSpace(out.String())
}

func (w *world) linkCall(extra ...string) request {
	return request{path: linkPath, business: "820260101001", body: linkBody(append([]string{"callbackUrl", w.inbox.url + "/cb?x=1&y=2"}, extra...)...)}
}

func balanceCall() request {
	return request{path: balancePath, business: "820260101001", body: fieldsOf("merchantId", "M10086021", "businessId", "820260101001")}
}

// page is an answer that has been read.
type page struct {
	Status int
	Header http.Header
	Body   string
}

func read(t *testing.T, res *http.Response, err error) page {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return page{res.StatusCode, res.Header, string(body)}
}

// send signs a call and sends it.
func (w *world) send(q request) page {
	w.Helper()
	w.calls++
	headers := map[string]string{
		"businessId": q.business, "nonce": "n" + strconv.Itoa(w.calls), "signType": SHA256RSA,
		"timestamp": strconv.FormatInt(w.sim.Clock.Now().UnixMilli(), 10),
	}
	if q.md5 != "" {
		headers["signType"] = MD5
	}
	if q.before != nil {
		q.before(headers)
	}
	sign := md5Sign(text(headers, []byte(q.body)), q.md5)
	if q.md5 == "" {
		owner := q.business
		if w.sim.state.Keys[owner] == "" {
			owner = "820260101001"
		}
		key, err := w.sim.key(owner)
		if err != nil {
			w.Fatal(err)
		}
		if sign, err = rsaSign(text(headers, []byte(q.body)), key); err != nil {
			w.Fatal(err)
		}
	}
	method := q.method
	if method == "" {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, w.url+q.path, strings.NewReader(q.body))
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range headers {
		if value != "-" {
			r.Header[name] = []string{value}
		}
	}
	r.Header["sign"] = []string{sign}
	if q.after != nil {
		q.after(r)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	return read(w.T, res, err)
}

// answer reads the documented envelope.
type answer struct {
	Status  *int           `json:"status"`
	Message string         `json:"message"`
	Success *bool          `json:"success"`
	Data    map[string]any `json:"data"`
}

func (w *world) decode(p page) answer {
	w.Helper()
	var a answer
	d := json.NewDecoder(strings.NewReader(p.Body))
	d.UseNumber()
	if err := d.Decode(&a); err != nil {
		w.Fatalf("%v in %q", err, p.Body)
	}
	return a
}

// status sends a call and gives the documented status.
func (w *world) status(q request) int {
	w.Helper()
	a := w.decode(w.send(q))
	if a.Status == nil {
		w.Fatal("no status")
	}
	return *a.Status
}

// open asks for a link and gives its address.
func (w *world) open(extra ...string) string {
	w.Helper()
	a := w.decode(w.send(w.linkCall(extra...)))
	address, ok := a.Data["alipayAuthUrl"].(string)
	if !ok || address == "" {
		w.Fatalf("no link: %+v", a)
	}
	return address
}

func (w *world) get(path string) page {
	w.Helper()
	res, err := http.Get(w.url + strings.TrimPrefix(path, w.url))
	return read(w.T, res, err)
}

// decide presses a button of the page behind a link, and gives the page that follows.
func (w *world) decide(address, decision, who string) page {
	w.Helper()
	u, err := url.Parse(address)
	if err != nil {
		w.Fatal(err)
	}
	res, err := http.PostForm(w.url+alipayPath, url.Values{"auth": {u.Query().Get("auth")}, "decision": {decision}, "person": {who}})
	return read(w.T, res, err)
}

// agreed walks the whole way to the callback.
func (w *world) agreed(extra ...string) received {
	w.Helper()
	w.decide(w.open(extra...), "agree", "xiaohe")
	return w.next()
}

// fields reads a callback's body.
func (w *world) fields(r received) map[string]string {
	w.Helper()
	fields := map[string]string{}
	if err := json.Unmarshal([]byte(r.body), &fields); err != nil {
		w.Fatalf("%v in %q", err, r.body)
	}
	return fields
}

// genuine says whether a callback's signature is the platform's.
func (w *world) genuine(r received) bool {
	return w.sim.authentic(merchant{BusinessID: platformOwner, RSA: true}, r.header("signType"), r.header("sign"), r.signed())
}

func (w *world) fault(name string, times int) {
	w.Helper()
	if err := w.sim.Board.Set(bench.Rule{Name: name, Times: times}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) faultValue(name string, value int) {
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

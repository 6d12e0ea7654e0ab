// Package redemption simulates 兑换系统开放接口, the redemption platform that asks for a person's Alipay openId, written from
// its documents alone and as strictly as they read: every call signed over the exact bytes, header names in their exact
// letters, a nonce that works once, and the result sent to the merchant's server by a signed callback.
//
//	POST      /v1/openapi/auth/alipay/url                  merchantId, businessId, serialNo, userId [callbackUrl]
//	POST      /v1/openapi/merchant/business/balance        merchantId, businessId
//	GET,POST  /alipay/authorize                            the page that plays Alipay: agree or refuse
//	GET       /_control/callbacks                          what was sent to the merchants' servers
//	POST      /_control/callbacks/{serialNo}               send the genuine one again
//
// What the documents leave open is decided here once and said where it is decided. Where they allow two readings, the
// second one is a switch in the fault menu.
//
// It shares no code with any client. Faults, ledger, clock and page shell belong to package bench. net/http forgets the
// letters of header names; wire.go reads them off the connection, which is why the handler prepares its server.
package redemption

import (
	"context"
	"crypto/rand"
	"embed"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

// Slug names the provider in the state directory and on the index page.
const Slug = "redemption"

// The documented addresses.
const (
	linkPath    = "/v1/openapi/auth/alipay/url"
	balancePath = "/v1/openapi/merchant/business/balance"
	alipayPath  = "/alipay/authorize"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed redemption.css
var style []byte

// Options make a Simulator.
type Options struct {
	Dir string // where keys and links are kept; empty: nowhere
	Now func() time.Time
	Log *slog.Logger

	// RetryScale stretches the documented pauses between callbacks (15 s, 30 s, 3 min, ...): 0.01 makes 150 ms of the
	// first. 0 means 1, as documented.
	RetryScale float64
}

// Simulator is one simulated redemption platform.
type Simulator struct {
	*bench.Bench

	store  bench.Store
	people []merchant
	scale  float64
	client *http.Client

	mu         sync.Mutex      // guards all below
	ctx        context.Context // the life of callbacks, which is no caller's
	cancel     context.CancelFunc
	state      state
	nonces     map[string]time.Time // by business and nonce, to the time they were seen
	deliveries []Delivery
}

// state is what a restart keeps. The private keys of the sample merchants are no secrets: they have to be handed out
// again.
type state struct {
	Keys  map[string]string `json:"keys"`  // PKCS #8 in Base64, by owner
	Links map[string]*link  `json:"links"` // by serialNo
}

// New makes the simulator and reads what an earlier one kept.
func New(o Options) (*Simulator, error) {
	b, err := bench.New(bench.Options{
		Title: title(), Faults: faults(), Templates: templates, Style: style, Now: o.Now, Log: o.Log.With("simulator", Slug),
	})
	if err != nil {
		return nil, err
	}
	store, err := bench.NewStore(o.Dir, Slug)
	if err != nil {
		return nil, err
	}
	if o.RetryScale <= 0 {
		o.RetryScale = 1
	}
	s := &Simulator{
		Bench: b, store: store, people: merchants(), scale: o.RetryScale, client: callbackClient(),
		nonces: map[string]time.Time{}, state: state{Keys: map[string]string{}, Links: map[string]*link{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.cancel() // nothing is sent before there is a server: see Prepare
	return s, store.Load(&s.state)
}

// open lets callbacks be sent, again after a Close. It says whether they could not be sent before.
func (s *Simulator) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	closed := s.ctx.Err() != nil
	if closed {
		s.ctx, s.cancel = context.WithCancel(context.Background())
	}
	return closed
}

// Close ends the callbacks that are still to be sent. The simulator goes on answering.
func (s *Simulator) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel()
}

// running is the life of a callback that is sent now.
func (s *Simulator) running() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// Door is everything that the port answers. Its server must be prepared before it serves.
type Door struct {
	sim *Simulator
	mux *http.ServeMux
}

// Handler is everything that the port answers.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Mount(mux)
	mux.Handle(linkPath, s.Handle(bench.Token, s.link))
	mux.Handle(balancePath, s.Handle(bench.Read, s.balance))
	mux.Handle("GET "+alipayPath, s.Handle(bench.Authorize, s.showAlipay))
	mux.Handle("POST "+alipayPath, bench.SameOrigin(s.Handle(bench.Authorize, s.decideAlipay)))
	mux.Handle("GET /_control/callbacks", s.Guard(http.HandlerFunc(s.listCallbacks)))
	mux.Handle("POST /_control/callbacks/{serialNo}", s.Guard(http.HandlerFunc(s.sendAgain)))
	mux.Handle("GET /{$}", http.RedirectHandler("/_faults", http.StatusSeeOther))
	mux.Handle("/", s.Handle(bench.Outside, notFound))
	return &Door{s, mux}
}

// Prepare makes the server one that reads the letters of header names, and ends the callbacks with it. It gives the
// listener to serve on.
func (d *Door) Prepare(server *http.Server, l net.Listener) net.Listener {
	server.ConnContext = rememberConn
	server.RegisterOnShutdown(d.sim.Close)
	if d.sim.open() {
		d.sim.resume()
	}
	return watcher{l}
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head, follows := headOf(r)
	if !follows { // where the next request begins cannot be told
		w.Header().Set("Connection", "close")
	}
	d.mux.ServeHTTP(w, r.WithContext(withHead(r.Context(), head)))
}

// notFound answers every address that the documents do not name.
func notFound(c *bench.Call) bench.Answer {
	c.Outcome("no_such_address")
	return refuseWith(http.StatusNotFound, statusNoMethod, c.Request.URL.Path)
}

// random is an unguessable text.
func random() string { return rand.Text() + rand.Text() }

func title() bench.Text {
	return bench.Text{ZH: "兑换系统模拟器", EN: "Redemption platform simulator"}
}

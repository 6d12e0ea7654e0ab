// Package cardwallet simulates the card wallet (卡钱包), written from the one page of its documents that is public and as
// strictly as that page reads: a token for client_id and client_secret, all three parameters in the query of a POST
// without a body, good for 60 seconds. What else is known of it are names: of calls, of models, of callbacks.
//
//	POST /api/open/auth/token         ?grant_type=client_credentials&client_id=…&client_secret=…
//	POST /api/open/merchant/detail    {}
//	POST /api/open/wallet/info        {} or {"walletId": …} or {"currency": …}
//	POST /api/open/wallet/flow        {"pageNum": 1, "pageSize": 20, …}
//	GET  /_callbacks                  the page that sends the six callbacks; POST /_control/callbacks does the same
//	PUT  /_control/paths              other addresses for the three reads, which the documents do not tell
//	PUT  /_control/merchants/{client_id}/callback   where a merchant's callbacks go
//
// What the documents leave open is decided here once and said where it is decided: the verdict is the body's code and
// the HTTP status is 200 all the same; ids are numbers of 19 digits; amounts are texts; times are Beijing's. The other
// reading of each is a switch in the fault menu. Nothing is signed, since no rule of signing is known.
//
// It shares no code with any client. Faults, ledger, clock and page shell belong to package bench.
package cardwallet

import (
	"embed"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

// Slug names the provider in the state directory and on the index page.
const Slug = "cardwallet"

//go:embed templates/*.html
var templates embed.FS

//go:embed cardwallet.css
var style []byte

// zone is how every time in the data is written. The documents name none; China has had no summer time since 1991, so
// that a fixed offset says it all.
func zone() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }

// Options make a Simulator.
type Options struct {
	Dir string // where secrets, paths and callback addresses are kept; empty: nowhere
	Now func() time.Time
	Log *slog.Logger
}

// Simulator is one simulated card wallet.
type Simulator struct {
	*bench.Bench

	store  bench.Store
	people []merchant
	out    *http.Client // for callbacks

	mu         sync.Mutex // guards all below
	state      state
	tokens     map[string]token // by fingerprint
	notices    int              // callbacks sent, for their numbers
	deliveries []Delivery       // newest first
}

// state is what a restart keeps. The secrets stand in it as they are, because they have to be handed out again; tokens
// live for a minute and are forgotten.
type state struct {
	Secrets   map[string]string  `json:"secrets"`   // by client_id
	Callbacks map[string]string  `json:"callbacks"` // by client_id: where its callbacks go
	Paths     Paths              `json:"paths"`
	Moves     map[string][]moved `json:"moves"` // by client_id: what the callback page moved
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
	s := &Simulator{
		Bench: b, store: store, people: merchants(), tokens: map[string]token{}, out: sender(),
		state: state{Secrets: map[string]string{}, Callbacks: map[string]string{}, Paths: DefaultPaths(), Moves: map[string][]moved{}},
	}
	if err := store.Load(&s.state); err != nil {
		return nil, err
	}
	if err := s.ensureSecrets(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler is everything that the port answers.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Mount(mux)
	mux.Handle(tokenPath, s.Handle(bench.Token, s.token))
	mux.Handle("GET /_callbacks", s.Guard(http.HandlerFunc(s.showCallbacks)))
	mux.Handle("POST /_callbacks", s.Guard(http.HandlerFunc(s.postCallback)))
	mux.Handle("POST /_control/callbacks", s.Guard(http.HandlerFunc(s.controlCallback)))
	mux.Handle("GET /_control/paths", s.Guard(http.HandlerFunc(s.showPaths)))
	mux.Handle("PUT /_control/paths", s.Guard(http.HandlerFunc(s.changePaths)))
	mux.Handle("GET /_control/merchants", s.Guard(http.HandlerFunc(s.listMerchants)))
	mux.Handle("PUT /_control/merchants/{client_id}/callback", s.Guard(http.HandlerFunc(s.changeCallback)))
	mux.Handle("GET /{$}", http.RedirectHandler("/_callbacks", http.StatusSeeOther))
	mux.HandleFunc("/", s.detail)
	return mux
}

// detail finds the read of an address. The addresses may change while it runs, so that no mux can know them.
func (s *Simulator) detail(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	paths := s.state.Paths
	s.mu.Unlock()
	stage, handler := bench.Outside, bench.Handler(notFound)
	switch r.URL.Path {
	case paths.Merchant:
		stage, handler = bench.Read, s.merchantDetail
	case paths.Wallet:
		stage, handler = bench.Read, s.walletInfo
	case paths.Flow:
		stage, handler = bench.Read, s.walletFlow
	}
	s.Handle(stage, handler).ServeHTTP(w, r)
}

// notFound answers every address that is nobody's.
func notFound(c *bench.Call) bench.Answer {
	c.Outcome("no_such_address")
	return bench.JSON(http.StatusNotFound, envelope{Code: "404", Message: "接口不存在 (no such address)"})
}

func title() bench.Text { return bench.Text{ZH: "卡钱包模拟器", EN: "Card wallet simulator"} }

// Package asiabill simulates AsiaBill's OpenApi for partners, written from its documents alone and as strictly as they
// read: the authorisation page (login of the merchant's super administrator, consent, redirect with code and merNo), the
// token endpoint in its documented variants, and the two read calls.
//
//	GET       /oauth/authorize        client_id, response_type=code [redirect_uri] [state]
//	GET,POST  /oauth/login            merchantId, username, password
//	GET,POST  /oauth/consent          allow or deny
//	POST,GET  /oauth/token            body (form or JSON) or query, never both
//	GET       /openApi/chargebacks    gatewayNo, startTime, endTime, orderNo, tradeNo, pageIndex, pageSize
//	GET       /openApi/transactions   the same
//	POST      /_control/registrations a partner's client and its redirect_uri
//
// What the documents leave open is decided here once and said where it is decided. Where they allow two readings, the
// second one is a switch in the fault menu. One port plays both of the provider's hosts.
//
// It shares no code with any client. Faults, ledger, clock and page shell belong to package bench.
package asiabill

import (
	"crypto/rand"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

// Slug names the provider in the state directory and on the index page.
const Slug = "asiabill"

//go:embed templates/*.html
var templates embed.FS

//go:embed asiabill.css
var style []byte

// zone is how request-time and every time in the data is read and written. The documents name none; China has had no
// summer time since 1991, so that a fixed offset says it all.
func zone() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }

// Options make a Simulator.
type Options struct {
	Dir string // where clients and tokens are kept; empty: nowhere
	Now func() time.Time
	Log *slog.Logger
}

// Simulator is one simulated AsiaBill.
type Simulator struct {
	*bench.Bench

	store  bench.Store
	people []merchant

	mu       sync.Mutex // guards all below
	state    state
	visits   map[string]*visit
	sessions map[string]session
	codes    map[string]*grant
	seen     map[string]time.Time // request-ids by client, to the time they were seen
}

// state is what a restart keeps. Client secrets and tokens stand in it as fingerprints only; the sample client's
// secret alone is kept as it is, because it has to be handed out again.
type state struct {
	Sample  Registration      `json:"sample"`
	Clients map[string]client `json:"clients"`
	Tokens  []token           `json:"tokens"`
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
		Bench: b, store: store, people: merchants(), visits: map[string]*visit{}, sessions: map[string]session{},
		codes: map[string]*grant{}, seen: map[string]time.Time{},
		state: state{Clients: map[string]client{}},
	}
	if err := store.Load(&s.state); err != nil {
		return nil, err
	}
	if err := s.ensureSample(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler is everything that the port answers.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Mount(mux)
	mux.Handle("GET /oauth/authorize", s.Handle(bench.Authorize, s.authorize))
	mux.Handle("GET /oauth/login", s.Handle(bench.Authorize, s.showLogin))
	mux.Handle("POST /oauth/login", bench.SameOrigin(s.Handle(bench.Authorize, s.login)))
	mux.Handle("POST /oauth/logout", bench.SameOrigin(s.Handle(bench.Authorize, s.logout)))
	mux.Handle("GET /oauth/consent", s.Handle(bench.Authorize, s.showConsent))
	mux.Handle("POST /oauth/consent", bench.SameOrigin(s.Handle(bench.Authorize, s.consent)))
	mux.Handle("/oauth/token", s.Handle(bench.Token, s.token))
	mux.Handle("/openApi/chargebacks", s.Handle(bench.Read, s.chargebacks))
	mux.Handle("/openApi/transactions", s.Handle(bench.Read, s.transactions))
	mux.Handle("POST /_control/registrations", s.Guard(http.HandlerFunc(s.register)))
	mux.Handle("GET /{$}", http.RedirectHandler("/_faults", http.StatusSeeOther))
	mux.Handle("/", s.Handle(bench.Outside, notFound))
	return mux
}

// notFound answers every address that the documents do not name.
func notFound(c *bench.Call) bench.Answer {
	c.Outcome("no_such_address")
	return bench.JSON(http.StatusNotFound, plain{Code: "40400", Message: "接口不存在 (no such address)"})
}

// random is an unguessable text of the form the provider uses for codes and tokens.
func random() string { return strings.ToUpper(rand.Text() + rand.Text()) }

func title() bench.Text { return bench.Text{ZH: "AsiaBill 模拟器", EN: "AsiaBill simulator"} }

// Package chainup simulates an exchange on ChainUp's open platform, written from its documents alone and as strictly as
// they read: the login page, consent, the redirect with a code, and the v2 calls in their RSA envelope, which is opened
// and closed byte by byte as documented (envelope.go).
//
//	GET       /platform/login.html                             appKey, redirectUrl [state]
//	GET,POST  /platform/login, /platform/consent               the user signs in, allows or denies
//	POST      /platformapi/chainup/open/auth/token             code
//	POST      /platformapi/chainup/open/auth/refreshToken      refreshToken, token, openId
//	POST      /platformapi/chainup/open/user/accountBalance    openId, userId, mobileNumber or email
//	POST      /platformapi/chainup/open/ouser/v2/userAccounts  openId or userId; coinSymbols
//	POST      /platformapi/chainup/open/user/user_superior     uid, openId or emailOrPhone
//	POST      /platformapi/chainup/open/user/inquire_user      uid
//	POST      /_control/registrations                          an application, its public key and its redirectUrl
//
// What the documents leave open is decided here once and said where it is decided. Where they allow two readings, the
// second one is a switch in the fault menu. Reads are authorised by the application's key alone, as documented: whose
// data an application asks for is its own affair.
//
// It shares no code with any client. Faults, ledger, clock and page shell belong to package bench.
package chainup

import (
	"crypto/rand"
	"crypto/rsa"
	"embed"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

// Slug names the provider in the state directory and on the index page.
const Slug = "chainup"

// api is where all calls live.
const api = "/platformapi/chainup/open"

//go:embed templates/*.html
var templates embed.FS

//go:embed chainup.css
var style []byte

// Options make a Simulator.
type Options struct {
	Dir string // where keys, applications and tokens are kept; empty: nowhere
	Now func() time.Time
	Log *slog.Logger

	Crowd int // users beside the sample ones, uid 20000000 and on; see Authorise

	keys func() (*rsa.PrivateKey, error) // tests: keys that are made once
}

// Simulator is one simulated exchange.
type Simulator struct {
	*bench.Bench

	store   bench.Store
	people  []user
	newKey  func() (*rsa.PrivateKey, error)
	key     *rsa.PrivateKey                 // rsa_saas_pri
	foreign func() (*rsa.PrivateKey, error) // nobody's key, for the faults that need a wrong one
	clients map[string]*rsa.PublicKey       // guarded by mu: state.Clients' keys, parsed
	mu      sync.Mutex                      // guards all below
	state   state
	visits  map[string]*visit
	signed  map[string]session
	codes   map[string]*grant
}

// state is what a restart keeps. Tokens stand in it as fingerprints only. The exchange's own private key has to be kept
// as it is; of applications only the sample's private key is known here at all, because it is handed out again.
type state struct {
	Key     string            `json:"rsa_saas_pri"`
	Sample  Registration      `json:"sample"`
	Clients map[string]client `json:"clients"`
	OpenIDs map[string]holder `json:"open_ids"`
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
		Bench: b, store: store, people: append(people(), crowd(o.Crowd)...), newKey: o.keys, clients: map[string]*rsa.PublicKey{},
		visits: map[string]*visit{}, signed: map[string]session{}, codes: map[string]*grant{},
		state: state{Clients: map[string]client{}, OpenIDs: map[string]holder{}},
	}
	if s.newKey == nil {
		s.newKey = func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) }
	}
	s.foreign = sync.OnceValues(s.newKey)
	if err := store.Load(&s.state); err != nil {
		return nil, err
	}
	if err := s.ensureKeys(); err != nil {
		return nil, err
	}
	return s, nil
}

// Handler is everything that the port answers.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Mount(mux)
	mux.Handle("GET /platform/login.html", s.Handle(bench.Authorize, s.authorize))
	mux.Handle("GET /platform/login", s.Handle(bench.Authorize, s.showLogin))
	mux.Handle("POST /platform/login", bench.SameOrigin(s.Handle(bench.Authorize, s.login)))
	mux.Handle("POST /platform/logout", bench.SameOrigin(s.Handle(bench.Authorize, s.logout)))
	mux.Handle("GET /platform/consent", s.Handle(bench.Authorize, s.showConsent))
	mux.Handle("POST /platform/consent", bench.SameOrigin(s.Handle(bench.Authorize, s.consent)))
	mux.Handle(api+"/auth/token", s.Handle(bench.Token, s.enveloped(codeOK, s.token)))
	mux.Handle(api+"/auth/refreshToken", s.Handle(bench.Token, s.enveloped(codeOK, s.refreshToken)))
	mux.Handle(api+"/user/accountBalance", s.Handle(bench.Read, s.enveloped(codeOK, s.accountBalance)))
	mux.Handle(api+"/ouser/v2/userAccounts", s.Handle(bench.Read, s.enveloped(codeOK, s.userAccounts)))
	mux.Handle(api+"/user/user_superior", s.Handle(bench.Read, s.enveloped(codeOK, s.userSuperior)))
	mux.Handle(api+"/user/inquire_user", s.Handle(bench.Read, s.enveloped(codeInquired, s.inquireUser)))
	mux.Handle("POST /_control/registrations", s.Guard(http.HandlerFunc(s.register)))
	mux.Handle("GET /{$}", http.RedirectHandler("/_faults", http.StatusSeeOther))
	mux.Handle("/", s.Handle(bench.Outside, notFound))
	return mux
}

// notFound answers every address that the documents do not name.
func notFound(c *bench.Call) bench.Answer {
	c.Outcome("no_such_address")
	return bench.JSON(http.StatusNotFound, reply{Code: "50007", Msg: messageOf(50007)})
}

// random is an unguessable text.
func random() string { return strings.ToLower(rand.Text() + rand.Text()) }

func title() bench.Text {
	return bench.Text{ZH: "ChainUp 交易所模拟器", EN: "ChainUp exchange simulator"}
}

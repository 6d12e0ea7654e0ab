// Package zhiyun simulates the open platform of 致云, written from its documents and what is public of its server, and as
// strictly as they read: there is no redirect and no consent page; a user signs in to the desktop software, which holds an
// access_token for three months, and copies that. A platform changes it for an auth_code of 30 seconds and reads with both.
//
//	GET,POST  /apis/rest/authService/authorize/{json|xml}        access_token, client_id, t_, p_
//	GET,POST  /apis/rest/userService/getUserInfo/{json|xml}      access_token, client_id, auth_code, t_, p_
//	GET,POST  /apis/rest/companyService/getCompanyInfo/{json|xml}  the same
//	GET,POST  /desktop                                           plays the desktop software: login, then the access_token
//	POST      /_control/registrations                            a platform's client
//	POST      /_control/tokens                                   an access_token without a browser
//
// Every call carries HTTP Basic with the client's id and secret. Every refusal is a 200 with a code in the body, there is a
// blank line before every body, and every value of the data is text. What the documents leave open is decided here once
// and said where it is decided; a second reading is a switch in the fault menu. The parameter by which the public source
// can be talked out of its checks is not honoured.
//
// It shares no code with any client. Faults, ledger, clock and page shell belong to package bench.
package zhiyun

import (
	"crypto/rand"
	"embed"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

// Slug names the provider in the state directory and on the index page.
const Slug = "zhiyun"

// BasePath is what the documented paths begin with: a client's base address is this simulator's and BasePath.
const BasePath = "/apis/rest"

//go:embed templates/*.html
var templates embed.FS

//go:embed zhiyun.css
var style []byte

// zone is how times in the data are written. The documents name none; China has had no summer time since 1991, so that a
// fixed offset says it all.
func zone() *time.Location { return time.FixedZone("Asia/Shanghai", 8*3600) }

// Options make a Simulator.
type Options struct {
	Dir string // where clients and tokens are kept; empty: nowhere
	Now func() time.Time
	Log *slog.Logger
}

// Simulator is one simulated 致云.
type Simulator struct {
	*bench.Bench

	store  bench.Store
	people []user

	mu    sync.Mutex // guards all below
	state state
	codes map[string]authCode
}

// state is what a restart keeps. Secrets and tokens stand in it as fingerprints only; the sample client's secret alone is
// kept as it is, because it has to be handed out again.
type state struct {
	Sample  Registration      `json:"sample"`
	Clients map[string]string `json:"clients"` // client_id to the secret's fingerprint
	Tokens  map[string]token  `json:"tokens"`  // by the token's fingerprint
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
	s := &Simulator{Bench: b, store: store, people: users(), codes: map[string]authCode{}}
	if err := store.Load(&s.state); err != nil {
		return nil, err
	}
	if s.state.Clients == nil {
		s.state.Clients = map[string]string{}
	}
	if s.state.Tokens == nil {
		s.state.Tokens = map[string]token{}
	}
	return s, s.ensureSample()
}

// Handler is everything that the port answers.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	s.Mount(mux)
	for method, e := range s.endpoints() {
		for _, format := range []string{formatJSON, formatXML} {
			h := s.Handle(e.stage, s.api(format, e.answer))
			mux.Handle("GET "+BasePath+"/"+method+"/"+format, h)
			mux.Handle("POST "+BasePath+"/"+method+"/"+format, h)
		}
	}
	mux.Handle(BasePath+"/", s.Handle(bench.Outside, s.noSuchService))
	mux.Handle("GET /desktop", s.Handle(bench.Authorize, s.showDesktop))
	mux.Handle("POST /desktop", bench.SameOrigin(bench.LoopbackHost(s.Handle(bench.Authorize, s.signIn))))
	mux.Handle("POST /_control/registrations", s.Guard(http.HandlerFunc(s.register)))
	mux.Handle("POST /_control/tokens", s.Guard(http.HandlerFunc(s.handOut)))
	mux.Handle("GET /{$}", http.RedirectHandler("/desktop", http.StatusSeeOther))
	mux.Handle("/", s.Handle(bench.Outside, notFound))
	return mux
}

// endpoint is one documented method.
type endpoint struct {
	stage  bench.Stage
	answer func(*bench.Call, request) reply
}

func (s *Simulator) endpoints() map[string]endpoint {
	return map[string]endpoint{
		"authService/authorize":         {bench.Token, s.authorize},
		"userService/getUserInfo":       {bench.Read, s.userInfo},
		"companyService/getCompanyInfo": {bench.Read, s.companyInfo},
	}
}

// noSuchService answers every service and method that there is none of, in JSON: which format was asked for is part of
// what was not understood.
func (s *Simulator) noSuchService(c *bench.Call) bench.Answer {
	return s.write(c, formatJSON, nil, refuse(codeNoService))
}

// notFound answers every address outside the interface.
func notFound(c *bench.Call) bench.Answer {
	c.Outcome("no_such_address")
	return bench.Answer{Status: http.StatusNotFound, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte("404 Not Found\n")}
}

// hexText is an unguessable text of n lower-case hexadecimal digits; n is even.
func hexText(n int) string {
	raw := make([]byte, n/2)
	_, _ = rand.Read(raw) // never fails: the program stops instead
	return hex.EncodeToString(raw)
}

// wordText is an unguessable text of n lower-case letters and digits.
func wordText(n int) string {
	text := strings.ToLower(rand.Text() + rand.Text())
	return text[:n]
}

func title() bench.Text { return bench.Text{ZH: "致云模拟器", EN: "Zhiyun simulator"} }

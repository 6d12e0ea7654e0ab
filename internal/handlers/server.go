package handlers

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/audit"
	"mooring/internal/connect"
	"mooring/internal/dispatch"
	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/static"
	"mooring/templates"
)

// Wakes tells when something about an id has changed, on whatever replica. database.Listener implements it.
type Wakes interface {
	Subscribe(topic uuid.UUID) (ch <-chan struct{}, cancel func())
}

// Deps are the server's needs. Only CapturedMail, Demo, Version, MailConfigured, TrustedProxies, Setups and Probe may be left out.
type Deps struct {
	Accounts       *accounts.Service
	Connect        *connect.Service
	Dispatch       *dispatch.Service
	Store          *models.Store
	Words          *i18n.Bundle
	Wakes          Wakes
	PublicURL      string // scheme://host[:port]; https makes cookies Secure and __Host-
	TrustedProxies []netip.Prefix
	Demo           bool                   // says so on every page
	Version        string                 // of the program, for reports; "" if it is not known
	MailConfigured bool                   // false: pages say that mail is not sent
	CapturedMail   func() []mail.Captured // demo only: what the admins' mail page shows
	Audit          audit.Auditor
	StaffFactor    bool // staff must have a second factor
	Ready          func(ctx context.Context) error
	Now            func() time.Time
	Log            *slog.Logger
	Metrics        *Metrics

	Setups []ProviderSetup                                                 // which settings are there, for the admins
	Probe  func(ctx context.Context, provider string) []models.ProbeResult // a test call; nil: none can be made
}

// Server answers requests.
type Server struct {
	Deps
	secure  bool // PublicURL is https
	engine  *gin.Engine
	pages   *pageSet
	assets  *assets
	cookies cookieJar
	store   *sessionStore
	lastly  map[string][]byte // the error page that cannot fail, by language

	streams   chan struct{} // one place per open event stream
	ending    chan struct{}
	endStream sync.Once
}

// New reads templates and assets and makes the server. A page that is not declared, or declared and not there, is an
// error of the start.
func New(d Deps) (*Server, error) {
	if d.Accounts == nil || d.Connect == nil || d.Dispatch == nil || d.Store == nil || d.Words == nil || d.Wakes == nil ||
		d.Ready == nil || d.Now == nil || d.Log == nil || d.Metrics == nil {
		return nil, errors.New("handlers: a need was left out")
	}
	return newServer(d, templates.Files, static.Files)
}

func newServer(d Deps, pages, files fs.FS) (_ *Server, err error) {
	s := &Server{Deps: d, secure: strings.HasPrefix(d.PublicURL, "https://"),
		streams: make(chan struct{}, maxStreams), ending: make(chan struct{})}
	if s.assets, err = loadAssets(files); err != nil {
		return nil, fmt.Errorf("handlers: reading assets: %w", err)
	}
	if s.pages, err = loadPages(pages); err != nil {
		return nil, fmt.Errorf("handlers: reading templates: %w", err)
	}
	s.cookies = cookieJar{secure: s.secure, now: d.Now}
	s.store = &sessionStore{accounts: d.Accounts, cookies: s.cookies}
	if s.lastly, err = s.renderLastly(); err != nil {
		return nil, fmt.Errorf("handlers: preparing the last error page: %w", err)
	}
	return s, s.build()
}

func (s *Server) build() error {
	gin.SetMode(gin.ReleaseMode) // its debug mode writes to stdout
	s.engine = gin.New()
	s.engine.HandleMethodNotAllowed = true
	s.engine.RedirectTrailingSlash = false
	var proxies []string
	for _, prefix := range s.TrustedProxies {
		proxies = append(proxies, prefix.String())
	}
	if err := s.engine.SetTrustedProxies(proxies); err != nil {
		return fmt.Errorf("handlers: trusted proxies: %w", err)
	}
	return s.route()
}

// Handler gives the whole of it.
func (s *Server) Handler() http.Handler { return s.engine }

// EndStreams ends the open event streams, which would otherwise hold up http.Server.Shutdown. Register it with
// RegisterOnShutdown.
func (s *Server) EndStreams() { s.endStream.Do(func() { close(s.ending) }) }

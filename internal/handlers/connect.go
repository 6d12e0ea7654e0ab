package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// ConnectPage is what a merchant reads before leaving for a provider. For a connection that exists it is the way to
// reconnect it.
type ConnectPage struct {
	Page
	Provider oauth.Descriptor
	Offered  bool
	Paused   string // since when the platform has paused the provider; "" if it has not
	Again    bool   // reconnecting
	Name     string // the account to come back with, when reconnecting
	Action   string // where the form goes
	Back     string
	Host     string  // the provider's, so that people know where they are when they are there
	Fields   []Field // the form, for a provider whose way in is a key or a link
	Kept     bool    // the form holds what was typed before
	Faults   Faults
}

// ByLink says whether the form leads to a link that is opened elsewhere.
func (p ConnectPage) ByLink() bool { return p.Provider.Flow == oauth.FlowLink }

// askConnect answers "GET /connect/:provider".
func (s *Server) askConnect(c *gin.Context, m *Merchant) error {
	d, offered, ok := s.Connect.Describe(c.Param("provider"))
	if !ok {
		return models.NotFound()
	}
	return s.showAsk(c, m, s.connectPage(c, m, d, offered))
}

func (s *Server) connectPage(c *gin.Context, m *Merchant, d oauth.Descriptor, offered bool) ConnectPage {
	return ConnectPage{
		Page: s.page(c, "connect.ask_title", "provider", m.say(d.Title)), Provider: d, Offered: offered,
		Action: "/connect/" + d.Slug, Back: "/connections", Host: hostOf(d.FormOrigin),
	}
}

// askReconnect answers "GET /connections/:id/reconnect".
func (s *Server) askReconnect(c *gin.Context, m *Merchant) error {
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	return s.showAsk(c, m, s.reconnectPage(c, m, view))
}

func (s *Server) reconnectPage(c *gin.Context, m *Merchant, view connect.ConnectionView) ConnectPage {
	d, offered, _ := s.Connect.Describe(view.Provider.Slug)
	address := "/connections/" + view.ID.String()
	page := ConnectPage{
		Page: s.page(c, "connect.again_title", "provider", m.say(view.Provider.Title)), Provider: view.Provider, Offered: offered,
		Again: true, Action: address + "/reconnect", Back: address, Host: hostOf(d.FormOrigin),
	}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	return page
}

func (s *Server) showAsk(c *gin.Context, m *Merchant, page ConnectPage) error {
	eventOf(c.Request.Context()).concerns(page.Provider.Slug, uuid.Nil)
	if page.Offered && page.Provider.FormOrigin != "" {
		allowForm(c, page.Provider.FormOrigin)
	}
	since, _ := s.Connect.Watch.Paused(page.Provider.Slug)
	page.Paused = page.PauseNote(since)
	fields := s.Connect.Fields(page.Provider.Slug)
	page.Fields = keyFields(page, fields)
	if typed := s.cookies.typed(c.Request, m.Session, page.Action); len(typed) > 0 && len(fields) > 0 {
		fillIn(page.Fields, fields, typed)
		page.Kept = true
	}
	return s.show(c, page)
}

// beginConnect answers "POST /connect/:provider".
func (s *Server) beginConnect(c *gin.Context, m *Merchant) error {
	slug := c.Param("provider")
	if len(s.Connect.Fields(slug)) == 0 {
		return s.begin(c, m, slug, nil)
	}
	d, offered, _ := s.Connect.Describe(slug)
	return s.submit(c, m, s.connectPage(c, m, d, offered), nil)
}

// reconnect answers "POST /connections/:id/reconnect".
func (s *Server) reconnect(c *gin.Context, m *Merchant) error {
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	if len(s.Connect.Fields(view.Provider.Slug)) == 0 {
		return s.begin(c, m, view.Provider.Slug, &view.ID)
	}
	return s.submit(c, m, s.reconnectPage(c, m, view), &view.ID)
}

func (s *Server) begin(c *gin.Context, m *Merchant, provider string, again *uuid.UUID) error {
	begun, err := s.Connect.Begin(c.Request.Context(), m.Store, connect.BeginRequest{
		Provider: provider, UserID: m.Session.UserID, SessionID: m.Session.ID, Reconnect: again,
	})
	if err != nil {
		return err
	}
	eventOf(c.Request.Context()).concerns(provider, begun.Attempt)
	s.cookies.startFlow(c, begun.Attempt, begun.Cookie, begun.ExpiresAt)
	return seeOther(c, begun.Location)
}

// finishConnect answers "GET /oauth/:provider/callback". It never shows a page of its own: the address holds a code, which
// must be out of the address bar before anything is drawn.
func (s *Server) finishConnect(c *gin.Context, m *Merchant) error {
	ctx := c.Request.Context()
	d, _, ok := s.Connect.Describe(c.Param("provider"))
	if !ok {
		return models.NotFound()
	}
	eventOf(ctx).concerns(d.Slug, uuid.Nil)
	attempt, err := s.Connect.Finish(ctx, m.Store, connect.Return{
		Provider: d.Slug, Query: c.Request.URL.Query(), UserID: m.Session.UserID, SessionID: m.Session.ID,
		Cookies: s.cookies.flows(c.Request),
	})
	if err != nil {
		return err
	}
	eventOf(ctx).concerns(d.Slug, attempt.ID)
	return s.land(c, attempt)
}

// land sends the browser to where an attempt stands.
func (s *Server) land(c *gin.Context, a models.Attempt) error {
	if a.Status != models.Pending && a.Status != models.Exchanging {
		eventOf(c.Request.Context()).ended(string(a.Status))
	}
	if a.Status == models.Stored && a.ResultConnection != nil {
		return seeOther(c, "/connections/"+a.ResultConnection.String())
	}
	return seeOther(c, "/attempts/"+a.ID.String())
}

func (p *Person) say(t oauth.Text) string { return t.In(p.P.Lang()) }

package handlers

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
)

// ConnectionsPage is a card per provider.
type ConnectionsPage struct {
	Page
	Cards []ProviderCard
}

// ProviderCard is a provider with the tenant's connections, and with what the person has not finished there.
type ProviderCard struct {
	connect.Card
	Unfinished []Unfinished
}

// Here are the connections of a card that stand.
func (p ConnectionsPage) Here(card ProviderCard) []models.Connection {
	var here []models.Connection
	for _, c := range card.Connections {
		if c.State != models.Disconnected {
			here = append(here, c)
		}
	}
	return here
}

// Gone are the disconnected ones, whose data stays readable.
func (p ConnectionsPage) Gone(card ProviderCard) []models.Connection {
	var gone []models.Connection
	for _, c := range card.Connections {
		if c.State == models.Disconnected {
			gone = append(gone, c)
		}
	}
	return gone
}

// showConnections answers "GET /connections".
func (s *Server) showConnections(c *gin.Context, m *Merchant) error {
	cards, err := s.Connect.Cards(c.Request.Context(), m.Store)
	if err != nil {
		return err
	}
	page := ConnectionsPage{Page: s.page(c, "connect.connections_title")}
	for _, card := range cards {
		page.Cards = append(page.Cards, ProviderCard{Card: card, Unfinished: page.unfinished(card.Open, "/connections", s.Connect.Describe)})
	}
	return s.show(c, page)
}

// ConnectionPage is one connection: who must act, its data, its history.
type ConnectionPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	State      StatePanel
	Steps      []Step // none once it is disconnected
	Schedule   Schedule
	Data       []BlockCard
	Left       Badge // until access ends, if it does
	History    []EventLine
	Label      Field // what the tenant calls the account
}

// Live says whether something is under way.
func (p ConnectionPage) Live() bool {
	return p.Connection.SyncState != models.SyncIdle && !p.Gone() && !p.Paused()
}

// Paused says whether nothing is fetched because the platform has paused the provider.
func (p ConnectionPage) Paused() bool { return !p.Connection.PausedSince.IsZero() && !p.Gone() }

// Gone says whether it is disconnected.
func (p ConnectionPage) Gone() bool { return p.Connection.State == models.Disconnected }

// Troubled says whether somebody must act.
func (p ConnectionPage) Troubled() bool { return p.Connection.State.Broken() }

// showConnection answers "GET /connections/:id".
func (s *Server) showConnection(c *gin.Context, m *Merchant) error {
	return s.answerConnection(c, m, http.StatusOK)
}

func (s *Server) answerConnection(c *gin.Context, m *Merchant, status int) error {
	view, err := s.connection(c, m)
	if err != nil {
		return err
	}
	page := ConnectionPage{Page: s.page(c, "connect.connection_title", "provider", m.say(view.Provider.Title)), Connection: view}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	page.Schedule = page.scheduleOf(view, s.Now())
	if view.ErasedAt == nil {
		page.Data = page.blockCards(view, s.Now())
		for i := range page.Data {
			page.Data[i].History = "/connections/" + view.ID.String() + "/history"
			page.Data[i].Course = "/connections/" + view.ID.String() + "/balances"
			if m.Session.Role.MayOperate() {
				page.Data[i].Reveal = "/connections/" + view.ID.String() + "/reveal/" + string(page.Data[i].Block)
				page.Data[i].Answer = "/connections/" + view.ID.String() + "/answer/" + string(page.Data[i].Block)
			}
		}
	}
	if view.EndsAt != nil {
		page.Left = page.leftBadge(*view.EndsAt, s.Now())
	}
	page.History = historianFor(page.Page, m.Session.UserID, s.Connect).lines(view.Events)
	page.State = page.statePanel(view)
	if !page.Gone() {
		page.Steps = rings{Words: page.Words, ConnectionView: view}.all() // the state beside them leads to where one can act
	}
	page.Label = Field{
		Name: "label", Type: "text", Label: page.T("reveal.label"), Help: page.T("reveal.label_help"), Value: view.Label,
		Autocomplete: "off", MaxLength: connect.MaxLabel,
	}
	if page.Live() || view.Telling() {
		page.Stream, page.Refresh = "/connections/"+view.ID.String()+"/events", 3
	}
	return s.render(c, status, page)
}

// connection loads the connection that the address names, with its data.
func (s *Server) connection(c *gin.Context, m *Merchant) (connect.ConnectionView, error) {
	return s.loaded(c, m, s.Connect.Show)
}

// outline loads the connection that the address names, for a question about it.
func (s *Server) outline(c *gin.Context, m *Merchant) (connect.ConnectionView, error) {
	return s.loaded(c, m, s.Connect.Outline)
}

func (s *Server) loaded(c *gin.Context, m *Merchant,
	load func(context.Context, *models.TenantStore, uuid.UUID) (connect.ConnectionView, error),
) (connect.ConnectionView, error) {
	id, err := idOf(c)
	if err != nil {
		return connect.ConnectionView{}, err
	}
	view, err := load(c.Request.Context(), m.Store, id)
	if err == nil {
		eventOf(c.Request.Context()).concerns(view.Provider.Slug, uuid.Nil)
	}
	return view, err
}

// streamConnection answers "GET /connections/:id/events".
func (s *Server) streamConnection(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if _, _, err := m.Store.Outline(c.Request.Context(), id); err != nil {
		return err
	}
	return s.stream(c, id, m.Session.View.Until) // a page of the merchant's does not stay open when the view is over
}

// idOf reads the id in the address. What is no id does not exist, like an id that is somebody else's.
func idOf(c *gin.Context) (uuid.UUID, error) {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil || len(c.Param("id")) != 36 {
		return uuid.Nil, models.NotFound()
	}
	return id, nil
}

package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// AnswerPage shows what the provider answered, redacted, or asks whether to.
type AnswerPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Block      oauth.Block
	Shown      bool
	Text       string
	Cut        bool
	Fetched    Moment
}

// askAnswer answers "GET /connections/:id/answer/:block".
func (s *Server) askAnswer(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	return s.showAnswer(c, AnswerPage{Connection: view, Block: oauth.Block(c.Param("block"))})
}

// answer answers "POST /connections/:id/answer/:block".
func (s *Server) answer(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.Accounts.AllowReveal(c.Request.Context(), m.Session.UserID); err != nil {
		return err
	}
	view, err := s.Connect.Answer(c.Request.Context(), m.Store, id, oauth.Block(c.Param("block")))
	if err != nil {
		return err
	}
	eventOf(c.Request.Context()).concerns(view.Provider.Slug, uuid.Nil)
	return s.showAnswer(c, AnswerPage{
		Connection: view.ConnectionView, Block: view.Block, Shown: true, Text: view.Text, Cut: view.Cut, Fetched: Words{m.P}.When(view.FetchedAt),
	})
}

func (s *Server) showAnswer(c *gin.Context, page AnswerPage) error {
	found := false
	for _, b := range page.Connection.Provider.Blocks {
		found = found || b == page.Block
	}
	if !found {
		return models.NotFound()
	}
	page.Page = s.page(c, "reveal.answer_title", "block", s.visitOf(c).p.T("block."+string(page.Block)))
	page.Name = page.AccountOf(page.Connection.Connection, page.Connection.AccountName)
	return s.show(c, page)
}

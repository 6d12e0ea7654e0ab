package handlers

import (
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/models"
)

// DisconnectPage asks once more, says what ends, and lets the person choose what becomes of the data.
type DisconnectPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Erase      time.Time // when the data is erased, if that is what they choose
}

// askDisconnect answers "GET /connections/:id/disconnect".
func (s *Server) askDisconnect(c *gin.Context, m *Merchant) error {
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	if view.State == models.Disconnected {
		return seeOther(c, "/connections/"+view.ID.String())
	}
	page := DisconnectPage{Page: s.page(c, "connect.disconnect_title"), Connection: view, Erase: s.Now().Add(connect.EraseGrace)}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	return s.show(c, page)
}

// disconnect answers "POST /connections/:id/disconnect". The data is kept unless "data" says erase.
func (s *Server) disconnect(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	erase := c.PostForm("data") == "erase"
	if err := s.Connect.Disconnect(c.Request.Context(), m.Store, id, erase); err != nil {
		return err
	}
	flash := "state.gone_flash"
	if erase {
		flash = "state.gone_erase_flash"
	}
	s.cookies.flash(c, flash)
	return seeOther(c, "/connections/"+id.String())
}

// ErasePage asks once more before the data of a disconnected connection is erased.
type ErasePage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Erase      time.Time
}

// askErase answers "GET /connections/:id/erase".
func (s *Server) askErase(c *gin.Context, m *Merchant) error {
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	if view.State != models.Disconnected || view.EraseAt != nil || view.ErasedAt != nil {
		return seeOther(c, "/connections/"+view.ID.String())
	}
	page := ErasePage{Page: s.page(c, "state.erase_title"), Connection: view, Erase: s.Now().Add(connect.EraseGrace)}
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	return s.show(c, page)
}

// erase answers "POST /connections/:id/erase".
func (s *Server) erase(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.Connect.PlanErasure(c.Request.Context(), m.Store, id); err != nil {
		return err
	}
	s.cookies.flash(c, "state.erase_flash")
	return seeOther(c, "/connections/"+id.String())
}

// keep answers "POST /connections/:id/keep": the data is not erased after all.
func (s *Server) keep(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.Connect.UndoErasure(c.Request.Context(), m.Store, id); err != nil {
		return err
	}
	s.cookies.flash(c, "state.keep_flash")
	return seeOther(c, "/connections/"+id.String())
}

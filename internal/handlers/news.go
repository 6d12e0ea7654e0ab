package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/models"
)

// renewAddress answers "POST /connections/:id/callback/renew". The form names the address that its page showed, so that
// pressing twice renews once.
func (s *Server) renewAddress(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	before := uuid.Nil
	if seen := form.Get("address"); seen != "" {
		if before, err = uuid.Parse(seen); err != nil {
			return models.NotFound()
		}
	}
	if err := s.Connect.RenewAddress(c.Request.Context(), m.Store, id, before); err != nil {
		return err
	}
	s.cookies.flash(c, "inbox.renewed_flash")
	return seeOther(c, "/connections/"+id.String()+"#news")
}

// endAddress answers "POST /connections/:id/callback/end".
func (s *Server) endAddress(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.Connect.EndAddress(c.Request.Context(), m.Store, id); err != nil {
		return err
	}
	s.cookies.flash(c, "inbox.ended_flash")
	return seeOther(c, "/connections/"+id.String()+"#news")
}

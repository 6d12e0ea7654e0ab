package handlers

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
)

// eventsShown is a page of history.
const eventsShown = 50

// ActivityPage is the tenant's history in sentences.
type ActivityPage struct {
	Page
	History []EventLine
	Older   string // address of the page after this one; "" if this is the last
	Newest  bool   // this is the first
}

// showActivity answers "GET /activity".
func (s *Server) showActivity(c *gin.Context, m *Merchant) error {
	before, text := uuid.Nil, c.Query("before")
	if text != "" {
		var err error
		if before, err = uuid.Parse(text); err != nil {
			return errs.New(errs.Invalid, "error.bad_cursor")
		}
	}
	events, err := m.Store.Events(c.Request.Context(), before, eventsShown+1)
	if err != nil {
		return err
	}
	page := ActivityPage{Page: s.page(c, "event.title"), Newest: text == ""}
	if len(events) > eventsShown {
		events = events[:eventsShown]
		page.Older = "/activity?before=" + events[eventsShown-1].ID.String()
	}
	page.History = historianFor(page.Page, m.Session.UserID, s.Connect).lines(events)
	return s.show(c, page)
}

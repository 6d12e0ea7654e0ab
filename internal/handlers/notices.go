package handlers

import (
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/notices"
)

// noticesShown is a page of notices.
const noticesShown = 30

// NoticesPage is what a member was told of their connections and their business, unread first.
type NoticesPage struct {
	Page
	List   []NoticeLine
	Older  string // address of the page after this one; "" if this is the last
	Newest bool   // this is the first
}

// NoticeLine is one notice.
type NoticeLine struct {
	At     Moment
	Class  string // good, bad or ""
	Text   string
	Step   string // the words on the button that leads to what it is about
	Action string // where the press goes: it marks the notice as read on the way
	Unread bool
}

// showNotices answers "GET /notices".
func (s *Server) showNotices(c *gin.Context, m *Merchant) error {
	place := models.NoticePlace{Read: c.Query("read") == "1"}
	if text := c.Query("before"); text != "" {
		id, err := uuid.Parse(text)
		if err != nil {
			return errs.New(errs.Invalid, "error.bad_cursor")
		}
		place.ID = id
	}
	rows, err := m.Store.Notices(c.Request.Context(), place, noticesShown+1)
	if err != nil {
		return err
	}
	page := NoticesPage{Page: s.page(c, "notice.title"), Newest: place == models.NoticePlace{}}
	if len(rows) > noticesShown {
		rows = rows[:noticesShown]
		last := rows[noticesShown-1]
		page.Older = "/notices?before=" + last.ID.String()
		if last.ReadAt != nil {
			page.Older += "&read=1"
		}
	}
	for _, row := range rows {
		page.List = append(page.List, noticeLine(page.Words, s.Connect.Describe, row))
	}
	return s.show(c, page)
}

func noticeLine(w Words, describe notices.Describe, row models.NoticeRow) NoticeLine {
	key := noticeKey(row.Kind)
	told := notices.Read(w.Printer, describe, notices.News{Kind: row.Kind, Label: row.Label, Detail: row.Detail})
	at := ""
	if !told.At.IsZero() {
		at = w.DateTime(told.At)
	}
	return NoticeLine{
		At: w.When(row.CreatedAt), Class: classOf(row.Kind), Unread: row.ReadAt == nil,
		Text: w.T("notice."+key, "provider", told.Provider, "account", told.Account, "reason", told.Why, "next", told.Next,
			"since", at, "at", at, "count", told.Days, "block", told.Block, "who", told.Who),
		Step: w.T("notice.step_" + key), Action: "/notices/" + row.ID.String() + "/read",
	}
}

// noticeKey names a kind in the catalogue.
func noticeKey(kind string) string {
	return strings.ReplaceAll(strings.TrimPrefix(kind, "connection."), ".", "_")
}

// readNotice answers "POST /notices/:id/read": to the step that mends what the notice tells of.
func (s *Server) readNotice(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	row, err := m.Store.ReadNotice(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return seeOther(c, notices.Path(row.Kind, row.Connection))
}

// readNotices answers "POST /notices/read".
func (s *Server) readNotices(c *gin.Context, m *Merchant) error {
	if err := m.Store.ReadNotices(c.Request.Context()); err != nil {
		return err
	}
	s.cookies.flash(c, "notice.all_read")
	return seeOther(c, "/notices")
}

// NoticeChoice is a kind of mail that a member may have or not.
type NoticeChoice struct {
	Name, Text string
	Chosen     bool
}

// noticeChoices is what a member gets by mail; none for staff.
func (s *Server) noticeChoices(c *gin.Context, p *Person) ([]NoticeChoice, error) {
	if p.Session.Role == "" {
		return nil, nil
	}
	actor := models.Actor{Kind: models.Person, ID: p.Session.UserID}
	chosen, err := s.Store.ForTenant(p.Session.TenantID, actor).NoticeChoices(c.Request.Context())
	if err != nil {
		return nil, err
	}
	var choices []NoticeChoice
	for _, topic := range notices.Topics() {
		mail, made := chosen[topic.Kinds[0]] // they are chosen together
		if !made {
			mail = notices.WantsMail(p.Session.Role)
		}
		choices = append(choices, NoticeChoice{Name: topic.Name, Text: p.P.T("notice.mail_" + topic.Name), Chosen: mail})
	}
	return choices, nil
}

// chooseNotices answers "POST /settings/notices".
func (s *Server) chooseNotices(c *gin.Context, m *Merchant) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	choices := map[string]bool{}
	for _, topic := range notices.Topics() {
		for _, kind := range topic.Kinds {
			choices[kind] = form.Get(topic.Name) == "on"
		}
	}
	if err := m.Store.ChooseNotices(c.Request.Context(), choices); err != nil {
		return err
	}
	return s.settled(c, "notice.mail_saved")
}

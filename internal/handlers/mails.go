package handlers

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// mailsShown is a page of mails.
const mailsShown = 50

// MailsPage is what was sent to people, or was to be. Addresses are masked, and no words are kept.
type MailsPage struct {
	Page
	Tabs     []MenuItem
	Rows     []MailLine
	Unsent   bool // no mail is configured
	Captured bool // the demo shows the letters themselves
	State    string
	Next     string
	First    string // address of the newest; "" if this is it
}

// MailLine is one mail in words.
type MailLine struct {
	models.MailRow
	About   string
	Badge   Badge
	Created Moment
	Tried   Moment
	Why     string
	Due     string // when it is tried next
}

// mailGroups are the values of "state" in the address, in the order of the tabs.
func mailGroups() []jobGroup {
	return []jobGroup{
		{"", nil}, {"waiting", []string{models.LetterWaiting}}, {"lost", []string{models.LetterRefused, models.MailFailed}},
		{"sent", []string{models.LetterSent}}, {"unsent", []string{models.LetterMoot, models.LetterNotSent, models.MailCancelled}},
	}
}

// showMails answers "GET /admin/mails".
func (s *Server) showMails(c *gin.Context, a *Admin) error {
	place := slices.IndexFunc(mailGroups(), func(g jobGroup) bool { return g.name == c.Query("state") })
	below, err := placeOf(c)
	if err != nil || place < 0 {
		return errs.New(errs.Invalid, "error.bad_cursor")
	}
	found, err := a.Store.Mails(c.Request.Context(), models.MailQuery{States: mailGroups()[place].states, Below: below, Limit: mailsShown})
	if err != nil {
		return err
	}
	page := MailsPage{
		Page: s.page(c, "mails.title"), Unsent: !s.MailConfigured, Captured: s.CapturedMail != nil, State: c.Query("state"),
	}
	for _, row := range found.Rows {
		page.Rows = append(page.Rows, page.mailLine(row))
	}
	page.link(c.Request.URL.Query(), found)
	return s.show(c, page)
}

func (p *MailsPage) link(asked url.Values, found models.MailsPage) {
	at := narrowed("/admin/mails", asked, "state")
	for _, g := range mailGroups() {
		text, number := p.T("mails.tab_"+cmp.Or(g.name, "all")), 0
		for _, state := range g.states {
			number += found.Counts[state]
		}
		if number > 0 {
			text = p.T("inbox.tab_count", "state", text, "number", p.capped(number))
		}
		p.Tabs = append(p.Tabs, MenuItem{Link: Link{Text: text, Href: at("state", g.name)}, Current: p.State == g.name})
	}
	if asked.Get("before") != "" {
		p.First = at("before", "")
	}
	if found.More {
		p.Next = at("before", strconv.FormatInt(found.Rows[len(found.Rows)-1].Job, 10))
	}
}

// narrowed makes addresses of a list that keep what it is narrowed by, but for one value that is set or, if empty, dropped.
func narrowed(path string, asked url.Values, keep ...string) func(name, value string) string {
	return func(name, value string) string {
		query := url.Values{}
		for _, kept := range keep {
			if asked.Get(kept) != "" {
				query.Set(kept, asked.Get(kept))
			}
		}
		if query.Set(name, value); value == "" {
			query.Del(name)
		}
		if len(query) == 0 {
			return path
		}
		return path + "?" + query.Encode()
	}
}

func (w Words) mailLine(row models.MailRow) MailLine {
	line := MailLine{MailRow: row, About: row.Kind, Created: w.When(row.CreatedAt), Badge: w.mailBadge(row)}
	if key := "mails.kind_" + noticeKey(row.Kind); w.Has(key) {
		line.About = w.T(key)
	}
	if row.TriedAt != nil {
		line.Tried = w.When(*row.TriedAt)
	}
	if row.Fault != "" {
		line.Why = w.T("mails.fault_" + row.Fault)
	}
	if row.DueAt != nil {
		line.Due = w.DateTime(*row.DueAt)
	}
	return line
}

func (w Words) mailBadge(row models.MailRow) Badge {
	text := w.T("mails.state_" + row.State)
	switch row.State {
	case models.LetterSent:
		return Badge{"good", "check", text}
	case models.LetterRefused, models.MailFailed:
		return Badge{"bad", "alert", text}
	case models.LetterWaiting:
		if row.Tries > 0 {
			return Badge{"wait", "alert", w.T("mails.state_again")}
		}
		return Badge{"", "clock", text}
	}
	return Badge{"", "no", text}
}

// chooseDigest answers "POST /settings/digest". It is one's own, whatever one's roles are.
func (s *Server) chooseDigest(c *gin.Context, p *Person) error {
	if !p.Session.IsAdmin {
		return errs.New(errs.Forbidden, "error.admins_only")
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	store := s.Store.Platform(models.Actor{Kind: models.Staff, ID: p.Session.UserID})
	if err := store.ChooseDigest(c.Request.Context(), form.Get("digest") == "on"); err != nil {
		return err
	}
	return s.settled(c, "digest.saved")
}

// DigestChoice is whether one of the staff gets the digest.
type DigestChoice struct{ Wants bool }

// digestChoice is what one of the staff has chosen; nil for merchants.
func (s *Server) digestChoice(c *gin.Context, p *Person) (*DigestChoice, error) {
	if !p.Session.IsAdmin {
		return nil, nil
	}
	wants, err := s.Store.Platform(models.Actor{Kind: models.Staff, ID: p.Session.UserID}).WantsDigest(c.Request.Context())
	return &DigestChoice{Wants: wants}, err
}

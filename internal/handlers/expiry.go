package handlers

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// endingsShown is a page of what ends, on the admins' board.
const endingsShown = 50

// day is how the boards count.
const day = 24 * time.Hour

// ExpiringPage is what ends when, for the merchant.
type ExpiringPage struct {
	Page
	Groups []EndingGroup
}

// EndingGroup is things that end for the same reason: accounts, or tries to connect that wait to be finished.
type EndingGroup struct {
	Heading string
	Rows    []Ending
}

// Ending is something that ends.
type Ending struct {
	Provider oauth.Descriptor
	Account  string
	At       time.Time
	Left     Badge
	Next     Link // where to act; empty: this person may not
}

// showExpiring answers "GET /expiring".
func (s *Server) showExpiring(c *gin.Context, m *Merchant) error {
	conns, open, err := m.Store.Expiring(c.Request.Context())
	if err != nil {
		return err
	}
	page := ExpiringPage{Page: s.page(c, "history.expiring_title")}
	accounts, links := EndingGroup{Heading: page.T("history.expiring_accounts")}, EndingGroup{Heading: page.T("history.expiring_links")}
	for _, conn := range conns {
		row := Ending{Account: page.AccountOf(conn, ""), At: *conn.EndsAt, Left: page.leftBadge(*conn.EndsAt, s.Now())}
		row.Provider, _, _ = s.Connect.Describe(conn.Provider)
		if m.Session.Role.MayOperate() {
			row.Next = Link{page.T("connect.reconnect"), "/connections/" + conn.ID.String() + "/reconnect"}
		}
		accounts.Rows = append(accounts.Rows, row)
	}
	for _, a := range open {
		row := Ending{At: a.ExpiresAt, Next: Link{page.T("history.go_on"), "/attempts/" + a.ID.String()}}
		row.Provider, _, _ = s.Connect.Describe(a.Provider)
		row.Left = Badge{"wait", "clock", page.T("history.waiting")}
		links.Rows = append(links.Rows, row)
	}
	for _, group := range []EndingGroup{accounts, links} {
		if len(group.Rows) > 0 {
			page.Groups = append(page.Groups, group)
		}
	}
	return s.show(c, page)
}

// leftBadge says how long it is until something ends.
func (w Words) leftBadge(ends, now time.Time) Badge {
	days := daysLeft(ends, now)
	switch {
	case !ends.After(now):
		return Badge{"bad", "alert", w.T("history.ended")}
	case days <= 7:
		return Badge{"bad", "clock", w.T("history.days_left", "count", days)}
	case days <= 14:
		return Badge{"wait", "clock", w.T("history.days_left", "count", days)}
	}
	return Badge{"", "clock", w.T("history.days_left", "count", days)}
}

// daysLeft counts the days until then, one that has begun as a whole one.
func daysLeft(ends, now time.Time) int { return int(math.Ceil(float64(ends.Sub(now)) / float64(day))) }

// ExpiryBoard is what ends when, over all merchants.
type ExpiryBoard struct {
	Page
	Provider  string // as asked for; "": all
	Within    int    // days
	Providers []oauth.Descriptor
	Rows      []BoardRow
	Next      string
	First     bool
}

// BoardRow is a connection that ends.
type BoardRow struct {
	models.ExpiryRow
	Descriptor oauth.Descriptor
	Left       Badge
	May        bool // the merchant may be reminded
}

// withinDays are the spans that the board offers.
func withinDays() []int { return []int{14, 30, 90} }

// Spans are the spans that can be chosen.
func (b ExpiryBoard) Spans() []int { return withinDays() }

// showExpiryBoard answers "GET /admin/expiring".
func (s *Server) showExpiryBoard(c *gin.Context, a *Admin) error {
	board := ExpiryBoard{Page: s.page(c, "history.board_title"), First: c.Query("before") == ""}
	board.Provider, board.Within = s.boardAsked(c)
	found, err := a.Store.Expiring(c.Request.Context(), models.ExpiryQuery{
		Provider: board.Provider, Within: time.Duration(board.Within) * day, Before: c.Query("before"), Limit: endingsShown,
	})
	if err != nil {
		return err
	}
	board.Providers = s.Connect.Providers.Offered()
	for _, r := range found.Rows {
		row := BoardRow{ExpiryRow: r, Left: board.leftBadge(r.EndsAt, s.Now()), May: r.MayRemind(s.Now())}
		row.Descriptor, _, _ = s.Connect.Describe(r.Provider)
		board.Rows = append(board.Rows, row)
	}
	if found.Next != "" {
		board.Next = board.Address() + "&" + url.Values{"before": {found.Next}}.Encode()
	}
	return s.show(c, board)
}

// boardAsked reads what the board is narrowed to. What nobody offers is as good as nothing.
func (s *Server) boardAsked(c *gin.Context) (provider string, within int) {
	provider = c.Query("provider")
	if _, _, known := s.Connect.Describe(provider); !known {
		provider = ""
	}
	within, _ = strconv.Atoi(c.Query("within"))
	if !slices.Contains(withinDays(), within) {
		within = 30
	}
	return provider, within
}

// Address is this board's, from its beginning.
func (b ExpiryBoard) Address() string { return boardAddress("/admin/expiring", b.Provider, b.Within) }

// RemindAddress is where a reminder of a row is asked for, and this board come back to.
func (b ExpiryBoard) RemindAddress(r BoardRow) string {
	path := "/admin/tenants/" + r.Tenant.String() + "/remind/" + r.Connection.String()
	return boardAddress(path, b.Provider, b.Within)
}

func boardAddress(path, provider string, within int) string {
	return path + "?" + url.Values{"provider": {provider}, "within": {strconv.Itoa(within)}}.Encode()
}

// remind answers "POST /admin/tenants/:id/remind/:connection".
func (s *Server) remind(c *gin.Context, a *Admin) error {
	tenant, err := idOf(c)
	if err != nil {
		return err
	}
	connection, err := uuid.Parse(c.Param("connection"))
	if err != nil {
		return models.NotFound()
	}
	said := "history.reminded"
	switch err := a.Store.Remind(c.Request.Context(), tenant, connection); {
	case errs.CodeOf(err) == errs.Conflict:
		said = "history.reminded_already"
	case err != nil:
		return err
	}
	s.cookies.flash(c, said)
	provider, within := s.boardAsked(c)
	return seeOther(c, boardAddress("/admin/expiring", provider, within))
}

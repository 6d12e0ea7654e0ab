package handlers

import (
	"slices"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
)

// OverviewPage is a merchant's first look: how far each connection has come, and the newest data of all, side by side.
type OverviewPage struct {
	Page
	Review     ReviewPanel // its zero: nothing is connected yet
	Accounts   []OverviewAccount
	Unfinished []Unfinished
	Totals     []Total
	Courses    []Course
	Beside     Comparison
	Flows      []FlowSum
}

// Course is how one balance went lately. Its table, and what was before, is on the balances' own page.
type Course struct {
	BalanceLine
	Account OverviewAccount
}

// OverviewAccount is one live connection.
type OverviewAccount struct {
	Words
	connect.ConnectionView
	Mark  string
	Steps []Step
	Data  []BlockCard // what was fetched
	Staff bool        // whoever looks is one of the staff, who have another page for it
}

// Href is where all of the account is told.
func (a OverviewAccount) Href() string {
	if a.Staff {
		return "#account-" + a.ID.String()
	}
	return "/connections/" + a.ID.String()
}

// Long says whether some balance is too long for a table of several columns.
func (p OverviewPage) Long() bool {
	return slices.ContainsFunc(p.Accounts, func(a OverviewAccount) bool { return slices.ContainsFunc(a.Data, BlockCard.Long) })
}

// Wallets are the account's balances with the course of them, "" blocks apart.
func (a OverviewAccount) Wallets() []BlockCard {
	return slices.DeleteFunc(slices.Clone(a.Data), func(b BlockCard) bool { return len(b.Wallets) == 0 })
}

// showOverview answers "GET /overview".
func (s *Server) showOverview(c *gin.Context, m *Merchant) error {
	o, err := s.Connect.Overview(c.Request.Context(), m.Store)
	if err != nil {
		return err
	}
	page := OverviewPage{Page: s.page(c, "connect.overview_title")}
	page.Unfinished = page.unfinished(o.Open, "/overview", s.Connect.Describe)
	if o.Review.Begun() {
		page.Review = page.reviewPanel(o.Review, s.Connect.Describe)
		page.Review.Operate = page.Viewer.Operate
	}
	for _, view := range o.Accounts {
		if view.State == models.Disconnected {
			continue
		}
		account := OverviewAccount{Words: page.Words, ConnectionView: view, Mark: page.Mark(view.Provider), Steps: page.steps(view)}
		for _, card := range page.blockCards(view, s.Now()) {
			if card.Fetched() {
				account.Data = append(account.Data, card)
			}
		}
		page.Accounts = append(page.Accounts, account)
	}
	page.Totals = page.totals()
	page.Courses = page.courses(o.Courses)
	page.Beside = page.compare(page.Accounts)
	page.Flows = page.flows()
	return s.show(c, page)
}

// courses are the balances that have moved, the first few.
func (p OverviewPage) courses(of map[uuid.UUID][]connect.Line) (all []Course) {
	for _, account := range p.Accounts {
		for _, line := range of[account.ID] {
			drawn := p.balanceLine(line, "course"+strconv.Itoa(len(all)))
			if drawn.Chart == nil || drawn.Chart.Flat() {
				continue
			}
			drawn.Text = p.T("connect.overview_course", "first", p.Money(line.Points[0].Wallet.Total), "last", drawn.Now, "high", drawn.High, "low", drawn.Low)
			if all = append(all, Course{drawn, account}); len(all) == chartsShown {
				return all
			}
		}
	}
	return all
}

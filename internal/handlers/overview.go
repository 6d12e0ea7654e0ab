package handlers

import (
	"slices"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/models"
)

// OverviewPage is a merchant's first look: how far each connection has come, and the newest data of all, side by side.
type OverviewPage struct {
	Page
	Review   ReviewPanel // its zero: nothing is connected yet
	Accounts []OverviewAccount
	Totals   []Total
	Beside   Comparison
	Flows    []FlowSum
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

// Wallets are the account's balances with the course of them, "" blocks apart.
func (a OverviewAccount) Wallets() []BlockCard {
	return slices.DeleteFunc(slices.Clone(a.Data), func(b BlockCard) bool { return len(b.Wallets) == 0 })
}

// Step is a ring of the checklist.
type Step struct {
	Class string // done, waits (for us or the provider), yours, open (not reached)
	Icon  string
	What  string
	Note  string
}

// showOverview answers "GET /overview".
func (s *Server) showOverview(c *gin.Context, m *Merchant) error {
	views, review, err := s.Connect.Overview(c.Request.Context(), m.Store)
	if err != nil {
		return err
	}
	page := OverviewPage{Page: s.page(c, "connect.overview_title")}
	if review.Begun() {
		page.Review = page.reviewPanel(review, s.Connect.Describe)
		page.Review.Operate = page.Viewer.Operate
	}
	for _, view := range views {
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
	page.Beside = page.compare(page.Accounts)
	page.Flows = page.flows()
	return s.show(c, page)
}

// steps is how far a connection has come, and who must act.
func (w Words) steps(v connect.ConnectionView) []Step {
	done := func(key, note string) Step { return Step{Class: "done", Icon: "check", What: w.T(key), Note: note} }
	steps := []Step{
		done("connect.step_connected", w.Date(v.CreatedAt)),
		done("connect.step_confirmed", w.AccountOf(v.Connection, v.AccountName)),
	}
	trouble := w.trouble(v)
	if v.SyncedAt != nil {
		steps = append(steps, done("connect.step_first_data", ""))
	} else {
		first := Step{Class: "waits", Icon: "clock", What: w.T("connect.step_first_data"), Note: w.T("connect.step_fetching")}
		if trouble != nil {
			first.Class, first.Icon, first.Note = "open", "", ""
		}
		steps = append(steps, first)
	}
	switch {
	case trouble != nil:
		steps = append(steps, *trouble)
	case v.SyncedAt != nil:
		steps = append(steps, done("connect.step_current", w.T("connect.step_current_note", "ago", w.Ago(*v.SyncedAt))))
	default:
		steps = append(steps, Step{Class: "open", What: w.T("connect.step_current")})
	}
	return steps
}

// theirSteps is the same for the platform's staff, who are not "you".
func (w Words) theirSteps(v connect.ConnectionView) []Step {
	steps := w.steps(v)
	if v.State.Broken() {
		steps[len(steps)-1].What = w.TheirStateBadge(v.Connection).Text
	}
	return steps
}

// trouble is the step of a connection that needs somebody; nil when it needs nobody.
func (w Words) trouble(v connect.ConnectionView) *Step {
	step := &Step{Class: "waits", Icon: "clock", What: w.T("state." + string(v.State)), Note: w.reasonOf(v.Provider, v.Reason, "").What}
	switch v.State {
	case models.NeedsYou:
		step.Class, step.Icon = "yours", "you"
	case models.Provider:
		step.Icon = "away"
	case models.Ours:
		step.Icon = "tool"
	default:
		return nil
	}
	return step
}

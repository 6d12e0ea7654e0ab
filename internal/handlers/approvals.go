package handlers

import (
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/models"
)

// approvalsShown is a page of the acts that want a second member of the staff.
const approvalsShown = 50

// ApprovalsPage is what the staff asked each other for, newest first.
type ApprovalsPage struct {
	Page
	Tabs  []MenuItem
	Rows  []ApprovalLine
	Ended bool
	Next  string
	First string
}

// ApprovalLine is one act in words.
type ApprovalLine struct {
	models.Approval
	What  string
	Scope string
	Badge Badge
	Asked Moment
}

// listApprovals answers "GET /admin/approvals".
func (s *Server) listApprovals(c *gin.Context, a *Admin) error {
	q := models.ApprovalQuery{Ended: c.Query("state") == "ended", Limit: approvalsShown + 1}
	if text := c.Query("before"); text != "" {
		var err error
		if q.Before, err = uuid.Parse(text); err != nil {
			return errs.New(errs.Invalid, "error.bad_cursor")
		}
	}
	rows, err := a.Store.Approvals(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := ApprovalsPage{Page: s.page(c, "approval.title"), Ended: q.Ended}
	at := narrowed("/admin/approvals", c.Request.URL.Query(), "state")
	page.Tabs = []MenuItem{
		{Link: Link{Text: page.T("approval.tab_open"), Href: at("state", "")}, Current: !q.Ended},
		{Link: Link{Text: page.T("approval.tab_ended"), Href: at("state", "ended")}, Current: q.Ended},
	}
	if len(rows) > approvalsShown {
		rows = rows[:approvalsShown]
		page.Next = at("before", rows[approvalsShown-1].ID.String())
	}
	if q.Before != uuid.Nil {
		page.First = at("before", "")
	}
	for _, row := range rows {
		page.Rows = append(page.Rows, s.approvalLine(page.Words, row))
	}
	return s.show(c, page)
}

func (s *Server) approvalLine(w Words, a models.Approval) ApprovalLine {
	return ApprovalLine{Approval: a, What: w.actName(string(a.Act)), Scope: s.scopeText(w, a.ActScope, a.TenantName), Badge: w.approvalBadge(a), Asked: w.When(a.AskedAt)}
}

// actName names an act.
func (w Words) actName(act string) string {
	if key := "approval.act_" + act; w.Has(key) {
		return w.T(key)
	}
	return act
}

// approvalBadge says where an act stands. What was done alone is nobody's routine until somebody has reviewed it.
func (w Words) approvalBadge(a models.Approval) Badge {
	if a.Alone && a.ReviewedAt == nil {
		return Badge{"bad", "alert", w.T("approval.state_alone")}
	}
	text := w.T("approval.state_" + string(a.State))
	switch a.State {
	case models.ApprovalOpen:
		return Badge{"wait", "clock", text}
	case models.ApprovalApproved:
		return Badge{"wait", "turn", text}
	case models.ApprovalDone:
		return Badge{"good", "check", text}
	}
	return Badge{"", "off", text}
}

// scopeText says what an act is narrowed to.
func (s *Server) scopeText(w Words, a models.ActScope, tenant string) string {
	if a.Act == models.ActExport && a.Tenant == nil {
		return w.T("audit.chain_platform")
	}
	provider := w.T("approval.every_provider")
	if d, _, known := s.Connect.Describe(a.Provider); known {
		provider = w.Say(d.Title)
	}
	switch {
	case a.Tenant != nil && a.Provider == "":
		return tenant
	case a.Tenant != nil:
		return w.T("approval.scope_both", "tenant", tenant, "provider", provider)
	case a.Within > 0:
		return w.T("approval.scope_within", "provider", provider, "count", a.Within)
	}
	return provider
}

// scopeOf reads from the address what an act is to be narrowed to. Invalid where that is too wide for the act.
func (s *Server) scopeOf(c *gin.Context, act models.Act) (a models.ActScope, err error) {
	a.Act = act
	if a.Provider, a.Within = s.boardAsked(c); a.Provider != c.Query("provider") {
		return a, models.NotFound() // a board shows all then; an act must not grow to all
	}
	if act != models.ActRemind {
		a.Within = 0
	}
	whose := c.Query("tenant")
	tenant, idErr := uuid.Parse(whose)
	switch {
	case whose != "" && idErr != nil:
		return a, models.NotFound()
	case whose != "" && tenant != uuid.Nil:
		a.Tenant = &tenant
	}
	if act == models.ActExport || act == models.ActReveal {
		a.Provider = ""
	}
	narrow := act == models.ActRemind || a.Tenant != nil || act == models.ActWithdraw && a.Provider != "" || act == models.ActExport && whose != ""
	if !narrow {
		return a, errs.New(errs.Invalid, "approval.too_wide")
	}
	return a, nil
}

// approvalBack is the page that an act is begun from.
func approvalBack(a models.ActScope) string {
	switch {
	case a.Act == models.ActRemind:
		return boardAddress("/admin/expiring", a.Provider, a.Within)
	case a.Act == models.ActExport && a.Tenant == nil:
		return "/admin/audit?" + url.Values{"tenant": {uuid.Nil.String()}}.Encode()
	case a.Act == models.ActExport:
		return "/admin/audit?" + url.Values{"tenant": {a.Tenant.String()}}.Encode()
	case a.Tenant != nil:
		return "/admin/tenants/" + a.Tenant.String()
	}
	return "/admin/providers/" + a.Provider
}

// Told is what a merchant will read, in one language.
type Told struct{ Lang, Text string }

// toldOf is the sentence that an act leaves in a merchant's history, with its first connection for an example.
func (s *Server) toldOf(act models.Act, targets []models.ActTarget) (told []Told) {
	kind := map[models.Act]string{
		models.ActRemind: "connection.reminded", models.ActWithdraw: "connection.withdrawn", models.ActExport: "tenant.history_taken",
	}[act]
	if kind == "" {
		return nil
	}
	detail := map[string]any{}
	if len(targets) > 0 {
		detail["provider"], detail["account"] = targets[0].Provider, targets[0].Masked
		if at := targets[0].EndsAt; at != nil {
			detail["at"] = at.UTC().Format("2006-01-02T15:04:05Z07:00")
		}
	}
	for _, tag := range i18n.Languages() {
		words := Words{s.Words.Printer(tag).At(s.Now())}
		told = append(told, Told{Lang: tag, Text: historian{words: words, describe: s.Connect.Describe}.sentence(models.Event{Kind: kind, Detail: detail})})
	}
	return told
}

// TargetLine is one connection that an act concerns.
type TargetLine struct {
	models.ActTarget
	Provider string
	Ends     string
	Badge    Badge
}

func (s *Server) targetLines(w Words, targets []models.ActTarget) (lines []TargetLine) {
	for _, t := range targets {
		line := TargetLine{ActTarget: t, Provider: t.Provider}
		if d, _, known := s.Connect.Describe(t.Provider); known {
			line.Provider = w.Say(d.Title)
		}
		if t.EndsAt != nil {
			line.Ends = w.Date(*t.EndsAt)
		}
		switch t.Outcome {
		case "done":
			line.Badge = Badge{"good", "check", w.T("approval.outcome_done")}
		case "skipped":
			line.Badge = Badge{"", "off", w.T("approval.outcome_skipped")}
		case "failed":
			line.Badge = Badge{"bad", "alert", w.T("approval.outcome_failed")}
		}
		lines = append(lines, line)
	}
	return lines
}

// askAddress is where an act is asked for.
func askAddress(act models.Act, query url.Values) string {
	return "/admin/approvals/" + string(act) + "?" + query.Encode()
}

// RemindAll is where a reminder of everybody on this board is asked for.
func (b ExpiryBoard) RemindAll() string {
	return askAddress(models.ActRemind, url.Values{"provider": {b.Provider}, "within": {strconv.Itoa(b.Within)}})
}

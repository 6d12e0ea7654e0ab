package handlers

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/audit"
	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// ApprovalPage is one act: what it is, who asked, who decided, what has come of it.
type ApprovalPage struct {
	Page
	ApprovalLine
	Count    string
	Targets  []TargetLine
	More     int // how many are not named
	Outcomes []Figure
	Underway bool // the rest is being done
	Decides  bool // the viewer may decide
	Cancels  bool // the viewer may take it back
	Uses     bool // the viewer may take the export, or look
	Reviews  bool // the viewer may review what was done alone
	Own      bool // the viewer asked for it
	Base     string
	Expires  string
	Until    string
	Longest  int
}

// Figure is a number with what it counts.
type Figure struct {
	Badge Badge
	Count int
}

// showApproval answers "GET /admin/approvals/:id".
func (s *Server) showApproval(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	file, err := a.Store.Approval(c.Request.Context(), id)
	if err != nil {
		return err
	}
	page := ApprovalPage{Page: s.page(c, "approval.act_"+string(file.Act)), Own: file.AskedBy == a.Session.UserID, Longest: longestReason}
	page.ApprovalLine = s.approvalLine(page.Words, file.Approval)
	page.Base = "/admin/approvals/" + string(file.Act) + "/" + id.String()
	page.Count, page.Expires = page.reachText(file.Act, file.Number), page.DateTime(file.ExpiresAt)
	page.Targets = s.targetLines(page.Words, file.Targets)
	page.outcomes(file)
	page.may(a, file.Approval)
	return s.show(c, page)
}

// outcomes counts what has come of it, once it has begun.
func (p *ApprovalPage) outcomes(file models.ApprovalFile) {
	all := 0
	for _, n := range file.Outcomes {
		all += n
	}
	p.More = all - len(p.Targets)
	if file.UntilAt != nil {
		p.Until = p.DateTime(*file.UntilAt)
		return
	}
	if file.State != models.ApprovalApproved && file.State != models.ApprovalDone {
		return
	}
	if p.Underway = file.State == models.ApprovalApproved; p.Underway {
		p.Refresh = 5
	}
	for _, f := range []struct {
		badge Badge
		count int
	}{
		{Badge{"good", "check", p.T("approval.outcome_done")}, file.Outcomes["done"]},
		{Badge{"", "off", p.T("approval.outcome_skipped")}, file.Outcomes["skipped"]},
		{Badge{"bad", "alert", p.T("approval.outcome_failed")}, file.Outcomes["failed"]},
		{Badge{"wait", "clock", p.T("approval.outcome_left")}, file.Outcomes[""]},
	} {
		if f.count > 0 {
			p.Outcomes = append(p.Outcomes, Figure{f.badge, f.count})
		}
	}
}

// may says what the viewer can do here; the statements decide again.
func (p *ApprovalPage) may(a *Admin, approval models.Approval) {
	roles := a.Session.StaffRoles
	fits := mayWork(roles, http.MethodPost, "/admin/approvals/"+string(approval.Act))
	open := approval.State == models.ApprovalOpen
	p.Decides, p.Cancels = open && !p.Own && fits, open && p.Own
	p.Uses = p.Own && approval.State == models.ApprovalApproved && approval.UntilAt != nil
	p.Reviews = approval.Alone && approval.ReviewedAt == nil && !p.Own && mayWork(roles, http.MethodPost, "/admin/approvals/:id/review")
}

// decide answers "POST /admin/approvals/<act>/:id/approve" and "…/decline".
func (s *Server) decide(act models.Act, approve bool) func(c *gin.Context, a *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		if err := recent(&a.Person); err != nil {
			return err
		}
		id, note, err := idAndNote(c)
		if err != nil {
			return err
		}
		ctx := c.Request.Context()
		if err := a.Store.Decide(ctx, models.Decision{Approval: id, Act: act, Approve: approve, Askers: askers(act), Note: note}); err != nil {
			return s.undecided(c, a, id, err)
		}
		said := "approval.declined_flash"
		if approve {
			said = "approval.approved_flash"
		}
		s.cookies.flash(c, said)
		return seeOther(c, "/admin/approvals/"+id.String())
	}
}

// undecided says plainly what held a decision up: it was on one's own act, or whoever asked for it may not any more.
func (s *Server) undecided(c *gin.Context, a *Admin, id uuid.UUID, err error) error {
	if errs.CodeOf(err) != errs.Conflict {
		return err
	}
	file, readErr := a.Store.Approval(c.Request.Context(), id)
	switch {
	case readErr != nil:
		return readErr
	case file.AskedBy == a.Session.UserID:
		return errs.Wrap(errs.Forbidden, "approval.own", err)
	case file.State == models.ApprovalOpen:
		return errs.Wrap(errs.Conflict, "approval.asker_gone", err)
	}
	return err
}

// idAndNote reads a form of words that may be left out.
func idAndNote(c *gin.Context) (id uuid.UUID, note string, err error) {
	id, form, err := idAndForm(c)
	if err != nil {
		return id, "", err
	}
	if note = strings.TrimSpace(form.Get("note")); note == "" {
		return id, "", nil
	}
	return id, note, saidWhy(note, "")
}

// cancelAct answers "POST /admin/approvals/<act>/:id/cancel".
func (s *Server) cancelAct(act models.Act) func(c *gin.Context, a *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		id, err := idOf(c)
		if err != nil {
			return err
		}
		if err := a.Store.CancelApproval(c.Request.Context(), id, act); err != nil {
			return err
		}
		s.cookies.flash(c, "approval.cancelled_flash")
		return seeOther(c, "/admin/approvals/"+id.String())
	}
}

// reviewAlone answers "POST /admin/approvals/:id/review".
func (s *Server) reviewAlone(c *gin.Context, a *Admin) error {
	if err := recent(&a.Person); err != nil {
		return err
	}
	id, note, err := idAndNote(c)
	if err != nil {
		return err
	}
	if err := saidWhy(note, ""); err != nil {
		return err
	}
	if err := a.Store.ReviewAlone(c.Request.Context(), id, note); err != nil {
		return s.undecided(c, a, id, err)
	}
	s.cookies.flash(c, "approval.reviewed_flash")
	return seeOther(c, "/admin/approvals/"+id.String())
}

// used reads an act whose right the viewer wants to use.
func (s *Server) used(c *gin.Context, a *Admin, act models.Act) (models.ApprovalFile, error) {
	if err := recent(&a.Person); err != nil {
		return models.ApprovalFile{}, err
	}
	id, err := idOf(c)
	if err != nil {
		return models.ApprovalFile{}, err
	}
	file, err := a.Store.Approval(c.Request.Context(), id)
	switch {
	case err != nil:
		return file, err
	case file.Act != act:
		return file, models.NotFound()
	case file.AskedBy != a.Session.UserID:
		return file, errs.New(errs.Forbidden, "approval.not_yours")
	case file.State != models.ApprovalApproved:
		return file, errs.New(errs.Conflict, "approval.moved_on")
	}
	return file, nil
}

// takeExport answers "POST /admin/approvals/export/:id/take": one chain with its proof, once.
func (s *Server) takeExport(c *gin.Context, a *Admin) error {
	file, err := s.used(c, a, models.ActExport)
	if err != nil {
		return err
	}
	chain := uuid.Nil
	if file.Tenant != nil {
		chain = *file.Tenant
	}
	var text bytes.Buffer
	if err := audit.Export(c.Request.Context(), a.Store, chain, &text); err != nil {
		return err
	}
	if err := a.Store.TakeExport(c.Request.Context(), file.Approval); err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="audit-`+chain.String()+`.jsonl"`)
	c.Data(http.StatusOK, "application/jsonl; charset=utf-8", text.Bytes())
	return nil
}

// AllRevealedPage shows all personal values of a merchant, once.
type AllRevealedPage struct {
	Page
	Tenant   string
	Back     string
	Accounts []RevealedAccount
}

// RevealedAccount is one account with the values in its blocks.
type RevealedAccount struct {
	Name  string
	Cards []RevealedPage
}

// lookAtAll answers "POST /admin/approvals/reveal/:id/look". The values stand in this answer alone, and the merchant reads
// in its own history which they were.
func (s *Server) lookAtAll(c *gin.Context, a *Admin) error {
	file, err := s.used(c, a, models.ActReveal)
	if err != nil {
		return err
	}
	views, err := s.Connect.RevealAll(c.Request.Context(), a.Store, file)
	if err != nil {
		return err
	}
	page := AllRevealedPage{Page: s.page(c, "approval.revealed_title", "tenant", file.TenantName), Tenant: file.TenantName, Back: "/admin/approvals/" + file.ID.String()}
	for _, view := range views {
		page.Accounts = append(page.Accounts, page.account(view))
	}
	return s.show(c, page)
}

func (p AllRevealedPage) account(view connect.ConnectionView) RevealedAccount {
	account := RevealedAccount{Name: p.Say(view.Provider.Title) + " · " + p.AccountOf(view.Connection, view.AccountName)}
	for _, block := range view.Blocks {
		card := BlockCard{Words: p.Words, BlockView: block, Heading: p.BlockName(block.Block)}
		account.Cards = append(account.Cards, RevealedPage{Page: p.Page, Connection: view, Card: card})
	}
	return account
}

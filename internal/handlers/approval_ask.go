package handlers

import (
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// longestReason is how long a reason, and the note of whoever decides or reviews, may be.
const longestReason = 500

// ApprovalAskPage shows what an act would concern, before it is asked for.
type ApprovalAskPage struct {
	Page
	Faults  Faults
	Lead    string
	Back    string
	Scope   string
	Reach   models.ActReach
	Count   string // how many it would concern
	Targets []TargetLine
	Told    []Told
	Reason  Field
	Word    Field // of whoever goes alone
	Alone   bool  // they have tried to
	Most    int
}

// askAct answers "GET /admin/approvals/<act>".
func (s *Server) askAct(act models.Act) func(c *gin.Context, a *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		if err := recent(&a.Person); err != nil {
			return err
		}
		asked, err := s.scopeOf(c, act)
		if err != nil {
			return err
		}
		page, err := s.askPage(c, a, models.NewApproval{ActScope: asked})
		if err != nil {
			return err
		}
		return s.show(c, page)
	}
}

func (s *Server) askPage(c *gin.Context, a *Admin, n models.NewApproval) (page ApprovalAskPage, err error) {
	reach, err := a.Store.ActReach(c.Request.Context(), n.ActScope)
	if err != nil {
		return page, err
	}
	page = ApprovalAskPage{Page: s.page(c, "approval.act_"+string(n.Act)), Back: approvalBack(n.ActScope), Reach: reach, Alone: n.Alone, Most: models.ApprovalMost}
	page.Lead, page.Scope = page.T("approval.lead_"+string(n.Act)), s.scopeText(page.Words, n.ActScope, reach.TenantName)
	page.Count = page.reachText(n.Act, reach.Number)
	page.Targets, page.Told = s.targetLines(page.Words, reach.Targets), s.toldOf(n.Act, reach.Targets)
	page.Reason = Field{Name: "reason", Type: "textarea", Label: page.T("approval.reason"), Help: page.T("approval.reason_help"), Value: n.Reason, Required: true, MaxLength: longestReason}
	if n.Act == models.ActReveal { // each look tells it to the merchant
		page.Reason.Help = page.T("approval.reason_help_reveal")
	}
	page.Word = Field{Name: "word", Type: "text", Label: page.T("approval.word_label", "word", page.T("approval.word")), Autocomplete: "off", MaxLength: 40}
	return page, nil
}

// reachText counts what an act concerns.
func (w Words) reachText(act models.Act, number int) string {
	if act == models.ActExport {
		return w.T("approval.entries", "count", number)
	}
	return w.T("approval.connections", "count", number)
}

// propose answers "POST /admin/approvals/<act>": it asks a second member of the staff, or goes alone.
func (s *Server) propose(act models.Act) func(c *gin.Context, a *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		if err := recent(&a.Person); err != nil {
			return err
		}
		asked, err := s.scopeOf(c, act)
		if err != nil {
			return err
		}
		form, err := formOf(c)
		if err != nil {
			return err
		}
		n := models.NewApproval{ActScope: asked, Reason: strings.TrimSpace(form.Get("reason")), Alone: form.Get("alone") != ""}
		id, err := s.proposed(c, a, n, form.Get("word"))
		if err != nil {
			page, pageErr := s.askPage(c, a, n)
			if pageErr != nil {
				return pageErr
			}
			return s.correct(c, err, func(faults Faults) any {
				page.Faults, page.Reason.Fault, page.Word.Fault = faults, faults.On("reason"), faults.On("word")
				return page
			})
		}
		said := "approval.asked_flash"
		if n.Alone {
			said = "approval.alone_flash"
			s.Metrics.brokenGlass(string(act))
			s.Log.ErrorContext(c.Request.Context(), "break-glass: one of the staff went alone", "approval", id, "act", string(act), "person", a.Session.UserID)
		}
		s.cookies.flash(c, said)
		return seeOther(c, "/admin/approvals/"+id.String())
	}
}

// proposed checks the form and keeps what is asked for.
func (s *Server) proposed(c *gin.Context, a *Admin, n models.NewApproval, word string) (id uuid.UUID, err error) {
	var faults accounts.Faults
	if err := saidWhy(n.Reason, "reason"); err != nil {
		faults = append(faults, err)
	}
	if n.Alone && !strings.EqualFold(strings.TrimSpace(word), a.P.T("approval.word")) {
		faults = append(faults, errs.New(errs.Invalid, "approval.word_wrong").On("word"))
	}
	if len(faults) > 0 {
		return id, faults
	}
	return a.Store.Ask(c.Request.Context(), n)
}

// saidWhy checks words that must be there.
func saidWhy(text, field string) error {
	switch {
	case text == "":
		return errs.New(errs.Invalid, "approval.reason_missing").On(field)
	case utf8.RuneCountInString(text) > longestReason:
		return errs.New(errs.Invalid, "approval.reason_long").With("count", longestReason).On(field)
	}
	return nil
}

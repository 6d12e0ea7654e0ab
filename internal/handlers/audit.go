package handlers

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/audit"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// verifyTime bounds a verification that somebody waits for; beyond it there is the command.
const verifyTime = 15 * time.Second

// AuditPage is everything that happened, everywhere, and whether it is as it was written.
type AuditPage struct {
	Page
	Tenant, Person string // as asked for
	Chain          uuid.UUID
	OneChain       bool // Tenant names a chain that can be exported
	Lines          []TrailLine
	Older          string
	Newest         bool
	Proof          *Proof // nil: nobody has asked yet
}

// TrailLine is one event of somebody's.
type TrailLine struct {
	EventLine
	Tenant     string // name; "" for the platform
	TenantHref string
}

// Proof is what a verification found.
type Proof struct {
	audit.Report
	Checkpoint Moment // of the newest one
	Known      bool   // there is a checkpoint
	TooLong    bool   // it took longer than a page may
	Faults     []string
}

// showAudit answers "GET /admin/audit".
func (s *Server) showAudit(c *gin.Context, a *Admin) error {
	page, err := s.auditPage(c, a)
	if err != nil {
		return err
	}
	return s.show(c, page)
}

// verifyAudit answers "POST /admin/audit/verify". It changes nothing, so the page itself is the answer.
func (s *Server) verifyAudit(c *gin.Context, a *Admin) error {
	page, err := s.auditPage(c, a)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), verifyTime)
	defer cancel()
	var only *uuid.UUID
	if page.OneChain {
		only = &page.Chain
	}
	report, newest, err := s.Audit.Verify(ctx, a.Store, only)
	proof := &Proof{Report: report, Known: !newest.IsZero(), TooLong: errors.Is(ctx.Err(), context.DeadlineExceeded)}
	if err != nil && !proof.TooLong {
		return err
	}
	if proof.Known {
		proof.Checkpoint = page.When(newest)
	}
	for _, f := range report.Findings {
		proof.Faults = append(proof.Faults, page.fault(f))
	}
	page.Proof = proof
	return s.show(c, page)
}

func (s *Server) auditPage(c *gin.Context, a *Admin) (AuditPage, error) {
	page := AuditPage{
		Page: s.page(c, "audit.title"), Newest: c.Query("before") == "",
		Tenant: strings.TrimSpace(c.Query("tenant")), Person: strings.ToLower(strings.TrimSpace(c.Query("person"))),
	}
	q := models.TrailQuery{Person: page.Person, Limit: eventsShown + 1}
	var err error
	if page.Tenant != "" {
		if page.Chain, err = uuid.Parse(page.Tenant); err != nil {
			return page, errs.New(errs.Invalid, "audit.no_tenant")
		}
		q.Tenant, page.OneChain = &page.Chain, true
	}
	if !page.Newest {
		if q.Before, err = uuid.Parse(c.Query("before")); err != nil {
			return page, errs.New(errs.Invalid, "error.bad_cursor")
		}
	}
	rows, err := a.Store.Trail(c.Request.Context(), q)
	if err != nil {
		return page, err
	}
	if len(rows) > eventsShown {
		rows = rows[:eventsShown]
		page.Older = page.trailAddress(rows[eventsShown-1].ID.String())
	}
	h := historian{words: page.Words, describe: s.Connect.Describe}
	for _, row := range rows {
		h.nameOf = func(models.Event) string { return row.ActorEmail }
		line := TrailLine{EventLine: h.line(row.Event), Tenant: row.TenantName}
		if row.ActorEmail != "" {
			line.Who = row.ActorEmail
		}
		if row.Tenant != uuid.Nil {
			line.TenantHref = "/admin/tenants/" + row.Tenant.String()
		}
		page.Lines = append(page.Lines, line)
	}
	return page, nil
}

// trailAddress is this list from another place on.
func (p AuditPage) trailAddress(before string) string {
	query := url.Values{}
	for name, value := range map[string]string{"tenant": p.Tenant, "person": p.Person, "before": before} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return "/admin/audit?" + query.Encode()
}

// First is the beginning of this list.
func (p AuditPage) First() string { return p.trailAddress("") }

// Asked is the query of this list, for forms that keep it.
func (p AuditPage) Asked() string {
	return url.Values{"tenant": {p.Tenant}, "person": {p.Person}}.Encode()
}

// Whole says whether nothing narrows the list.
func (p AuditPage) Whole() bool { return p.Tenant == "" && p.Person == "" }

// fault says in a sentence what is not as it was written.
func (p AuditPage) fault(f audit.Finding) string {
	whose := p.T("audit.chain_platform")
	if f.Chain != uuid.Nil {
		whose = p.T("audit.chain_tenant", "tenant", f.Chain.String())
	}
	return p.T("audit.found_"+string(f.Kind), "whose", whose, "entry", f.Seq)
}

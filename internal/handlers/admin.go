package handlers

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/mail"
	"mooring/internal/models"
)

// tenantsShown is a page of the tenants' list.
const tenantsShown = 25

// TenantsPage is the platform's merchants, newest first.
type TenantsPage struct {
	Page
	Search string
	Kept   KeptFilters
	Rows   []models.TenantRow
	Next   string // address of the next page; "" if this is the last
	First  bool
}

// listTenants answers "GET /admin/tenants".
func (s *Server) listTenants(c *gin.Context, a *Admin) error {
	q := models.TenantQuery{Search: c.Query("q"), Before: c.Query("before"), Limit: tenantsShown}
	if id := strings.TrimSpace(q.Search); id != "" && s.Connect.Providers != nil {
		keys, err := s.Connect.AccountKeys(id)
		if err != nil {
			return err
		}
		q.Accounts = keys
	}
	found, err := a.Store.Tenants(c.Request.Context(), q)
	if err != nil {
		return err
	}
	page := TenantsPage{Page: s.page(c, "admin.tenants_title"), Search: q.Search, Rows: found.Rows, First: q.Before == ""}
	page.Kept = page.keptFilters(models.TenantsList, c.Request.URL.Query(), found.Filters)
	if found.Next != "" {
		next := url.Values{"before": {found.Next}}
		if q.Search != "" {
			next.Set("q", q.Search)
		}
		page.Next = "/admin/tenants?" + next.Encode()
	}
	return s.show(c, page)
}

// TenantPage is one merchant as the platform sees it: people, accounts, data, history.
type TenantPage struct {
	Page
	Tenant   models.TenantDetail
	Accounts []TenantAccount
	Review   ReviewBox
	History  []EventLine
	MayView  bool // may look at the merchant's pages as a viewer
}

// TenantAccount is one connection of the merchant.
type TenantAccount struct {
	Words
	connect.ConnectionView
	Mark  string
	Panel StatePanel
	Steps []Step
	Data  []BlockCard
}

// showTenant answers "GET /admin/tenants/:id".
func (s *Server) showTenant(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	tenant, err := a.Store.Tenant(c.Request.Context(), id)
	if err != nil {
		return err
	}
	if len(tenant.Snapshots) > 0 { // its people can read that somebody looked
		if err := a.Store.NoteView(c.Request.Context(), id, models.NewEvent{Kind: "tenant.viewed"}); err != nil {
			return err
		}
	}
	page := TenantPage{Page: s.page(c, "admin.tenant_title", "name", tenant.Name), Tenant: tenant}
	page.MayView = !tenant.Closed && shareOne(a.Session.StaffRoles, viewers())
	page.Review = s.reviewBox(page.Words, tenant, a.Session.UserID)
	for _, view := range s.Connect.OpenTenant(tenant) {
		account := TenantAccount{
			Words: page.Words, ConnectionView: view, Mark: page.Mark(view.Provider), Panel: page.theirStatePanel(view),
		}
		if view.State != models.Disconnected {
			account.Steps = page.theirSteps(view)
		}
		if view.ErasedAt == nil {
			account.Data = page.blockCards(view, s.Now())
			for i := range account.Data {
				account.Data[i].Reveal = "/admin/tenants/" + id.String() + "/reveal/" + view.ID.String() + "/" + string(account.Data[i].Block)
			}
		}
		page.Accounts = append(page.Accounts, account)
	}
	page.History = historian{words: page.Words, describe: s.Connect.Describe, nameOf: func(actor uuid.UUID) string {
		for _, member := range tenant.Members {
			if member.UserID == actor {
				return member.Email
			}
		}
		return page.T("event.by_former")
	}}.lines(tenant.Timeline)
	return s.show(c, page)
}

// MailPage shows what the demo would have sent.
type MailPage struct {
	Page
	Letters []mail.Captured
}

// showMail answers "GET /admin/mail", in the demo alone.
func (s *Server) showMail(c *gin.Context, _ *Admin) error {
	if s.CapturedMail == nil {
		return models.NotFound()
	}
	return s.show(c, MailPage{Page: s.page(c, "admin.mail_title"), Letters: s.CapturedMail()})
}

// TenantBadge says whether anything of a merchant's needs somebody.
func (w Words) TenantBadge(row models.TenantRow) Badge {
	switch {
	case row.Destroyed:
		return Badge{"", "off", w.T("closing.admin_destroyed")}
	case row.Closed:
		return Badge{"", "off", w.T("closing.admin_state")}
	case row.Attention > 0:
		return Badge{"wait", "alert", w.T("admin.state_attention", "count", row.Attention)}
	case row.Connections > 0:
		return Badge{"good", "check", w.T("admin.state_good")}
	}
	return Badge{"", "dot", w.T("admin.state_new")}
}

// MemberRole names a role.
func (w Words) MemberRole(r models.Role) string { return w.T("common.role_" + string(r)) }

// Line is a line of a letter; an address of ours can be pressed.
type Line struct{ Text, Href string }

// Lines takes a letter apart.
func (p MailPage) Lines(text string) []Line {
	var lines []Line
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		l := Line{Text: line}
		if u, err := url.Parse(strings.TrimSpace(line)); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
			l.Href = u.String()
		}
		lines = append(lines, l)
	}
	return lines
}

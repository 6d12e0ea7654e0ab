package handlers

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

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

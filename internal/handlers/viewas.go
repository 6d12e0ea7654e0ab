package handlers

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// viewable are the merchants' pages that the staff can see through a viewer's eyes. What is not named here is refused: acts, what
// leads to one, and what belongs to one person alone.
func viewable() []string {
	return []string{
		"/overview", "/connections", "/connections/:id", "/connections/:id/events", "/connections/:id/history",
		"/connections/:id/report", "/connections/:id/balances", "/activity", "/expiring", "/team", "/team/:id",
	}
}

// viewers are those of the staff who may look through a viewer's eyes. begin_view in the schema names the same.
func viewers() []models.StaffRole { return []models.StaffRole{models.Reviewer, models.StaffOperator} }

// asViewer runs a merchant's page for one of the staff who looks at it. The session's own tenant stays none: the view is a place
// beside it, and the database lets nothing be changed from there.
func (s *Server) asViewer(c *gin.Context, p *Person, h func(c *gin.Context, m *Merchant) error) error {
	s.visitOf(c).viewing = true
	looking := c.Request.Method == http.MethodGet || c.Request.Method == http.MethodHead
	if !looking || !slices.Contains(viewable(), c.FullPath()) {
		return errs.New(errs.Forbidden, "viewas.no_act")
	}
	m := &Merchant{Person: *p}
	m.Session.TenantID, m.Session.TenantName, m.Session.Role = p.Session.View.Tenant, p.Session.View.Name, models.Viewer
	actor := models.Actor{Kind: models.Staff, ID: p.Session.UserID}
	m.Store = s.Store.ForTenant(p.Session.View.Tenant, actor).WithKey(p.Session.Key).Looking()
	return h(c, m)
}

// ViewBar says on every page whose eyes one of the staff looks through, and until when.
type ViewBar struct {
	Who, Until string
	Here       bool   // this is one of the merchant's pages
	Staff      string // the merchant's page for the staff
}

func (p Page) viewBar(view models.View, here bool) *ViewBar {
	if !view.Open() {
		return nil
	}
	return &ViewBar{Who: view.Name, Until: p.DateTime(view.Until), Here: here, Staff: "/admin/tenants/" + view.Tenant.String()}
}

// ViewAsPage asks one of the staff why they want to see a merchant's pages.
type ViewAsPage struct {
	Page
	Tenant models.TenantDetail
	Why    WhyForm
}

// askView answers "GET /admin/tenants/:id/view".
func (s *Server) askView(c *gin.Context, a *Admin) error {
	if err := recent(&a.Person); err != nil {
		return err
	}
	tenant, err := s.reviewed(c, a)
	if err != nil {
		return err
	}
	return s.show(c, s.viewAsPage(c, tenant, connect.Why{}))
}

func (s *Server) viewAsPage(c *gin.Context, tenant models.TenantDetail, given connect.Why) ViewAsPage {
	page := ViewAsPage{Page: s.page(c, "viewas.title", "name", tenant.Name), Tenant: tenant}
	page.Why = page.whyForm(page.T("viewas.why"), connect.ViewReasons(), given)
	return page
}

// beginView answers "POST /admin/tenants/:id/view".
func (s *Server) beginView(c *gin.Context, a *Admin) error {
	if err := recent(&a.Person); err != nil {
		return err
	}
	tenant, err := s.reviewed(c, a)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	why := whyOf(form)
	if err := why.Check(connect.ViewReasons()); err != nil {
		page := s.viewAsPage(c, tenant, why)
		return s.correct(c, err, func(faults Faults) any {
			page.Why = page.Why.with(faults)
			return page
		})
	}
	token, err := s.Accounts.BeginView(c.Request.Context(), a.Store, models.NewView{
		Session: a.Session.ID, Tenant: tenant.ID, Email: a.Session.Email, Reason: why.Reason, Note: why.Line(),
	})
	if err != nil {
		return err
	}
	if err := s.store.begin(c, token, a.Session.ExpiresAt); err != nil {
		return err
	}
	return seeOther(c, "/overview")
}

// endView answers "POST /admin/view/end".
func (s *Server) endView(c *gin.Context, a *Admin) error {
	if err := a.Store.EndView(c.Request.Context(), a.Session.ID); err != nil {
		return err
	}
	s.cookies.flash(c, "viewas.ended")
	if !a.Session.View.Open() {
		return seeOther(c, "/admin")
	}
	return seeOther(c, "/admin/tenants/"+a.Session.View.Tenant.String())
}

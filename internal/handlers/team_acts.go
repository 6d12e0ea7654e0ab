package handlers

import (
	"slices"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// changeRole answers "POST /team/:id/role".
func (s *Server) changeRole(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	role := models.Role(form.Get("role"))
	if !slices.Contains([]models.Role{models.Owner, models.Operator, models.Viewer}, role) {
		return errs.New(errs.Invalid, "team.role_unknown")
	}
	if id == m.Session.UserID {
		return errs.New(errs.Forbidden, "team.own_role")
	}
	if err := m.Store.ChangeRole(c.Request.Context(), id, role); err != nil {
		return err
	}
	s.cookies.flash(c, "team.role_saved")
	return seeOther(c, "/team")
}

// removeColleague answers "POST /team/:id/remove".
func (s *Server) removeColleague(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if id == m.Session.UserID {
		return errs.New(errs.Forbidden, "team.own_role")
	}
	if err := m.Store.RemoveMember(c.Request.Context(), id); err != nil {
		return err
	}
	s.cookies.flash(c, "team.removed_done")
	return seeOther(c, "/team")
}

// leaveTeam answers "POST /team/leave". The session ends with the membership.
func (s *Server) leaveTeam(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	if err := m.Store.Leave(c.Request.Context()); err != nil {
		return err
	}
	if err := s.store.end(c); err != nil {
		return err
	}
	s.cookies.flash(c, "team.left_done")
	return seeOther(c, "/login")
}

// WorkplacesPage is where a person works, for choosing; with none it says how to get to one.
type WorkplacesPage struct {
	Page
	Places []Workplace
}

// Workplace is a tenant to work in.
type Workplace struct {
	Name, Role, Switch string
	Here               bool
}

// showWorkplaces answers "GET /tenants".
func (s *Server) showWorkplaces(c *gin.Context, p *Person) error {
	page := WorkplacesPage{Page: s.page(c, "team.places_title")}
	page.Places = page.workplaces(p.Session)
	return s.show(c, page)
}

func (w Words) workplaces(who models.Session) []Workplace {
	var places []Workplace
	for _, at := range who.Workplaces {
		places = append(places, Workplace{
			Name: at.Name, Role: w.roleName(at.Role), Here: at.ID == who.TenantID, Switch: "/tenants/" + at.ID.String() + "/switch",
		})
	}
	return places
}

// switchTenant answers "POST /tenants/:id/switch". What was open belongs to the tenant of before, so it leads to the start.
func (s *Server) switchTenant(c *gin.Context, p *Person) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	token, err := s.Accounts.Switch(c.Request.Context(), p.Session, id)
	if err != nil {
		return err
	}
	if err := s.store.begin(c, token, p.Session.ExpiresAt); err != nil {
		return err
	}
	next := localPath(form.Get("next"))
	if next == "" {
		next = "/overview"
	}
	s.cookies.flash(c, "team.switched")
	return seeOther(c, next)
}

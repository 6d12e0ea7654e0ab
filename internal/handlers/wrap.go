package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/models"
)

// Person is somebody who is signed in, merchant or staff.
type Person struct {
	Session accounts.Session
	P       *i18n.Printer
}

// Merchant is a person at work in their tenant. Store has no way to another one.
type Merchant struct {
	Person
	Store *models.TenantStore
}

// Admin is a member of the platform's staff at work. Store has no way to a credential.
type Admin struct {
	Person
	Store *models.PlatformStore
}

// visit is what a request has found out so far about who looks and in which language.
type visit struct {
	p       *i18n.Printer
	who     *accounts.Session // nil: nobody is signed in
	looked  bool              // who has been asked for
	viewing bool              // they are one of the staff, on a page of the merchant's whose pages they view
}

type visitKey struct{}

// visitOf gives the request's visit; the first call makes it, in the language that needs no database to know.
func (s *Server) visitOf(c *gin.Context) *visit {
	if known, ok := c.Get(visitKey{}); ok {
		if v, ok := known.(*visit); ok {
			return v
		}
	}
	v := &visit{p: s.printer(c, "")}
	c.Set(visitKey{}, v)
	return v
}

// look finds out who is there. Nobody is an answer; an error means that it could not be found out.
func (s *Server) look(c *gin.Context) (*visit, error) {
	v := s.visitOf(c)
	if v.looked {
		return v, nil
	}
	session, found, err := s.store.viewer(c.Request)
	if err != nil {
		return v, err
	}
	v.looked = true
	if found {
		v.who, v.p = &session, s.printer(c, session.Language).In(session.TimeZone)
		eventOf(c.Request.Context()).who(session.UserID, session.TenantID)
	}
	return v, nil
}

// handle runs a handler and turns its error into a page.
func (s *Server) handle(h func(c *gin.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			s.fail(c, err)
		}
	}
}

// public is for everybody. Whoever is signed in is known, if only for the page's head.
func (s *Server) public(h func(c *gin.Context) error) gin.HandlerFunc {
	return s.handle(func(c *gin.Context) error {
		if _, err := s.look(c); err != nil {
			return err
		}
		return h(c)
	})
}

// signedOut is for the pages that nobody needs while signed in: they are sent to where they work.
func (s *Server) signedOut(h func(c *gin.Context) error) gin.HandlerFunc {
	return s.public(func(c *gin.Context) error {
		if who := s.visitOf(c).who; who != nil {
			c.Redirect(http.StatusSeeOther, homeOf(*who))
			return nil
		}
		return h(c)
	})
}

// person is for everybody who is signed in.
func (s *Server) person(h func(c *gin.Context, p *Person) error) gin.HandlerFunc {
	return s.handle(func(c *gin.Context) error {
		v, err := s.look(c)
		if err != nil {
			return err
		}
		if v.who == nil {
			return errs.New(errs.Unauthenticated, "account.sign_in_first")
		}
		return h(c, &Person{Session: *v.who, P: v.p})
	})
}

// member is for the members of a tenant, a closed one too.
func (s *Server) member(h func(c *gin.Context, m *Merchant) error) gin.HandlerFunc {
	return s.person(func(c *gin.Context, p *Person) error {
		if p.Session.View.Open() {
			return s.asViewer(c, p, h)
		}
		if p.Session.Role == "" && !p.Session.IsAdmin {
			return seeOther(c, "/tenants") // they have left the last tenant they worked in
		}
		if p.Session.Role == "" {
			return errs.New(errs.Forbidden, "error.merchants_only")
		}
		actor := models.Actor{Kind: models.Person, ID: p.Session.UserID}
		store := s.Store.ForTenant(p.Session.TenantID, actor).WithKey(p.Session.Key)
		return h(c, &Merchant{Person: *p, Store: store})
	})
}

// merchant is for the members of a tenant at work. In a closed one nobody works: they are told so.
func (s *Server) merchant(h func(c *gin.Context, m *Merchant) error) gin.HandlerFunc {
	return s.member(func(c *gin.Context, m *Merchant) error {
		if m.Session.Closed {
			return seeOther(c, "/closed")
		}
		return h(c, m)
	})
}

// owner is for the owners of a tenant.
func (s *Server) owner(h func(c *gin.Context, m *Merchant) error) gin.HandlerFunc {
	return s.merchant(func(c *gin.Context, m *Merchant) error {
		if m.Session.Role != models.Owner {
			return errs.New(errs.Forbidden, "closing.owners_only")
		}
		return h(c, m)
	})
}

// operator is for the members of a tenant who may change its connections.
func (s *Server) operator(h func(c *gin.Context, m *Merchant) error) gin.HandlerFunc {
	return s.merchant(func(c *gin.Context, m *Merchant) error {
		if !m.Session.Role.MayOperate() {
			return errs.New(errs.Forbidden, "error.viewers_look")
		}
		return h(c, m)
	})
}

// admin is for the platform's staff: with a second proof where that is asked of them, and as their roles allow.
func (s *Server) admin(h func(c *gin.Context, a *Admin) error) gin.HandlerFunc {
	return s.person(func(c *gin.Context, p *Person) error {
		if !p.Session.IsAdmin {
			return errs.New(errs.Forbidden, "error.admins_only")
		}
		if s.StaffFactor && p.Session.Factors == 0 {
			s.cookies.flash(c, "staff.factor_first")
			return seeOther(c, "/settings/factors")
		}
		if !mayWork(p.Session.StaffRoles, c.Request.Method, c.FullPath()) {
			return errs.New(errs.Forbidden, "staff.not_your_role")
		}
		return h(c, &Admin{Person: *p, Store: s.Store.Platform(models.Actor{Kind: models.Staff, ID: p.Session.UserID})})
	})
}

// homeOf is where a person works.
func homeOf(who accounts.Session) string {
	if who.IsAdmin {
		return "/admin"
	}
	if who.Closed {
		return "/closed"
	}
	return "/overview"
}

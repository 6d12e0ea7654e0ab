package handlers

import (
	"context"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// RevealPage asks why somebody wants to see the personal values of a block.
type RevealPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Block      oauth.Block
	Why        WhyForm
	Back       string
}

// RevealedPage shows them, once.
type RevealedPage struct {
	Page
	Connection connect.ConnectionView
	Name       string
	Card       BlockCard
	Back       string
}

// Values are the lines about a person, with what the provider itself shows of such.
func (p RevealedPage) Values() (values []DataRow) {
	for _, row := range p.Card.rows(true) {
		if row.Personal || row.Masked {
			values = append(values, row)
		}
	}
	for _, u := range p.Card.Unmapped {
		values = append(values, DataRow{Label: u.Name, Value: u.Value.Reveal(), Personal: true})
	}
	return values
}

// askReveal answers "GET /connections/:id/reveal/:block".
func (s *Server) askReveal(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	view, err := s.outline(c, m)
	if err != nil {
		return err
	}
	return s.showReveal(c, view, "/connections/"+view.ID.String())
}

// reveal answers "POST /connections/:id/reveal/:block". The values stand in this answer alone: it is kept nowhere and has no
// address of its own.
func (s *Server) reveal(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	return s.revealTo(c, &m.Person, revealing{
		connection: id, back: "/connections/" + id.String(),
		outline: func(ctx context.Context) (connect.ConnectionView, error) { return s.Connect.Outline(ctx, m.Store, id) },
		open: func(ctx context.Context, r connect.RevealRequest) (connect.Revealed, error) {
			return s.Connect.Reveal(ctx, m.Store, r)
		},
	})
}

// askRevealOf answers "GET /admin/tenants/:id/reveal/:connection/:block".
func (s *Server) askRevealOf(c *gin.Context, a *Admin) error {
	if err := recent(&a.Person); err != nil {
		return err
	}
	r, err := s.revealingOf(c, a)
	if err != nil {
		return err
	}
	view, err := r.outline(c.Request.Context())
	if err != nil {
		return err
	}
	return s.showReveal(c, view, r.back)
}

// revealOf answers "POST /admin/tenants/:id/reveal/:connection/:block". The tenant reads of it in its own history.
func (s *Server) revealOf(c *gin.Context, a *Admin) error {
	r, err := s.revealingOf(c, a)
	if err != nil {
		return err
	}
	return s.revealTo(c, &a.Person, r)
}

// revealing is what differs between those who may look.
type revealing struct {
	connection uuid.UUID
	back       string
	outline    func(ctx context.Context) (connect.ConnectionView, error)
	open       func(ctx context.Context, r connect.RevealRequest) (connect.Revealed, error)
}

func (s *Server) revealingOf(c *gin.Context, a *Admin) (revealing, error) {
	tenant, err := idOf(c)
	if err != nil {
		return revealing{}, err
	}
	connection, err := uuid.Parse(c.Param("connection"))
	if err != nil {
		return revealing{}, models.NotFound()
	}
	return revealing{
		connection: connection, back: "/admin/tenants/" + tenant.String(),
		outline: func(ctx context.Context) (connect.ConnectionView, error) {
			return s.Connect.OutlineOf(ctx, a.Store, tenant, connection)
		},
		open: func(ctx context.Context, r connect.RevealRequest) (connect.Revealed, error) {
			return s.Connect.RevealTo(ctx, a.Store, tenant, r)
		},
	}, nil
}

func (s *Server) showReveal(c *gin.Context, view connect.ConnectionView, back string) error {
	page, err := s.revealPage(c, view, connect.RevealRequest{}, back)
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) revealPage(c *gin.Context, view connect.ConnectionView, asked connect.RevealRequest, back string) (RevealPage, error) {
	page := RevealPage{Connection: view, Back: back, Block: oauth.Block(c.Param("block"))}
	if !mayBePersonal(view.Provider, page.Block) {
		return page, models.NotFound()
	}
	page.Page = s.page(c, "reveal.title", "block", s.visitOf(c).p.T("block."+string(page.Block)))
	page.Name = page.AccountOf(view.Connection, view.AccountName)
	page.Why = page.whyForm(page.T("reveal.why"), connect.RevealReasons(), asked.Why)
	return page, nil
}

// mayBePersonal says whether a provider has a block that can hold personal values.
func mayBePersonal(d oauth.Descriptor, block oauth.Block) bool {
	for _, b := range d.Blocks {
		if b == block {
			return b != oauth.BlockWallet && b != oauth.BlockWalletFlow
		}
	}
	return false
}

func (s *Server) revealTo(c *gin.Context, p *Person, r revealing) error {
	if err := recent(p); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	asked := connect.RevealRequest{
		Connection: r.connection, Block: oauth.Block(c.Param("block")), Why: whyOf(form),
	}
	if err := asked.Check(connect.RevealReasons()); err != nil {
		return s.askAgain(c, r, asked, err)
	}
	if err := s.Accounts.AllowReveal(ctx, p.Session.UserID); err != nil {
		return err
	}
	seen, err := r.open(ctx, asked)
	if err != nil {
		return err
	}
	eventOf(ctx).concerns(seen.Provider.Slug, uuid.Nil)
	page := RevealedPage{Page: s.page(c, "reveal.shown_title", "block", p.P.T("block."+string(asked.Block))), Connection: seen.ConnectionView, Back: r.back}
	page.Name = page.AccountOf(seen.Connection, seen.AccountName)
	page.Card = BlockCard{Words: page.Words, BlockView: seen.Block, Heading: page.BlockName(asked.Block)}
	return s.show(c, page)
}

// askAgain shows the question once more, with what is to be corrected.
func (s *Server) askAgain(c *gin.Context, r revealing, asked connect.RevealRequest, fault error) error {
	view, err := r.outline(c.Request.Context())
	if err != nil {
		return err
	}
	page, err := s.revealPage(c, view, asked, r.back)
	if err != nil {
		return err
	}
	return s.correct(c, fault, func(faults Faults) any {
		page.Why = page.Why.with(faults)
		return page
	})
}

// label answers "POST /connections/:id/label".
func (s *Server) label(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	if err := s.Connect.Label(c.Request.Context(), m.Store, id, form.Get("label")); err != nil {
		return err
	}
	s.cookies.flash(c, "reveal.label_flash")
	return seeOther(c, "/connections/"+id.String())
}

package handlers

import (
	"context"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// ProviderSetup says which of a provider's settings are there. It holds no value.
type ProviderSetup struct {
	Slug     string
	Missing  []string // names of the environment; none: the provider can be offered
	Settings []SettingState
}

// SettingState is one setting: whether it is there, and whether that is our default.
type SettingState struct {
	Name     string
	Set      bool
	Default  bool
	Secret   bool
	Required bool
}

// ProvidersPage is a line per provider.
type ProvidersPage struct {
	Page
	Rows []ProviderRow
}

// ProviderRow is one provider with the words for its state.
type ProviderRow struct {
	Words
	models.ProviderState
	Provider oauth.Descriptor
	Setup    ProviderSetup
	Offered  bool
	Mark     string
}

// ProviderPage is everything that is known of one provider.
type ProviderPage struct {
	Page
	Row       ProviderRow
	Addresses []RegisteredAddress
	Codes     []models.ProviderCode
	Refusals  []models.ProviderRefusal
	Drift     []models.ProviderDrift
	MayTest   bool
}

// RegisteredAddress is an address of ours that the provider must know.
type RegisteredAddress struct{ Label, Address, Note string }

// listProviders answers "GET /admin/providers".
func (s *Server) listProviders(c *gin.Context, a *Admin) error {
	all := s.Connect.Providers.All()
	var slugs []string
	for _, d := range all {
		slugs = append(slugs, d.Slug)
	}
	states, err := a.Store.Providers(c.Request.Context(), slugs)
	if err != nil {
		return err
	}
	page := ProvidersPage{Page: s.page(c, "provider.list_title")}
	for i, d := range all {
		page.Rows = append(page.Rows, s.providerRow(page.Page, d, states[i]))
	}
	return s.show(c, page)
}

func (s *Server) providerRow(p Page, d oauth.Descriptor, state models.ProviderState) ProviderRow {
	row := ProviderRow{Words: p.Words, ProviderState: state, Provider: d, Mark: p.Mark(d), Setup: ProviderSetup{Slug: d.Slug}}
	_, row.Offered, _ = s.Connect.Describe(d.Slug)
	if i := slices.IndexFunc(s.Setups, func(setup ProviderSetup) bool { return setup.Slug == d.Slug }); i >= 0 {
		row.Setup = s.Setups[i]
	}
	return row
}

// showProvider answers "GET /admin/providers/:slug".
func (s *Server) showProvider(c *gin.Context, a *Admin) error {
	d, _, ok := s.Connect.Describe(c.Param("slug"))
	if !ok {
		return models.NotFound()
	}
	detail, err := a.Store.Provider(c.Request.Context(), d.Slug)
	if err != nil {
		return err
	}
	p := s.page(c, "provider.title", "provider", d.Title.In(a.P.Lang()))
	page := ProviderPage{
		Page: p, Row: s.providerRow(p, d, detail.ProviderState), Codes: detail.Codes, Refusals: detail.Refusals, Drift: detail.Drift,
	}
	page.Addresses, page.MayTest = s.addressesOf(p, d), s.Probe != nil && page.Row.Offered
	return s.show(c, page)
}

// addressesOf gives what the operator registers at the provider, byte for byte.
func (s *Server) addressesOf(p Page, d oauth.Descriptor) []RegisteredAddress {
	switch d.Flow {
	case oauth.FlowRedirect:
		return []RegisteredAddress{{Label: p.T("provider.redirect_address"), Address: s.Connect.RedirectURI(d.Slug), Note: p.T("provider.redirect_note")}}
	case oauth.FlowLink:
		return []RegisteredAddress{{Label: p.T("provider.callback_address"), Address: s.Connect.PublicURL + "/webhooks/" + d.Slug + "/", Note: p.T("provider.callback_note")}}
	}
	return nil
}

// changeProvider does one thing to the provider that the address names, and shows it again.
func (s *Server) changeProvider(flash string, change func(ctx context.Context, c *gin.Context, a *Admin, slug string) error) func(*gin.Context, *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		d, _, ok := s.Connect.Describe(c.Param("slug"))
		if !ok {
			return models.NotFound()
		}
		err := change(c.Request.Context(), c, a, d.Slug)
		if errs.CodeOf(err) != errs.Conflict { // a colleague was faster: the page says how it is now
			if err != nil {
				return err
			}
			s.cookies.flash(c, flash)
		}
		return seeOther(c, "/admin/providers/"+d.Slug)
	}
}

// pauseProvider answers "POST /admin/providers/:slug/pause".
func (s *Server) pauseProvider(ctx context.Context, _ *gin.Context, a *Admin, slug string) error {
	return a.Store.PauseProvider(ctx, slug)
}

// resumeProvider answers "POST /admin/providers/:slug/resume".
func (s *Server) resumeProvider(ctx context.Context, _ *gin.Context, a *Admin, slug string) error {
	return a.Store.ResumeProvider(ctx, slug)
}

// testProvider answers "POST /admin/providers/:slug/test".
func (s *Server) testProvider(ctx context.Context, _ *gin.Context, a *Admin, slug string) error {
	if s.Probe == nil {
		return models.NotFound()
	}
	if err := s.Store.AllowProbe(ctx, slug); err != nil {
		return err
	}
	found := s.Probe(ctx, slug)
	if found == nil {
		return errs.New(errs.Invalid, "error.not_offered")
	}
	return a.Store.SaveProbe(ctx, slug, found)
}

// acknowledgeCode answers "POST /admin/providers/:slug/codes".
func (s *Server) acknowledgeCode(ctx context.Context, c *gin.Context, a *Admin, slug string) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	return a.Store.AcknowledgeCode(ctx, slug, form.Get("code"))
}

// acknowledgeDrift answers "POST /admin/providers/:slug/drift".
func (s *Server) acknowledgeDrift(ctx context.Context, c *gin.Context, a *Admin, slug string) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	return a.Store.AcknowledgeDrift(ctx, slug, oauth.Block(form.Get("block")), form.Get("field"), form.Get("change"))
}

// PauseNote tells merchants since when the platform has paused a provider, "" if it has not.
func (w Words) PauseNote(since time.Time) string {
	if since.IsZero() {
		return ""
	}
	return w.T("provider.paused_note", "since", w.DateTime(since))
}

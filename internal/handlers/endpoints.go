package handlers

import (
	"errors"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/dispatch"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// EndpointsPage is the platform's own systems that are told of events.
type EndpointsPage struct {
	Page
	Rows []EndpointLine
	Full bool // there may be no more
}

// EndpointLine is an endpoint in the list.
type EndpointLine struct {
	Host, Description, Href, Kinds string
	Badge                          Badge
}

// listEndpoints answers "GET /admin/endpoints".
func (s *Server) listEndpoints(c *gin.Context, a *Admin) error {
	rows, err := a.Store.Endpoints(c.Request.Context())
	if err != nil {
		return err
	}
	page := EndpointsPage{Page: s.page(c, "outgoing.title"), Full: len(rows) >= dispatch.MaxEndpoints}
	for _, row := range rows {
		page.Rows = append(page.Rows, EndpointLine{
			Host: dispatch.HostOf(row.URL), Description: row.Description, Href: endpointPath(row.ID, ""),
			Kinds: page.kindsWord(row.Kinds), Badge: page.endpointBadge(row),
		})
	}
	return s.show(c, page)
}

func (w Words) kindsWord(kinds []string) string {
	if len(kinds) == len(dispatch.Kinds()) {
		return w.T("outgoing.kinds_all")
	}
	return w.T("outgoing.kinds_some", "count", len(kinds))
}

func (w Words) endpointBadge(row models.EndpointRow) Badge {
	switch {
	case row.DisabledReason == "gone":
		return Badge{"bad", "off", w.T("outgoing.state_gone")}
	case !row.Enabled:
		return Badge{"", "off", w.T("outgoing.state_off")}
	case row.Failed > 0:
		return Badge{"wait", "alert", w.T("outgoing.state_failed", "number", w.capped(row.Failed))}
	}
	return Badge{"good", "check", w.T("outgoing.state_on")}
}

// EndpointFormPage asks where an endpoint is and what it wants.
type EndpointFormPage struct {
	Page
	Faults      Faults
	ID          string // of the endpoint to be made: a form that is sent twice makes one
	New         bool
	Action      string
	Back        string
	URL         Field
	Description Field
	Kinds       []KindChoice
	KindsFault  string
}

// KindChoice is a kind of event that may be asked for.
type KindChoice struct {
	Kind, Text string
	Chosen     bool
}

// askEndpoint answers "GET /admin/endpoints/new".
func (s *Server) askEndpoint(c *gin.Context, _ *Admin) error {
	return s.show(c, s.endpointForm(c, uuid.Must(uuid.NewV7()), true, dispatch.Form{Kinds: dispatch.Kinds()}, Faults{}))
}

func (s *Server) endpointForm(c *gin.Context, id uuid.UUID, fresh bool, f dispatch.Form, faults Faults) EndpointFormPage {
	title, back := "outgoing.new_title", "/admin/endpoints"
	action := back
	if !fresh {
		title, back, action = "outgoing.edit_title", endpointPath(id, ""), endpointPath(id, "edit")
	}
	page := s.page(c, title)
	form := EndpointFormPage{
		Page: page, Faults: faults, ID: id.String(), New: fresh, Action: action, Back: back, KindsFault: faults.On("kinds"),
		URL: Field{
			Name: "url", Type: "url", Label: page.T("outgoing.url"), Help: page.T("outgoing.url_help"), Value: f.URL,
			Fault: faults.On("url"), Required: true, MaxLength: dispatch.MaxURL, Autocomplete: "off",
		},
		Description: Field{
			Name: "description", Type: "text", Label: page.T("outgoing.description"), Help: page.T("outgoing.description_help"), Value: f.Description,
			Fault: faults.On("description"), MaxLength: dispatch.MaxDescription, Autocomplete: "off",
		},
	}
	for _, kind := range dispatch.Kinds() {
		form.Kinds = append(form.Kinds, KindChoice{Kind: kind, Text: page.T("outgoing.kind." + kind), Chosen: slices.Contains(f.Kinds, kind)})
	}
	return form
}

func endpointFormOf(form url.Values) dispatch.Form {
	return dispatch.Form{URL: form.Get("url"), Description: form.Get("description"), Kinds: form["kinds"]}
}

// endpointAgain shows the form with what can be corrected; any other error goes on to the error page.
func (s *Server) endpointAgain(c *gin.Context, a *Admin, id uuid.UUID, fresh bool, f dispatch.Form, err error) error {
	shown := err
	if several, ok := errors.AsType[dispatch.Faults](err); ok {
		shown = accounts.Faults(several)
	}
	faults, status, ok := faultsOf(a.P, shown)
	if !ok {
		return err
	}
	eventOf(c.Request.Context()).failed(err)
	return s.render(c, status, s.endpointForm(c, id, fresh, f, faults))
}

// EndpointSecretPage shows a secret, this once.
type EndpointSecretPage struct {
	Page
	Host     string
	Secret   string
	Rotated  bool // the one before signs as well for a day
	Endpoint string
}

// createEndpoint answers "POST /admin/endpoints". Its answer holds the secret, so it is no redirect.
func (s *Server) createEndpoint(c *gin.Context, a *Admin) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(form.Get("id"))
	if err != nil {
		return errs.Wrap(errs.Invalid, "error.bad_form", err)
	}
	f := endpointFormOf(form)
	made, err := s.Dispatch.Create(c.Request.Context(), a.Store, id, f)
	if err != nil {
		return s.endpointAgain(c, a, id, true, f, err)
	}
	return s.show(c, EndpointSecretPage{
		Page: s.page(c, "outgoing.secret_title"), Host: dispatch.HostOf(f.URL), Secret: made.Reveal(), Endpoint: endpointPath(id, ""),
	})
}

// editEndpoint answers "GET /admin/endpoints/:id/edit".
func (s *Server) editEndpoint(c *gin.Context, a *Admin) error {
	e, err := s.endpoint(c, a)
	if err != nil {
		return err
	}
	return s.show(c, s.endpointForm(c, e.ID, false, dispatch.Form{URL: e.URL, Description: e.Description, Kinds: e.Kinds}, Faults{}))
}

// changeEndpoint answers "POST /admin/endpoints/:id/edit".
func (s *Server) changeEndpoint(c *gin.Context, a *Admin) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	f := endpointFormOf(form)
	if err := s.Dispatch.Change(c.Request.Context(), a.Store, id, f); err != nil {
		return s.endpointAgain(c, a, id, false, f, err)
	}
	return s.endpointSettled(c, id, "outgoing.saved")
}

func endpointPath(id uuid.UUID, act string) string {
	if act == "" {
		return "/admin/endpoints/" + id.String()
	}
	return "/admin/endpoints/" + id.String() + "/" + act
}

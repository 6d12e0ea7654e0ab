package handlers

import (
	"context"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/dispatch"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// replayedAtOnce bounds what one press sets going; the next press takes the rest.
const replayedAtOnce = 1000

// endpoint reads the endpoint that the address names.
func (s *Server) endpoint(c *gin.Context, a *Admin) (models.EndpointDetail, error) {
	id, err := idOf(c)
	if err != nil {
		return models.EndpointDetail{}, err
	}
	return a.Store.Endpoint(c.Request.Context(), id, models.DeliveryQuery{Limit: 1})
}

// EndpointAskPage asks before an endpoint is deleted, switched off or given another secret.
type EndpointAskPage struct {
	Page
	Act     string // delete, disable, rotate
	Host    string
	Action  string
	Back    string
	Newest  string // the secret's version that the person saw
	Waiting int
	HasOld  bool // an old secret still signs
}

// askEndpointAct answers "GET /admin/endpoints/:id/delete", "…/disable" and "…/rotate".
func (s *Server) askEndpointAct(act string) func(c *gin.Context, a *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		e, err := s.endpoint(c, a)
		if err != nil {
			return err
		}
		page := EndpointAskPage{
			Page: s.page(c, "outgoing.ask."+act, "host", dispatch.HostOf(e.URL)), Act: act, Host: dispatch.HostOf(e.URL),
			Action: endpointPath(e.ID, act), Back: endpointPath(e.ID, ""), Waiting: e.Waiting, HasOld: len(e.Secrets) > 1,
		}
		if len(e.Secrets) > 0 {
			page.Newest = strconv.FormatInt(e.Secrets[0].Version, 10)
		}
		return s.show(c, page)
	}
}

// rotateEndpoint answers "POST /admin/endpoints/:id/rotate". Its answer holds the secret, so it is no redirect.
func (s *Server) rotateEndpoint(c *gin.Context, a *Admin) error {
	e, err := s.endpoint(c, a)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	newest, err := strconv.ParseInt(form.Get("newest"), 10, 64)
	if err != nil {
		return errs.Wrap(errs.Invalid, "error.bad_form", err)
	}
	made, err := s.Dispatch.Rotate(c.Request.Context(), a.Store, e.Endpoint, newest)
	if err != nil {
		return err
	}
	return s.show(c, EndpointSecretPage{
		Page: s.page(c, "outgoing.secret_title"), Host: dispatch.HostOf(e.URL), Secret: made.Reveal(), Rotated: true, Endpoint: endpointPath(e.ID, ""),
	})
}

// deleteEndpoint answers "POST /admin/endpoints/:id/delete".
func (s *Server) deleteEndpoint(c *gin.Context, a *Admin) error {
	e, err := s.endpoint(c, a)
	if err != nil {
		return err
	}
	if err := a.Store.DeleteEndpoint(c.Request.Context(), e.ID, dispatch.HostOf(e.URL)); err != nil {
		return err
	}
	s.cookies.flash(c, "outgoing.deleted")
	return seeOther(c, "/admin/endpoints")
}

// replayEndpoint answers "POST /admin/endpoints/:id/replay" (all that failed) and "…/deliveries/:delivery/replay" (one).
func (s *Server) replayEndpoint(c *gin.Context, a *Admin) error {
	e, err := s.endpoint(c, a)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	r := models.Replay{Endpoint: e.ID, Host: dispatch.HostOf(e.URL), Most: replayedAtOnce}
	if one := c.Param("delivery"); one != "" {
		if r.Delivery, err = uuid.Parse(one); err != nil {
			return models.NotFound()
		}
	} else if hours, err := strconv.Atoi(form.Get("hours")); err == nil && hours > 0 {
		r.Since = s.Now().Add(-time.Duration(min(hours, 24*365)) * time.Hour)
	}
	if !e.Enabled {
		return errs.New(errs.Conflict, "outgoing.replay_off")
	}
	replayed, err := a.Store.ReplayDeliveries(c.Request.Context(), r)
	switch {
	case err != nil:
		return err
	case replayed == 0:
		return s.endpointSettled(c, e.ID, "outgoing.replayed_none")
	case replayed == replayedAtOnce:
		return s.endpointSettled(c, e.ID, "outgoing.replayed_part")
	}
	return s.endpointSettled(c, e.ID, "outgoing.replayed")
}

// endpointSettled says what was done, on the endpoint's page.
func (s *Server) endpointSettled(c *gin.Context, id uuid.UUID, key string) error {
	s.cookies.flash(c, key)
	return seeOther(c, endpointPath(id, ""))
}

// endpointAct does one thing to an endpoint, tells the audit its host, and says so by the given text.
func (s *Server) endpointAct(key string, act func(p *models.PlatformStore, ctx context.Context, id uuid.UUID, host string) error) func(*gin.Context, *Admin) error {
	return func(c *gin.Context, a *Admin) error {
		e, err := s.endpoint(c, a)
		if err != nil {
			return err
		}
		if err := act(a.Store, c.Request.Context(), e.ID, dispatch.HostOf(e.URL)); err != nil {
			return err
		}
		return s.endpointSettled(c, e.ID, key)
	}
}

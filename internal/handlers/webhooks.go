package handlers

import (
	"errors"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// webhookRoute is where providers' servers call. It is the one address without protection from foreign pages, and needs
// none: no session is looked for, and what is sent there is believed by its signature alone.
const webhookRoute = "/webhooks/:provider/:token"

// errUnread says that a body did not come whole; what the network says of it may name addresses.
var errUnread = errors.New("the callback's body did not come whole")

// receiveCallback answers "POST /webhooks/:provider/:token". Its answers are for machines. Every refusal is the same, so
// that nobody learns whether an address is known or a signature was nearly right; a failure of ours asks to try again.
func (s *Server) receiveCallback(c *gin.Context) {
	ctx := c.Request.Context()
	d, _, known := s.Connect.Describe(c.Param("provider"))
	if !known {
		d.Slug = "unknown"
	} else {
		eventOf(ctx).concerns(d.Slug, uuid.Nil)
	}
	answer, err := s.readCallback(c)
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case err == nil:
		s.Metrics.called(d.Slug, "accepted")
		c.Data(http.StatusOK, "text/plain; charset=utf-8", answer)
	case tooLarge:
		s.Metrics.called(d.Slug, "refused")
		s.fail(c, err)
	case errs.CodeOf(err) == errs.NotFound:
		eventOf(ctx).failed(err)
		s.Metrics.called(d.Slug, "refused")
		c.String(http.StatusNotFound, "refused\n")
	default:
		eventOf(ctx).failed(err)
		s.Metrics.called(d.Slug, "failed")
		c.Header("Retry-After", "10")
		c.String(http.StatusServiceUnavailable, "try again\n")
	}
}

// readCallback takes the very bytes: signatures are over them.
func (s *Server) readCallback(c *gin.Context) ([]byte, error) {
	body, err := io.ReadAll(c.Request.Body) // limitBody stands before it
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil {
		return nil, errs.Wrap(errs.NotFound, "error.not_found", errUnread)
	}
	token := c.Param("token")
	if len(token) > 128 {
		return nil, models.NotFound()
	}
	return s.Connect.Receive(c.Request.Context(), s.Store, connect.Incoming{
		Provider: c.Param("provider"), Token: secret.New(token), Body: body, Header: c.Request.Header,
	})
}

package handlers

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// webhookRoute is where providers' servers call. It is the one address without protection from foreign pages, and needs
// none: no session is looked for, and what is sent there is believed by its signature alone.
const webhookRoute = "/webhooks/:provider/:token"

// What is said of a body that is not read; what the network says of it may name addresses.
var (
	errUnread = errors.New("the callback's body did not come whole, or is nested too deeply")
	errSlow   = errors.New("the callback's body came too slowly")
	errPacked = errors.New("the callback's body is compressed")
)

const (
	// callbackTime is how long a body of at most maxBody may take to come.
	callbackTime = 10 * time.Second
	// restTime is what is left for the answer; net/http ends a request's context when its read deadline passes.
	restTime = 30 * time.Second
	// maxNesting is deeper than any callback and shallower than any attack.
	maxNesting = 64
)

// receiveCallback answers "POST /webhooks/:provider/:token". Its answers are for machines. Every refusal of what was said
// is the same, so that nobody learns whether an address is known or a signature was nearly right; a failure of ours asks
// to try again. What is too large, too slow or packed is refused before anything is looked up.
func (s *Server) receiveCallback(c *gin.Context) {
	ctx := c.Request.Context()
	d, _, known := s.Connect.Describe(c.Param("provider"))
	if !known {
		d.Slug = "unknown"
	} else {
		eventOf(ctx).concerns(d.Slug, uuid.Nil)
	}
	answer, err := s.readCallback(c)
	status := statusOf(err)
	switch {
	case err == nil:
		s.Metrics.called(d.Slug, "accepted")
		c.Data(http.StatusOK, "text/plain; charset=utf-8", answer)
		return
	case status == http.StatusRequestEntityTooLarge, errors.Is(err, errSlow), errors.Is(err, errPacked), status == http.StatusNotFound:
		s.Metrics.called(d.Slug, "refused")
	default:
		s.Metrics.called(d.Slug, "failed")
	}
	s.refuseCallback(c, err)
}

// refuseCallback says no in a machine's words.
func (s *Server) refuseCallback(c *gin.Context, err error) {
	c.Abort()
	eventOf(c.Request.Context()).failed(err)
	switch {
	case statusOf(err) == http.StatusRequestEntityTooLarge:
		c.String(http.StatusRequestEntityTooLarge, "too large\n")
	case errors.Is(err, errSlow):
		c.Header("Connection", "close")
		c.String(http.StatusRequestTimeout, "too slow\n")
	case errors.Is(err, errPacked):
		c.Header("Accept-Encoding", "identity")
		c.String(http.StatusUnsupportedMediaType, "send it as it is, not compressed\n")
	case errs.CodeOf(err) == errs.NotFound:
		c.String(http.StatusNotFound, "refused\n")
	default:
		c.Header("Retry-After", "10")
		c.String(http.StatusServiceUnavailable, "try again\n")
	}
}

// readCallback takes the very bytes: signatures are over them.
func (s *Server) readCallback(c *gin.Context) ([]byte, error) {
	if coding := c.GetHeader("Content-Encoding"); coding != "" && coding != "identity" {
		return nil, errs.Wrap(errs.NotFound, "error.not_found", errPacked)
	}
	conn := http.NewResponseController(c.Writer)
	_ = conn.SetReadDeadline(time.Now().Add(callbackTime)) // the server's own stays where there is no such thing
	body, err := io.ReadAll(c.Request.Body)                // limitBody stands before it
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errs.Wrap(errs.NotFound, "error.not_found", errSlow)
	}
	if err != nil || tooNested(body) {
		return nil, errs.Wrap(errs.NotFound, "error.not_found", errUnread)
	}
	_ = conn.SetReadDeadline(time.Now().Add(restTime))
	return s.Connect.Receive(c.Request.Context(), s.Store, connect.Incoming{
		Provider: c.Param("provider"), Token: secret.New(c.Param("token")), Body: body, Header: c.Request.Header,
	})
}

// tooNested counts the open brackets of what may be JSON, outside its strings. It judges nothing else.
func tooNested(body []byte) bool {
	if body = bytes.TrimSpace(body); len(body) == 0 || (body[0] != '{' && body[0] != '[') {
		return false
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxNesting {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

package handlers

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
)

// maxBody is far more than any form of ours.
const maxBody = 64 << 10

// secureHeaders puts the security headers on every answer, errors included: it runs before anything can answer. The
// referrer stays within the site rather than off, because with no referrer at all browsers send "Origin: null" and older
// ones could then not prove that a form is ours.
func (s *Server) secureHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy(""))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "browsing-topics=(), camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store") // the assets alone say otherwise
	if s.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	c.Next()
}

// contentPolicy allows our own files and nothing else. formOrigin is where a form of the page may be redirected to besides
// us: browsers apply form-action to the whole chain of redirects.
func contentPolicy(formOrigin string) string {
	form := "'self'"
	if formOrigin != "" && !strings.ContainsAny(formOrigin, "; ,'\"\r\n\t") {
		form += " " + formOrigin
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action " + form +
		"; frame-ancestors 'none'; base-uri 'none'"
}

// allowForm lets the forms of this page end at a provider.
func allowForm(c *gin.Context, origin string) {
	c.Header("Content-Security-Policy", contentPolicy(origin))
}

// limitBody refuses what no form of ours can be, by its announced length or while it is read.
func (s *Server) limitBody(c *gin.Context) {
	if c.Request.ContentLength > maxBody {
		if c.FullPath() == webhookRoute {
			s.refuseCallback(c, &http.MaxBytesError{Limit: maxBody})
			return
		}
		s.fail(c, &http.MaxBytesError{Limit: maxBody})
		return
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	c.Next()
}

// refuseForeign refuses what another site's page makes a browser send. A provider's server is no browser and brings no
// cookie: the route that waits for it is let through, by its pattern, which no other address can look like.
func (s *Server) refuseForeign() (gin.HandlerFunc, error) {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.PublicURL); err != nil { // a proxy may have changed Host
		return nil, err
	}
	return func(c *gin.Context) {
		if c.FullPath() == webhookRoute {
			c.Next()
			return
		}
		if err := guard.Check(c.Request); err != nil {
			s.fail(c, errs.Wrap(errs.Forbidden, "error.cross_origin", err))
			return
		}
		c.Next()
	}, nil
}

package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
)

// healthz answers "GET /healthz": the process lives. It asks nobody, so that a database that is away does not get a
// replica restarted.
func healthz(c *gin.Context) {
	probe(c, http.StatusOK, "ok")
}

// readyz answers "GET /readyz": whether to send requests here. Why not is for the log: strangers may ask too.
func readyz(ready func(context.Context) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), 2*time.Second)
		defer cancel()
		if err := ready(ctx); err != nil {
			eventOf(ctx).failed(errs.Wrap(errs.Unavailable, "error.unavailable", err))
			c.Header("Retry-After", "1")
			probe(c, http.StatusServiceUnavailable, "not ready")
			return
		}
		probe(c, http.StatusOK, "ready")
	}
}

func probe(c *gin.Context, status int, text string) {
	c.Header("Cache-Control", "no-store")
	c.Data(status, "text/plain; charset=utf-8", []byte(text+"\n"))
}

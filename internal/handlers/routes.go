package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"mooring/internal/errs"
)

// route is every address there is, by who may use it. The account pages' handlers are in account.go and settings.go.
func (s *Server) route() error {
	refuseForeign, err := s.refuseForeign()
	if err != nil {
		return err
	}
	s.engine.Use(recordRequests(s.Log, s.Metrics), s.secureHeaders, recoverPanics(s.fail), s.limitBody, refuseForeign, s.rememberLanguage)
	s.engine.NoRoute(s.handle(func(*gin.Context) error { return errs.New(errs.NotFound, "error.not_found") }))
	s.engine.NoMethod(s.handle(func(*gin.Context) error { return errNoMethod }))

	// Machines
	s.get("/healthz", healthz)
	s.get("/readyz", readyz(s.Ready))
	s.get("/static/:hash/*name", s.handle(s.assets.serve))

	return nil
}

// get answers GET, and HEAD with the same head.
func (s *Server) get(path string, h gin.HandlerFunc) {
	s.engine.GET(path, h)
	s.engine.HEAD(path, h)
}

// post answers POST.
func (s *Server) post(path string, h gin.HandlerFunc) { s.engine.Handle(http.MethodPost, path, h) }

package handlers

import "github.com/gin-gonic/gin"

// LandingPage tells a stranger what this is.
type LandingPage struct{ Page }

// landing answers "GET /": whoever is signed in goes on to where they work.
func (s *Server) landing(c *gin.Context) error {
	if who := s.visitOf(c).who; who != nil {
		return seeOther(c, homeOf(*who))
	}
	return s.show(c, LandingPage{Page: s.page(c, "common.landing_title")})
}

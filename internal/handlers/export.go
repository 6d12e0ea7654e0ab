package handlers

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
)

// ExportPage says what an export holds, and asks how much of it.
type ExportPage struct {
	Page
}

// askExport answers "GET /settings/export".
func (s *Server) askExport(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	return s.show(c, ExportPage{Page: s.page(c, "export.title")})
}

// exportLife is how long an export may take to reach a slow reader.
const exportLife = 15 * time.Minute

// exportTenant answers "POST /settings/export" with the file, made while it is sent. When that fails on the way the file ends
// without its directory, and nothing takes it for a whole one.
func (s *Server) exportTenant(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	begun := false
	e := connect.Export{Personal: c.PostForm("personal") != "", Readme: strings.TrimLeft(m.P.T("export.readme"), "\n")}
	err := s.Connect.Export(c.Request.Context(), m.Store, e, func() io.Writer {
		begun = true
		_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(exportLife)) // where it cannot be moved, the server's own holds
		c.Header("Content-Type", "application/zip")
		c.Header("Content-Disposition", `attachment; filename="mooring-export-`+s.Now().UTC().Format("20060102")+`.zip"`)
		c.Status(http.StatusOK)
		return c.Writer
	})
	if begun && err != nil {
		eventOf(c.Request.Context()).failed(err)
		return nil
	}
	return err
}

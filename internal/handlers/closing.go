package handlers

import (
	"context"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
)

// ClosePage says what closing the business ends, and asks for its name.
type ClosePage struct {
	Page
	Faults  Faults
	Name    Field
	Now     bool      // destroying at once is chosen
	Destroy time.Time // when the data is destroyed otherwise
}

// askClose answers "GET /settings/close".
func (s *Server) askClose(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	return s.show(c, s.closePage(c, m, "", false, Faults{}))
}

func (s *Server) closePage(c *gin.Context, m *Merchant, name string, now bool, faults Faults) ClosePage {
	page := s.page(c, "closing.ask_title")
	return ClosePage{Page: page, Faults: faults, Now: now, Destroy: s.Now().Add(connect.CloseGrace), Name: Field{
		Name: "name", Type: "text", Label: page.T("closing.ask_name", "name", m.Session.TenantName), Value: name,
		Fault: faults.On("name"), Autocomplete: "off", Required: true, MaxLength: 200,
	}}
}

// closeTenant answers "POST /settings/close". Everybody's session has ended then, this one too, so the answer itself is the
// page with the receipt; it can be had again by signing in.
func (s *Server) closeTenant(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	name, now := form.Get("name"), form.Get("when") == "now"
	if strings.TrimSpace(name) != strings.TrimSpace(m.Session.TenantName) {
		err := errs.New(errs.Invalid, "closing.wrong_name").On("name")
		return s.correct(c, err, func(faults Faults) any { return s.closePage(c, m, name, now, faults) })
	}
	ctx := c.Request.Context()
	if err := s.Connect.CloseTenant(ctx, m.Store, now, func(tx *models.Tx, letter uuid.UUID) error {
		return s.Accounts.MailLink(ctx, tx, letter)
	}); err != nil {
		return err
	}
	if err := s.store.end(c); err != nil {
		return err
	}
	c.Header("Clear-Site-Data", `"cache"`)
	s.visitOf(c).who = nil
	page, err := s.closedPage(c, m)
	if err != nil {
		return err
	}
	page.Just = true
	return s.show(c, page)
}

// ClosedPage says that a business is closed, and what can still be done.
type ClosedPage struct {
	Page
	Name    string
	Closing models.Closing
	Owner   bool // may undo it
	Just    bool // it has been closed with this press: nobody is signed in any more
	Receipt string
}

// showClosed answers "GET /closed".
func (s *Server) showClosed(c *gin.Context, m *Merchant) error {
	switch {
	case !m.Session.Closed && len(m.Session.Workplaces) > 1: // the closed one is not the one they signed in to
		return seeOther(c, "/tenants")
	case !m.Session.Closed:
		return seeOther(c, homeOf(m.Session))
	}
	page, err := s.closedPage(c, m)
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) closedPage(c *gin.Context, m *Merchant) (ClosedPage, error) {
	page := ClosedPage{Page: s.page(c, "closing.closed_title"), Name: m.Session.TenantName, Owner: m.Session.Role == models.Owner}
	var err error
	page.Closing, page.Receipt, err = s.receipt(c.Request.Context(), page.Words, m.Store)
	return page, err
}

// receipt gives the signed receipt in the reader's language. It is made of facts alone: no name that somebody chose is in it.
func (s *Server) receipt(ctx context.Context, w Words, st *models.TenantStore) (x models.Closing, text string, err error) {
	if x, err = st.Closing(ctx); err != nil {
		return x, "", err
	}
	text, err = s.Connect.SignReceipt(receiptText(w, x))
	return x, text, err
}

func receiptText(w Words, x models.Closing) string {
	version := strconv.FormatInt(x.MasterVersion, 10)
	lines := []string{
		w.T("closing.receipt_title"), "",
		w.T("closing.receipt_tenant", "tenant", x.Tenant.String()),
		w.T("closing.receipt_closed", "at", w.Stamp(x.ClosedAt)),
		w.T("closing.receipt_connections", "count", x.Connections),
	}
	if x.DestroyedAt == nil {
		lines = append(lines, w.T("closing.receipt_due", "at", w.Stamp(x.DestroyAt)))
	} else {
		lines = append(lines, w.T("closing.receipt_destroyed", "at", w.Stamp(*x.DestroyedAt)))
	}
	return strings.Join(append(lines,
		w.T("closing.receipt_master", "version", version),
		w.T("closing.receipt_history", "entry", strconv.FormatInt(x.AuditSeq, 10), "hash", hex.EncodeToString(x.AuditHash)), "",
		w.T("closing.receipt_erased"), w.T("closing.receipt_backups", "version", version), w.T("closing.receipt_stays"), "",
	), "\n")
}

// downloadReceipt answers "GET /closed/receipt".
func (s *Server) downloadReceipt(c *gin.Context, m *Merchant) error {
	x, text, err := s.receipt(c.Request.Context(), Words{m.P}, m.Store)
	if err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="mooring-receipt-`+x.Tenant.String()+`.txt"`)
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(text))
	return nil
}

// reopenTenant answers "POST /closed/undo".
func (s *Server) reopenTenant(c *gin.Context, m *Merchant) error {
	if m.Session.Role != models.Owner {
		return errs.New(errs.Forbidden, "closing.owners_only")
	}
	if err := recent(&m.Person); err != nil {
		return err
	}
	if err := s.Connect.ReopenTenant(c.Request.Context(), m.Store); err != nil {
		return err
	}
	s.cookies.flash(c, "closing.undone")
	return seeOther(c, "/overview")
}

// receiptLimit is far more than a receipt is long.
const receiptLimit = 16 << 10

// ReceiptsPage checks receipts for whoever has one.
type ReceiptsPage struct {
	Page
	Text  Field
	Asked bool
	Valid bool
}

// showReceipts answers "GET /receipts".
func (s *Server) showReceipts(c *gin.Context) error { return s.show(c, s.receiptsPage(c, "")) }

func (s *Server) receiptsPage(c *gin.Context, text string) ReceiptsPage {
	page := s.page(c, "closing.check_title")
	return ReceiptsPage{Page: page, Text: Field{
		Name: "receipt", Type: "textarea", Label: page.T("closing.check_label"), Value: text, Required: true, MaxLength: receiptLimit,
	}}
}

// checkReceipt answers "POST /receipts". It changes nothing, so the page itself is the answer.
func (s *Server) checkReceipt(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	page := s.receiptsPage(c, form.Get("receipt"))
	page.Asked = true
	if len(form.Get("receipt")) <= receiptLimit {
		if page.Valid, err = s.Connect.VerifyReceipt(form.Get("receipt")); err != nil {
			return err
		}
	}
	return s.show(c, page)
}

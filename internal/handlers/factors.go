package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// ticketName is the cookie that holds the middle of what takes two requests.
const ticketName = "mooring-ticket"

// FactorsPage is what a person proves themselves with besides the password.
type FactorsPage struct {
	Page
	Factors  []FactorLine
	Recovery int // codes left
	Passkeys bool
}

// FactorLine is one factor.
type FactorLine struct {
	Label, Kind, Since, Used string
	Remove                   string // where it is removed
}

// showFactors answers "GET /settings/factors".
func (s *Server) showFactors(c *gin.Context, p *Person) error {
	page := FactorsPage{Page: s.page(c, "factor.title"), Passkeys: s.Accounts.Passkeys()}
	factors, err := s.Accounts.Factors(c.Request.Context(), p.Session)
	if err != nil {
		return err
	}
	page.Recovery = factors.RecoveryLeft
	for _, f := range factors.All {
		page.Factors = append(page.Factors, factorLine(page.Page, f))
	}
	return s.show(c, page)
}

func factorLine(p Page, f models.Factor) FactorLine {
	line := FactorLine{
		Label: f.Label, Kind: p.T("factor.kind_" + string(f.Kind)), Since: p.T("factor.since", "date", p.Date(f.CreatedAt)),
		Used: p.T("factor.never_used"), Remove: "/settings/factors/" + f.ID.String() + "/remove",
	}
	if f.UsedAt != nil {
		line.Used = p.T("factor.used", "ago", p.Ago(*f.UsedAt))
	}
	return line
}

// TOTPPage sets an authenticator app up.
type TOTPPage struct {
	Page
	Faults Faults
	QR     QRCode
	Secret string
	Code   Field
	Label  Field
}

// beginTOTP answers "POST /settings/factors/totp".
func (s *Server) beginTOTP(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	ticket, err := s.Accounts.BeginTOTP(c.Request.Context(), p.Session)
	if err != nil {
		return err
	}
	s.cookies.set(c, ticketName, ticket.Reveal(), accounts.TicketLife)
	return seeOther(c, "/settings/factors/totp")
}

// showTOTP answers "GET /settings/factors/totp".
func (s *Server) showTOTP(c *gin.Context, p *Person) error {
	page, err := s.totpPage(c, p, "", Faults{})
	if errs.CodeOf(err) == errs.Conflict { // nothing was begun, or too long ago
		return seeOther(c, "/settings/factors")
	}
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) totpPage(c *gin.Context, p *Person, label string, faults Faults) (TOTPPage, error) {
	setup, err := s.Accounts.ShowTOTP(c.Request.Context(), p.Session, s.ticket(c))
	if err != nil {
		return TOTPPage{}, err
	}
	page := s.page(c, "factor.totp_title")
	out := TOTPPage{Page: page, Faults: faults, Secret: inFours(setup.Secret), Code: codeField(page, faults), Label: labelField(page, label)}
	out.QR, err = qrOf(setup.URI.Reveal())
	return out, err
}

// inFours makes a secret readable aloud.
func inFours(s secret.String) string {
	text := s.Reveal()
	out := ""
	for i := 0; i < len(text); i += 4 {
		if i > 0 {
			out += " "
		}
		out += text[i:min(i+4, len(text))]
	}
	return out
}

// codeField takes what an app shows; recovery codes have letters, so the keyboard is not narrowed to digits.
func codeField(page Page, faults Faults) Field {
	return Field{
		Name: "code", Type: "text", Label: page.T("factor.code"), Fault: faults.On("code"),
		Autocomplete: "one-time-code", Required: true, MaxLength: 20,
	}
}

func labelField(page Page, value string) Field {
	return Field{Name: "label", Type: "text", Label: page.T("factor.label"), Help: page.T("factor.label_hint"), Value: value, MaxLength: 60}
}

// addTOTP answers "POST /settings/factors/totp/confirm".
func (s *Server) addTOTP(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	codes, err := s.Accounts.AddTOTP(c.Request.Context(), p.Session, s.ticket(c), form.Get("code"), form.Get("label"))
	if errs.CodeOf(err) == errs.Conflict {
		s.cookies.flash(c, "factor.ticket_gone")
		return seeOther(c, "/settings/factors")
	}
	if err != nil {
		page, pageErr := s.totpPage(c, p, form.Get("label"), Faults{})
		if pageErr != nil {
			return pageErr
		}
		return s.correct(c, err, func(faults Faults) any {
			page.Faults, page.Code = faults, codeField(page.Page, faults)
			return page
		})
	}
	return s.added(c, codes)
}

// added ends a set-up: with the recovery codes, if these were the first.
func (s *Server) added(c *gin.Context, codes []secret.String) error {
	s.cookies.drop(c, ticketName)
	if codes == nil {
		s.cookies.flash(c, "factor.added")
		return seeOther(c, "/settings/factors")
	}
	return s.showRecovery(c, codes, true)
}

// RecoveryPage shows recovery codes, once.
type RecoveryPage struct {
	Page
	Codes []string
	First bool // a factor has just been added
}

func (s *Server) showRecovery(c *gin.Context, codes []secret.String, first bool) error {
	page := RecoveryPage{Page: s.page(c, "factor.recovery_title"), First: first}
	for _, code := range codes {
		page.Codes = append(page.Codes, code.Reveal())
	}
	return s.render(c, http.StatusOK, page)
}

// renewRecovery answers "POST /settings/factors/recovery".
func (s *Server) renewRecovery(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	if p.Session.Factors == 0 {
		return seeOther(c, "/settings/factors")
	}
	codes, err := s.Accounts.RenewRecovery(c.Request.Context(), p.Session)
	if err != nil {
		return err
	}
	return s.showRecovery(c, codes, false)
}

// RemoveFactorPage asks before a factor goes.
type RemoveFactorPage struct {
	Page
	Factor FactorLine
	Last   bool
}

// askRemoveFactor answers "GET /settings/factors/:id/remove".
func (s *Server) askRemoveFactor(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	factors, err := s.Accounts.Factors(c.Request.Context(), p.Session)
	if err != nil {
		return err
	}
	for _, f := range factors.All {
		if f.ID == id {
			page := s.page(c, "factor.remove_title", "label", f.Label)
			return s.show(c, RemoveFactorPage{Page: page, Factor: factorLine(page, f), Last: len(factors.All) == 1})
		}
	}
	return models.NotFound()
}

// removeFactor answers "POST /settings/factors/:id/remove".
func (s *Server) removeFactor(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	id, err := idOf(c)
	if err != nil {
		return err
	}
	if err := s.Accounts.RemoveFactor(c.Request.Context(), p.Session, id); err != nil {
		return err
	}
	s.cookies.flash(c, "factor.removed")
	return seeOther(c, "/settings/factors")
}

// ticket gives the middle that this browser holds; empty if it holds none.
func (s *Server) ticket(c *gin.Context) secret.String {
	return secret.New(s.cookies.only(c.Request, ticketName))
}

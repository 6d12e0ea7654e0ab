package handlers

import (
	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
)

// ForgotPage asks whose password is forgotten.
type ForgotPage struct {
	Page
	Faults  Faults
	Email   Field
	MailOff bool // nothing will arrive: say so before anybody waits for it
}

// ForgotSentPage is the answer whether or not the address has an account.
type ForgotSentPage struct {
	Page
	Email   string
	Hours   int
	MailOff bool
}

// ResetPage sets a new password.
type ResetPage struct {
	Page
	Faults   Faults
	Email    string
	Password Field
	Action   string
}

// GET /forgot
func (s *Server) showForgot(c *gin.Context) error { return s.show(c, s.forgotPage(c, "", Faults{})) }

func (s *Server) forgotPage(c *gin.Context, email string, faults Faults) ForgotPage {
	page := s.page(c, "account.forgot_title")
	return ForgotPage{Page: page, Faults: faults, Email: emailField(page, email, faults), MailOff: !s.MailConfigured}
}

// POST /forgot
func (s *Server) forgot(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	email := form.Get("email")
	if err := s.Accounts.Forgot(c.Request.Context(), email, s.visitOf(c).p.Lang(), browserOf(c)); err != nil {
		return s.correct(c, err, func(faults Faults) any { return s.forgotPage(c, email, faults) })
	}
	page := s.page(c, "account.forgot_sent_title")
	return s.show(c, ForgotSentPage{Page: page, Email: email, Hours: hours(accounts.ResetLife), MailOff: !s.MailConfigured})
}

// GET /reset/:token
func (s *Server) showReset(c *gin.Context) error {
	link, err := s.Accounts.ResetPending(c.Request.Context(), tokenOf(c))
	if isNotFound(err) {
		return s.deadReset(c)
	}
	if err != nil {
		return err
	}
	return s.show(c, s.resetPage(c, link.Email, Faults{}))
}

func (s *Server) resetPage(c *gin.Context, email string, faults Faults) ResetPage {
	page := s.page(c, "account.reset_title")
	return ResetPage{
		Page: page, Faults: faults, Email: email, Action: c.Request.URL.EscapedPath(),
		Password: newPasswordField(page, "password", "account.new_password", faults),
	}
}

// POST /reset/:token
func (s *Server) reset(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	email, err := s.Accounts.Reset(c.Request.Context(), tokenOf(c), secretOf(form, "password"))
	if isNotFound(err) {
		return s.deadReset(c)
	}
	if err != nil {
		return s.correct(c, err, func(faults Faults) any { return s.resetPage(c, email, faults) })
	}
	s.cookies.flash(c, "account.reset_done")
	return seeOther(c, "/login")
}

func (s *Server) deadReset(c *gin.Context) error {
	return s.deadLink(c, "account.dead_reset", "account.dead_reset_button", "/forgot")
}

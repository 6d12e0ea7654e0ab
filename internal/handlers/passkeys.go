package handlers

import (
	"errors"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// PasskeyPage is where the browser and an authenticator talk. Its script asks the authenticator with Options and sends the
// answer as an ordinary form, so that refusals are ordinary pages.
type PasskeyPage struct {
	Page
	Lead    string
	Make    bool // a new passkey is made; else one is asked for
	Options string
	Action  string // where the answer goes
	Next    string
	Label   *Field // what a new passkey is to be called
	Back    Link   // for who cannot go on here
}

// passkeyPage shows a ceremony. A challenge belongs to a browser, by the ticket in its cookie.
func (s *Server) passkeyPage(c *gin.Context, page PasskeyPage, asked accounts.Ceremony, err error) error {
	if err != nil {
		return s.passkeyFailed(c, err, page.Back.Href)
	}
	if !asked.Ticket.IsEmpty() {
		s.cookies.set(c, ticketName, asked.Ticket.Reveal(), accounts.TicketLife)
	}
	page.Options = asked.Options
	return s.show(c, page)
}

// passkeyFailed says on the page that one came from what was wrong; what nobody there can mend goes to the error page.
func (s *Server) passkeyFailed(c *gin.Context, err error, back string) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || (e.Code != errs.Invalid && e.Code != errs.Conflict) {
		return err
	}
	eventOf(c.Request.Context()).failed(err)
	s.cookies.flash(c, e.Key)
	return seeOther(c, back)
}

// answerOf takes an authenticator's answer out of the form.
func answerOf(c *gin.Context) (answer []byte, next, label string, err error) {
	form, err := formOf(c)
	return []byte(form.Get("answer")), localPath(form.Get("next")), form.Get("label"), err
}

// askPasskey answers "POST /login/passkey".
func (s *Server) askPasskey(c *gin.Context) error {
	_, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	page := s.page(c, "factor.passkey_title")
	asked, err := s.Accounts.BeginPasskeySignIn(c.Request.Context(), browserOf(c))
	return s.passkeyPage(c, PasskeyPage{
		Page: page, Lead: page.T("factor.passkey_lead"), Action: "/login/passkey/answer", Next: next,
		Back: Link{Text: page.T("factor.by_password"), Href: "/login"},
	}, asked, err)
}

// signInByPasskey answers "POST /login/passkey/answer".
func (s *Server) signInByPasskey(c *gin.Context) error {
	answer, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	signedIn, err := s.Accounts.SignInByPasskey(c.Request.Context(), s.ticket(c), answer, browserOf(c), s.store.token(c.Request))
	if err != nil {
		return s.passkeyFailed(c, err, "/login")
	}
	return s.enter(c, signedIn, next)
}

// askSecondPasskey answers "POST /login/code/passkey".
func (s *Server) askSecondPasskey(c *gin.Context) error {
	_, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	page := s.page(c, "factor.passkey_title")
	asked, err := s.Accounts.BeginSecondPasskey(c.Request.Context(), s.ticket(c))
	return s.passkeyPage(c, PasskeyPage{
		Page: page, Lead: page.T("factor.passkey_lead"), Action: "/login/code/passkey/answer", Next: next,
		Back: Link{Text: page.T("factor.by_code"), Href: "/login/code"},
	}, asked, err)
}

// signInBySecondPasskey answers "POST /login/code/passkey/answer".
func (s *Server) signInBySecondPasskey(c *gin.Context) error {
	answer, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	signedIn, err := s.Accounts.SignInBySecondPasskey(c.Request.Context(), s.ticket(c), answer, browserOf(c), s.store.token(c.Request))
	if err != nil {
		return s.passkeyFailed(c, err, "/login/code")
	}
	return s.enter(c, signedIn, next)
}

// askPasskeyProof answers "POST /prove/passkey".
func (s *Server) askPasskeyProof(c *gin.Context, p *Person) error {
	_, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	page := s.page(c, "factor.prove_title")
	asked, err := s.Accounts.BeginPasskeyProof(c.Request.Context(), p.Session)
	return s.passkeyPage(c, PasskeyPage{
		Page: page, Lead: page.T("factor.passkey_lead"), Action: "/prove/passkey/answer", Next: next,
		Back: Link{Text: page.T("factor.by_code"), Href: "/prove"},
	}, asked, err)
}

// proveByPasskey answers "POST /prove/passkey/answer".
func (s *Server) proveByPasskey(c *gin.Context, p *Person) error {
	answer, next, _, err := answerOf(c)
	if err != nil {
		return err
	}
	token, err := s.Accounts.ProveByPasskey(c.Request.Context(), p.Session, s.ticket(c), answer)
	if err != nil {
		return s.passkeyFailed(c, err, "/prove")
	}
	s.cookies.drop(c, ticketName)
	return s.goOn(c, p, token, next)
}

// askNewPasskey answers "POST /settings/factors/passkey".
func (s *Server) askNewPasskey(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	page := s.page(c, "factor.new_passkey_title")
	label := labelField(page, "")
	asked, err := s.Accounts.BeginPasskeyAdd(c.Request.Context(), p.Session)
	return s.passkeyPage(c, PasskeyPage{
		Page: page, Lead: page.T("factor.new_passkey_lead"), Make: true, Action: "/settings/factors/passkey/answer", Label: &label,
		Back: Link{Text: page.T("factor.back"), Href: "/settings/factors"},
	}, asked, err)
}

// addPasskey answers "POST /settings/factors/passkey/answer".
func (s *Server) addPasskey(c *gin.Context, p *Person) error {
	if err := recent(p); err != nil {
		return err
	}
	answer, _, label, err := answerOf(c)
	if err != nil {
		return err
	}
	var codes []secret.String
	codes, err = s.Accounts.AddPasskey(c.Request.Context(), p.Session, s.ticket(c), answer, label)
	if err != nil {
		return s.passkeyFailed(c, err, "/settings/factors")
	}
	return s.added(c, codes)
}

package handlers

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// errProve ends a request that wants its person to prove first who they are; fail sends them to do so.
var errProve = errors.New("handlers: a recent proof is wanted")

// recent is the first line of every handler whose act is sensitive: whoever found an open browser must not get that far.
func recent(p *Person) error {
	if !p.Session.Recent {
		return errProve
	}
	return nil
}

// proveAddress leads to the proof and from there back. A form cannot be sent a second time from there, so it leads to the page
// that the form stood on.
func (s *Server) proveAddress(r *http.Request) string {
	next := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		next = "/"
		if from, err := url.Parse(r.Referer()); err == nil && from.Scheme+"://"+from.Host == s.PublicURL {
			next = from.RequestURI()
		}
	}
	return "/prove?" + url.Values{"next": {localPath(next)}}.Encode()
}

// ProvePage asks a signed-in person once more who they are.
type ProvePage struct {
	Page
	Faults   Faults
	Next     string
	Password *Field // nil: there is a second factor, which counts more
	Code     *Field // nil: no authenticator app
	Passkeys bool
}

// showProve answers "GET /prove".
func (s *Server) showProve(c *gin.Context, p *Person) error {
	page, err := s.provePage(c, p, localPath(c.Query("next")), Faults{})
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) provePage(c *gin.Context, p *Person, next string, faults Faults) (ProvePage, error) {
	asked, err := s.Accounts.AskProof(c.Request.Context(), p.Session)
	if err != nil {
		return ProvePage{}, err
	}
	page := ProvePage{Page: s.page(c, "factor.prove_title"), Faults: faults, Next: next, Passkeys: asked.Passkeys}
	if p.Session.Factors == 0 {
		page.Password = &Field{
			Name: "password", Type: "password", Label: page.T("account.password"), Fault: faults.On("password"),
			Autocomplete: "current-password", Required: true,
		}
		return page, nil
	}
	code := codeField(page.Page, faults) // recovery codes are taken even where there is no app
	page.Code = &code
	return page, nil
}

// prove answers "POST /prove".
func (s *Server) prove(c *gin.Context, p *Person) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	next := localPath(form.Get("next"))
	token, err := s.Accounts.Prove(c.Request.Context(), p.Session, accounts.Proof{
		Password: secretOf(form, "password"), Code: form.Get("code"), Browser: browserOf(c),
	})
	if err != nil {
		page, pageErr := s.provePage(c, p, next, Faults{})
		if pageErr != nil {
			return pageErr
		}
		return s.correct(c, err, func(faults Faults) any {
			page.Faults = faults
			for _, f := range []*Field{page.Password, page.Code} {
				if f != nil {
					f.Fault = faults.On(f.Name)
				}
			}
			return page
		})
	}
	return s.goOn(c, p, token, next)
}

// goOn gives the browser its session's new token and leads back to what was interrupted.
func (s *Server) goOn(c *gin.Context, p *Person, token secret.String, next string) error {
	if err := s.store.begin(c, token, p.Session.ExpiresAt); err != nil {
		return err
	}
	if next == "" {
		next = homeOf(p.Session)
	}
	return seeOther(c, next)
}

// CodePage asks for the second proof at sign-in.
type CodePage struct {
	Page
	Faults   Faults
	Next     string
	Code     Field
	Apps     bool
	Passkeys bool
}

// showCode answers "GET /login/code".
func (s *Server) showCode(c *gin.Context) error {
	page, err := s.codePage(c, localPath(c.Query("next")), Faults{})
	if errs.CodeOf(err) == errs.Conflict {
		return seeOther(c, "/login")
	}
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) codePage(c *gin.Context, next string, faults Faults) (CodePage, error) {
	asked, err := s.Accounts.AskSecond(c.Request.Context(), s.ticket(c))
	if err != nil {
		return CodePage{}, err
	}
	page := s.page(c, "factor.code_title")
	return CodePage{Page: page, Faults: faults, Next: next, Code: codeField(page, faults), Apps: asked.Apps, Passkeys: asked.Passkeys}, nil
}

// signInByCode answers "POST /login/code".
func (s *Server) signInByCode(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	next := localPath(form.Get("next"))
	signedIn, err := s.Accounts.SignInByCode(c.Request.Context(), s.ticket(c), form.Get("code"), browserOf(c), s.store.token(c.Request))
	if errs.CodeOf(err) == errs.Conflict {
		s.cookies.flash(c, "factor.ticket_gone")
		return seeOther(c, "/login")
	}
	if err != nil {
		page, pageErr := s.codePage(c, next, Faults{})
		if pageErr != nil {
			return pageErr
		}
		return s.correct(c, err, func(faults Faults) any {
			page.Faults, page.Code = faults, codeField(page.Page, faults)
			return page
		})
	}
	return s.enter(c, signedIn, next)
}

// enter gives the browser the session that has begun, or asks for the second proof first.
func (s *Server) enter(c *gin.Context, signedIn accounts.SignedIn, next string) error {
	if !signedIn.Ticket.IsEmpty() {
		s.cookies.set(c, ticketName, signedIn.Ticket.Reveal(), accounts.TicketLife)
		address := "/login/code"
		if next != "" {
			address += "?" + url.Values{"next": {next}}.Encode()
		}
		return seeOther(c, address)
	}
	if !s.ticket(c).IsEmpty() {
		s.cookies.drop(c, ticketName)
	}
	if next == "" {
		next = homeOf(accounts.Session{IsAdmin: signedIn.Staff})
	}
	if err := s.store.begin(c, signedIn.Token, signedIn.ExpiresAt); err != nil {
		return err
	}
	return seeOther(c, next)
}

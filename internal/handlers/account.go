package handlers

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// SignInPage is where everybody signs in, merchants and staff alike.
type SignInPage struct {
	Page
	Faults   Faults
	Email    Field
	Password Field
	Next     string // a path of ours to go on to; "" for where the person works
	Passkeys bool   // can be used at our address
}

// GET /login
func (s *Server) showSignIn(c *gin.Context) error {
	return s.show(c, s.signInPage(c, "", localPath(c.Query("next")), Faults{}))
}

func (s *Server) signInPage(c *gin.Context, email, next string, faults Faults) SignInPage {
	page := s.page(c, "account.signin_title")
	return SignInPage{
		Page: page, Faults: faults, Next: next, Passkeys: s.Accounts.Passkeys(),
		Email: emailField(page, email, faults),
		Password: Field{
			Name: "password", Type: "password", Label: page.T("account.password"), Fault: faults.On("password"),
			Autocomplete: "current-password", Required: true,
		},
	}
}

// POST /login
func (s *Server) signIn(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	next := localPath(form.Get("next"))
	signedIn, err := s.Accounts.SignIn(c.Request.Context(), accounts.SignInRequest{
		Email: form.Get("email"), Password: secretOf(form, "password"), Browser: browserOf(c), Before: s.store.token(c.Request),
	})
	if err != nil {
		return s.correct(c, err, func(faults Faults) any { return s.signInPage(c, form.Get("email"), next, faults) })
	}
	return s.enter(c, signedIn, next)
}

// POST /logout
func (s *Server) signOut(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	if err := s.Accounts.SignOut(c.Request.Context(), s.store.token(c.Request)); err != nil {
		return err
	}
	if err := s.store.end(c); err != nil {
		return err
	}
	c.Header("Clear-Site-Data", `"cache"`) // the next person at this browser must not find pages by going back
	s.cookies.flash(c, "account.signed_out")
	if next := localPath(form.Get("next")); next != "" {
		return seeOther(c, next)
	}
	return seeOther(c, "/login")
}

// correct shows a form again with what can be corrected; any other error goes on to the error page.
func (s *Server) correct(c *gin.Context, err error, again func(Faults) any) error {
	faults, status, ok := faultsOf(s.visitOf(c).p, err)
	if !ok {
		return err
	}
	eventOf(c.Request.Context()).failed(err)
	if status == http.StatusTooManyRequests {
		c.Header("Retry-After", "60")
	}
	return s.render(c, status, again(faults))
}

// browserOf says where a request comes from.
func browserOf(c *gin.Context) accounts.Browser {
	return accounts.Browser{Address: c.ClientIP(), UserAgent: c.Request.UserAgent()}
}

// emailField keeps what was typed. It is a user name to password managers, wherever it is asked for.
func emailField(page Page, value string, faults Faults) Field {
	return Field{
		Name: "email", Type: "email", Label: page.T("account.email"), Value: value, Fault: faults.On("email"),
		Autocomplete: "username", Required: true, MaxLength: 254,
	}
}

// newPasswordField has no maximum: a browser would cut a long password off without a word.
func newPasswordField(page Page, name, labelKey string, faults Faults) Field {
	return Field{
		Name: name, Type: "password", Label: page.T(labelKey), Fault: faults.On(name),
		Help: page.T("account.password_hint", "min", accounts.MinPassword), Autocomplete: "new-password", Required: true,
		MinLength: accounts.MinPassword,
	}
}

// LinkDeadPage tells why a mailed link does nothing and how to get a new one.
type LinkDeadPage struct {
	Page
	Lead  string
	Again Link
}

// deadLink answers a used, expired, replaced or invented link; the answer is the same for all of them.
func (s *Server) deadLink(c *gin.Context, leadKey, againKey, againHref string) error {
	page := s.page(c, "account.dead_title")
	return s.render(c, http.StatusNotFound, LinkDeadPage{
		Page: page, Lead: page.T(leadKey), Again: Link{Text: page.T(againKey), Href: againHref},
	})
}

// isNotFound tells a dead link from a failure.
func isNotFound(err error) bool { return errs.CodeOf(err) == errs.NotFound }

// tokenOf gives the token in the address.
func tokenOf(c *gin.Context) secret.String { return secret.New(c.Param("token")) }

// hours is a link's life in words.
func hours(life time.Duration) int { return int(life / time.Hour) }

// secretOf takes a password out of a form.
func secretOf(form url.Values, name string) secret.String { return secret.New(form.Get(name)) }

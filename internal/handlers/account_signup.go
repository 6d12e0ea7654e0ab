package handlers

import (
	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/secret"
)

// proofName is the cookie of a browser that has filled in the sign-up form: it is signed in when the link is pressed there.
const proofName = "mooring-signup"

// SignUpPage makes a tenant and its owner.
type SignUpPage struct {
	Page
	Faults   Faults
	Business Field
	Email    Field
	Password Field
}

// SignUpSentPage is the answer to every sign-up where mail is configured, whether or not the address is known.
type SignUpSentPage struct {
	Page
	Email string
	Hours int
}

// SignUpFinishPage is what a link from the mail shows. Only its button finishes: mail scanners follow links.
type SignUpFinishPage struct {
	Page
	Business string
	Email    string
	Action   string
}

// GET /signup
func (s *Server) showSignUp(c *gin.Context) error {
	return s.show(c, s.signUpPage(c, "", "", Faults{}))
}

func (s *Server) signUpPage(c *gin.Context, business, email string, faults Faults) SignUpPage {
	page := s.page(c, "account.signup_title")
	return SignUpPage{
		Page: page, Faults: faults,
		Business: Field{
			Name: "business_name", Type: "text", Label: page.T("account.business_name"), Value: business,
			Help: page.T("account.business_hint"), Fault: faults.On("business_name"), Autocomplete: "organization",
			Required: true, MaxLength: 200,
		},
		Email:    emailField(page, email, faults),
		Password: newPasswordField(page, "password", "account.password", faults),
	}
}

// POST /signup
func (s *Server) signUp(c *gin.Context) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	business, email := form.Get("business_name"), form.Get("email")
	signedUp, err := s.Accounts.SignUp(c.Request.Context(), accounts.SignUpRequest{
		BusinessName: business, Email: email, Password: secretOf(form, "password"),
		Language: s.visitOf(c).p.Lang(), Browser: browserOf(c), Before: s.store.token(c.Request),
	})
	if err != nil {
		return s.correct(c, err, func(faults Faults) any { return s.signUpPage(c, business, email, faults) })
	}
	if signedUp.Session != nil {
		return s.welcome(c, *signedUp.Session)
	}
	s.cookies.set(c, proofName, signedUp.Proof.Reveal(), accounts.SignUpLife)
	page := s.page(c, "account.signup_sent_title")
	return s.show(c, SignUpSentPage{Page: page, Email: email, Hours: hours(accounts.SignUpLife)})
}

// welcome lets a new owner begin to work.
func (s *Server) welcome(c *gin.Context, signedIn accounts.SignedIn) error {
	if err := s.store.begin(c, signedIn.Token, signedIn.ExpiresAt); err != nil {
		return err
	}
	return seeOther(c, homeOf(accounts.Session{}))
}

// GET /signup/:token
func (s *Server) showSignUpFinish(c *gin.Context) error {
	link, err := s.Accounts.SignUpPending(c.Request.Context(), tokenOf(c))
	if isNotFound(err) {
		return s.deadSignUp(c)
	}
	if err != nil {
		return err
	}
	page := s.page(c, "account.finish_title")
	return s.show(c, SignUpFinishPage{Page: page, Business: link.BusinessName, Email: link.Email, Action: c.Request.URL.EscapedPath()})
}

// POST /signup/:token
func (s *Server) finishSignUp(c *gin.Context) error {
	signedIn, err := s.Accounts.CompleteSignUp(c.Request.Context(), accounts.CompleteRequest{
		Token: tokenOf(c), Proof: secret.New(s.cookies.only(c.Request, proofName)),
		Browser: browserOf(c), Before: s.store.token(c.Request),
	})
	if isNotFound(err) {
		return s.deadSignUp(c)
	}
	s.cookies.drop(c, proofName)
	switch {
	case errs.CodeOf(err) == errs.Conflict:
		s.cookies.flash(c, "account.already_complete")
	case err != nil:
		return err
	case signedIn != nil:
		return s.welcome(c, *signedIn)
	default:
		s.cookies.flash(c, "account.finished")
	}
	return seeOther(c, "/login")
}

func (s *Server) deadSignUp(c *gin.Context) error {
	return s.deadLink(c, "account.dead_signup", "account.dead_signup_button", "/signup")
}

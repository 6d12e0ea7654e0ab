package handlers

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// Mode is what whoever opens an invitation's link can do next.
type Mode string

// The modes.
const (
	modeAccept   Mode = "accept"   // signed in as the one who is invited
	modePassword Mode = "password" // the address has no account yet
	modeSignIn   Mode = "signin"   // it has one
	modeOther    Mode = "other"    // signed in as somebody else
	modeStaff    Mode = "staff"    // staff cannot work for a merchant
	modeExpired  Mode = "expired"
	modeUsed     Mode = "used" // by the reader
)

// InvitationPage is what the link of an invitation shows. Only its button accepts: mail scanners follow links.
type InvitationPage struct {
	Page
	Faults   Faults
	Mode     Mode
	Business string
	Inviter  string
	Email    string
	Role     string
	Can      string
	Provider *oauth.Descriptor // the step; nil for a plain invitation
	Until    string
	Asked    bool // the addressee has asked for a new link a moment ago
	Action   string
	SignIn   string
	Password Field
	Switch   string // where a press goes on with what was accepted before
	Next     string
}

// showInvitation answers "GET /invitations/:token".
func (s *Server) showInvitation(c *gin.Context) error {
	o, err := s.Accounts.Invitation(c.Request.Context(), tokenOf(c))
	if isNotFound(err) {
		return s.deadInvitation(c)
	}
	if err != nil {
		return err
	}
	return s.renderInvitation(c, http.StatusOK, o, Faults{})
}

func (s *Server) deadInvitation(c *gin.Context) error {
	return s.deadLink(c, "team.dead", "team.dead_button", "/")
}

func (s *Server) renderInvitation(c *gin.Context, status int, o models.OpenInvitation, faults Faults) error {
	mode, alive := modeOf(o, s.visitOf(c).who)
	if !alive {
		return s.deadInvitation(c)
	}
	address := c.Request.URL.EscapedPath()
	page := InvitationPage{
		Page: s.page(c, "team.invited_title"), Faults: faults, Mode: mode, Business: o.TenantName, Inviter: o.Inviter, Email: o.Email,
		Action: address, SignIn: "/login?" + url.Values{"next": {address}}.Encode(),
		Asked: o.AskedAt != nil && s.Now().Sub(*o.AskedAt) < time.Hour,
	}
	page.Role, page.Can, page.Until = page.roleName(o.Role), page.T("team.can_"+string(o.Role)), page.DateTime(o.ExpiresAt)
	if d, _, ok := s.Connect.Describe(o.Provider); ok {
		page.Provider, page.Title = &d, page.T("team.step_invited_title", "provider", page.Say(d.Title))
	}
	page.Password = newPasswordField(page.Page, "password", "team.new_password", faults)
	page.Next, page.Switch = stepPath(o.Provider), "/tenants/"+o.TenantID.String()+"/switch"
	return s.render(c, status, page)
}

// modeOf says what the reader can do with an invitation. One that was revoked, or used by somebody else, is dead.
func modeOf(o models.OpenInvitation, who *accounts.Session) (mode Mode, alive bool) {
	switch {
	case o.State == models.InvitationExpired:
		return modeExpired, true
	case o.State != models.InvitationSent:
		return modeUsed, o.State != models.InvitationRevoked && who != nil && o.AcceptedBy != nil && *o.AcceptedBy == who.UserID
	case who == nil && o.Known:
		return modeSignIn, true
	case who == nil:
		return modePassword, true
	case who.Email != o.Email:
		return modeOther, true
	case who.IsAdmin:
		return modeStaff, true
	}
	return modeAccept, true
}

// stepPath is where somebody who has accepted begins.
func stepPath(provider string) string {
	if provider == "" {
		return "/overview"
	}
	return "/connect/" + provider
}

// acceptInvitation answers "POST /invitations/:token".
func (s *Server) acceptInvitation(c *gin.Context) error {
	token := tokenOf(c)
	o, err := s.Accounts.Invitation(c.Request.Context(), token)
	if isNotFound(err) {
		return s.deadInvitation(c)
	}
	if err != nil {
		return err
	}
	who := s.visitOf(c).who
	switch mode, _ := modeOf(o, who); mode {
	case modeAccept:
		return s.accept(c, token, o, *who)
	case modePassword:
		return s.join(c, token, o)
	}
	return s.renderInvitation(c, http.StatusConflict, o, Faults{})
}

func (s *Server) accept(c *gin.Context, token secret.String, o models.OpenInvitation, who accounts.Session) error {
	fresh, provider, err := s.Accounts.Accept(c.Request.Context(), who, token)
	if isNotFound(err) { // accepted in another tab meanwhile, or a member no longer
		err = errs.Wrap(errs.Conflict, "team.accept_failed", err)
	}
	if err != nil {
		return s.invitationAgain(c, o, err)
	}
	if err := s.store.begin(c, fresh, who.ExpiresAt); err != nil {
		return err
	}
	return s.arrive(c, provider)
}

func (s *Server) join(c *gin.Context, token secret.String, o models.OpenInvitation) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	in, provider, err := s.Accounts.Join(c.Request.Context(), accounts.JoinRequest{
		Token: token, Password: secretOf(form, "password"), Language: s.visitOf(c).p.Lang(), Browser: browserOf(c), Before: s.store.token(c.Request),
	})
	if isNotFound(err) {
		return s.deadInvitation(c)
	}
	if err != nil {
		o.Known = o.Known || errs.CodeOf(err) == errs.Conflict
		return s.invitationAgain(c, o, err)
	}
	if err := s.store.begin(c, in.Token, in.ExpiresAt); err != nil {
		return err
	}
	return s.arrive(c, provider)
}

func (s *Server) arrive(c *gin.Context, provider string) error {
	key := "team.welcome"
	if provider != "" {
		key = "team.step_welcome"
	}
	s.cookies.flash(c, key)
	return seeOther(c, stepPath(provider))
}

func (s *Server) invitationAgain(c *gin.Context, o models.OpenInvitation, err error) error {
	faults, status, ok := faultsOf(s.visitOf(c).p, err)
	if !ok {
		return err
	}
	eventOf(c.Request.Context()).failed(err)
	return s.renderInvitation(c, status, o, faults)
}

// askForLink answers "POST /invitations/:token/ask".
func (s *Server) askForLink(c *gin.Context) error {
	err := s.Accounts.AskForLink(c.Request.Context(), tokenOf(c))
	switch {
	case isNotFound(err):
		return s.deadInvitation(c)
	case err != nil && errs.CodeOf(err) != errs.Conflict:
		return err
	}
	s.cookies.flash(c, "team.asked_done")
	return seeOther(c, "/invitations/"+url.PathEscape(c.Param("token")))
}

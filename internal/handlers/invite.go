package handlers

import (
	"net/url"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// InvitePage asks whom to invite.
type InvitePage struct {
	Page
	Faults        Faults
	Email         Field
	Roles         []Choice
	MailLanguages []Choice
	MailOff       bool
}

// InvitationLinkPage shows a link that no mail carries, once.
type InvitationLinkPage struct {
	Page
	Link string
	Back string
}

// askInvite answers "GET /team/invite". The proof comes before the form, so that nothing typed is lost to it.
func (s *Server) askInvite(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	return s.show(c, s.invitePage(c, url.Values{}, Faults{}))
}

func (s *Server) invitePage(c *gin.Context, form url.Values, faults Faults) InvitePage {
	page := InvitePage{Page: s.page(c, "team.invite_title"), Faults: faults, MailOff: !s.MailConfigured}
	role := models.Role(form.Get("role"))
	if role == "" {
		role = models.Viewer
	}
	page.Email, page.Roles = page.inviteeField(form, faults), page.roleChoices(role)
	page.MailLanguages = page.mailLanguages(form.Get("language"))
	return page
}

// inviteeField is somebody else's address: no browser should offer one's own.
func (p Page) inviteeField(form url.Values, faults Faults) Field {
	return Field{
		Name: "email", Type: "email", Label: p.T("team.invite_email"), Value: form.Get("email"), Fault: faults.On("email"),
		Help: p.T("team.invite_email_help"), Autocomplete: "off", Required: true, MaxLength: 254,
	}
}

func (p Page) mailLanguages(chosen string) []Choice {
	if chosen == "" {
		chosen = p.Lang()
	}
	var choices []Choice
	for _, link := range p.Languages() {
		choices = append(choices, Choice{Value: link.Tag, Text: link.Text, Chosen: link.Tag == chosen})
	}
	return choices
}

// invite answers "POST /team/invite".
func (s *Server) invite(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	token, err := s.Accounts.Invite(c.Request.Context(), m.Store, m.Session, accounts.InviteRequest{
		Email: form.Get("email"), Role: models.Role(form.Get("role")), Language: form.Get("language"), Life: accounts.InviteLife,
	})
	if err != nil {
		return s.correct(c, err, func(faults Faults) any { return s.invitePage(c, form, faults) })
	}
	return s.invited(c, token, "team.invite_done", "/team")
}

// invited leads back, or shows the link that no mail carries.
func (s *Server) invited(c *gin.Context, token secret.String, doneKey, back string) error {
	if token.IsEmpty() {
		s.cookies.flash(c, doneKey)
		return seeOther(c, back)
	}
	return s.show(c, InvitationLinkPage{Page: s.page(c, "team.link_title"), Link: s.Accounts.InvitationURL(token).Reveal(), Back: back})
}

// invitationAct reads which invitation is meant and where to go back to; who acts has proved themselves.
func invitationAct(c *gin.Context, m *Merchant) (id uuid.UUID, back string, err error) {
	if err := recent(&m.Person); err != nil {
		return id, "", err
	}
	if id, err = idOf(c); err != nil {
		return id, "", err
	}
	form, err := formOf(c)
	if err != nil {
		return id, "", err
	}
	if back = localPath(form.Get("back")); back == "" {
		back = "/team"
	}
	return id, back, nil
}

// sendAgain answers "POST /team/invitations/:id/send".
func (s *Server) sendAgain(c *gin.Context, m *Merchant) error {
	id, back, err := invitationAct(c, m)
	if err != nil {
		return err
	}
	token, err := s.Accounts.InviteAgain(c.Request.Context(), m.Store, m.Session, id)
	if err != nil {
		return err
	}
	return s.invited(c, token, "team.again_done", back)
}

// revokeInvitation answers "POST /team/invitations/:id/revoke".
func (s *Server) revokeInvitation(c *gin.Context, m *Merchant) error {
	id, back, err := invitationAct(c, m)
	if err != nil {
		return err
	}
	if err := m.Store.RevokeInvitation(c.Request.Context(), id); err != nil {
		return err
	}
	s.cookies.flash(c, "team.revoke_done")
	return seeOther(c, back)
}

package handlers

import (
	"net/url"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// StepPage asks whom to send a step to, and shows to whom it was sent.
type StepPage struct {
	Page
	Faults        Faults
	Provider      oauth.Descriptor
	Email         Field
	Lives         []Choice
	MailLanguages []Choice
	Invitations   []InvitationLine
	MayInvite     bool // may ask people who are no members yet
	MailOff       bool
}

// askSend answers "GET /connect/:provider/send".
func (s *Server) askSend(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	page, err := s.stepPage(c, m, url.Values{}, Faults{})
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) stepPage(c *gin.Context, m *Merchant, form url.Values, faults Faults) (StepPage, error) {
	d, offered, ok := s.Connect.Describe(c.Param("provider"))
	if !ok || !offered {
		return StepPage{}, models.NotFound()
	}
	steps, err := m.Store.Steps(c.Request.Context(), d.Slug)
	if err != nil {
		return StepPage{}, err
	}
	page := StepPage{
		Page: s.page(c, "team.step_title", "provider", m.say(d.Title)), Faults: faults, Provider: d,
		MayInvite: m.Session.Role == models.Owner, MailOff: !s.MailConfigured,
	}
	page.Email, page.MailLanguages = page.inviteeField(form, faults), page.mailLanguages(form.Get("language"))
	page.Lives, page.Invitations = page.lifeChoices(form.Get("life")), s.invitationLines(page.Page, m, steps)
	return page, nil
}

func (w Words) lifeChoices(chosen string) []Choice {
	if chosen == "" {
		chosen = "24"
	}
	var choices []Choice
	for _, life := range accounts.StepLives() {
		value := strconv.Itoa(hours(life))
		text := w.T("team.life_hours", "count", hours(life))
		if days := hours(life) / 24; days > 0 {
			text = w.T("team.life_days", "count", days)
		}
		choices = append(choices, Choice{Value: value, Text: text, Chosen: value == chosen})
	}
	return choices
}

// sendStep answers "POST /connect/:provider/send". Somebody new becomes an operator: less could not connect.
func (s *Server) sendStep(c *gin.Context, m *Merchant) error {
	if err := recent(&m.Person); err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	d, offered, ok := s.Connect.Describe(c.Param("provider"))
	if !ok || !offered {
		return models.NotFound()
	}
	life, err := strconv.Atoi(form.Get("life"))
	if err != nil {
		return errs.Wrap(errs.Invalid, "team.life_unknown", err)
	}
	token, err := s.Accounts.Invite(c.Request.Context(), m.Store, m.Session, accounts.InviteRequest{
		Email: form.Get("email"), Role: models.Operator, Provider: d.Slug, Language: form.Get("language"), Life: time.Duration(life) * time.Hour,
	})
	if err == nil {
		return s.invited(c, token, "team.step_done", "/connect/"+d.Slug+"/send")
	}
	if errs.CodeOf(err) == errs.Internal {
		return err
	}
	page, pageErr := s.stepPage(c, m, form, Faults{})
	if pageErr != nil {
		return pageErr
	}
	return s.correct(c, err, func(faults Faults) any {
		page.Faults, page.Email.Fault = faults, faults.On("email")
		return page
	})
}

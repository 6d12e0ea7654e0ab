package handlers

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/models"
)

// SettingsPage is a person's own account.
type SettingsPage struct {
	Page
	Faults    Faults
	Choices   []LanguageChoice
	LangFault string
	Zone      ZoneChoice
	Current   Field
	New       Field
	Choose    []NoticeChoice // which notices come by mail; nil for staff
	Digest    *DigestChoice  // nil for merchants
	Unsent    bool           // no mail is configured
	Sessions  []SessionLine
	Others    bool // there are sessions besides this one
	HasFactor bool // something besides the password
	Leave     bool // may close the business
}

// LanguageChoice is a line of the language list.
type LanguageChoice struct {
	Tag    string // "" follows the browser
	Text   string
	Chosen bool
}

// SessionLine is a browser in which the person is signed in.
type SessionLine struct {
	Client  string
	Current bool
	Seen    string
	Since   string
	Address string
	End     string // where a press ends it
}

// GET /settings
func (s *Server) showSettings(c *gin.Context, p *Person) error {
	page, err := s.settingsPage(c, p, Faults{})
	if err != nil {
		return err
	}
	return s.show(c, page)
}

func (s *Server) settingsPage(c *gin.Context, p *Person, faults Faults) (SettingsPage, error) {
	list, err := s.Accounts.Sessions(c.Request.Context(), p.Session)
	if err != nil {
		return SettingsPage{}, err
	}
	choices, err := s.noticeChoices(c, p)
	if err != nil {
		return SettingsPage{}, err
	}
	digest, err := s.digestChoice(c, p)
	if err != nil {
		return SettingsPage{}, err
	}
	page := s.page(c, "account.settings_title")
	out := SettingsPage{
		Page: page, Faults: faults, Choices: languageChoices(page, p.Session.Language),
		LangFault: faults.On("language"), Zone: s.zoneChoice(page, p.Session.TimeZone, faults), Others: len(list) > 1, HasFactor: p.Session.Factors > 0,
		Leave:  p.Session.Role == models.Owner && !p.Session.Closed,
		Choose: choices, Digest: digest, Unsent: !s.MailConfigured,
		Current: Field{
			Name: "current_password", Type: "password", Label: page.T("account.current_password"),
			Fault: faults.On("current_password"), Autocomplete: "current-password", Required: true,
		},
		New: newPasswordField(page, "new_password", "account.new_password", faults),
	}
	for _, session := range list {
		out.Sessions = append(out.Sessions, sessionLine(page, session))
	}
	return out, nil
}

func languageChoices(page Page, chosen string) []LanguageChoice {
	choices := []LanguageChoice{{Tag: "", Text: page.T("account.language_browser"), Chosen: chosen == ""}}
	for _, link := range page.Languages() {
		choices = append(choices, LanguageChoice{Tag: link.Tag, Text: link.Text, Chosen: chosen == link.Tag})
	}
	return choices
}

func sessionLine(page Page, session accounts.SessionView) SessionLine {
	line := SessionLine{
		Client: clientName(page.Printer, session.Client), Current: session.Current,
		Seen:  page.T("account.session_seen", "ago", page.Ago(session.SeenAt)),
		Since: page.T("account.session_since", "date", page.DateTime(session.CreatedAt)),
		End:   "/settings/sessions/" + session.ID.String() + "/end",
	}
	if session.Address != "" {
		line.Address = page.T("account.session_address", "address", session.Address)
	}
	return line
}

// clientName says which browser it is, as far as it has told.
func clientName(p *i18n.Printer, client accounts.Client) string {
	switch {
	case client.Browser != "" && client.System != "":
		return p.T("account.session_client", "browser", client.Browser, "system", client.System)
	case client.Browser+client.System != "":
		return client.Browser + client.System
	}
	return p.T("account.session_unknown")
}

// settingsAgain shows the settings with what can be corrected; any other error goes on to the error page.
func (s *Server) settingsAgain(c *gin.Context, p *Person, err error) error {
	faults, status, ok := faultsOf(p.P, err)
	if !ok {
		return err
	}
	eventOf(c.Request.Context()).failed(err)
	page, err := s.settingsPage(c, p, faults)
	if err != nil {
		return err
	}
	if status == http.StatusTooManyRequests {
		c.Header("Retry-After", "60")
	}
	return s.render(c, status, page)
}

// POST /settings/language
func (s *Server) changeLanguage(c *gin.Context, p *Person) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	language := form.Get("language")
	if err := s.Accounts.ChangeLanguage(c.Request.Context(), p.Session, language); err != nil {
		return s.settingsAgain(c, p, err)
	}
	s.cookies.keepLanguage(c, language) // an older choice in this browser must not hide the new one
	return s.settled(c, "account.language_saved")
}

// POST /settings/password
func (s *Server) changePassword(c *gin.Context, p *Person) error {
	form, err := formOf(c)
	if err != nil {
		return err
	}
	token, err := s.Accounts.ChangePassword(c.Request.Context(), p.Session, accounts.PasswordChange{
		Current: secretOf(form, "current_password"), New: secretOf(form, "new_password"), Browser: browserOf(c),
	})
	if err != nil {
		return s.settingsAgain(c, p, err)
	}
	if err := s.store.begin(c, token, p.Session.ExpiresAt); err != nil {
		return err
	}
	return s.settled(c, "account.password_saved")
}

// POST /settings/sessions/:id/end
func (s *Server) endSession(c *gin.Context, p *Person) error {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return errs.New(errs.NotFound, "error.not_found")
	}
	if err := s.Accounts.EndSession(c.Request.Context(), p.Session, id); err != nil {
		return err
	}
	return s.settled(c, "account.session_ended")
}

// POST /settings/sessions/end-others
func (s *Server) endOtherSessions(c *gin.Context, p *Person) error {
	if err := s.Accounts.EndOtherSessions(c.Request.Context(), p.Session); err != nil {
		return err
	}
	return s.settled(c, "account.sessions_others_ended")
}

// settled says what was done, on the settings page.
func (s *Server) settled(c *gin.Context, key string) error {
	s.cookies.flash(c, key)
	return seeOther(c, "/settings")
}

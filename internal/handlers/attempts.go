package handlers

import (
	"net/url"

	"github.com/gin-gonic/gin"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// AttemptPage is where one try to connect stands: waiting, to be confirmed, or ended, with the reason, who must act and
// the next step.
type AttemptPage struct {
	Page
	Attempt   models.Attempt
	Provider  oauth.Descriptor
	Tone      string // good, wait, bad or ""
	Icon      string
	Heading   string
	Text      string
	Elsewhere bool   // an account waits to be confirmed, but another sign-in of the person's brought it
	Reason    Reason // of an attempt that failed
	Again     string // where to try again; "" if it has not ended
	Back      string
	Link      string // what the person opens elsewhere; "" if there is nothing to open
	QR        QRCode // the same, for a phone's camera
}

// showAttempt answers "GET /attempts/:id". One that has led to a connection is that connection's page.
func (s *Server) showAttempt(c *gin.Context, m *Merchant) error {
	a, err := s.attempt(c, m)
	if err != nil {
		return err
	}
	if a.Status == models.Stored {
		return s.land(c, a)
	}
	d, _, ok := s.Connect.Describe(a.Provider)
	if !ok {
		d.Slug, d.Title = a.Provider, oauth.Text{ZH: a.Provider, EN: a.Provider}
	}
	page := AttemptPage{Page: s.page(c, "connect.attempt_title", "provider", m.say(d.Title)), Attempt: a, Provider: d}
	page.Elsewhere = a.Status == models.Returned && a.SessionID != m.Session.ID
	if err := s.offerLink(c, m, &page); err != nil {
		return err
	}
	page.describe()
	switch {
	case a.Status == models.Exchanging:
		page.Stream, page.Refresh = "/attempts/"+a.ID.String()+"/events", 2
	case page.Link != "":
		page.Stream, page.Refresh = "/attempts/"+a.ID.String()+"/events", 10
	}
	return s.show(c, page)
}

// offerLink puts the link on the page of an attempt that waits for it. Whoever may only look has nothing to open.
func (s *Server) offerLink(c *gin.Context, m *Merchant, page *AttemptPage) (err error) {
	if !m.Session.Role.MayOperate() {
		return nil
	}
	if page.Attempt, page.Link, err = s.Connect.OpenLink(c.Request.Context(), m.Store, page.Attempt); err != nil || page.Link == "" {
		return err
	}
	page.QR, err = qrOf(page.Link)
	return err
}

// describe finds the words of where the attempt stands.
func (p *AttemptPage) describe() {
	a := p.Attempt
	p.Back, p.Again = "/connections", beginAgain(a)
	if a.ConnectionID != nil {
		p.Back = "/connections/" + a.ConnectionID.String()
	}
	outcome := string(a.Status)
	switch a.Status {
	case models.Pending:
		p.Tone, p.Icon = "", "clock"
	case models.Exchanging:
		p.Tone, p.Icon, p.Again = "", "turn", ""
	case models.Returned:
		p.Tone, p.Icon = "wait", "you"
		if p.Elsewhere {
			p.Tone, p.Icon, outcome = "", "clock", "elsewhere"
		} else {
			p.Again = ""
		}
	case models.Denied:
		p.Tone, p.Icon = "", "no"
	case models.Cancelled:
		p.Tone, p.Icon = "", "no"
	case models.Failed:
		outcome = p.failure()
	}
	p.Heading, p.Text = p.word(outcome, "_title"), p.word(outcome, "_text")
}

// word tells an outcome. Where nobody left and came back, because a link was opened elsewhere, some have other words.
func (p *AttemptPage) word(outcome, part string) string {
	if byLink := outcome + "_link"; p.Provider.Flow == oauth.FlowLink && p.Has("attempt."+byLink+part) {
		outcome = byLink
	}
	return p.T("attempt."+outcome+part, "provider", p.Say(p.Provider.Title))
}

// failure picks the page of a failed attempt: a few reasons have their own, the rest are told by who must act.
func (p *AttemptPage) failure() string {
	reason := p.Attempt.Reason
	p.Reason = p.attemptReasonOf(p.Provider, reason, p.Attempt.ProviderCode)
	p.Tone, p.Icon = "wait", "alert"
	switch reason {
	case "expired", "interrupted":
		p.Tone, p.Icon = "", "clock"
		return reason
	case "claimed", "account_differs", "store_failed":
		p.Tone = "bad"
		return reason
	}
	if actor := actorOf(reason, p.Provider); actor != byNobody {
		return "failed_" + actor
	}
	return "failed_nobody"
}

// Waiting says whether the browser is at the provider.
func (p AttemptPage) Waiting() bool { return p.Attempt.Status == models.Pending }

// Confirmable says whether the person has to say that the account is theirs, and can.
func (p AttemptPage) Confirmable() bool {
	return p.Attempt.Status == models.Returned && !p.Elsewhere
}

// Failed says whether there is a reason to show.
func (p AttemptPage) Failed() bool { return p.Attempt.Status == models.Failed }

// Differs says whether a reconnect brought back another account than the one it was begun for.
func (p AttemptPage) Differs() bool {
	return p.Failed() && p.Attempt.Reason == connect.ReasonAccountDiffers
}

// attempt loads the attempt that the address names, if it is the person's own.
func (s *Server) attempt(c *gin.Context, m *Merchant) (models.Attempt, error) {
	id, err := idOf(c)
	if err != nil {
		return models.Attempt{}, err
	}
	a, err := s.Connect.Attempt(c.Request.Context(), m.Store, id, m.Session.UserID)
	if err == nil {
		eventOf(c.Request.Context()).concerns(a.Provider, a.ID)
	}
	return a, err
}

// streamAttempt answers "GET /attempts/:id/events".
func (s *Server) streamAttempt(c *gin.Context, m *Merchant) error {
	a, err := s.attempt(c, m)
	if err != nil {
		return err
	}
	return s.stream(c, a.ID, a.ExpiresAt)
}

// confirmAttempt answers "POST /attempts/:id/confirm".
func (s *Server) confirmAttempt(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	a, err := s.Connect.Confirm(c.Request.Context(), m.Store, id, m.Session.UserID, m.Session.ID)
	if err != nil {
		return err
	}
	eventOf(c.Request.Context()).concerns(a.Provider, a.ID)
	return s.land(c, a)
}

// cancelAttempt answers "POST /attempts/:id/cancel". Whoever dropped it in a list goes on in that list.
func (s *Server) cancelAttempt(c *gin.Context, m *Merchant) error {
	id, err := idOf(c)
	if err != nil {
		return err
	}
	form, err := formOf(c)
	if err != nil {
		return err
	}
	a, err := s.Connect.Cancel(c.Request.Context(), m.Store, id, m.Session.UserID)
	if err != nil {
		return err
	}
	eventOf(c.Request.Context()).concerns(a.Provider, a.ID)
	if back := form.Get("back"); a.Status == models.Cancelled && (back == "/overview" || back == "/connections") {
		eventOf(c.Request.Context()).ended(string(a.Status))
		s.cookies.flash(c, "connect.dropped")
		return seeOther(c, back)
	}
	return s.land(c, a)
}

// hostOf gives the host of a provider's origin.
func hostOf(origin string) string {
	u, err := url.Parse(origin)
	if err != nil {
		return ""
	}
	return u.Host
}

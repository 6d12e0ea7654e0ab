package mail

import (
	"fmt"
	"time"

	"mooring/internal/i18n"
)

// page finds the words of a note in its language.
func (c *Composer) page(n Note) (page, error) {
	p := c.bundle.Printer(n.Language)
	out := page{Lang: p.Lang(), URL: n.URL, Footer: p.T("mail.footer")}
	switch n.Kind {
	case SignUp:
		out.Subject, out.Intro, out.Button = p.T("mail.signup_subject"), p.T("mail.signup_intro"), p.T("mail.signup_button")
		out.Hint, out.NotYou = lifeOf(p, n.Life), p.T("mail.signup_not_you")
	case Reset:
		out.Subject, out.Intro, out.Button = p.T("mail.reset_subject"), p.T("mail.reset_intro"), p.T("mail.reset_button")
		out.Hint, out.NotYou = lifeOf(p, n.Life), p.T("mail.reset_not_you")
	case Known:
		out.Subject, out.Intro, out.Button = p.T("mail.known_subject"), p.T("mail.known_intro"), p.T("mail.known_button")
		out.Hint, out.NotYou = p.T("mail.known_sign_in", "url", n.SignInURL), p.T("mail.known_not_you")
	default:
		return page{}, fmt.Errorf("mail: no letter of kind %q", n.Kind)
	}
	return out, nil
}

func lifeOf(p *i18n.Printer, life time.Duration) string {
	return p.T("mail.link_life", "hours", int(life/time.Hour))
}

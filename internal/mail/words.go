package mail

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"mooring/internal/i18n"
)

// page finds the words of a note in its language.
func (c *Composer) page(n Note) (page, error) {
	p := c.bundle.Printer(n.Language).In(n.TimeZone)
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
	case Closed:
		out.Subject, out.Intro, out.Button = p.T("mail.closed_subject"), p.T("mail.closed_intro"), p.T("mail.closed_button")
		out.Hint, out.NotYou = p.T("mail.closed_hint"), p.T("mail.closed_not_you")
	case Alarm:
		out.Subject, out.Intro, out.Button = p.T("approval.mail_subject"), p.T("approval.mail_intro"), p.T("approval.mail_button")
		out.Hint, out.NotYou = p.T("approval.mail_hint"), p.T("approval.mail_not_you")
	case Invite, Step:
		from := inert(n.From)
		key := "mail." + string(n.Kind)
		out.Subject, out.Intro, out.Button = p.T(key+"_subject", "from", from), p.T(key+"_intro", "from", from), p.T(key+"_button")
		out.Hint, out.NotYou = inviteLife(p, n.Life), p.T("mail.invite_not_you")
	case NeedsYou, Recovered, Expiring, Changed, Revealed, ReviewStarted, ReviewApproved, ReviewMore, ReviewRejected, LinkAsked:
		about(&out, p, n)
	case Digest:
		out.Subject = p.T("mail.digest_subject", "at", p.Date(n.About.Until))
		out.Intro = p.T("mail.digest_intro", "at", p.DateTime(n.About.At), "until", p.DateTime(n.About.Until))
		out.Button, out.Lines = p.T("mail.digest_button"), n.Lines
		out.NotYou = p.T("mail.digest_choose", "url", n.About.SettingsURL)
	default:
		return page{}, fmt.Errorf("mail: no letter of kind %q", n.Kind)
	}
	return out, nil
}

func lifeOf(p *i18n.Printer, life time.Duration) string {
	return p.T("mail.link_life", "hours", int(life/time.Hour))
}

// inviteLife tells how long a link works that its addressee has not asked for.
func inviteLife(p *i18n.Printer, life time.Duration) string {
	if days := int(life / (24 * time.Hour)); days > 1 {
		return p.T("mail.invite_days", "count", days)
	}
	return p.T("mail.invite_hours", "count", int(life/time.Hour))
}

// about fills the page of a letter about a connection or the business: what happened, what to do, and where to choose what
// is mailed. What comes without being chosen says so.
func about(out *page, p *i18n.Printer, n Note) {
	a := n.About
	values := []any{"provider", inert(a.Provider), "account", inert(a.Account), "business", inert(a.Business), "who", inert(a.Who),
		"why", a.Why, "next", a.Next, "block", a.Block, "count", a.Days, "at", p.DateTime(a.At)}
	key := "mail." + string(n.Kind)
	out.Subject, out.Intro = p.T(key+"_subject", values...), p.T(key+"_intro", values...)
	out.Button, out.Hint = p.T(key+"_button", values...), p.T(key+"_hint", values...)
	out.Lines, out.NotYou = n.Lines, p.T("mail.notice_choose", "url", a.SettingsURL)
	if n.Kind == Revealed {
		out.NotYou = p.T("mail.notice_always")
	}
}

// nameLength is how much of a name that others chose is repeated.
const nameLength = 60

// inert keeps a name that others chose from being more than a name: no line ends, nothing invisible that turns the text
// around, and no address that a mail program would make a link of.
func inert(name string) string {
	var out strings.Builder
	length := 0
	for _, r := range strings.Join(strings.Fields(name), " ") {
		if !unicode.IsPrint(r) {
			continue
		}
		if length++; length > nameLength {
			out.WriteRune('…')
			break
		}
		out.WriteRune(r)
		if strings.ContainsRune(".:/@", r) {
			out.WriteRune('\u2060') // word joiner: seen by nobody, and no address goes on after it
		}
	}
	return out.String()
}

package notices

import (
	"strconv"
	"time"

	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// note says what a letter is about, in its reader's language.
func (s *Service) note(l models.NoticeLetter) mail.Note {
	kinds := map[string]mail.Kind{NeedsYou: mail.NeedsYou, Recovered: mail.Recovered, Expiring: mail.Expiring, Changed: mail.Changed}
	p := s.Words.Printer(l.Language)
	told := Read(p, s.Describe, l.Kind, l.Detail)
	return mail.Note{
		Kind: kinds[l.Kind], To: l.Email, Language: l.Language, TimeZone: l.TimeZone, URL: s.PublicURL + "/connections/" + l.ConnectionID.String(),
		About: mail.About{
			Business: l.Business, Provider: told.Provider, Account: told.Account, Why: told.Why, Block: told.Block,
			Days: told.Days, At: told.At, SettingsURL: s.PublicURL + "/settings#notices",
		},
	}
}

// Told is an event's detail in a reader's language.
type Told struct {
	Provider, Account string
	Why               string    // a connection needs somebody
	Block             string    // that has changed
	Days              int       // until At
	At                time.Time // when access ends, or since when it had not worked
}

// Describe gives a provider as data.
type Describe func(slug string) (d oauth.Descriptor, offered, ok bool)

// Read makes sense of an event's detail for one reader.
func Read(p *i18n.Printer, describe Describe, kind string, detail map[string]any) Told {
	e := models.Event{Kind: kind, Detail: detail}
	d, _, known := describe(text(e, "provider"))
	if !known {
		d.Title = oauth.Text{ZH: text(e, "provider"), EN: text(e, "provider")}
	}
	told := Told{Provider: d.Title.In(p.Lang()), Account: text(e, "account"), Block: block(p, text(e, "block"))}
	told.Days, _ = strconv.Atoi(text(e, "days"))
	at := text(e, "at")
	if kind == Recovered {
		at = text(e, "since")
	}
	told.At, _ = time.Parse(time.RFC3339, at)
	if kind == NeedsYou {
		told.Why = why(p, d, text(e, "reason"), text(e, "code"))
	}
	return told
}

// why explains what is wrong, in the provider's own words if it brings some, else in ours.
func why(p *i18n.Printer, d oauth.Descriptor, reason, code string) string {
	if e, ok := d.Explain(oauth.Kind(reason), code); ok {
		return e.Cause.In(p.Lang())
	}
	key := "reason." + reason
	if !p.Has(key) {
		key = "reason.internal"
	}
	return p.T(key, "provider", d.Title.In(p.Lang()))
}

func block(p *i18n.Printer, name string) string {
	switch oauth.Block(name) {
	case oauth.BlockMerchant:
		return p.T("block.merchant")
	case oauth.BlockCompany:
		return p.T("block.company")
	}
	return ""
}

// text gives a value of an event's detail; numbers come from JSON as floats.
func text(e models.Event, name string) string {
	switch v := e.Detail[name].(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	case int:
		return strconv.Itoa(v)
	}
	return ""
}

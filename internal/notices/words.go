package notices

import (
	"maps"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// note says what a letter is about, in its reader's language.
func (s *Service) note(l models.NoticeLetter) mail.Note {
	kinds := map[string]mail.Kind{
		NeedsYou: mail.NeedsYou, Recovered: mail.Recovered, Expiring: mail.Expiring, Changed: mail.Changed, Revealed: mail.Revealed,
		ReviewStarted: mail.ReviewStarted, ReviewApproved: mail.ReviewApproved, ReviewMore: mail.ReviewMore,
		ReviewRejected: mail.ReviewRejected, ReviewReopened: mail.ReviewStarted, LinkAsked: mail.LinkAsked,
	}
	detail := maps.Clone(l.Detail)
	delete(detail, "note") // what somebody typed is for the pages; a mail repeats none of it
	told := Read(s.Words.Printer(l.Language), s.Describe, News{Kind: l.Kind, Label: l.Label, Detail: detail})
	n := mail.Note{
		Kind: kinds[l.Kind], To: l.Email, Language: l.Language, TimeZone: l.TimeZone, URL: s.PublicURL + Path(l.Kind, l.ConnectionID),
		About: mail.About{
			Business: l.Business, Provider: told.Provider, Account: told.Account, Who: told.Who, Why: told.Why, Next: told.Next, Block: told.Block,
			Days: told.Days, At: told.At, SettingsURL: s.PublicURL + "/settings#notices",
		},
	}
	for _, step := range told.Steps {
		n.Lines = append(n.Lines, mail.Line{Text: step.Text, URL: s.PublicURL + step.Path})
	}
	return n
}

// Path is the page on which one does something about news of that kind.
func Path(kind string, connection *uuid.UUID) string {
	switch {
	case kind == LinkAsked:
		return "/team"
	case connection == nil:
		return "/overview"
	}
	return "/connections/" + connection.String()
}

// News is an event as it is told.
type News struct {
	Kind   string
	Label  string // what the tenant calls the connection's account
	Detail map[string]any
}

// Told is news in a reader's language.
type Told struct {
	Provider, Account string
	Who               string    // who asks for a link, masked
	Why               string    // a connection needs somebody, a review came out, somebody looked
	Next              string    // what to do about a review
	Block             string    // that has changed, or was looked at
	Days              int       // until At
	At                time.Time // when access or a deadline ends, or since when it had not worked
	Steps             []Step    // that a review asks for
}

// Step is one thing that the staff ask a merchant to do, with the page on which it is done.
type Step struct{ Text, Path string }

// Describe gives a provider as data.
type Describe func(slug string) (d oauth.Descriptor, offered, ok bool)

// Read makes sense of news for one reader.
func Read(p *i18n.Printer, describe Describe, n News) Told {
	e := models.Event{Kind: n.Kind, Detail: n.Detail}
	d := described(describe, text(e, "provider"))
	told := Told{Provider: d.Title.In(p.Lang()), Account: labelled(p, n.Label, text(e, "account")), Block: block(p, text(e, "block")), Who: text(e, "who")}
	told.Days, _ = strconv.Atoi(text(e, "days"))
	at := text(e, "at")
	switch {
	case n.Kind == Recovered:
		at = text(e, "since")
	case n.Kind == NeedsYou:
		told.Why = why(p, d, text(e, "reason"), text(e, "code"))
	case n.Kind == Revealed:
		told.Why = RevealReason(p, text(e, "reason"), text(e, "note"))
	case reviewAfter(n.Kind) != "":
		at = text(e, "until")
		told.Why, told.Next = reviewWords(p, text(e, "code"))
		told.Steps = steps(p, describe, n.Detail)
	}
	told.At, _ = time.Parse(time.RFC3339, at)
	return told
}

// described gives a provider, by its slug alone where this program no longer has it.
func described(describe Describe, slug string) oauth.Descriptor {
	d, _, known := describe(slug)
	if !known {
		d.Title = oauth.Text{ZH: slug, EN: slug}
	}
	return d
}

// labelled puts a name of the tenant's own before an account: with several at a provider, the number alone says little.
func labelled(p *i18n.Printer, label, account string) string {
	if label == "" {
		return account
	}
	return p.T("reveal.labelled", "label", label, "account", account)
}

// reviewWords are the sentences for the reason of a decision, and what to do about it; "" where it has none.
func reviewWords(p *i18n.Printer, code string) (why, next string) {
	if code == "" || !p.Has("review.reason_"+code) {
		return "", ""
	}
	return p.T("review.reason_" + code), p.T("review.next_" + code)
}

// steps are what a review asks for, as its event tells them.
func steps(p *i18n.Printer, describe Describe, detail map[string]any) (asked []Step) {
	items, _ := detail["items"].([]any)
	for _, item := range items {
		fields, _ := item.(map[string]any)
		e := models.Event{Detail: fields}
		told := models.ReviewItem{Kind: models.ItemKind(text(e, "kind")), Provider: text(e, "provider"), Account: text(e, "account")}
		if id, err := uuid.Parse(text(e, "connection")); err == nil {
			told.Connection = &id
		}
		if key := "review.task_" + string(told.Kind); p.Has(key) {
			d := described(describe, told.Provider)
			asked = append(asked, Step{Text: p.T(key, "provider", d.Title.In(p.Lang()), "account", told.Account), Path: StepPath(told)})
		}
	}
	return asked
}

// StepPath is the page on which a merchant does what was asked.
func StepPath(item models.ReviewItem) string {
	switch {
	case item.Connection == nil:
		return "/connect/" + url.PathEscape(item.Provider)
	case item.Kind == models.ItemReconnect:
		return "/connections/" + item.Connection.String() + "/reconnect"
	}
	return "/connections/" + item.Connection.String()
}

// RevealReason is the reason that somebody gave for looking at personal values, with their own words.
func RevealReason(p *i18n.Printer, reason, note string) string {
	key := "reveal.reason_" + reason
	switch {
	case !p.Has(key):
		return note
	case note != "":
		return p.T("reveal.why_note", "reason", p.T(key), "note", note)
	}
	return p.T("reveal.why_plain", "reason", p.T(key))
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
	if key := "block." + name; p.Has(key) {
		return p.T(key)
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

package handlers

import (
	"cmp"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/connect"
	"mooring/internal/models"
	"mooring/internal/notices"
	"mooring/internal/oauth"
)

// EventLine is one line of a history.
type EventLine struct {
	At    Moment
	Class string // good, bad or ""
	Text  string
	Who   string
	Href  string // the connection it tells of, if the reader may go there
}

// historian writes events as sentences for one reader.
type historian struct {
	words    Words
	describe func(slug string) (d oauth.Descriptor, offered, ok bool)
	nameOf   func(e models.Event) string // how the reader calls the person who did it
	link     bool                        // the reader may open the connections
}

// historianFor writes for a member of the tenant, who calls colleagues by their addresses.
func historianFor(p Page, me uuid.UUID, service *connect.Service) historian {
	return historian{words: p.Words, describe: service.Describe, link: true, nameOf: func(e models.Event) string {
		if *e.ActorID == me {
			return p.T("event.by_you")
		}
		return cmp.Or(e.ActorEmail, p.T("event.by_former"))
	}}
}

func (h historian) lines(events []models.Event) []EventLine {
	lines := make([]EventLine, 0, len(events))
	for _, e := range events {
		lines = append(lines, h.line(e))
	}
	return lines
}

func (h historian) line(e models.Event) EventLine {
	line := EventLine{At: h.words.When(e.CreatedAt), Class: classOf(e.Kind), Text: h.sentence(e), Who: h.who(e)}
	if h.link && e.ConnectionID != nil {
		line.Href = "/connections/" + e.ConnectionID.String()
	}
	return line
}

// sentence fills the sentence of the event's kind. A kind without one is a fault that a test finds; it is shown as it is.
func (h historian) sentence(e models.Event) string {
	text := func(name string) string { value, _ := e.Detail[name].(string); return value }
	moment := func(name string) string {
		at, err := time.Parse(time.RFC3339, text(name))
		if err != nil {
			return ""
		}
		return h.words.DateTime(at)
	}
	number := func(name string) int {
		switch n := e.Detail[name].(type) {
		case float64: // what JSON makes of every number
			return int(n)
		case int:
			return n
		}
		return 0
	}
	d, _, known := h.describe(text("provider"))
	if !known {
		d.Title = oauth.Text{ZH: text("provider"), EN: text("provider")}
	}
	key := "event." + e.Kind
	switch {
	case e.Kind == "connection.labelled" && text("label") == "":
		key = "event.connection.unlabelled"
	case e.Kind == "connection.synced" && number("changed") == 0:
		key = "event.connection.synced_same"
	case e.Kind == "tenant.exported" && e.Detail["personal"] == true:
		key = "event.tenant.exported_personal"
	case e.Kind == "connection.disconnected" && text("until") != "":
		key = "event.connection.disconnected_erase"
	}
	return h.words.T(key,
		"provider", h.words.Say(d.Title), "account", text("account"), "count", number("changed")+number("days")+number("count"), "blocks", number("blocks"),
		"since", moment("since"), "until", moment("until"), "at", moment("at"),
		"block", h.words.blockOf(e), "fields", h.words.fieldsOf(e), "host", text("host"), "because", h.words.becauseOf(e), "key", text("key"), "by", text("by"),
		"work", h.words.jobKind(text("work")), "act", h.words.actName(text("act")),
		"who", text("who"), "role", h.words.roleName(models.Role(text("role"))), "before", h.words.roleName(models.Role(text("before"))),
		"about", h.words.aboutOf(text("about")), "label", text("label"), "why", notices.RevealReason(h.words.Printer, text("reason"), text("note")),
		"reason", h.words.reasonOf(d, text("reason"), text("code")).What)
}

// aboutOf says what a letter was about, by the kind of its event.
func (w Words) aboutOf(kind string) string {
	if key := "reveal.about_" + strings.TrimPrefix(kind, "connection."); w.Has(key) {
		return w.T(key)
	}
	return ""
}

func (h historian) who(e models.Event) string {
	switch {
	case e.ActorKind == models.Staff:
		return h.words.T("event.by_staff")
	case e.ActorKind == models.Person && e.ActorID != nil:
		return h.nameOf(e)
	}
	return h.words.T("event.by_system")
}

func classOf(kind string) string {
	switch kind {
	case "connection.connected", "connection.reconnected", "connection.recovered", "connection.refresh_recovered", "connection.revoked",
		"connection.synced", "tenant.created", "review.approved", "team.joined":
		return "good"
	case "connection.needs_you", "connection.withdrawn", "connection.revoke_failed", "connection.sync_failed", "connection.sealed_broken", "connection.orphaned",
		"attempt.failed", "attempt.refused", "attempt.contradicted", "callback.dead", "review.more", "review.rejected", "approval.alone":
		return "bad"
	}
	return ""
}

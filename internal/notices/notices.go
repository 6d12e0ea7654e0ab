// Package notices owns who is told what of a tenant's connections and of its business, in which language and how often.
//
// Everything is derived from events: Tell turns one into notices for the members, and into letters for those who want
// mail of its kind. Being told twice is being told once, because the database has unique keys for both. What a letter
// says is found when it is sent, and so is whether it is still true: a connection that works again needs nobody.
//
// Composing and sending belong to mail, rows to models, when something runs to jobs, the page to handlers.
package notices

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/i18n"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

// The kinds of events that members are told of.
const (
	NeedsYou       = "connection.needs_you"
	Recovered      = "connection.recovered"
	Expiring       = "connection.expiring"
	Changed        = "connection.changed"
	Revealed       = "connection.revealed" // by the staff
	ReviewStarted  = "review.started"
	ReviewApproved = "review.approved"
	ReviewMore     = "review.more"
	ReviewRejected = "review.rejected"
	ReviewReopened = "review.reopened"
	LinkAsked      = "team.link_asked"
)

// Topic is what a person chooses mail of: one kind, or several that nobody would want apart.
type Topic struct {
	Name  string
	Kinds []string
}

// Topics lists them in the order in which a person chooses. What the staff see of their business is none: owners are told
// of that whatever they choose.
func Topics() []Topic {
	return []Topic{
		{"needs_you", []string{NeedsYou}}, {"recovered", []string{Recovered}}, {"expiring", []string{Expiring}}, {"changed", []string{Changed}},
		{"review", []string{ReviewStarted, ReviewApproved, ReviewMore, ReviewRejected, ReviewReopened}},
		{"link_asked", []string{LinkAsked}},
	}
}

// Kinds lists all kinds that somebody is told of.
func Kinds() []string {
	kinds := []string{Revealed}
	for _, topic := range Topics() {
		kinds = append(kinds, topic.Kinds...)
	}
	return kinds
}

// Quiet is how long after a letter about a connection the next one of its kind waits.
const Quiet = 24 * time.Hour

// WantsMail says whether a member of that role gets mail before they have chosen: those who can do something about it.
func WantsMail(role models.Role) bool { return role.MayOperate() }

// Queue words the job that sends a letter. It ends in Send.
type Queue interface {
	NoticeJob(tenant, user, letter uuid.UUID) models.Statement
}

// Letters composes a mail in a language.
type Letters interface {
	Compose(n mail.Note) (mail.Letter, error)
}

// Deps are the service's needs.
type Deps struct {
	Queue          Queue
	Letters        Letters
	Words          *i18n.Bundle
	Describe       Describe
	Sender         mail.Sender // nil unless MailConfigured
	MailConfigured bool        // false: letters are logged as not sent
	PublicURL      string
	Log            *slog.Logger
}

// Service tells people. It is safe for concurrent use on any number of replicas.
type Service struct{ Deps }

// New makes the service.
func New(d Deps) *Service { return &Service{d} }

// Tell implements jobs.Teller.
func (s *Service) Tell(ctx context.Context, st *models.TenantStore, event uuid.UUID) error {
	e, members, err := st.Listeners(ctx, event)
	if errs.CodeOf(err) == errs.NotFound {
		return nil // what it told of was erased
	}
	if err != nil {
		return err
	}
	spacing, key, tell := rule(e)
	if !tell {
		return nil
	}
	told := make([]models.Notice, 0, len(members))
	for _, m := range audience(e, members) {
		told = append(told, models.Notice{User: m.UserID, Mail: wants(e.Kind, m.Role, m.Wants), Spacing: spacing, Key: key, Quiet: Quiet})
	}
	return st.Notify(ctx, e, told, func(user, letter uuid.UUID) models.Statement {
		return s.Queue.NoticeJob(st.Tenant(), user, letter)
	})
}

// rule says what there is one letter of.
func rule(e models.Event) (spacing models.Spacing, key string, tell bool) {
	switch e.Kind {
	case NeedsYou:
		return models.Spaced, "", true
	case Changed: // balances and the like change all the time, and nobody wants to be told
		b := oauth.Block(text(e, "block"))
		return models.Spaced, "", b == oauth.BlockMerchant || b == oauth.BlockCompany
	case Recovered:
		return models.Answers, NeedsYou, true
	case Revealed: // what colleagues look at stands in the history
		return models.PerKey, e.ID.String(), e.ActorKind == models.Staff
	case ReviewStarted, ReviewApproved, ReviewMore, ReviewRejected, ReviewReopened, LinkAsked:
		return models.PerKey, e.ID.String(), true
	case Expiring: // each of its deadlines, of this access
		return models.PerKey, e.ConnectionID.String() + ":" + text(e, "at") + ":" + text(e, "days"), true
	}
	return "", "", false
}

// audience picks the members who are told: all, but where an event is somebody's own affair.
func audience(e models.Event, members []models.Listener) []models.Listener {
	owner := func(m models.Listener) bool { return m.Role == models.Owner }
	sender := func(m models.Listener) bool { return m.UserID.String() == text(e, "sender") }
	switch {
	case e.Kind == Revealed:
		return only(members, owner)
	case e.Kind == LinkAsked && slices.ContainsFunc(members, sender):
		return only(members, sender)
	case e.Kind == LinkAsked: // its sender has left
		return only(members, owner)
	}
	return members
}

func only(members []models.Listener, which func(models.Listener) bool) []models.Listener {
	return slices.DeleteFunc(slices.Clone(members), func(m models.Listener) bool { return !which(m) })
}

// wants says whether a member gets mail of a kind. What the staff saw of a business its owners cannot refuse to know.
func wants(kind string, role models.Role, chosen *bool) bool {
	switch {
	case kind == Revealed:
		return role == models.Owner
	case chosen != nil:
		return *chosen
	}
	return WantsMail(role)
}

// Send sends a letter; its job calls it. A letter that has ended, or is not true any more, is done. An error asks for
// another try, unless it is mail.ErrRefused. end is how the letter ended.
func (s *Service) Send(ctx context.Context, st *models.TenantStore, user, letter uuid.UUID) (end string, err error) {
	l, err := st.NoticeLetter(ctx, user, letter, NeedsYou)
	if errs.CodeOf(err) == errs.NotFound {
		return models.LetterMoot, nil // the member has left
	}
	if err != nil || l.Status != models.LetterWaiting {
		return l.Status, err
	}
	end = models.LetterMoot
	if !moot(l) {
		if end, err = s.post(ctx, s.note(l)); end == "" {
			return "", err
		}
	}
	return end, errors.Join(err, st.FinishLetter(ctx, user, letter, end))
}

// moot says whether a letter has lost its point since it was decided.
func moot(l models.NoticeLetter) bool {
	switch {
	case !wants(l.Kind, l.Role, l.Wants):
		return true
	case l.Kind == Revealed: // it happened, whatever has become of the connection
		return false
	case l.State == models.Disconnected:
		return true
	case reviewAfter(l.Kind) != "": // the next step has a letter of its own
		return l.Review != reviewAfter(l.Kind)
	case l.Kind == NeedsYou:
		return l.State != models.NeedsYou
	case l.Kind == Recovered:
		return l.State == models.NeedsYou || !l.Answered
	}
	return false
}

// reviewAfter is the state that a step of a review leaves behind; "" for what is no such step.
func reviewAfter(kind string) models.ReviewState {
	switch kind {
	case ReviewStarted, ReviewReopened:
		return models.ReviewOpen
	case ReviewApproved:
		return models.ReviewApproved
	case ReviewMore:
		return models.ReviewNeedsMore
	case ReviewRejected:
		return models.ReviewRejected
	}
	return ""
}

// post hands a letter over, if mail is configured. No end: it is to be tried again.
func (s *Service) post(ctx context.Context, n mail.Note) (end string, err error) {
	if !s.MailConfigured {
		s.Log.WarnContext(ctx, "mail not sent: SMTP_URL is not set", "kind", string(n.Kind), "to", mail.MaskAddress(n.To))
		return models.LetterNotSent, nil
	}
	letter, err := s.Letters.Compose(n)
	if err != nil {
		return "", err
	}
	switch err = s.Sender.Send(ctx, letter); {
	case errors.Is(err, mail.ErrRefused):
		return models.LetterRefused, err
	case err != nil:
		return "", err
	}
	return models.LetterSent, nil
}

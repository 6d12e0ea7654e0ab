package accounts

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// InviteLife is how long a plain invitation can be accepted.
const InviteLife = 7 * 24 * time.Hour

// StepLives are what the sender of a step may choose from.
func StepLives() []time.Duration { return []time.Duration{time.Hour, 24 * time.Hour, InviteLife} }

// InviteRequest is the form that asks somebody to join, or, with a provider, to do one step.
type InviteRequest struct {
	Email    string
	Role     models.Role // of somebody who joins
	Provider string
	Language string
	Life     time.Duration
}

// Invite asks somebody into the tenant, or to connect an account at a provider. With mail the link goes to the address and
// nowhere else, and the answer is empty. Without mail it is given once, to be passed on; only the person who has the
// address, or gives it as theirs, can use it.
//
// The answer does not tell whether the address has an account, or is the staff's: what does, is said to whoever opens the
// link.
func (s *Service) Invite(ctx context.Context, st *models.TenantStore, who Session, r InviteRequest) (secret.String, error) {
	email, err := Canonical(r.Email)
	if err == nil && email == who.Email {
		err = errs.New(errs.Invalid, "team.invite_self").On("email")
	}
	if err := collect(append(checkInvite(r), err)...); err != nil {
		return secret.String{}, err
	}
	if err := s.allowInvite(ctx, who, email); err != nil {
		return secret.String{}, err
	}
	issue, token := s.newIssue(ctx)
	return token, st.Invite(ctx, models.NewInvitation{Email: email, Role: r.Role, Provider: r.Provider, Language: r.Language, Life: r.Life}, issue)
}

func checkInvite(r InviteRequest) (wrong []error) {
	if !slices.Contains([]models.Role{models.Owner, models.Operator, models.Viewer}, r.Role) {
		wrong = append(wrong, errs.New(errs.Invalid, "team.role_unknown").On("role"))
	}
	if r.Language == "" || !slices.Contains(languages(), r.Language) {
		wrong = append(wrong, errs.New(errs.Invalid, "account.language_unknown").On("language"))
	}
	if !slices.Contains(StepLives(), r.Life) {
		wrong = append(wrong, errs.New(errs.Invalid, "team.life_unknown").On("life"))
	}
	return wrong
}

// allowInvite counts one letter for the tenant that sends it and the mailbox that gets it. Unlike a form that anybody can
// fill in, this one may say that a mailbox has had its share: it does not tell whether there is an account.
func (s *Service) allowInvite(ctx context.Context, who Session, email string) error {
	return s.allow(ctx,
		check{s.Limits.MailAddress, "mail of tenant", []string{who.TenantID.String()}},
		check{s.Limits.MailAddressee, "mail to", []string{email}},
	)
}

// newIssue makes a link: with mail one whose token is minted when the mail is sent, without mail one whose token is given.
func (s *Service) newIssue(ctx context.Context) (models.Issue, secret.String) {
	issue := models.Issue{LinkID: uuid.Must(uuid.NewV7())}
	if s.MailConfigured {
		issue.Then = func(tx *models.Tx) error { return s.Queue.EnqueueMail(ctx, tx, issue.LinkID) }
		return issue, secret.String{}
	}
	token, hash := newToken()
	issue.TokenHash = hash
	return issue, token
}

// InviteAgain gives an invitation that nobody has accepted a new link and its whole life; the link before is dead at once.
// The answer is Invite's. NotFound if there is none that the person may send.
func (s *Service) InviteAgain(ctx context.Context, st *models.TenantStore, who Session, id uuid.UUID) (secret.String, error) {
	invitation, err := st.Invitation(ctx, id)
	if err != nil {
		return secret.String{}, err
	}
	if err := s.allowInvite(ctx, who, invitation.Email); err != nil {
		return secret.String{}, err
	}
	issue, token := s.newIssue(ctx)
	return token, st.SendInvitationAgain(ctx, id, issue)
}

// InvitationURL is where an invitation's link leads.
func (s *Service) InvitationURL(token secret.String) secret.String {
	return secret.New(s.PublicURL + "/invitations/" + token.Reveal())
}

// inviteNote words the mail of an invitation. It names who asks by an address that was proved by mail, and not the business,
// whose name anybody may have typed. NotFound if the invitation can no longer be accepted.
func (s *Service) inviteNote(ctx context.Context, link models.Link) (mail.Note, error) {
	o, err := s.Store.InvitationOfLink(ctx, link)
	if err != nil {
		return mail.Note{}, err
	}
	token, hash := newToken()
	if _, err := s.Store.MintLink(ctx, link.ID, hash); err != nil {
		return mail.Note{}, err
	}
	note := mail.Note{
		Kind: mail.Invite, To: link.Email, Language: link.Language, From: o.Inviter, URL: s.InvitationURL(token).Reveal(), Life: o.Life,
	}
	if o.Provider != "" {
		note.Kind = mail.Step
	}
	return note, nil
}

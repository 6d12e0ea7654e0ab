package accounts

import (
	"context"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// Invitation is what the link of an invitation shows, in whatever state the invitation is. NotFound if the link is dead.
func (s *Service) Invitation(ctx context.Context, token secret.String) (models.OpenInvitation, error) {
	return s.Store.OpenInvitation(ctx, hashToken(token))
}

// Accept uses an invitation for a signed-in person, once, and takes their session to the tenant under the token that is
// given. NotFound if the invitation is dead or bears another address.
func (s *Service) Accept(ctx context.Context, who Session, token secret.String) (fresh secret.String, provider string, err error) {
	fresh, hash := newToken()
	provider, err = s.Store.AcceptInvitation(ctx, models.Acceptance{
		TokenHash: hashToken(token), Person: who.UserID, Session: who.ID, NewToken: hash,
	})
	return fresh, provider, err
}

// JoinRequest is the form of somebody who is invited and has no account yet.
type JoinRequest struct {
	Token    secret.String // of the link
	Password secret.String
	Language string
	Browser  Browser
	Before   secret.String
}

// Join makes the account that an invitation asks for, once, and signs in. NotFound if the invitation is dead, Conflict if
// the address has an account: its person signs in and accepts.
func (s *Service) Join(ctx context.Context, r JoinRequest) (in SignedIn, provider string, err error) {
	o, err := s.Invitation(ctx, r.Token) // a dead link costs no hash
	switch {
	case err != nil:
		return SignedIn{}, "", err
	case o.State != models.InvitationSent:
		return SignedIn{}, "", models.NotFound()
	case o.Known:
		return SignedIn{}, "", errs.New(errs.Conflict, "team.sign_in_first")
	}
	if err := s.allow(ctx, check{s.Limits.SignUpAddress, "sign-up address", []string{network(r.Browser.Address)}}); err != nil {
		return SignedIn{}, "", err
	}
	if err := checkNewPassword(r.Password, "password", o.Email, ""); err != nil {
		return SignedIn{}, "", err
	}
	hash, err := s.hasher.Create(ctx, r.Password)
	if err != nil {
		return SignedIn{}, "", err
	}
	person := models.SignInPerson{ID: uuid.Must(uuid.NewV7()), Kind: models.MerchantKind}
	provider, err = s.Store.JoinAsNew(ctx, models.NewColleague{
		TokenHash: hashToken(r.Token), UserID: person.ID, PasswordHash: hash, Language: r.Language,
	})
	if isConflict(err) {
		return SignedIn{}, "", errs.Wrap(errs.Conflict, "team.sign_in_first", err)
	}
	if err != nil {
		return SignedIn{}, "", err
	}
	in, err = s.startSession(ctx, person, r.Browser, r.Before)
	return in, provider, err
}

// AskForLink tells the sender of an expired link that its addressee would like a new one.
func (s *Service) AskForLink(ctx context.Context, token secret.String) error {
	return s.Store.AskForLink(ctx, hashToken(token))
}

// BeginView lets one of the staff look at a tenant's pages, in their session and under the token that is given: what they may see
// has changed. Conflict if they may not.
func (s *Service) BeginView(ctx context.Context, st *models.PlatformStore, v models.NewView) (secret.String, error) {
	token, hash := newToken()
	v.TokenHash = hash
	return token, st.BeginView(ctx, v)
}

// Switch takes a person's session to another of their tenants, under the token that is given. NotFound if they do not work
// there.
func (s *Service) Switch(ctx context.Context, who Session, tenant uuid.UUID) (secret.String, error) {
	token, hash := newToken()
	return token, s.Store.SwitchTenant(ctx, who.UserID, who.ID, tenant, hash)
}

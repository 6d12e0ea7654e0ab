package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/secret"
)

// ask makes a challenge for one of a person's own passkeys.
func (s *Service) ask(h holder) (options string, session *webauthn.SessionData, err error) {
	if s.passkeys == nil || len(h.WebAuthnCredentials()) == 0 {
		return "", nil, errNoPasskeys
	}
	asked, session, err := s.passkeys.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationPreferred))
	if err != nil {
		return "", nil, fmt.Errorf("accounts: asking for a passkey: %w", err)
	}
	options, err = optionsText(asked)
	return options, session, err
}

// answered checks the answer of one of a person's own passkeys.
func (s *Service) answered(ctx context.Context, h holder, m middle, answer []byte) error {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return refused(err)
	}
	if m.Challenge == nil {
		return refused(errors.New("nothing was asked"))
	}
	credential, err := s.passkeys.ValidateLogin(h, *m.Challenge, parsed)
	return s.usePasskey(ctx, h, credential, err)
}

// BeginSecondPasskey asks the holder of a sign-in ticket for one of their passkeys.
func (s *Service) BeginSecondPasskey(ctx context.Context, ticket secret.String) (c Ceremony, err error) {
	t, err := s.Store.Ticket(ctx, models.SignInTicket, hashToken(ticket))
	if err != nil {
		return c, gone(err)
	}
	h, err := s.holder(ctx, *t.Person, "")
	if err != nil {
		return c, err
	}
	options, session, err := s.ask(h)
	if err != nil {
		return c, err
	}
	data := middle{Staff: kindOf(t) == models.StaffKind, Challenge: session}.text()
	return Ceremony{Options: options}, gone(s.Store.KeepTicketData(ctx, models.SignInTicket, hashToken(ticket), data))
}

// SignInBySecondPasskey begins the session that a right password was not enough for.
func (s *Service) SignInBySecondPasskey(ctx context.Context, ticket secret.String, answer []byte, b Browser, before secret.String) (SignedIn, error) {
	t, err := s.Store.TryTicket(ctx, models.SignInTicket, hashToken(ticket))
	if err != nil {
		return SignedIn{}, gone(err)
	}
	m, err := readMiddle(t)
	if err != nil {
		return SignedIn{}, err
	}
	h, err := s.holder(ctx, *t.Person, "")
	if err != nil {
		return SignedIn{}, err
	}
	if err := s.answered(ctx, h, m, answer); err != nil {
		return SignedIn{}, err
	}
	return s.endTicket(ctx, ticket, b, before)
}

// BeginPasskeyProof asks a signed-in person for one of their passkeys.
func (s *Service) BeginPasskeyProof(ctx context.Context, who Session) (c Ceremony, err error) {
	h, err := s.holder(ctx, who.UserID, who.Email)
	if err != nil {
		return c, err
	}
	options, session, err := s.ask(h)
	if err != nil {
		return c, err
	}
	c.Options = options
	c.Ticket, err = s.issueFor(ctx, who, models.PasskeyProveTicket, middle{Challenge: session}.text(), nil)
	return c, err
}

// ProveByPasskey is Prove with a passkey.
func (s *Service) ProveByPasskey(ctx context.Context, who Session, ticket secret.String, answer []byte) (secret.String, error) {
	t, m, err := s.takeCeremony(ctx, models.PasskeyProveTicket, ticket)
	if err == nil {
		err = ours(t, who)
	}
	if err != nil {
		return secret.String{}, err
	}
	h, err := s.holder(ctx, who.UserID, who.Email)
	if err != nil {
		return secret.String{}, err
	}
	if err := s.answered(ctx, h, m, answer); err != nil {
		return secret.String{}, err
	}
	return s.proved(ctx, who)
}

// BeginPasskeyAdd asks for a new passkey of the person's.
func (s *Service) BeginPasskeyAdd(ctx context.Context, who Session) (c Ceremony, err error) {
	if s.passkeys == nil {
		return c, errNoPasskeys
	}
	h, err := s.holder(ctx, who.UserID, who.Email)
	if err != nil {
		return c, err
	}
	var known []protocol.CredentialDescriptor
	for _, one := range h.WebAuthnCredentials() {
		known = append(known, one.Descriptor())
	}
	options, session, err := s.passkeys.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return c, fmt.Errorf("accounts: asking for a new passkey: %w", err)
	}
	if c.Options, err = optionsText(options); err != nil {
		return c, err
	}
	c.Ticket, err = s.issueFor(ctx, who, models.PasskeyAddTicket, middle{Challenge: session}.text(), nil)
	return c, err
}

// AddPasskey adds the passkey that was made. A first factor brings recovery codes, which are given here and never again.
func (s *Service) AddPasskey(ctx context.Context, who Session, ticket secret.String, answer []byte, label string) ([]secret.String, error) {
	t, err := s.Store.Ticket(ctx, models.PasskeyAddTicket, hashToken(ticket))
	if err != nil {
		return nil, gone(err)
	}
	if err := ours(t, who); err != nil {
		return nil, err
	}
	m, err := readMiddle(t)
	if err != nil {
		return nil, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, refused(err)
	}
	if s.passkeys == nil {
		return nil, errNoPasskeys
	}
	credential, err := s.passkeys.CreateCredential(holder{id: who.UserID, email: who.Email}, *m.Challenge, parsed)
	if err != nil {
		return nil, refused(err)
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("accounts: writing a passkey: %w", err)
	}
	return s.addFactor(ctx, who, models.NewFactor{
		Person: who.UserID, Session: who.ID, Ticket: hashToken(ticket), Factor: models.Factor{
			ID: uuid.Must(uuid.NewV7()), Kind: models.Passkey, Handle: credential.ID, Credential: text,
			Label: labelOr(label, "Passkey"),
		},
	})
}

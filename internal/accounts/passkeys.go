package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// newPasskeys prepares for our own address, the only one whose passkeys count. Browsers refuse passkeys at a bare number, so
// there are none then.
func newPasskeys(publicURL string) *webauthn.WebAuthn {
	u, err := url.Parse(publicURL)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return nil
	}
	w, err := webauthn.New(&webauthn.Config{
		RPID: u.Hostname(), RPDisplayName: issuer, RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference:  protocol.PreferNoAttestation, // which model somebody uses is none of our business
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired},
	})
	if err != nil {
		return nil
	}
	return w
}

// Passkeys says whether passkeys can be used at our address.
func (s *Service) Passkeys() bool { return s.passkeys != nil }

// Ceremony is what the browser asks an authenticator with. Ticket is empty where one is in the browser already.
type Ceremony struct {
	Ticket  secret.String
	Options string // JSON for navigator.credentials
}

// holder is a person as the library wants to see one.
type holder struct {
	id      uuid.UUID
	email   string
	factors []models.Factor
}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return h.id[:] }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.email }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.email }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	var all []webauthn.Credential
	for _, f := range h.factors {
		var one webauthn.Credential
		if f.Kind == models.Passkey && json.Unmarshal(f.Credential, &one) == nil {
			all = append(all, one)
		}
	}
	return all
}

// named finds the factor of a credential id.
func (h holder) named(handle []byte) (models.Factor, bool) {
	for _, f := range h.factors {
		if f.Kind == models.Passkey && string(f.Handle) == string(handle) {
			return f, true
		}
	}
	return models.Factor{}, false
}

func (s *Service) holder(ctx context.Context, person uuid.UUID, email string) (holder, error) {
	factors, err := s.Store.Factors(ctx, person)
	return holder{id: person, email: email, factors: factors.All}, err
}

// middle is what a ticket keeps between two requests.
type middle struct {
	Staff     bool                  `json:"staff,omitempty"`
	Challenge *webauthn.SessionData `json:"challenge,omitempty"`
}

func (m middle) text() json.RawMessage {
	text, err := json.Marshal(m)
	if err != nil {
		return json.RawMessage(`{}`) // a struct of plain values always has a text
	}
	return text
}

func readMiddle(t models.Ticket) (m middle, err error) {
	if err = json.Unmarshal(t.Data, &m); err == nil && m.Challenge == nil && t.Purpose != models.SignInTicket {
		err = errors.New("a ticket without a challenge")
	}
	if err != nil {
		return m, fmt.Errorf("accounts: reading a ticket: %w", err)
	}
	return m, nil
}

// kindOf says whom a sign-in ticket was made for.
func kindOf(t models.Ticket) models.Kind {
	if m, err := readMiddle(t); err == nil && m.Staff {
		return models.StaffKind
	}
	return models.MerchantKind
}

// refused hides from the person what only an operator can understand.
func refused(err error) error { return errs.Wrap(errs.Invalid, "factor.passkey_refused", err) }

var errNoPasskeys = errs.New(errs.Invalid, "factor.passkey_unavailable")

func optionsText(options any) (string, error) {
	text, err := json.Marshal(options)
	if err != nil {
		return "", fmt.Errorf("accounts: writing a passkey's options: %w", err)
	}
	return string(text), nil
}

// BeginPasskeySignIn asks for any passkey of ours, before anybody is known. The authenticator checks its person, so that it
// stands for both factors.
func (s *Service) BeginPasskeySignIn(ctx context.Context, from Browser) (c Ceremony, err error) {
	if s.passkeys == nil {
		return c, errNoPasskeys
	}
	if err := s.allow(ctx, check{s.Limits.SignInAddress, "sign-in address", []string{network(from.Address)}}); err != nil {
		return c, err
	}
	options, session, err := s.passkeys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return c, fmt.Errorf("accounts: asking for a passkey: %w", err)
	}
	if c.Options, err = optionsText(options); err != nil {
		return c, err
	}
	c.Ticket, err = s.issue(ctx, models.Ticket{Purpose: models.PasskeySignInTicket, Data: middle{Challenge: session}.text()})
	return c, err
}

// SignInByPasskey begins the session of whoever's passkey answered.
func (s *Service) SignInByPasskey(ctx context.Context, ticket secret.String, answer []byte, b Browser, before secret.String) (SignedIn, error) {
	t, m, err := s.takeCeremony(ctx, models.PasskeySignInTicket, ticket)
	if err != nil || t.Person != nil {
		return SignedIn{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return SignedIn{}, refused(err)
	}
	person, err := s.Store.PersonByPasskey(ctx, parsed.RawID)
	if errs.CodeOf(err) == errs.NotFound {
		return SignedIn{}, errs.New(errs.Invalid, "factor.passkey_unknown")
	}
	if err != nil {
		return SignedIn{}, err
	}
	h, err := s.holder(ctx, person.ID, "")
	if err != nil {
		return SignedIn{}, err
	}
	_, credential, err := s.passkeys.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
		if string(handle) != string(h.WebAuthnID()) {
			return nil, errors.New("the passkey names another person")
		}
		return h, nil
	}, *m.Challenge, parsed)
	if err := s.usePasskey(ctx, h, credential, err); err != nil {
		return SignedIn{}, err
	}
	return s.startSession(ctx, person, b, before)
}

// takeCeremony takes the ticket of a passkey's challenge: one challenge, one answer.
func (s *Service) takeCeremony(ctx context.Context, purpose models.TicketPurpose, ticket secret.String) (t models.Ticket, m middle, err error) {
	if s.passkeys == nil {
		return t, m, errNoPasskeys
	}
	if t, err = s.Store.TakeTicket(ctx, purpose, hashToken(ticket)); err != nil {
		return t, m, gone(err)
	}
	m, err = readMiddle(t)
	return t, m, err
}

// usePasskey keeps what the passkey has become by answering. One whose counter says that it was copied is refused.
func (s *Service) usePasskey(ctx context.Context, h holder, credential *webauthn.Credential, err error) error {
	if err != nil {
		return refused(err)
	}
	if credential.Authenticator.CloneWarning {
		return refused(errors.New("its counter went back: it may have been copied"))
	}
	f, known := h.named(credential.ID)
	text, err := json.Marshal(credential)
	if !known || err != nil {
		return refused(errors.Join(err, errors.New("the answer names a passkey that is not there")))
	}
	taken, err := s.Store.UsePasskey(ctx, h.id, f.ID, text)
	if err == nil && !taken {
		return refused(errors.New("it was removed meanwhile"))
	}
	return err
}

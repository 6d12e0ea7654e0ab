package accounts

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// Factors gives what a person can prove themselves with besides the password.
func (s *Service) Factors(ctx context.Context, who Session) (models.Factors, error) {
	return s.Store.Factors(ctx, who.UserID)
}

// RemoveFactor removes one of the person's factors. NotFound if it is not theirs.
func (s *Service) RemoveFactor(ctx context.Context, who Session, id uuid.UUID) error {
	return s.Store.RemoveFactor(ctx, who.UserID, id)
}

// allowCode bounds how often codes of one person are tried, wherever that happens.
func (s *Service) allowCode(ctx context.Context, person uuid.UUID) error {
	return s.allow(ctx, check{s.Limits.Code, "code", []string{person.String()}})
}

// tryCode takes a code of an authenticator app, or a recovery code. Each is taken once. Invalid if it is neither.
func (s *Service) tryCode(ctx context.Context, person uuid.UUID, code string) error {
	if err := s.allowCode(ctx, person); err != nil {
		return err
	}
	factors, err := s.Store.Factors(ctx, person)
	if err != nil {
		return err
	}
	for _, f := range factors.All {
		if f.Kind != models.TOTP {
			continue
		}
		raw, err := s.Vault.Open(factors.Key, totpPlace(person), f.Secret)
		if err != nil {
			return err
		}
		if step, right := checkTOTP(raw, code, f.LastStep, s.Now()); right {
			taken, err := s.Store.UseTOTP(ctx, person, f.ID, step)
			if taken || err != nil {
				return err
			}
		}
	}
	hash, err := s.recoveryHash(person, code)
	if err != nil {
		return err
	}
	taken, err := s.Store.UseRecovery(ctx, person, hash)
	if err == nil && !taken {
		return errs.New(errs.Invalid, "factor.code_wrong").On("code")
	}
	return err
}

// SecondProof is what signing in asks for after a right password.
type SecondProof struct {
	Apps, Passkeys bool
	RecoveryLeft   int
}

// AskSecond says what the holder of a sign-in ticket can prove themselves with. Conflict if the ticket is gone.
func (s *Service) AskSecond(ctx context.Context, ticket secret.String) (SecondProof, error) {
	t, err := s.Store.Ticket(ctx, models.SignInTicket, hashToken(ticket))
	if err != nil {
		return SecondProof{}, gone(err)
	}
	return s.provable(ctx, *t.Person)
}

func (s *Service) provable(ctx context.Context, person uuid.UUID) (p SecondProof, err error) {
	factors, err := s.Store.Factors(ctx, person)
	p.RecoveryLeft = factors.RecoveryLeft
	for _, f := range factors.All {
		p.Apps = p.Apps || f.Kind == models.TOTP
		p.Passkeys = p.Passkeys || f.Kind == models.Passkey && s.passkeys != nil
	}
	return p, err
}

// SignInByCode begins the session that a right password was not enough for. Conflict if the ticket is gone, or has had its
// tries.
func (s *Service) SignInByCode(ctx context.Context, ticket secret.String, code string, b Browser, before secret.String) (SignedIn, error) {
	t, err := s.Store.TryTicket(ctx, models.SignInTicket, hashToken(ticket))
	if err != nil {
		return SignedIn{}, gone(err)
	}
	if err := s.tryCode(ctx, *t.Person, code); err != nil {
		return SignedIn{}, err
	}
	return s.endTicket(ctx, ticket, b, before)
}

// endTicket takes the sign-in ticket, once, and begins the session.
func (s *Service) endTicket(ctx context.Context, ticket secret.String, b Browser, before secret.String) (SignedIn, error) {
	t, err := s.Store.TakeTicket(ctx, models.SignInTicket, hashToken(ticket))
	if err != nil {
		return SignedIn{}, gone(err)
	}
	return s.startSession(ctx, models.SignInPerson{ID: *t.Person, Kind: kindOf(t)}, b, before)
}

// Proof is what a signed-in person proves themselves with once more.
type Proof struct {
	Password secret.String
	Code     string
	Browser  Browser
}

// AskProof says what a signed-in person is asked for: a second factor if they have one, else the password.
func (s *Service) AskProof(ctx context.Context, who Session) (SecondProof, error) {
	if who.Factors == 0 {
		return SecondProof{}, nil
	}
	return s.provable(ctx, who.UserID)
}

// Prove notes that the person has proved anew who they are, and gives the session a new token, which must go into the cookie.
func (s *Service) Prove(ctx context.Context, who Session, p Proof) (secret.String, error) {
	if who.Factors > 0 {
		if err := s.tryCode(ctx, who.UserID, p.Code); err != nil {
			return secret.String{}, err
		}
		return s.proved(ctx, who)
	}
	if err := required(p.Password, "password"); err != nil {
		return secret.String{}, err
	}
	from := network(p.Browser.Address)
	if err := s.allow(ctx, check{s.Limits.SignInAccount, "sign-in account", []string{who.Email, from}}); err != nil {
		return secret.String{}, err
	}
	hash, err := s.Store.PasswordHash(ctx, who.UserID)
	if err != nil {
		return secret.String{}, err
	}
	same, err := s.hasher.Compare(ctx, p.Password, hash)
	if err != nil {
		return secret.String{}, err
	}
	if !same {
		return secret.String{}, errs.New(errs.Invalid, "account.current_wrong").On("password")
	}
	return s.proved(ctx, who)
}

func (s *Service) proved(ctx context.Context, who Session) (secret.String, error) {
	token, hash := newToken()
	return token, s.Store.ProveSession(ctx, who.UserID, who.ID, hash)
}

// labelOr shortens what a person calls a factor.
func labelOr(label, otherwise string) string {
	label = strings.TrimSpace(shorten(label, 60))
	if label == "" {
		return otherwise
	}
	return label
}

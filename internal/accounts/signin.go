package accounts

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// SignInRequest is the sign-in form and where it came from.
type SignInRequest struct {
	Email    string
	Password secret.String
	Browser  Browser
	Before   secret.String // the token the browser held until now, if any; it ends
}

// SignIn begins a session, or gives a ticket if the person has a second factor. Whether the address is unknown or the password is wrong, the answer and the work for it are
// the same: one look, one hash. TooMany and Unavailable do not depend on the account's existence either.
func (s *Service) SignIn(ctx context.Context, r SignInRequest) (SignedIn, error) {
	email, err := Canonical(r.Email)
	if err := collect(err, required(r.Password, "password")); err != nil {
		return SignedIn{}, err
	}
	if tooLong(r.Password) {
		return SignedIn{}, wrongCredentials()
	}
	from := network(r.Browser.Address)
	if err := s.allow(ctx,
		check{s.Limits.SignInAccount, "sign-in account", []string{email, from}},
		check{s.Limits.SignInAddress, "sign-in address", []string{from}},
		check{s.Limits.SignInAll, "sign-in", nil},
	); err != nil {
		return SignedIn{}, err
	}
	person, err := s.person(ctx, email)
	if err != nil {
		return SignedIn{}, err
	}
	same, err := s.hasher.Compare(ctx, r.Password, person.PasswordHash)
	if err != nil {
		return SignedIn{}, err
	}
	if !same {
		return SignedIn{}, wrongCredentials()
	}
	if person.Factors > 0 {
		staff := person.Kind == models.StaffKind
		ticket, err := s.issue(ctx, models.Ticket{Purpose: models.SignInTicket, Person: &person.ID, Data: middle{Staff: staff}.text()})
		return SignedIn{Ticket: ticket, Staff: staff}, err
	}
	return s.startSession(ctx, person, r.Browser, r.Before)
}

// person finds whose address it is. Nobody's gives a person without a hash, which nothing compares equal with.
func (s *Service) person(ctx context.Context, email string) (models.SignInPerson, error) {
	person, err := s.Store.PersonForSignIn(ctx, email)
	if errs.CodeOf(err) == errs.NotFound {
		return models.SignInPerson{}, nil
	}
	return person, err
}

func (s *Service) startSession(ctx context.Context, p models.SignInPerson, b Browser, before secret.String) (SignedIn, error) {
	token, hash := newToken()
	expires, err := s.Store.StartSession(ctx, models.NewSession{
		ID: uuid.Must(uuid.NewV7()), TokenHash: hash, UserID: p.ID,
		UserAgent: shorten(b.UserAgent, 300), Address: shorten(b.Address, 64),
		Life: s.Absolute, Replaces: hashToken(before),
	})
	if err != nil {
		return SignedIn{}, err
	}
	return SignedIn{Token: token, ExpiresAt: expires, Staff: p.Kind == models.StaffKind}, nil
}

// Open gives the session of a token, in one round trip. Unauthenticated if there is none: never begun, ended, idle for
// too long or past its end.
func (s *Service) Open(ctx context.Context, token secret.String) (Session, error) {
	none := errs.New(errs.Unauthenticated, "account.sign_in_first")
	if len(token.Reveal()) != 43 { // 256 bits in base64url; anything else cannot be ours
		return Session{}, none
	}
	session, err := s.Store.OpenSession(ctx, hashToken(token), s.Idle)
	if errs.CodeOf(err) == errs.NotFound {
		return Session{}, none
	}
	return session, err
}

// SignOut ends the session of a token on every replica at once. A token that opens nothing is fine.
func (s *Service) SignOut(ctx context.Context, token secret.String) error {
	if token.IsEmpty() {
		return nil
	}
	return s.Store.EndSessionByToken(ctx, hashToken(token))
}

func wrongCredentials() error { return errs.New(errs.Invalid, "account.wrong_credentials") }

func required(value secret.String, field string) error {
	if value.IsEmpty() {
		return errs.New(errs.Invalid, "account.password_required").On(field)
	}
	return nil
}

// isConflict tells a lost race or a second account from other failures.
func isConflict(err error) bool {
	e, ok := errors.AsType[*errs.Error](err)
	return ok && e.Code == errs.Conflict
}

package accounts

import (
	"context"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// SignUpRequest is the sign-up form and where it came from.
type SignUpRequest struct {
	BusinessName string
	Email        string
	Password     secret.String
	Language     string // of the page, for the mail and the new account
	Browser      Browser
	Before       secret.String
}

// SignUp begins an account, in one of two ways.
//
// With mail, the answer is always the same (nil: "look into your mail") and takes the same work: the password is
// hashed, one link is stored, one mail is queued. What differs is the mail: a link that finishes the sign-up, or the
// news that the address has an account already.
//
// Without mail nothing proves the address, so the account begins at once and the browser is signed in: SignedIn is not
// nil. A known address must then be refused visibly: there is no other channel, and the difference between being signed
// in and not cannot be hidden. The work done first is the same (the hash comes before the look), and the limits keep
// anyone from trying lists; doctor warns about this mode.
func (s *Service) SignUp(ctx context.Context, r SignUpRequest) (*SignedIn, error) {
	business, badName := canonicalBusiness(r.BusinessName)
	email, badEmail := Canonical(r.Email)
	if err := collect(badName, badEmail, checkNewPassword(r.Password, "password", email, business)); err != nil {
		return nil, err
	}
	if err := s.allow(ctx,
		check{s.Limits.SignUpAddress, "sign-up address", []string{network(r.Browser.Address)}},
		check{s.Limits.SignUpAll, "sign-up", nil},
	); err != nil {
		return nil, err
	}
	hash, err := s.hasher.Create(ctx, r.Password)
	if err != nil {
		return nil, err
	}
	if s.MailConfigured {
		return nil, s.mailSignUp(ctx, email, business, hash, r.Language)
	}
	tenant, err := s.newTenant()
	if err != nil {
		return nil, err
	}
	tenant.Name, tenant.Email, tenant.PasswordHash, tenant.Language = business, email, hash, r.Language
	if err := s.Store.CreateTenantWithOwner(ctx, tenant); isConflict(err) {
		return nil, errs.Wrap(errs.Invalid, "account.email_taken", err).On("email")
	} else if err != nil {
		return nil, err
	}
	signedIn, err := s.startSession(ctx, models.SignInPerson{ID: tenant.UserID, Kind: models.MerchantKind}, r.Browser, r.Before)
	return &signedIn, err
}

// mailSignUp stores one link whether or not the address is known; only the known one's owner learns that it is.
func (s *Service) mailSignUp(ctx context.Context, email, business, hash, language string) error {
	person, err := s.person(ctx, email)
	if err != nil {
		return err
	}
	link := models.Link{Purpose: models.SignUpLink, Email: email, BusinessName: business, PasswordHash: hash, Language: language}
	if person.ID != uuid.Nil {
		link = models.Link{Purpose: models.KnownLink, Email: email, UserID: &person.ID, Language: orElse(person.Language, language)}
	}
	return s.queueLink(ctx, link, SignUpLife)
}

// SignUpPending tells what a sign-up link is about to finish, without using it: mail scanners follow links, so only a
// pressed button counts. NotFound if the link is dead.
func (s *Service) SignUpPending(ctx context.Context, token secret.String) (models.Link, error) {
	return s.Store.LinkByToken(ctx, models.SignUpLink, hashToken(token))
}

// CompleteSignUp makes the tenant and its owner that a link was mailed for, once. It signs nobody in: whoever holds the
// mailbox need not be the one who chose the password. Had a stranger typed this address, signing in here would lead its
// owner into an account that the stranger can open; asking for the password does not, and a reset takes the account
// over for good. NotFound if the link is dead, Conflict if the address has got an account meanwhile.
func (s *Service) CompleteSignUp(ctx context.Context, token secret.String) (models.Link, error) {
	tenant, err := s.newTenant()
	if err != nil {
		return models.Link{}, err
	}
	link, err := s.Store.CompleteSignUp(ctx, hashToken(token), tenant)
	if isConflict(err) {
		return link, errs.Wrap(errs.Conflict, "account.already_complete", err)
	}
	return link, err
}

// newTenant makes the ids of a tenant and its owner, and the data key that is bound to the tenant's.
func (s *Service) newTenant() (models.NewTenant, error) {
	tenant := uuid.Must(uuid.NewV7())
	var key vault.WrappedKey
	key, err := s.Vault.NewTenantKey(tenant)
	return models.NewTenant{TenantID: tenant, UserID: uuid.Must(uuid.NewV7()), Key: key}, err
}

func orElse(value, other string) string {
	if value != "" {
		return value
	}
	return other
}

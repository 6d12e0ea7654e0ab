package accounts

import (
	"context"
	"crypto/subtle"
	"encoding/base64"

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

// SignedUp is the answer to a sign-up: exactly one of its fields is set.
type SignedUp struct {
	Session *SignedIn     // without mail: the account stands and the browser is signed in
	Proof   secret.String // with mail: for a cookie of this browser, see CompleteSignUp
}

// SignUp begins an account, in one of two ways.
//
// With mail, the answer is always the same ("look into your mail") and takes the same work: the password is hashed, one
// link is stored, one mail is queued. What differs is the mail: a link that finishes the sign-up, or the news that the
// address has an account already.
//
// Without mail nothing proves the address, so the account begins at once and the browser is signed in. A known address
// must then be refused visibly: there is no other channel, and the difference between being signed in and not cannot be
// hidden. The work done first is the same (the hash comes before the look), and the limits keep anyone from trying
// lists; doctor warns about this mode.
func (s *Service) SignUp(ctx context.Context, r SignUpRequest) (SignedUp, error) {
	business, badName := canonicalBusiness(r.BusinessName)
	email, badEmail := Canonical(r.Email)
	if err := collect(badName, badEmail, checkNewPassword(r.Password, "password", email, business)); err != nil {
		return SignedUp{}, err
	}
	if err := s.allow(ctx,
		check{s.Limits.SignUpAddress, "sign-up address", []string{network(r.Browser.Address)}},
		check{s.Limits.SignUpAll, "sign-up", nil},
	); err != nil {
		return SignedUp{}, err
	}
	hash, err := s.hasher.Create(ctx, r.Password)
	if err != nil {
		return SignedUp{}, err
	}
	if s.MailConfigured {
		proof, err := s.mailSignUp(ctx, email, business, hash, r.Language)
		return SignedUp{Proof: proof}, err
	}
	tenant, err := s.newTenant()
	if err != nil {
		return SignedUp{}, err
	}
	tenant.Name, tenant.Email, tenant.PasswordHash, tenant.Language = business, email, hash, r.Language
	if err := s.Store.CreateTenantWithOwner(ctx, tenant); isConflict(err) {
		return SignedUp{}, errs.Wrap(errs.Invalid, "account.email_taken", err).On("email")
	} else if err != nil {
		return SignedUp{}, err
	}
	session, err := s.startSession(ctx, ownerOf(tenant), r.Browser, r.Before)
	return SignedUp{Session: &session}, err
}

// mailSignUp stores one link whether or not the address is known; only the known one's owner learns that it is. The
// proof is the same for both: it tells which link this browser asked for, not whether it will finish anything.
func (s *Service) mailSignUp(ctx context.Context, email, business, hash, language string) (secret.String, error) {
	person, err := s.person(ctx, email)
	if err != nil {
		return secret.String{}, err
	}
	link := models.Link{Purpose: models.SignUpLink, Email: email, BusinessName: business, PasswordHash: hash, Language: language}
	if person.ID != uuid.Nil {
		link = models.Link{Purpose: models.KnownLink, Email: email, UserID: &person.ID, Language: orElse(person.Language, language)}
	}
	link.ID = uuid.Must(uuid.NewV7())
	if err := s.queueLink(ctx, link, SignUpLife); err != nil {
		return secret.String{}, err
	}
	return s.proof(link.ID)
}

// proof is what only the browser that asked for a link holds. It needs no row: the vault's key makes it again.
func (s *Service) proof(link uuid.UUID) (secret.String, error) {
	sum, err := s.Vault.Hash("sign-up browser", link.String())
	return secret.New(base64.RawURLEncoding.EncodeToString(sum)), err
}

// SignUpPending tells what a sign-up link is about to finish, without using it: mail scanners follow links, so only a
// pressed button counts. NotFound if the link is dead.
func (s *Service) SignUpPending(ctx context.Context, token secret.String) (models.Link, error) {
	return s.Store.LinkByToken(ctx, models.SignUpLink, hashToken(token))
}

// CompleteRequest is the pressed button of a sign-up link.
type CompleteRequest struct {
	Token   secret.String // of the link
	Proof   secret.String // of SignedUp, if this browser holds one
	Browser Browser
	Before  secret.String
}

// CompleteSignUp makes the tenant and its owner that a link was mailed for, once, and signs in the browser that filled in
// the form. Any other browser is not signed in (nil): whoever holds the mailbox need not be the one who chose the
// password. Had a stranger typed this address, signing in here would lead its owner into an account that the stranger can
// open; asking for the password does not, and a reset takes the account over for good. NotFound if the link is dead,
// Conflict if the address has got an account meanwhile.
func (s *Service) CompleteSignUp(ctx context.Context, r CompleteRequest) (*SignedIn, error) {
	tenant, err := s.newTenant()
	if err != nil {
		return nil, err
	}
	link, err := s.Store.CompleteSignUp(ctx, hashToken(r.Token), tenant)
	if isConflict(err) {
		return nil, errs.Wrap(errs.Conflict, "account.already_complete", err)
	}
	if err != nil {
		return nil, err
	}
	proof, err := s.proof(link.ID)
	if err != nil || subtle.ConstantTimeCompare([]byte(proof.Reveal()), []byte(r.Proof.Reveal())) != 1 {
		return nil, err
	}
	session, err := s.startSession(ctx, ownerOf(tenant), r.Browser, r.Before)
	return &session, err
}

func ownerOf(n models.NewTenant) models.SignInPerson {
	return models.SignInPerson{ID: n.UserID, Kind: models.MerchantKind}
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

package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// How authenticator apps count: six digits of SHA-1 every 30 seconds is what all of them can do (RFC 6238). A code of the
// step before or after is taken too, for clocks that are a little off.
const (
	totpStep   = 30 * time.Second
	totpDigits = otp.DigitsSix
	totpSkew   = 1
	totpBytes  = 20
)

// NewTOTP is an authenticator app that is being set up.
type NewTOTP struct {
	Secret secret.String // base32, to type in
	URI    secret.String // otpauth://, for the QR code
}

// BeginTOTP makes a secret for an authenticator app. It counts for nothing until the app has shown a code of it.
func (s *Service) BeginTOTP(ctx context.Context, who Session) (ticket secret.String, err error) {
	raw := make([]byte, totpBytes)
	_, _ = rand.Read(raw) // never fails
	key, err := s.peopleKey(ctx)
	if err != nil {
		return ticket, err
	}
	sealed, err := s.Vault.Seal(key, totpPlace(who.UserID), raw)
	if err != nil {
		return ticket, err
	}
	return s.issueFor(ctx, who, models.TOTPAddTicket, nil, sealed)
}

// ShowTOTP gives what the app must be told. Conflict if the ticket is gone.
func (s *Service) ShowTOTP(ctx context.Context, who Session, ticket secret.String) (NewTOTP, error) {
	raw, err := s.newTOTPSecret(ctx, who, ticket)
	if err != nil {
		return NewTOTP{}, err
	}
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	query := url.Values{"secret": {text}, "issuer": {issuer}}
	uri := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + who.Email, RawQuery: query.Encode()}
	return NewTOTP{Secret: secret.New(text), URI: secret.New(uri.String())}, nil
}

// issuer is what the app calls us.
const issuer = "Mooring"

func (s *Service) newTOTPSecret(ctx context.Context, who Session, ticket secret.String) ([]byte, error) {
	t, err := s.Store.Ticket(ctx, models.TOTPAddTicket, hashToken(ticket))
	if err != nil {
		return nil, gone(err)
	}
	if err := ours(t, who); err != nil {
		return nil, err
	}
	key, err := s.peopleKey(ctx)
	if err != nil {
		return nil, err
	}
	return s.Vault.Open(key, totpPlace(who.UserID), t.Sealed)
}

// AddTOTP adds the app that shows this code. A first factor brings recovery codes, which are given here and never again. A
// wrong code is Invalid and leaves everything as it is.
func (s *Service) AddTOTP(ctx context.Context, who Session, ticket secret.String, code, label string) (recovery []secret.String, err error) {
	if err := s.allowCode(ctx, who.UserID); err != nil {
		return nil, err
	}
	raw, err := s.newTOTPSecret(ctx, who, ticket)
	if err != nil {
		return nil, err
	}
	step, right := checkTOTP(raw, code, 0, s.Now())
	if !right {
		return nil, errs.New(errs.Invalid, "factor.code_wrong").On("code")
	}
	key, err := s.peopleKey(ctx)
	if err != nil {
		return nil, err
	}
	n := models.NewFactor{Person: who.UserID, Session: who.ID, Ticket: hashToken(ticket), Factor: models.Factor{
		ID: uuid.Must(uuid.NewV7()), Kind: models.TOTP, Label: labelOr(label, "App"), LastStep: step,
	}}
	if n.Secret, err = s.Vault.Seal(key, totpPlace(who.UserID), raw); err != nil {
		return nil, err
	}
	return s.addFactor(ctx, who, n)
}

// addFactor stores a factor, with recovery codes if it is the first.
func (s *Service) addFactor(ctx context.Context, who Session, n models.NewFactor) (recovery []secret.String, err error) {
	if who.Factors == 0 {
		if recovery, n.Recovery, err = s.newRecovery(who.UserID); err != nil {
			return nil, err
		}
	}
	if err := s.Store.AddFactor(ctx, n); err != nil {
		return nil, gone(err)
	}
	return recovery, nil
}

// checkTOTP says whether a code is right now and newer than the last one taken, and of which step it is. Every step is
// compared, so that the time tells nothing.
func checkTOTP(raw []byte, code string, last int64, now time.Time) (step int64, right bool) {
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
	code = digitsOf(code)
	for skew := -totpSkew; skew <= totpSkew; skew++ {
		at := now.Add(time.Duration(skew) * totpStep)
		want, err := totp.GenerateCodeCustom(text, at, totp.ValidateOpts{Period: uint(totpStep / time.Second), Digits: totpDigits, Algorithm: otp.AlgorithmSHA1})
		same := err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1
		if n := at.Unix() / int64(totpStep/time.Second); same && n > last {
			step, right = n, true
		}
	}
	return step, right
}

// digitsOf forgives the space that apps show in the middle.
func digitsOf(code string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, strings.TrimSpace(code))
}

func totpPlace(person uuid.UUID) vault.Place { return vault.Place{Owner: person, Field: "totp"} }

// peopleKey gives the data key of people's secrets, made when it is first needed.
func (s *Service) peopleKey(ctx context.Context) (vault.WrappedKey, error) {
	return s.Store.PeopleKey(ctx, s.Vault.NewPlatformKey)
}

// Package accounts owns people: how they sign up, sign in and out, prove an address, forget and change a password, and
// how long their sessions live.
//
// Two promises run through all of it. Nobody learns from an answer or its time whether an address has an account: the
// same work is done either way, and what differs goes by mail. And nothing that opens an account is kept in readable
// form: passwords are argon2id, tokens of sessions and links are 256 random bits of which the database has the SHA-256.
//
// Rows and transactions belong to models, composing and sending to mail, when a mail is sent to jobs, cookies and pages
// to handlers.
package accounts

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// How long things live. The database's clock measures all of them.
const (
	IdleLife     = 12 * time.Hour     // a session without a request
	AbsoluteLife = 7 * 24 * time.Hour // a session at all
	SignUpLife   = 24 * time.Hour     // the link that finishes a sign-up
	ResetLife    = time.Hour          // the link that sets a new password
)

// Session is a signed-in browser with everything that every page knows of its person.
type Session = models.Session

// Queue puts a mail on its way in the transaction that decided it. The job carries the link's id alone and ends in
// SendLink.
type Queue interface {
	EnqueueMail(ctx context.Context, tx *models.Tx, link uuid.UUID) error
}

// Letters composes a mail in a language.
type Letters interface {
	Compose(n mail.Note) (mail.Letter, error)
}

// Deps are the service's needs.
type Deps struct {
	Store          *models.Store
	Vault          *vault.Vault
	Queue          Queue
	Letters        Letters
	Sender         mail.Sender
	MailConfigured bool // false: sign-up completes at once, and mails are logged as not sent
	PublicURL      string
	Log            *slog.Logger
	Now            func() time.Time // what authenticator apps' codes are compared with; nil: time.Now
	HashSlots      int              // passwords hashed at once; 0: one core fewer than there are, at least one
	Limits         Limits           // zero: DefaultLimits
	Idle           time.Duration    // zero: IdleLife
	Absolute       time.Duration    // zero: AbsoluteLife
}

// Service is the use-cases of people. It is safe for concurrent use, and any number of replicas share their limits.
type Service struct {
	Deps
	hasher   *hasher
	passkeys *webauthn.WebAuthn // nil: browsers would refuse them at our address
}

// New makes the service.
func New(d Deps) *Service {
	if d.HashSlots <= 0 {
		d.HashSlots = max(1, runtime.NumCPU()-1)
	}
	if d.Limits == (Limits{}) {
		d.Limits = DefaultLimits()
	}
	if d.Idle <= 0 {
		d.Idle = IdleLife
	}
	if d.Absolute <= 0 {
		d.Absolute = AbsoluteLife
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return &Service{Deps: d, hasher: newHasher(d.HashSlots), passkeys: newPasskeys(d.PublicURL)}
}

// Browser is where a request comes from.
type Browser struct {
	Address   string // of the client, as the trusted proxies tell it
	UserAgent string
}

// SignedIn is a session that has just begun. Token goes into the cookie and nowhere else.
type SignedIn struct {
	Token     secret.String
	ExpiresAt time.Time
	Staff     bool // works on the admin pages

	// Ticket is set instead of Token where the password was right and a second proof is wanted. It goes into a cookie too.
	Ticket secret.String
}

// Faults are several fields that the person can correct at once. errs.As finds the first.
type Faults []error

// Error implements error.
func (f Faults) Error() string { return errors.Join(f...).Error() }

// Unwrap gives the faults.
func (f Faults) Unwrap() []error { return f }

// collect keeps what is wrong; nil if nothing is.
func collect(faults ...error) error {
	var found Faults
	for _, fault := range faults {
		if fault != nil {
			found = append(found, fault)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

package accounts

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

// hashWait is how long a request waits for its turn to hash before it is told to come back.
const hashWait = 5 * time.Second

// hashParams are OWASP's: 19 MiB, two passes, one lane, about 50 ms of one core.
func hashParams() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// hasher makes and compares password hashes, a few at a time: each takes a core and 19 MiB, and sign-ins must leave
// room for pages.
type hasher struct {
	slots   chan struct{}
	wait    time.Duration
	nobody  string // a hash that no password gives: compared with when there is no account
	create  func(password string) (string, error)
	compare func(password, hash string) (bool, error)
}

func newHasher(slots int) *hasher {
	return &hasher{
		slots:   make(chan struct{}, slots),
		wait:    hashWait,
		nobody:  nobodysHash(),
		create:  func(password string) (string, error) { return argon2id.CreateHash(password, hashParams()) },
		compare: argon2id.ComparePasswordAndHash,
	}
}

// Create hashes a new password.
func (h *hasher) Create(ctx context.Context, password secret.String) (string, error) {
	release, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	hash, err := h.create(password.Reveal())
	if err != nil {
		return "", fmt.Errorf("accounts: hashing a password: %w", err)
	}
	return hash, nil
}

// Compare says whether the hash is of the password; with the hash "" it does the same work and says no.
func (h *hasher) Compare(ctx context.Context, password secret.String, hash string) (bool, error) {
	if hash == "" {
		hash = h.nobody
	}
	release, err := h.turn(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	same, err := h.compare(password.Reveal(), hash)
	if err != nil {
		return false, fmt.Errorf("accounts: comparing a password: %w", err)
	}
	return same, nil
}

// turn waits for a free slot, but not for long.
func (h *hasher) turn(ctx context.Context) (release func(), err error) {
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-timer.C:
		return nil, errs.New(errs.Unavailable, "account.busy")
	case <-ctx.Done():
		return nil, errs.Wrap(errs.Unavailable, "account.busy", ctx.Err())
	}
}

// nobodysHash costs the same to compare with as a real one. Its key is random instead of computed, so nobody knows a
// password for it and start-up does not pay for one.
func nobodysHash() string {
	p := hashParams()
	random := make([]byte, p.SaltLength+p.KeyLength)
	_, _ = rand.Read(random) // never fails: crypto/rand ends the program instead
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		b64.EncodeToString(random[:p.SaltLength]), b64.EncodeToString(random[p.SaltLength:]))
}

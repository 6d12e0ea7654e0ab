package accounts

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/google/uuid"

	"mooring/internal/secret"
)

// recoveryCodes is how many there are; each is 50 random bits, which nobody guesses against the limits.
const recoveryCodes = 10

// newRecovery makes recovery codes, and the hashes that are kept of them.
func (s *Service) newRecovery(person uuid.UUID) (codes []secret.String, hashes [][]byte, err error) {
	for range recoveryCodes {
		raw := make([]byte, 7)
		_, _ = rand.Read(raw) // never fails
		text := strings.ToLower(base32.StdEncoding.EncodeToString(raw)[:10])
		code := secret.New(text[:5] + "-" + text[5:])
		hash, err := s.recoveryHash(person, code.Reveal())
		if err != nil {
			return nil, nil, err
		}
		codes, hashes = append(codes, code), append(hashes, hash)
	}
	return codes, hashes, nil
}

func (s *Service) recoveryHash(person uuid.UUID, code string) ([]byte, error) {
	return s.Vault.Hash("recovery", person.String(), strings.ToLower(digitsOf(code)))
}

// RenewRecovery voids the recovery codes that a person has and gives new ones, once.
func (s *Service) RenewRecovery(ctx context.Context, who Session) ([]secret.String, error) {
	codes, hashes, err := s.newRecovery(who.UserID)
	if err != nil {
		return nil, err
	}
	return codes, s.Store.ReplaceRecovery(ctx, who.UserID, hashes)
}

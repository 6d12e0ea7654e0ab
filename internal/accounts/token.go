package accounts

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"mooring/internal/secret"
)

// newToken makes 256 random bits for a cookie or a link, and the hash that the database keeps. A plain SHA-256 is
// enough for a value nobody can guess.
func newToken() (token secret.String, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	token = secret.New(base64.RawURLEncoding.EncodeToString(raw))
	return token, hashToken(token)
}

// hashToken gives what the database keeps of a token; nil for none.
func hashToken(token secret.String) []byte {
	if token.IsEmpty() {
		return nil
	}
	sum := sha256.Sum256([]byte(token.Reveal()))
	return sum[:]
}

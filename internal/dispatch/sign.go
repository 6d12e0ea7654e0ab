package dispatch

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// A secret is secretPrefix and the Base64 of secretBytes random bytes.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// The headers that a receiver verifies with.
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"
)

func newSecret() secret.String {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // never fails: the program ends first
	return secret.New(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

var errSecret = errors.New("dispatch: not a secret as we make them")

// sign gives the header's value: one signature per secret, over id, time and body.
func sign(secrets []secret.String, id string, at time.Time, body []byte) (string, error) {
	signatures := make([]string, 0, len(secrets))
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), secretPrefix))
		if err != nil || len(key) == 0 {
			return "", errSecret
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " "), nil
}

// secretPlace binds a sealed secret to its endpoint and version.
func secretPlace(endpoint uuid.UUID, version int64) vault.Place {
	return vault.Place{Owner: endpoint, Field: "endpoint secret", Version: version}
}

// openSecrets opens every live secret of an endpoint, newest first.
func (s *Service) openSecrets(t models.Target) ([]secret.String, error) {
	var secrets []secret.String
	for _, sealed := range t.Secrets {
		text, err := s.Vault.Open(t.Key, secretPlace(t.ID, sealed.Version), sealed.Sealed)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, secret.New(string(text)))
	}
	if len(secrets) == 0 {
		return nil, errSecret
	}
	return secrets, nil
}

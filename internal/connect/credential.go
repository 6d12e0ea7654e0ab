package connect

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// credentialText is a credential as it is sealed; nothing else writes a secret's value out.
type credentialText struct {
	AccessToken    string            `json:"access_token,omitempty"`
	RefreshToken   string            `json:"refresh_token,omitempty"`
	ExpiresAt      time.Time         `json:"expires_at,omitzero"`
	RefreshExpires time.Time         `json:"refresh_expires,omitzero"`
	Extra          map[string]string `json:"extra,omitempty"`
	ObtainedAt     time.Time         `json:"obtained_at,omitzero"`
}

// accountText is an account as it is sealed.
type accountText struct {
	ExternalID string `json:"external_id"`
	Name       string `json:"name,omitempty"`
	TenantOnly bool   `json:"tenant_only,omitempty"`
}

func (t accountText) account() oauth.Account {
	return oauth.Account(t)
}

// returnedText is what a parked attempt keeps sealed until the person confirms.
type returnedText struct {
	Account    accountText    `json:"account"`
	Credential credentialText `json:"credential"`
}

func writeCredential(c oauth.Credential) credentialText {
	text := credentialText{
		AccessToken: c.AccessToken.Reveal(), RefreshToken: c.RefreshToken.Reveal(), ExpiresAt: c.ExpiresAt,
		RefreshExpires: c.RefreshExpires, ObtainedAt: c.ObtainedAt, Extra: map[string]string{},
	}
	for name, value := range c.Extra {
		text.Extra[name] = value.Reveal()
	}
	return text
}

func readCredential(text credentialText) oauth.Credential {
	c := oauth.Credential{
		AccessToken: secret.New(text.AccessToken), RefreshToken: secret.New(text.RefreshToken), ExpiresAt: text.ExpiresAt,
		RefreshExpires: text.RefreshExpires, ObtainedAt: text.ObtainedAt, Extra: map[string]secret.String{},
	}
	for name, value := range text.Extra {
		c.Extra[name] = secret.New(value)
	}
	return c
}

// errUnreadable hides what the decoder may quote: the text is a secret.
var errUnreadable = errors.New("connect: the opened value is not what was sealed")

func (s *Service) seal(key vault.WrappedKey, at vault.Place, value any) (vault.Sealed, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, errUnreadable
	}
	return s.Vault.Seal(key, at, text)
}

func (s *Service) open(key vault.WrappedKey, at vault.Place, sealed vault.Sealed, into any) error {
	text, err := s.Vault.Open(key, at, sealed)
	if err != nil {
		return err
	}
	if json.Unmarshal(text, into) != nil {
		return errUnreadable
	}
	return nil
}

func (s *Service) openCredential(key vault.WrappedKey, c models.Connection, sealed vault.Sealed) (oauth.Credential, error) {
	var text credentialText
	err := s.open(key, credentialPlace(c.TenantID, c.ID, c.Provider, c.CredentialVersion), sealed, &text)
	return readCredential(text), err
}

func credentialPlace(tenant, connection uuid.UUID, provider string, version int64) vault.Place {
	return place(tenant, connection, provider, "credential", version)
}

func accountPlace(tenant, connection uuid.UUID, provider string) vault.Place {
	return place(tenant, connection, provider, "account", 0)
}

// Package vault owns sealing and opening: the master key ring, a data key per tenant, and ciphertext bound to its place.
//
// A value can be kept only as Sealed, and a Sealed opens only with the tenant's own key at the place it was sealed for:
// moved to another row, column, tenant or version it is noise. The vault knows no database; models stores what it makes,
// connect and accounts decide what is sealed.
package vault

import (
	"github.com/google/uuid"
)

// Sealed is ciphertext. The only way to make one is Vault.Seal.
type Sealed []byte

// WrappedKey is a tenant's data keyset, encrypted by the master keyset and bound to the tenant's id.
type WrappedKey []byte

// Place is where a value lives. All of it is authenticated: AAD = tenant, owner, provider, field, version.
type Place struct {
	Tenant   uuid.UUID
	Owner    uuid.UUID // the connection or attempt
	Provider string
	Field    string // "credential", "account", "verifier", "data:wallet"
	Version  int64
}

// Package vault owns sealing and opening: the master key ring, a data key per tenant, and ciphertext bound to its place.
//
// A value can be kept only as Sealed, and a Sealed opens only with the tenant's own key at the place it was sealed for:
// moved to another row, column, tenant or version it is noise. The keys are Tink keysets; every ciphertext names the key
// that made it, so the ring can turn without reading anything twice. The vault knows no database: models stores what it
// makes, connect and accounts decide what is sealed.
package vault

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrSealed is the one answer for a value that does not open: wrong key, wrong place, wrong version, edited or cut.
var ErrSealed = errors.New("vault: the sealed value does not open at this place")

// Sealed is ciphertext. The only way to make one is Vault.Seal.
type Sealed []byte

// WrappedKey is a tenant's data keyset, encrypted by the master keyset and bound to the tenant's id.
type WrappedKey []byte

// Place is where a value lives. All of it is authenticated, so a Sealed that was moved or put back does not open.
type Place struct {
	Tenant   uuid.UUID
	Owner    uuid.UUID // the connection or attempt
	Provider string
	Field    string // "credential", "account", "verifier", "data:wallet"
	Version  int64  // the version that the owner's row names as well
}

// NewTenantKey makes a tenant's data keyset, wrapped for storing.
func (v *Vault) NewTenantKey(tenant uuid.UUID) (WrappedKey, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("vault: making a tenant key: %w", err)
	}
	return v.wrap(handle, tenant)
}

// NewPlatformKey makes a data keyset for what the platform itself keeps secret, wrapped for storing. It is a tenant's key
// for the zero id, so a Place that names no tenant seals and opens with it, and nothing of a tenant's ever does.
func (v *Vault) NewPlatformKey() (WrappedKey, error) { return v.NewTenantKey(uuid.Nil) }

// Seal encrypts a value for one place.
func (v *Vault) Seal(key WrappedKey, at Place, plaintext []byte) (Sealed, error) {
	dek, err := v.unwrap(key, at.Tenant)
	if err != nil {
		return nil, err
	}
	sealed, err := dek.Encrypt(plaintext, at.aad())
	if err != nil {
		return nil, fmt.Errorf("vault: sealing: %w", err)
	}
	return sealed, nil
}

// Open decrypts the value of one place; ErrSealed if it is not the value that was sealed for it.
func (v *Vault) Open(key WrappedKey, at Place, sealed Sealed) ([]byte, error) {
	dek, err := v.unwrap(key, at.Tenant)
	if err != nil {
		return nil, err
	}
	plaintext, err := dek.Decrypt(sealed, at.aad())
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}

// Hash gives 32 bytes that only this keyset can compute and that rotation does not change: it finds equal values
// without telling which they are. Purposes keep the hashes of different uses apart.
func (v *Vault) Hash(purpose string, parts ...string) ([]byte, error) {
	msg := lengthPrefixed(nil, purpose)
	for _, part := range parts {
		msg = lengthPrefixed(msg, part)
	}
	sum, err := v.opened.Load().hash.ComputePrimaryPRF(msg, 32)
	if err != nil {
		return nil, fmt.Errorf("vault: hashing: %w", err)
	}
	return sum, nil
}

const canary = "mooring: this value opens with the right keyset"

// SealCanary seals the known value that CheckCanary opens.
func (v *Vault) SealCanary() (Sealed, error) {
	sealed, err := v.opened.Load().master.Encrypt([]byte(canary), []byte("canary"))
	if err != nil {
		return nil, fmt.Errorf("vault: sealing the canary: %w", err)
	}
	return sealed, nil
}

// CheckCanary says whether this is the keyset that the canary was sealed with; ErrSealed if not.
func (v *Vault) CheckCanary(sealed Sealed) error {
	plaintext, err := v.masterFor(sealingKey(sealed)).Decrypt(sealed, []byte("canary"))
	if err != nil || string(plaintext) != canary {
		return ErrSealed
	}
	return nil
}

func (v *Vault) unwrap(key WrappedKey, tenant uuid.UUID) (tink.AEAD, error) {
	handle, err := v.unwrapHandle(key, tenant)
	if err != nil {
		return nil, ErrSealed
	}
	dek, err := aead.New(handle)
	if err != nil {
		return nil, ErrSealed
	}
	return dek, nil
}

func (v *Vault) unwrapHandle(key WrappedKey, tenant uuid.UUID) (*keyset.Handle, error) {
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(key)), v.masterFor(WrappedBy(key)), tenantKeyAAD(tenant))
	if err != nil {
		return nil, ErrSealed
	}
	return handle, nil
}

func tenantKeyAAD(tenant uuid.UUID) []byte {
	return append([]byte("tenant-key:"), tenant[:]...)
}

// aad length-prefixes what varies, so that no two places share an encoding.
func (p Place) aad() []byte {
	out := make([]byte, 0, 64)
	out = append(out, p.Tenant[:]...)
	out = append(out, p.Owner[:]...)
	out = lengthPrefixed(out, p.Provider)
	out = lengthPrefixed(out, p.Field)
	return binary.BigEndian.AppendUint64(out, uint64(p.Version))
}

func lengthPrefixed(out []byte, s string) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(s)))
	return append(out, s...)
}

package vault

import (
	"bytes"
	"fmt"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// A tenant's data keyset turns as the master's does: a key is added, seals, and the one before goes. All of them are in the one
// wrapped value, so whoever deletes that has deleted every generation.

// DataKeys names the keys in a wrapped data keyset.
func (v *Vault) DataKeys(key WrappedKey, tenant uuid.UUID) (Keys, error) {
	handle, err := v.unwrapHandle(key, tenant)
	if err != nil {
		return Keys{}, err
	}
	return ring{seal: handle}.keys(), nil
}

// AddDataKey gives the data keyset with a fresh key that opens and does not seal yet.
func (v *Vault) AddDataKey(key WrappedKey, tenant uuid.UUID) (added WrappedKey, id KeyID, err error) {
	added, err = v.editData(key, tenant, func(m *keyset.Manager) error {
		n, err := m.Add(aead.AES256GCMKeyTemplate())
		id = KeyID(n)
		return err
	})
	return added, id, err
}

// PromoteDataKey gives the data keyset with another key that seals.
func (v *Vault) PromoteDataKey(key WrappedKey, tenant uuid.UUID, id KeyID) (WrappedKey, error) {
	return v.editData(key, tenant, func(m *keyset.Manager) error { return m.SetPrimary(uint32(id)) })
}

// RemoveDataKey gives the data keyset without a key. The one that seals stays.
func (v *Vault) RemoveDataKey(key WrappedKey, tenant uuid.UUID, id KeyID) (WrappedKey, error) {
	return v.editData(key, tenant, func(m *keyset.Manager) error { return m.Delete(uint32(id)) })
}

// Reseal seals a value anew, at the place where it is, by the key that seals now. ErrSealed if it is not the value that was
// sealed for that place: what was moved or put back is never made good.
func (v *Vault) Reseal(key WrappedKey, at Place, sealed Sealed) (Sealed, error) {
	plaintext, err := v.Open(key, at, sealed)
	if err != nil {
		return nil, err
	}
	return v.Seal(key, at, plaintext)
}

func (v *Vault) editData(key WrappedKey, tenant uuid.UUID, change func(m *keyset.Manager) error) (WrappedKey, error) {
	handle, err := v.unwrapHandle(key, tenant)
	if err != nil {
		return nil, err
	}
	m := keyset.NewManagerFromHandle(handle)
	if change(m) != nil {
		return nil, ErrNoKey
	}
	if handle, err = m.Handle(); err != nil {
		return nil, ErrNoKey
	}
	return v.wrap(handle, tenant)
}

func (v *Vault) wrap(handle *keyset.Handle, tenant uuid.UUID) (WrappedKey, error) {
	var buf bytes.Buffer
	if err := handle.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), v.opened.Load().master, tenantKeyAAD(tenant)); err != nil {
		return nil, fmt.Errorf("vault: wrapping a tenant key: %w", err)
	}
	return buf.Bytes(), nil
}

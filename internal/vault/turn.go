package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// ErrNoKey is the answer for a key that a keyset does not have, or that may not be touched.
var ErrNoKey = errors.New("vault: the keyset has no such key, or it seals")

// ReadKeys names the keys in the text of a master keyset.
func ReadKeys(text []byte) (Keys, error) {
	r, err := parseRing(text)
	if err != nil {
		return Keys{}, err
	}
	return r.keys(), nil
}

// AddKey gives the keyset with a fresh key that opens and does not seal yet.
func AddKey(text []byte) (added []byte, id KeyID, err error) {
	added, err = edit(text, func(m *keyset.Manager) error {
		n, err := m.Add(aead.AES256GCMKeyTemplate())
		id = KeyID(n)
		return err
	})
	return added, id, err
}

// Promote gives the keyset with another key that seals.
func Promote(text []byte, id KeyID) ([]byte, error) {
	return edit(text, func(m *keyset.Manager) error { return m.SetPrimary(uint32(id)) })
}

// RemoveKey gives the keyset without a key. The one that seals stays.
func RemoveKey(text []byte, id KeyID) ([]byte, error) {
	return edit(text, func(m *keyset.Manager) error { return m.Delete(uint32(id)) })
}

// edit changes the seal part alone. Tink's own errors are dropped, as everywhere.
func edit(text []byte, change func(m *keyset.Manager) error) ([]byte, error) {
	r, err := parseRing(text)
	if err != nil {
		return nil, err
	}
	m := keyset.NewManagerFromHandle(r.seal)
	if change(m) != nil {
		return nil, ErrNoKey
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, ErrNoKey
	}
	var seal bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&seal)); err != nil {
		return nil, fmt.Errorf("vault: writing a keyset: %w", err)
	}
	var parts ringText
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, errors.New("vault: the keyset is not JSON")
	}
	out, err := json.Marshal(ringText{Seal: seal.Bytes(), Hash: parts.Hash})
	if err != nil {
		return nil, fmt.Errorf("vault: writing a keyset: %w", err)
	}
	return append(out, '\n'), nil
}

func (r ring) keys() Keys {
	info := r.seal.KeysetInfo()
	keys := Keys{Primary: KeyID(info.GetPrimaryKeyId())}
	for _, k := range info.GetKeyInfo() {
		keys.All = append(keys.All, KeyID(k.GetKeyId()))
	}
	return keys
}

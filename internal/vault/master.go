package vault

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// KeyID names a master key. It is no secret: every ciphertext shows it.
type KeyID uint32

func (k KeyID) String() string { return strconv.FormatUint(uint64(k), 10) }

// Keys are the master keys of a keyset, by name.
type Keys struct {
	Primary KeyID // seals
	All     []KeyID
}

// Has says whether a key is among them.
func (k Keys) Has(id KeyID) bool { return slices.Contains(k.All, id) }

// rereadRest is the least time between two looks at the source for a key that nobody knows: damaged rows name keys at will.
const rereadRest = time.Second

// Vault seals and opens. It is safe for concurrent use, also while its keyset is turned.
type Vault struct {
	opened atomic.Pointer[opened]

	mu     sync.Mutex // one reading of the source at a time
	source func() ([]byte, error)
	reread time.Time
}

// opened is one version of the keyset, ready for use.
type opened struct {
	master tink.AEAD
	hash   *prf.Set
	keys   Keys
	text   [sha256.Size]byte // of the text, to see whether it has changed
	sample []byte            // a hash of a known value: hashes must never change
}

// New opens a vault with the text of a master keyset, as NewKeyset makes it. The error never shows any of it.
func New(text []byte) (*Vault, error) {
	o, err := openRing(text)
	if err != nil {
		return nil, err
	}
	v := &Vault{}
	v.opened.Store(o)
	return v, nil
}

func openRing(text []byte) (*opened, error) {
	ring, err := parseRing(text)
	if err != nil {
		return nil, err
	}
	o := &opened{keys: ring.keys(), text: sha256.Sum256(text)}
	if o.master, err = aead.New(ring.seal); err != nil {
		return nil, errors.New("vault: the keyset's seal part is not an AEAD keyset")
	}
	if o.hash, err = prf.NewPRFSet(ring.hash); err != nil {
		return nil, errors.New("vault: the keyset's hash part is not a PRF keyset")
	}
	if o.sample, err = o.hash.ComputePrimaryPRF([]byte("sample"), 32); err != nil {
		return nil, errors.New("vault: the keyset's hash part does not hash")
	}
	return o, nil
}

// Follow names where the keyset's text comes from. It is read again when something names a key that is not known, so that a
// program which has not looked yet loses nothing. Call it before the vault is shared.
func (v *Vault) Follow(source func() ([]byte, error)) { v.source = source }

// Reread reads the source again and says whether the keyset has changed. A text that is no keyset, or hashes differently,
// changes nothing.
func (v *Vault) Reread() (changed bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.rereadLocked()
}

func (v *Vault) rereadLocked() (changed bool, err error) {
	if v.source == nil {
		return false, nil
	}
	text, err := v.source()
	if err != nil {
		return false, fmt.Errorf("vault: reading the keyset again: %w", err)
	}
	now := v.opened.Load()
	if sha256.Sum256(text) == now.text {
		return false, nil
	}
	next, err := openRing(text)
	if err != nil {
		return false, err
	}
	if !bytes.Equal(next.sample, now.sample) {
		return false, errors.New("vault: the keyset's hash part has changed: nothing that is stored would be found again")
	}
	v.opened.Store(next)
	return true, nil
}

// Keys names the master keys in use.
func (v *Vault) Keys() Keys { return v.opened.Load().keys }

// masterFor gives the master keyset, read again if it has not the key that is asked for.
func (v *Vault) masterFor(id KeyID) tink.AEAD {
	if o := v.opened.Load(); id == 0 || o.keys.Has(id) {
		return o.master
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if now := time.Now(); !v.opened.Load().keys.Has(id) && now.Sub(v.reread) > rereadRest {
		v.reread = now
		_, _ = v.rereadLocked() // what does not open says so itself
	}
	return v.opened.Load().master
}

// Rewrap wraps a data keyset anew, by the primary key.
func (v *Vault) Rewrap(key WrappedKey, tenant uuid.UUID) (WrappedKey, error) {
	handle, err := v.unwrapHandle(key, tenant)
	if err != nil {
		return nil, err
	}
	return v.wrap(handle, tenant)
}

// WrappedBy names the master key that opens a data keyset; 0: it names none.
func WrappedBy(key WrappedKey) KeyID {
	wrapped, err := keyset.NewBinaryReader(bytes.NewReader(key)).ReadEncrypted()
	if err != nil {
		return 0
	}
	return sealingKey(wrapped.GetEncryptedKeyset())
}

// sealingKey reads Tink's prefix: one byte 1, and the key's id.
func sealingKey(sealed []byte) KeyID {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0
	}
	return KeyID(binary.BigEndian.Uint32(sealed[1:5]))
}

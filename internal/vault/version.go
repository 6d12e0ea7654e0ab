package vault

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// tinkPrefix is what every ciphertext of a Tink keyset begins with: one byte, then the id of the key in four.
const tinkPrefix = 5

// MasterVersion names the key of the master keyset that wrapped a data key. Destroying that one makes every copy of the
// wrapped key worthless, those in backups too.
func MasterVersion(key WrappedKey) (int64, error) {
	wrapped, err := keyset.NewBinaryReader(bytes.NewReader(key)).ReadEncrypted()
	if err != nil || len(wrapped.GetEncryptedKeyset()) < tinkPrefix || wrapped.GetEncryptedKeyset()[0] != 1 {
		return 0, errors.New("vault: this is no wrapped key")
	}
	return int64(binary.BigEndian.Uint32(wrapped.GetEncryptedKeyset()[1:tinkPrefix])), nil
}

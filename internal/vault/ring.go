package vault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// ring is a parsed master keyset: one Tink keyset seals, the other hashes. They are apart because sealing keys rotate
// and hashes must not.
type ring struct{ seal, hash *keyset.Handle }

// ringText is the keyset as operators keep it: two Tink keysets in Tink's own JSON form.
type ringText struct {
	Seal json.RawMessage `json:"seal"`
	Hash json.RawMessage `json:"hash"`
}

// NewKeyset makes the text of a fresh master keyset. Whoever holds it can open everything: it goes into KEYSET or a file
// that only the service can read, and into a safe place, because without it nothing opens again.
func NewKeyset() ([]byte, error) {
	seal, err := clearJSON(aead.AES256GCMKeyTemplate)
	if err != nil {
		return nil, err
	}
	hash, err := clearJSON(prf.HMACSHA256PRFKeyTemplate)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(ringText{Seal: seal, Hash: hash})
	if err != nil {
		return nil, fmt.Errorf("vault: writing a keyset: %w", err)
	}
	return append(text, '\n'), nil
}

func clearJSON(template func() *tinkpb.KeyTemplate) (json.RawMessage, error) {
	handle, err := keyset.NewHandle(template())
	if err != nil {
		return nil, fmt.Errorf("vault: making a keyset: %w", err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&buf)); err != nil {
		return nil, fmt.Errorf("vault: writing a keyset: %w", err)
	}
	return buf.Bytes(), nil
}

// parseRing refuses anything but a complete ring. Tink's own errors are dropped: they may quote what they could not read.
func parseRing(text []byte) (ring, error) {
	var parts ringText
	if err := json.Unmarshal(text, &parts); err != nil {
		return ring{}, errors.New("vault: the keyset is not JSON as `web keys new` prints it")
	}
	seal, err := readClear(parts.Seal)
	if err != nil {
		return ring{}, errors.New("vault: the keyset has no usable seal part")
	}
	hash, err := readClear(parts.Hash)
	if err != nil {
		return ring{}, errors.New("vault: the keyset has no usable hash part")
	}
	return ring{seal: seal, hash: hash}, nil
}

func readClear(text json.RawMessage) (*keyset.Handle, error) {
	return insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(text)))
}

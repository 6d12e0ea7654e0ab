package redemption

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// minKeyBits is the least that counts as a signature today.
const minKeyBits = 2048

// errKey is all that is said of a key that cannot be used: the decoders' own errors quote.
var errKey = errors.New("must be an RSA key of at least 2048 bits, in PEM or as Base64 of its DER")

// parsePrivate reads PKCS #8 or PKCS #1.
func parsePrivate(text string) (*rsa.PrivateKey, error) {
	blocks, err := ders(text)
	if err != nil || len(blocks) != 1 {
		return nil, errKey
	}
	var key *rsa.PrivateKey
	if any, err := x509.ParsePKCS8PrivateKey(blocks[0]); err == nil {
		key, _ = any.(*rsa.PrivateKey)
	} else if key, err = x509.ParsePKCS1PrivateKey(blocks[0]); err != nil {
		return nil, errKey
	}
	if key == nil || key.N.BitLen() < minKeyBits {
		return nil, errKey
	}
	return key, nil
}

// publicKeys reads one key, or several: PEM blocks one after the other, or Base64 with commas between.
func publicKeys(text string) ([]*rsa.PublicKey, error) {
	blocks, err := ders(text)
	if err != nil || len(blocks) == 0 {
		return nil, errKey
	}
	var keys []*rsa.PublicKey
	for _, der := range blocks {
		var key *rsa.PublicKey
		if any, err := x509.ParsePKIXPublicKey(der); err == nil {
			key, _ = any.(*rsa.PublicKey)
		} else if key, err = x509.ParsePKCS1PublicKey(der); err != nil {
			return nil, errKey
		}
		if key == nil || key.N.BitLen() < minKeyBits {
			return nil, errKey
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// ders reads PEM, or bare Base64 in either alphabet, padded or not, on one line or many.
func ders(text string) ([][]byte, error) {
	var found [][]byte
	if strings.Contains(text, "-----BEGIN") {
		for rest := []byte(strings.TrimSpace(text)); len(rest) > 0; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				return nil, errKey
			}
			found = append(found, block.Bytes)
		}
		return found, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		part = strings.NewReplacer("-", "+", "_", "/").Replace(strings.Join(strings.Fields(part), ""))
		der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(part, "="))
		if err != nil || len(der) == 0 {
			return nil, errKey
		}
		found = append(found, der)
	}
	return found, nil
}

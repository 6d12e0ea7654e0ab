package chainup

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the protocol signs the hexadecimal MD5 of the text
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// The envelope around a JSON text P, by the documents' Java demo:
//
//	data = base64url( RSAES-PKCS1-v1_5( receiver's public key, each 245 bytes of P ) )
//	sign = base64url( RSASSA-PKCS1-v1_5-SHA256( sender's private key, lower-hex MD5 of P ) )
//
// One table of the documents swaps the two descriptions; nothing could be verified that way, and it counts as a slip.
// The signature covers the plain text, so an answer has to be opened before it can be checked.

const (
	keyBytes   = 256           // of RSA 2048, the only size that the documents know
	chunkBytes = keyBytes - 11 // what PKCS #1 v1.5 leaves of it
	maxBlocks  = 1024          // a quarter of a megabyte, and about a second of decrypting
)

// errEnvelope is every failure to open an answer. Telling its causes apart would help nobody but a forger.
var errEnvelope = errors.New("the answer cannot be opened with our keys")

// keys are ours and the exchange's.
type keys struct {
	ours   *rsa.PrivateKey
	theirs *rsa.PublicKey
}

// seal makes data and sign of a text for the exchange.
func (k keys) seal(plain []byte) (data, sign string, err error) {
	var cipher []byte
	for chunk := range slices.Chunk(plain, chunkBytes) {
		block, err := rsa.EncryptPKCS1v15(rand.Reader, k.theirs, chunk) //nolint:staticcheck // the protocol knows no other padding
		if err != nil {
			return "", "", err
		}
		cipher = append(cipher, block...)
	}
	digest := digest(plain)
	signature, err := rsa.SignPKCS1v15(rand.Reader, k.ours, crypto.SHA256, digest[:])
	if err != nil {
		return "", "", err
	}
	return base64.RawURLEncoding.EncodeToString(cipher), base64.RawURLEncoding.EncodeToString(signature), nil
}

// open gives the text of an answer from the exchange, if all is well with it. Every block is decrypted and the
// signature is checked even when it is clear already that it is not: neither the error nor the time tells where it
// went wrong.
func (k keys) open(data, sign string) ([]byte, error) {
	cipher, err := decode64(data)
	good := err == nil && len(cipher) > 0 && len(cipher)%keyBytes == 0 && len(cipher) <= maxBlocks*keyBytes
	if !good {
		cipher = nil
	}
	var plain []byte
	for block := range slices.Chunk(cipher, keyBytes) {
		text, err := rsa.DecryptPKCS1v15(nil, k.ours, block) //nolint:staticcheck // the protocol knows no other padding
		good = good && err == nil
		plain = append(plain, text...)
	}
	signature, err := decode64(sign)
	good = good && err == nil
	digest := digest(plain)
	err = rsa.VerifyPKCS1v15(k.theirs, crypto.SHA256, digest[:], signature)
	if !good || err != nil {
		return nil, errEnvelope
	}
	return plain, nil
}

// digest is what the signature is about: the SHA-256 of 32 letters, which are the MD5.
func digest(plain []byte) [sha256.Size]byte { return sha256.Sum256([]byte(message(plain))) }

func message(plain []byte) string {
	sum := md5.Sum(plain) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// decode64 takes either alphabet, with or without padding, broken over lines or not.
func decode64(text string) ([]byte, error) {
	text = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "", "\t", "", " ", "").Replace(text)
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
}

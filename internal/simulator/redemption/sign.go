package redemption

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the documents' own scheme
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
)

// The documented ways of signing. A request that names none is signed by the first.
const (
	SHA256RSA = "SHA256-RSA"
	MD5       = "MD5"
)

const keyBits = 2048

// text is what is signed: the headers but sign, empty ones dropped, sorted by name, and the exact body.
func text(headers map[string]string, body []byte) []byte {
	var parts []string
	for name, value := range headers {
		if value != "" && name != "sign" {
			parts = append(parts, name+"="+value)
		}
	}
	slices.Sort(parts)
	return append([]byte(strings.Join(parts, "&")), body...)
}

// md5Sign is upper hex of MD5 over the text and the key.
func md5Sign(signed []byte, key string) string {
	sum := md5.Sum(append(slices.Clone(signed), key...)) //nolint:gosec // the documents' own scheme
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// rsaSign is standard Base64 of RSASSA-PKCS1-v1_5 over SHA-256.
func rsaSign(signed []byte, key *rsa.PrivateKey) (string, error) {
	sum := sha256.Sum256(signed)
	sign, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(sign), err
}

// authentic checks a signature to the letter: upper hex, or padded standard Base64.
func (s *Simulator) authentic(m merchant, signType, sign string, signed []byte) bool {
	switch {
	case signType == MD5 && m.MD5Key != "":
		return subtle.ConstantTimeCompare([]byte(sign), []byte(md5Sign(signed, m.MD5Key))) == 1
	case (signType == SHA256RSA || signType == "") && m.RSA:
		raw, err := base64.StdEncoding.Strict().DecodeString(sign)
		if err != nil {
			return false
		}
		key, err := s.key(m.BusinessID)
		sum := sha256.Sum256(signed)
		return err == nil && rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum[:], raw) == nil
	}
	return false
}

// The owners of keys that are no merchants.
const (
	platformOwner = "platform"
	strangerOwner = "stranger" // signs the callbacks of somebody who is not the platform
)

// key gives an owner's private key. It is made when it is first needed, and kept.
func (s *Simulator) key(owner string) (*rsa.PrivateKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.state.Keys[owner]; kept != "" {
		der, err := base64.StdEncoding.DecodeString(kept)
		if err != nil {
			return nil, fmt.Errorf("simulator: key of %s: %w", owner, err)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			return nil, fmt.Errorf("simulator: key of %s: %w", owner, err)
		}
		key, ok := parsed.(*rsa.PrivateKey)
		if !ok {
			return nil, fmt.Errorf("simulator: the key of %s is not an RSA key", owner)
		}
		return key, nil
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	s.state.Keys[owner] = base64.StdEncoding.EncodeToString(der)
	return key, s.store.Save(s.state)
}

// privateText is an owner's private key: PKCS #8 DER in Base64, on one line, as the platform's own page hands it out.
func (s *Simulator) privateText(owner string) (string, error) {
	if _, err := s.key(owner); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Keys[owner], nil
}

// publicText is an owner's public key: SPKI DER in Base64, on one line.
func (s *Simulator) publicText(owner string) (string, error) {
	key, err := s.key(owner)
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	return base64.StdEncoding.EncodeToString(der), err
}

// armour writes Base64 DER as PEM.
func armour(kind, text string) (string, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), nil
}

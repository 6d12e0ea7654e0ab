package chainup

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// keyBits is the size that the documents name, for both sides.
const keyBits = 2048

var errKey = errors.New("public_key must be an RSA key of 2048 bits, X.509, in PEM or in Base64 without its armour")

// parsePublic reads a key as the merchant's backend takes it: the Base64 text in either alphabet, or PEM.
func parsePublic(text string) (*rsa.PublicKey, error) {
	der, ok := derOf(text)
	if !ok {
		return nil, errKey
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errKey
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.N.BitLen() != keyBits || key.E < 3 {
		return nil, errKey
	}
	return key, nil
}

func parsePrivate(text string) (*rsa.PrivateKey, error) {
	broken := errors.New("simulator state: a private key is damaged")
	der, ok := derOf(text)
	if !ok {
		return nil, broken
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, broken
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, broken
	}
	return key, nil
}

func derOf(text string) ([]byte, bool) {
	text = strings.TrimSpace(text)
	if block, rest := pem.Decode([]byte(text)); block != nil {
		return block.Bytes, len(strings.TrimSpace(string(rest))) == 0
	}
	text = strings.NewReplacer("\r", "", "\n", "", "-", "+", "_", "/").Replace(text)
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	return der, err == nil
}

// privateText writes a key as the documents' tool does: PKCS#8, Base64, no armour.
func privateText(key *rsa.PrivateKey) (string, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return base64.StdEncoding.EncodeToString(der), err
}

// publicText writes a key as X.509, Base64, no armour.
func publicText(key *rsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	return base64.StdEncoding.EncodeToString(der), err
}

// ensureKeys makes the exchange's pair and the sample application, or reads those that an earlier simulator made.
func (s *Simulator) ensureKeys() error {
	var err error
	if s.state.Key == "" {
		if s.key, err = s.newKey(); err != nil {
			return err
		}
		if s.state.Key, err = privateText(s.key); err != nil {
			return err
		}
	} else if s.key, err = parsePrivate(s.state.Key); err != nil {
		return err
	}
	for id, kept := range s.state.Clients {
		if s.clients[id], err = parsePublic(kept.PublicKey); err != nil {
			return err
		}
	}
	return s.ensureSample()
}

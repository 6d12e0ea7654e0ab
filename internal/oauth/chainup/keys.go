package chainup

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"mooring/internal/secret"
)

var (
	errNoKey    = errors.New("must be PEM or Base64 DER")
	errPrivate  = errors.New("must be an RSA private key of 2048 bits in PKCS #8")
	errPublic   = errors.New("must be an RSA public key of 2048 bits in X.509 form (SubjectPublicKeyInfo)")
	errIsPublic = errors.New("is a public key; the private one that belongs to it is needed")
	errIsSecret = errors.New("is a private key; only the exchange's public key belongs here")
	errSameKey  = errors.New("PLATFORM_PUBLIC_KEY is the public half of PRIVATE_KEY; it must be the exchange's key")
)

// parseKeys reads both settings. What it says of a mistake never repeats a value.
func parseKeys(private, public secret.String) (keys, error) {
	ours, err := privateKey(private.Reveal())
	if err != nil {
		return keys{}, fmt.Errorf("PRIVATE_KEY %w", err)
	}
	theirs, err := publicKey(public.Reveal())
	if err != nil {
		return keys{}, fmt.Errorf("PLATFORM_PUBLIC_KEY %w", err)
	}
	if ours.PublicKey.Equal(theirs) {
		return keys{}, errSameKey
	}
	return keys{ours: ours, theirs: theirs}, nil
}

func privateKey(text string) (*rsa.PrivateKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if _, err := x509.ParsePKIXPublicKey(der); err == nil {
			return nil, errIsPublic
		}
		return nil, errPrivate
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.Size() != keyBytes {
		return nil, errPrivate
	}
	return key, nil
}

func publicKey(text string) (*rsa.PublicKey, error) {
	der, err := derOf(text)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
			return nil, errIsSecret
		}
		return nil, errPublic
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok || key.Size() != keyBytes {
		return nil, errPublic
	}
	return key, nil
}

// derOf takes off what is around a key: PEM's armour, also where its line breaks are written as \n, or bare Base64 in
// either alphabet.
func derOf(text string) ([]byte, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, `\n`, "\n"))
	if strings.HasPrefix(text, "-----BEGIN") {
		block, rest := pem.Decode([]byte(text))
		if block == nil || strings.TrimSpace(string(rest)) != "" {
			return nil, errNoKey
		}
		return block.Bytes, nil
	}
	der, err := decode64(text)
	if err != nil || len(der) == 0 {
		return nil, errNoKey
	}
	return der, nil
}

func checkPrivateKey(value string) error {
	_, err := privateKey(value)
	return err
}

func checkPublicKey(value string) error {
	_, err := publicKey(value)
	return err
}

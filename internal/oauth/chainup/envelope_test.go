package chainup

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
)

func newKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// ends gives both sides of an envelope.
func ends(t testing.TB) (ours, theirs keys) {
	t.Helper()
	a, b := newKey(t, 2048), newKey(t, 2048)
	return keys{a, &b.PublicKey}, keys{b, &a.PublicKey}
}

func TestSignedMessage(t *testing.T) {
	for plain, want := range map[string]string{
		`{"code":"code_abc123"}`:                                   "917e24e46c4a979dc931ac46e52b4ca2",
		`{"openId":"open_1","refreshToken":"rt_1","token":"tk_1"}`: "bb7b170b800e5be4330bfd7343e8dd0f",
	} {
		if got := message([]byte(plain)); got != want {
			t.Errorf("%s: %s, want %s", plain, got, want)
		}
	}
}

func TestEnvelopeAtEveryChunkBoundary(t *testing.T) {
	ours, theirs := ends(t)
	for _, n := range []int{1, 2, 243, 244, 245, 246, 247, 489, 490, 491, 492, 735, 736} {
		for _, fill := range []string{"x", "界", "x界"} { // a character of three bytes lies across the border
			plain := []byte(strings.Repeat(fill, n)[:n])
			data, sign, err := ours.seal(plain)
			if err != nil {
				t.Fatal(err)
			}
			cipher, err := base64.RawURLEncoding.DecodeString(data)
			if want := (n + 244) / 245 * 256; err != nil || len(cipher) != want {
				t.Errorf("%d bytes: %d bytes of data, want %d (%v)", n, len(cipher), want, err)
			}
			if got, err := theirs.open(data, sign); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%d bytes of %s: %q, %v", n, fill, got, err)
			}
		}
	}
	// Nothing at all makes no block, and an answer without data is none.
	data, sign, err := ours.seal(nil)
	if err != nil || data != "" {
		t.Errorf("nothing: %q, %v", data, err)
	}
	if _, err := theirs.open(data, sign); !errors.Is(err, errEnvelope) {
		t.Errorf("opened nothing: %v", err)
	}
}

func TestEnvelopeInEitherAlphabet(t *testing.T) {
	ours, theirs := ends(t)
	plain := []byte(strings.Repeat("各币种余额 ", 40))
	data, sign, err := ours.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	rewrite := func(text string, as *base64.Encoding) string {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return as.EncodeToString(b)
	}
	for name, as := range map[string]*base64.Encoding{
		"url": base64.URLEncoding, "url without padding": base64.RawURLEncoding, "standard": base64.StdEncoding, "standard without padding": base64.RawStdEncoding,
	} {
		if got, err := theirs.open(rewrite(data, as), rewrite(sign, as)); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	lines := func(text string) string {
		var b strings.Builder
		for chunk := range slices.Chunk([]byte(text), 76) {
			b.Write(append(chunk, '\r', '\n'))
		}
		return b.String()
	}
	if _, err := theirs.open(lines(rewrite(data, base64.StdEncoding)), lines(sign)); err != nil {
		t.Errorf("in lines: %v", err)
	}
}

// Whatever is wrong, it is the same error: who can tell them apart can decrypt without the key.
func TestEverythingThatIsWrongIsOneError(t *testing.T) {
	ours, theirs := ends(t)
	stranger, _ := ends(t)
	stranger.theirs = ours.theirs
	plain := []byte(strings.Repeat("abc", 133))
	data, sign, err := ours.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	otherData, _, err := ours.seal([]byte("something else"))
	if err != nil {
		t.Fatal(err)
	}
	foreignData, foreignSign, err := stranger.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	own, _, err := keys{ours.ours, &ours.ours.PublicKey}.seal(plain)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(text string, at int) string {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		b[at] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for name, tc := range map[string]struct{ data, sign string }{
		"first block changed": {flip(data, 17), sign}, "last block changed": {flip(data, 300), sign}, "signature changed": {data, flip(sign, 0)},
		"signature missing": {data, ""}, "signature of another text": {otherData, sign}, "a stranger's signature": {foreignData, foreignSign},
		"encrypted for somebody else": {own, sign}, "half a block": {data[:300], sign}, "one block of two": {data[:341], sign}, "no Base64": {"*" + data[1:], sign},
		"signature is no Base64": {data, "*"}, "nothing": {"", ""}, "swapped": {sign, data}, "signature of MD5 alone": {data, data},
		"without end": {strings.Repeat(data, 600), sign}, "blocks exchanged": {base64.RawURLEncoding.EncodeToString(exchanged(t, data)), sign},
	} {
		got, err := theirs.open(tc.data, tc.sign)
		if got != nil || err != errEnvelope { //nolint:errorlint // the very same value, with nothing around it
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func exchanged(t *testing.T, data string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(data)
	if err != nil || len(b) != 512 {
		t.Fatal(len(b), err)
	}
	return slices.Concat(b[256:], b[:256])
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	encode := base64.StdEncoding.EncodeToString
	pkcs8 := func(key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return encode(der)
	}
	spki := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return encode(der)
	}
	good, small, large := newKey(t, 2048), newKey(t, 1024), newKey(t, 3072)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		text            string
		private, public error
	}{
		"nothing": {"", errNoKey, errNoKey}, "prose": {"secret canary", errPrivate, errPublic}, "not Base64": {"***", errNoKey, errNoKey},
		"PEM cut off": {"-----BEGIN PRIVATE KEY-----\nMIIE", errNoKey, errNoKey}, "two bits lengths up": {pkcs8(large), errPrivate, errIsSecret},
		"1024 bits": {pkcs8(small), errPrivate, errIsSecret}, "1024 bits, public": {spki(&small.PublicKey), errIsPublic, errPublic},
		"PKCS #1": {encode(x509.MarshalPKCS1PrivateKey(good)), errPrivate, errPublic}, "PKCS #1, public": {encode(x509.MarshalPKCS1PublicKey(&good.PublicKey)), errPrivate, errPublic},
		"another kind": {pkcs8(curve), errPrivate, errIsSecret}, "another kind, public": {spki(&curve.PublicKey), errIsPublic, errPublic},
		"the private one": {pkcs8(good), nil, errIsSecret}, "the public one": {spki(&good.PublicKey), errIsPublic, nil},
	} {
		if err := checkPrivateKey(tc.text); !errors.Is(err, tc.private) {
			t.Errorf("%s as the private key: %v, want %v", name, err, tc.private)
		}
		if err := checkPublicKey(tc.text); !errors.Is(err, tc.public) {
			t.Errorf("%s as the public key: %v, want %v", name, err, tc.public)
		}
	}
}

package redemption

import (
	"crypto"
	"crypto/md5" //nolint:gosec // the provider's protocol
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// The algorithms, as the header signType names them.
const (
	signRSA = "SHA256-RSA"
	signMD5 = "MD5"
)

var (
	errIncomplete = errors.New("a value is missing or cannot stand in a header")
	errSignType   = errors.New("no such algorithm")
	errSignature  = errors.New("the signature does not hold")
)

// signed are the headers that a signature covers.
type signed struct {
	businessID, nonce, timestamp string
	signType                     string // "": not sent, and then not signed
}

// text is what is signed: the headers in the order of their names, empty ones left out, and the bytes of the body right
// behind them.
func (s signed) text(body []byte) []byte {
	var b strings.Builder
	for _, part := range [][2]string{ // ascending
		{"businessId", s.businessID}, {"nonce", s.nonce}, {"signType", s.signType}, {"timestamp", s.timestamp},
	} {
		if part[1] == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(part[0] + "=" + part[1])
	}
	b.Write(body)
	return []byte(b.String())
}

// merchant is who calls: one merchant's own fields.
type merchant struct {
	businessID, merchantID string
	signType               string
	md5Key                 secret.String   // MD5 only
	privateKey             *rsa.PrivateKey // SHA256-RSA only
}

// merchantOf reads a form's values, or those that were kept. The error's code names the field that is to blame.
func merchantOf(values map[string]secret.String) (merchant, error) {
	get := func(name string) string { return strings.TrimSpace(values[name].Reveal()) }
	m := merchant{businessID: get(businessID), merchantID: get(merchantID), signType: get(signType)}
	if m.signType == "" {
		m.signType = signRSA // the documents' default, and the better one
	}
	wrong := func(field string, cause error) (merchant, error) {
		return merchant{}, &oauth.Error{Provider: slug, Kind: oauth.BadRequest, Code: field, Cause: cause}
	}
	switch {
	case !plain(m.businessID):
		return wrong(businessID, errIncomplete)
	case !plain(m.merchantID):
		return wrong(merchantID, errIncomplete)
	case m.signType == signMD5:
		if m.md5Key = secret.New(get(md5Key)); m.md5Key.IsEmpty() {
			return wrong(md5Key, errIncomplete)
		}
	case m.signType == signRSA:
		var err error
		if m.privateKey, err = parsePrivate(get(privateKey)); err != nil {
			return wrong(privateKey, err)
		}
	default:
		return wrong(signType, errSignType)
	}
	return m, nil
}

// keep gives the fields that calls need from now on, the key that is not used left out.
func (m merchant) keep(values map[string]secret.String) map[string]secret.String {
	kept := map[string]secret.String{
		businessID: secret.New(m.businessID), merchantID: secret.New(m.merchantID), signType: secret.New(m.signType),
	}
	if m.signType == signMD5 {
		kept[md5Key] = m.md5Key
	} else {
		kept[privateKey] = values[privateKey]
	}
	return kept
}

// sign gives the value of the header sign.
func (m merchant) sign(s signed, body []byte) (string, error) {
	if m.signType == signMD5 {
		return md5Sign(s.text(body), m.md5Key), nil
	}
	sum := sha256.Sum256(s.text(body))
	signature, err := rsa.SignPKCS1v15(nil, m.privateKey, crypto.SHA256, sum[:])
	if err != nil {
		return "", errKey
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// verified says whether a callback to this merchant is the platform's own. The algorithm is the merchant's, whatever the
// callback says of it.
func (m merchant) verified(keys []*rsa.PublicKey, s signed, body []byte, sign string) bool {
	if m.signType == signMD5 {
		return subtle.ConstantTimeCompare([]byte(sign), []byte(md5Sign(s.text(body), m.md5Key))) == 1
	}
	signature, err := base64.StdEncoding.Strict().DecodeString(sign)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(s.text(body))
	for _, key := range keys {
		if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil {
			return true
		}
	}
	return false
}

func md5Sign(text []byte, key secret.String) string {
	sum := md5.Sum(append(text, key.Reveal()...)) //nolint:gosec // the provider's protocol
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// plain says whether a value can stand in a header, and in the signed text without being taken for two.
func plain(value string) bool {
	return outbound.Visible(value, 128) && !strings.Contains(value, "&")
}

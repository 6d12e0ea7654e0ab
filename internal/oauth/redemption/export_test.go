package redemption

import (
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// Codes are the statuses that have a line.
func Codes() (list []string) {
	for _, c := range codes() {
		list = append(list, c.status)
	}
	return list
}

// SignMD5 signs with fixed headers.
func SignMD5(businessID, nonce, signType, timestamp, body, key string) (text, sign string) {
	signed := signed{businessID: businessID, nonce: nonce, signType: signType, timestamp: timestamp}.text([]byte(body))
	return string(signed), md5Sign(signed, secret.New(key))
}

// EncodeLink writes the body of a request for a link.
func EncodeLink(merchantID, businessID, serialNo, userID, thirdAccount, callbackURL string) (string, error) {
	body, err := outbound.EncodeJSON(linkWire{merchantID, businessID, serialNo, userID, thirdAccount, callbackURL})
	return string(body), err
}

// AllowLink asks whether a link may be shown.
func AllowLink(allowed, link string) (string, bool) {
	h, err := parseHosts(allowed)
	if err != nil {
		return "", false
	}
	return h.allow(link)
}

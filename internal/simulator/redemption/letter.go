package redemption

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// letter is a callback as it leaves.
type letter struct {
	header http.Header
	body   []byte
}

// write makes the body and signs it, with a nonce and a time of its own.
func (s *Simulator) write(m mission) (letter, error) {
	body, err := m.body()
	if err != nil {
		return letter{}, err
	}
	who, _ := s.business(m.link.BusinessID)
	headers := map[string]string{
		"businessId": who.BusinessID, "nonce": rand.Text(), "timestamp": strconv.FormatInt(s.Clock.Now().UnixMilli(), 10),
	}
	if m.manner.signType {
		headers["signType"] = who.signType()
	}
	if m.fault == faultForeignBusiness {
		headers["businessId"] = s.another(who.BusinessID).BusinessID
	}
	if m.fault == faultMD5 {
		headers["signType"] = MD5
	}
	sign, err := s.sign(m, who, text(headers, body))
	if err != nil {
		return letter{}, err
	}
	l := letter{http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body}
	for name, value := range headers {
		l.header[name] = []string{value} // not Set: the letters of the name count
	}
	switch m.fault {
	case faultUnsigned:
	case faultTampered:
		l.header["sign"] = []string{sign}
		l.body = bytes.Replace(body, []byte(m.link.OpenID), []byte(openID(m.link.MerchantID, "an attacker")), 1)
	default:
		l.header["sign"] = []string{sign}
	}
	return l, nil
}

// sign signs as the merchant was set up: with its own MD5 key, or with the platform's private key.
func (s *Simulator) sign(m mission, who merchant, signed []byte) (string, error) {
	switch {
	case m.fault == faultMD5:
		return md5Sign(signed, ""), nil // what anybody can make who knows no key
	case m.fault == faultForeignKey && !who.RSA:
		return md5Sign(signed, "not-the-key"), nil
	case !who.RSA:
		return md5Sign(signed, who.MD5Key), nil
	}
	owner := platformOwner
	if m.fault == faultForeignKey {
		owner = strangerOwner
	}
	key, err := s.key(owner)
	if err != nil {
		return "", err
	}
	return rsaSign(signed, key)
}

// signType is how callbacks to this merchant are signed.
func (m merchant) signType() string {
	if m.RSA {
		return SHA256RSA
	}
	return MD5
}

// body is the callback's text. serialNo is documented; the documents' page is cut after it.
func (m mission) body() ([]byte, error) {
	serial := m.link.SerialNo
	if m.fault == faultForeignSerial {
		serial = "S" + rand.Text()
	}
	fields := map[string]string{"serialNo": serial, m.manner.openName: m.link.OpenID}
	if !m.manner.minimal {
		maps.Copy(fields, map[string]string{"userId": m.link.UserID, "merchantId": m.link.MerchantID, "businessId": m.link.BusinessID})
	}
	if !m.manner.spaced {
		return json.Marshal(fields)
	}
	// Backwards, with white space and an escape that no encoder would write: who signs what he has parsed signs something else.
	var out strings.Builder
	out.WriteString("{ ")
	for i, name := range slices.Backward(slices.Sorted(maps.Keys(fields))) {
		value, err := json.Marshal(fields[name])
		if err != nil {
			return nil, err
		}
		out.WriteString(`"` + name + `" :  ` + strings.ReplaceAll(string(value), "-", `\u002d`))
		if i > 0 {
			out.WriteString(" ,\n")
		}
	}
	out.WriteString("}\n")
	return []byte(out.String()), nil
}

package redemption

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/secret"
)

// received is what the provider takes for an answer; anything else it sends again.
const received = "SUCCESS"

// ahead is how far before us the provider's clock may be.
const ahead = 30 * time.Minute

var (
	errHeaders = errors.New("a header of the signature is missing, twice or malformed")
	errForeign = errors.New("the callback is of another business, link or person")
	errNoFact  = errors.New("the callback names no serialNo or no openId")
)

// Receive implements oauth.Receiver. Whatever the callback says of its algorithm, it is checked by the one of the
// connection. A repeat may come for a day, with its old timestamp and nonce for all that is known; what keeps it from
// counting twice is its serialNo.
func (p *Provider) Receive(_ context.Context, c oauth.Callback) (oauth.Received, error) {
	m, err := merchantOf(c.Kept)
	if err != nil {
		return oauth.Received{}, err
	}
	s, sign, err := headersOf(c.Header)
	if err != nil {
		return oauth.Received{}, p.refusal(oauth.Signature, "", err)
	}
	if (s.signType != "" && s.signType != m.signType) || !m.verified(p.platformKeys, s, c.Body, sign) {
		return oauth.Received{}, p.refusal(oauth.Signature, "", errSignature)
	}
	if err := p.timely(s.timestamp); err != nil {
		return oauth.Received{}, err
	}
	f, err := factsOf(c.Body)
	if err != nil {
		return oauth.Received{}, p.refusal(oauth.BadResponse, "", err)
	}
	if s.businessID != m.businessID || !f.matches(m, c.Kept) {
		return oauth.Received{}, p.refusal(oauth.BadResponse, "", errForeign)
	}
	extra := m.keep(c.Kept)
	extra[openID] = secret.New(f.openID)
	return oauth.Received{
		Verified: true, Serial: f.serialNo, Answer: []byte(received),
		Credential: oauth.Credential{Extra: extra, ObtainedAt: p.now()},
	}, nil
}

// headersOf reads the headers of a signature. Each stands there once, and holds nothing that could be taken for a part of
// its neighbour: the signed text has no marks between its end and the body's beginning.
func headersOf(h http.Header) (signed, string, error) {
	values := map[string]string{}
	for name, all := range h {
		for _, wanted := range []string{"businessId", "nonce", "timestamp", "signType", "sign"} {
			if !strings.EqualFold(name, wanted) {
				continue
			}
			if _, twice := values[wanted]; twice || len(all) != 1 {
				return signed{}, "", errHeaders
			}
			values[wanted] = all[0]
		}
	}
	s := signed{businessID: values["businessId"], nonce: values["nonce"], timestamp: values["timestamp"], signType: values["signType"]}
	if !plain(s.businessID) || !plain(s.nonce) || (s.signType != "" && !plain(s.signType)) || !digits(s.timestamp) || !outbound.Visible(values["sign"], math.MaxInt) {
		return signed{}, "", errHeaders
	}
	return s, values["sign"], nil
}

// digits takes a time in milliseconds.
func digits(s string) bool { return len(s) == 13 && strings.Trim(s, "0123456789") == "" }

// timely refuses what is older than any repeat, or from a time to come.
func (p *Provider) timely(timestamp string) error {
	ms, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return p.refusal(oauth.Signature, "", errHeaders)
	}
	if age := p.now().Sub(time.UnixMilli(ms)); age > p.maxAge || age < -ahead {
		return p.refusal(oauth.ClockSkew, "", fmt.Errorf("the callback is %s old", age.Round(time.Second)))
	}
	return nil
}

// facts are what a callback's body says. Of its fields only serialNo is documented in what could be read; the names of
// the others are those of the request, in the spellings that the documents use elsewhere.
type facts struct {
	serialNo, openID               string
	userID, merchantID, businessID string
}

// factsOf reads the body field by field: names count in their exact letters, which the decoder of structs would forgive.
func factsOf(body []byte) (facts, error) {
	var all map[string]json.RawMessage
	if err := outbound.DecodeJSON(body, &all); err != nil {
		return facts{}, errNoFact
	}
	var f facts
	for _, field := range []struct {
		into  *string
		names []string
	}{
		{&f.serialNo, []string{"serialNo"}},
		{&f.openID, []string{"openId", "openid", "alipayOpenId"}},
		{&f.userID, []string{"userId", "thirdAccount"}},
		{&f.merchantID, []string{"merchantId"}},
		{&f.businessID, []string{"businessId"}},
	} {
		for _, name := range field.names {
			var t outbound.Text
			if raw, there := all[name]; there && t.UnmarshalJSON(raw) != nil {
				return facts{}, errNoFact
			}
			if t == "" {
				continue
			}
			if *field.into != "" && *field.into != string(t) {
				return facts{}, errForeign // two names for one thing, and two things
			}
			*field.into = string(t)
		}
	}
	if f.serialNo == "" || f.openID == "" || len(f.openID) > 256 {
		return facts{}, errNoFact
	}
	return f, nil
}

// matches compares with what was asked for; a field that is not there contradicts nothing.
func (f facts) matches(m merchant, kept oauth.Values) bool {
	return f.serialNo == kept[serialNo].Reveal() &&
		(f.userID == "" || f.userID == kept[userID].Reveal()) &&
		(f.merchantID == "" || f.merchantID == m.merchantID) &&
		(f.businessID == "" || f.businessID == m.businessID)
}

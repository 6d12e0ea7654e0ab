package redemption_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/redemption"
)

func linkFor(t testing.TB, p *redemption.Provider, v oauth.Values) oauth.Link {
	t.Helper()
	link, err := p.Link(t.Context(), departure(), v)
	if err != nil {
		t.Fatal(err)
	}
	return link
}

// credential walks the whole way in.
func credential(t testing.TB, _ *redemption.Provider) oauth.Credential {
	t.Helper()
	p := open(t, usual())
	link := linkFor(t, p, withMD5())
	body, header := callback(link).md5()
	r, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
	if err != nil {
		t.Fatal(err)
	}
	return r.Credential
}

func TestReceive(t *testing.T) {
	p := open(t, usual())
	for name, v := range map[string]oauth.Values{"RSA": withRSA(), "MD5": withMD5()} {
		link := linkFor(t, p, v)
		body, header := callback(link).rsa()
		if name == "MD5" {
			body, header = callback(link).md5()
		}
		r, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
		if err != nil || !r.Verified || r.Serial != link.Serial || string(r.Answer) != "SUCCESS" {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		account, err := p.Identify(t.Context(), r.Credential)
		if err != nil || account != (oauth.Account{ExternalID: openID}) {
			t.Errorf("%s: %+v, %v", name, account, err)
		}
		want := maps.Clone(v)
		want["open_id"] = r.Credential.Extra["open_id"]
		if !maps.Equal(r.Credential.Extra, want) || !r.Credential.AccessToken.IsEmpty() || !r.Credential.ObtainedAt.Equal(oauthtest.Now()) {
			t.Errorf("%s: what is kept: %v", name, r.Credential)
		}
	}
}

// Every reading of the body and the headers that the documents leave open.
func TestReceiveReadings(t *testing.T) {
	p := open(t, usual())
	for name, tc := range map[string]struct {
		change func(link oauth.Link, c *call)
		kind   oauth.Kind
	}{
		"openid": {func(l oauth.Link, c *call) { c.body = fmt.Sprintf(`{"serialNo":%q,"openid":%q}`, l.Serial, openID) }, ""},
		"alipayOpenId": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"alipayOpenId":%q,"serialNo":%q}`, openID, l.Serial)
		}, ""},
		"thirdAccount": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"thirdAccount":"subject-1"}`, l.Serial, openID)
		}, ""},
		"all of them": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf("\r\n{\"serialNo\":%q,\"openId\":%q,\"openid\":%q,\"merchantId\":%q,\"businessId\":%q}\n", l.Serial, openID, openID, merchant, business)
		}, ""},
		"no signType, not signed": {func(_ oauth.Link, c *call) { c.signType = "" }, ""},
		"23 hours old":            {func(_ oauth.Link, c *call) { c.timestamp = ms(-23 * time.Hour) }, ""},
		"10 minutes ahead":        {func(_ oauth.Link, c *call) { c.timestamp = ms(10 * time.Minute) }, ""},
		"25 hours old":            {func(_ oauth.Link, c *call) { c.timestamp = ms(-25 * time.Hour) }, oauth.ClockSkew},
		"31 minutes ahead":        {func(_ oauth.Link, c *call) { c.timestamp = ms(31 * time.Minute) }, oauth.ClockSkew},
		"in seconds":              {func(_ oauth.Link, c *call) { c.timestamp = c.timestamp[:10] }, oauth.Signature},
		"no digits":               {func(_ oauth.Link, c *call) { c.timestamp = "2026-03-02T12" }, oauth.Signature},
		"another business":        {func(_ oauth.Link, c *call) { c.business = "b2" }, oauth.BadResponse},
		"another business in it": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"businessId":"b2"}`, l.Serial, openID)
		}, oauth.BadResponse},
		"another merchant in it": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"merchantId":"m2"}`, l.Serial, openID)
		}, oauth.BadResponse},
		"another person": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"userId":"subject-2"}`, l.Serial, openID)
		}, oauth.BadResponse},
		"another person by the other": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"thirdAccount":"subject-2"}`, l.Serial, openID)
		}, oauth.BadResponse},
		"another serial": {func(_ oauth.Link, c *call) { c.body = fmt.Sprintf(`{"serialNo":"S2","openId":%q}`, openID) }, oauth.BadResponse},
		"two accounts": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q,"openid":"other"}`, l.Serial, openID)
		}, oauth.BadResponse},
		"no account":        {func(l oauth.Link, c *call) { c.body = fmt.Sprintf(`{"serialNo":%q,"openId":""}`, l.Serial) }, oauth.BadResponse},
		"a list as account": {func(l oauth.Link, c *call) { c.body = fmt.Sprintf(`{"serialNo":%q,"openId":[%q]}`, l.Serial, openID) }, oauth.BadResponse},
		"an account without end": {func(l oauth.Link, c *call) {
			c.body = fmt.Sprintf(`{"serialNo":%q,"openId":%q}`, l.Serial, strings.Repeat("x", 300))
		}, oauth.BadResponse},
		"names in other letters": {func(l oauth.Link, c *call) { c.body = fmt.Sprintf(`{"SERIALNO":%q,"OpenID":%q}`, l.Serial, openID) }, oauth.BadResponse},
		"not JSON":               {func(_ oauth.Link, c *call) { c.body = "serialNo=1&openId=2" }, oauth.BadResponse},
		"empty":                  {func(_ oauth.Link, c *call) { c.body = "" }, oauth.BadResponse},
		"null":                   {func(_ oauth.Link, c *call) { c.body = "null" }, oauth.BadResponse},
		"two values":             {func(_ oauth.Link, c *call) { c.body += c.body }, oauth.BadResponse},
	} {
		for algorithm, v := range map[string]oauth.Values{"RSA": withRSA(), "MD5": withMD5()} {
			link := linkFor(t, p, v)
			c := callback(link)
			if algorithm == "MD5" {
				c.signType = "MD5"
			}
			tc.change(link, c)
			body, header := c.signed(signMD5(key, c.text()))
			if algorithm == "RSA" {
				body, header = c.rsa()
			}
			r, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
			oauthtest.WantKind(t, name+" by "+algorithm, err, tc.kind)
			if tc.kind == "" && r.Credential.Extra["open_id"].Reveal() != openID {
				t.Errorf("%s by %s: %+v", name, algorithm, r)
			}
		}
	}
}

func ms(from time.Duration) string {
	return strconv.FormatInt(oauthtest.Now().Add(from).UnixMilli(), 10)
}

// The connection's algorithm holds, and the text that is signed has one reading only.
func TestReceiveForgeries(t *testing.T) {
	p := open(t, usual())
	byRSA, byMD5 := linkFor(t, p, withRSA()), linkFor(t, p, withMD5())
	for name, tc := range map[string]struct {
		link oauth.Link
		make func(c *call) ([]byte, http.Header)
	}{
		"MD5 to RSA":                    {byRSA, func(c *call) ([]byte, http.Header) { return c.md5() }},
		"MD5 to RSA, said to be RSA":    {byRSA, func(c *call) ([]byte, http.Header) { return c.signed(signMD5(key, c.text())) }},
		"MD5 to RSA, not said":          {byRSA, func(c *call) ([]byte, http.Header) { c.signType = ""; return c.signed(signMD5("", c.text())) }},
		"MD5 by the public key":         {byRSA, func(c *call) ([]byte, http.Header) { return c.signed(signMD5(publicPEM(keys().platform), c.text())) }},
		"MD5 with an empty key":         {byMD5, func(c *call) ([]byte, http.Header) { c.signType = "MD5"; return c.signed(signMD5("", c.text())) }},
		"RSA to MD5":                    {byMD5, (*call).rsa},
		"RSA to MD5, said to be MD5":    {byMD5, func(c *call) ([]byte, http.Header) { c.signType = "MD5"; return c.rsa() }},
		"RSA by the merchant's own":     {byRSA, func(c *call) ([]byte, http.Header) { return c.signed(signRSA(keys().merchant, c.text())) }},
		"RSA by a stranger":             {byRSA, func(c *call) ([]byte, http.Header) { return c.signed(signRSA(keys().foreign, c.text())) }},
		"MD5 by another merchant's key": {byMD5, func(c *call) ([]byte, http.Header) { c.signType = "MD5"; return c.signed(signMD5("key-2", c.text())) }},
		"MD5 in lower case": {byMD5, func(c *call) ([]byte, http.Header) {
			c.signType = "MD5"
			return c.signed(strings.ToLower(signMD5(key, c.text())))
		}},
		"unsigned": {byRSA, func(c *call) ([]byte, http.Header) { return c.signed("") }},
		"RSA in the other alphabet": {byRSA, func(c *call) ([]byte, http.Header) {
			return c.signed("_" + strings.NewReplacer("+", "-", "/", "_").Replace(signRSA(keys().platform, c.text())))
		}},
		"RSA without padding": {byRSA, func(c *call) ([]byte, http.Header) {
			return c.signed(strings.TrimRight(signRSA(keys().platform, c.text()), "="))
		}},
		"RSA over the parsed body": {byRSA, func(c *call) ([]byte, http.Header) {
			s := signRSA(keys().platform, strings.ReplaceAll(c.text(), `": "`, `":"`))
			return c.signed(s)
		}},
		"signType moved into the nonce": {byMD5, func(c *call) ([]byte, http.Header) {
			c.signType = "MD5"
			s := signMD5(key, c.text())
			c.nonce, c.signType = "n-1&signType=MD5", ""
			return c.signed(s)
		}},
		"body moved into the timestamp": {byMD5, func(c *call) ([]byte, http.Header) {
			c.signType = "MD5"
			s := signMD5(key, c.text())
			c.timestamp, c.body = c.timestamp+c.body[:1], c.body[1:]
			return c.signed(s)
		}},
		"timestamp moved into the body": {byMD5, func(c *call) ([]byte, http.Header) {
			c.signType = "MD5"
			s := signMD5(key, c.text())
			c.timestamp, c.body = c.timestamp[:12], c.timestamp[12:]+c.body
			return c.signed(s)
		}},
		"signed for the other's attempt": {byRSA, func(*call) ([]byte, http.Header) { return callback(byMD5).rsa() }},
	} {
		body, header := tc.make(callback(tc.link))
		r, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: tc.link.Kept})
		if oauth.KindOf(err) == "" || r.Verified || len(r.Answer) != 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// net/http changes the letters of names; a proxy or a test may not.
func TestReceiveTakesHeaderNamesInAnyLetters(t *testing.T) {
	p := open(t, usual())
	link := linkFor(t, p, withRSA())
	body, header := callback(link).rsa()
	raw, both := http.Header{"host": {"x"}, "X-Sign": {"y"}}, header.Clone()
	for name, wire := range map[string]string{"Businessid": "businessId", "Nonce": "nonce", "Timestamp": "timestamp", "Signtype": "signType", "Sign": "sign"} {
		raw[wire] = header[name]
	}
	if _, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: raw, Kept: link.Kept}); err != nil {
		t.Errorf("in their own letters: %v", err)
	}
	both["businessId"] = header["Businessid"]
	if _, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: both, Kept: link.Kept}); err == nil {
		t.Error("a name in two spellings was taken")
	}
}

func TestTwoPlatformKeysWhileTheyChange(t *testing.T) {
	both := publicPEM(keys().foreign) + publicPEM(keys().platform)
	for setting, want := range map[string]oauth.Kind{both: "", publicPEM(keys().foreign): oauth.Signature} {
		p := open(t, usual(), "PLATFORM_PUBLIC_KEY", setting)
		link := linkFor(t, p, withRSA())
		body, header := callback(link).rsa()
		_, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
		oauthtest.WantKind(t, "by the newer", err, want)
	}
}

func TestMaxAgeIsASetting(t *testing.T) {
	p := open(t, usual(), "CALLBACK_MAX_AGE", "2h")
	link := linkFor(t, p, withRSA())
	for age, want := range map[time.Duration]oauth.Kind{-time.Hour: "", -3 * time.Hour: oauth.ClockSkew} {
		c := callback(link)
		c.timestamp = ms(age)
		body, header := c.rsa()
		_, err := p.Receive(t.Context(), oauth.Callback{Body: body, Header: header, Kept: link.Kept})
		oauthtest.WantKind(t, age.String(), err, want)
	}
}

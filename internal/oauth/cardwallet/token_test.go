package cardwallet_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestTokenCallAsDocumented(t *testing.T) {
	for where, params := range map[string]string{"query": "query", "form": "form"} {
		d := usual(t)
		if _, err := open(t, d, map[string]string{"TOKEN_PARAMS": params}).Verify(t.Context(), values()); err != nil {
			t.Fatal(err)
		}
		c := d.calls(tokenPath)[0]
		sent, other := c.URL.RawQuery, c.body
		if where == "form" {
			sent, other = other, sent
		}
		if other != "" {
			t.Errorf("%s: parameters are also elsewhere", where)
		}
		q := query(t, sent)
		if q.Get("grant_type") != "client_credentials" || q.Get("client_id") != clientID || q.Get("client_secret") != clientSecret || len(q) != 3 {
			t.Errorf("%s: sent %v", where, q)
		}
		if got := c.Header.Get("Content-Type"); (got != "") != (where == "form") {
			t.Errorf("%s: content type %q", where, got)
		}
	}
}

func TestTokenTravelsInTheHeader(t *testing.T) {
	for name, tc := range map[string]struct {
		settings     map[string]string
		header, want string
	}{
		"as documented": {nil, "Authorization", "Bearer " + accessToken},
		"by settings":   {map[string]string{"AUTH_HEADER": "X-Access-Token", "AUTH_PREFIX": "none"}, "X-Access-Token", accessToken},
	} {
		d := usual(t)
		if _, err := open(t, d, tc.settings).(oauth.WalletFetcher).FetchWallets(t.Context(), credential()); err != nil {
			t.Fatal(err)
		}
		if got := d.calls(walletPath)[0].Header.Get(tc.header); got != tc.want {
			t.Errorf("%s: %s = %q", name, tc.header, got)
		}
	}
}

// The unit is not documented, and neither is what comes when it is not 60: each reading lasts as long as it says here.
func TestHowLongATokenIsUsed(t *testing.T) {
	for expiresIn, want := range map[string]map[string]time.Duration{
		"60":            {"seconds": 48 * time.Second, "minutes": 48 * time.Minute},
		`"60"`:          {"seconds": 48 * time.Second, "minutes": 48 * time.Minute},
		"30":            {"seconds": 20 * time.Second, "minutes": 24 * time.Minute},
		"12":            {"seconds": 6 * time.Second},
		"1":             {"seconds": 500 * time.Millisecond, "minutes": 48 * time.Second},
		"7200":          {"seconds": time.Hour, "minutes": time.Hour},
		"0":             {"seconds": 48 * time.Second, "minutes": 48 * time.Second},
		"-1":            {"seconds": 48 * time.Second},
		"null":          {"seconds": 48 * time.Second, "minutes": 48 * time.Second},
		`"soon"`:        {"seconds": 48 * time.Second},
		"1e300":         {"seconds": time.Hour},
		"1000000000000": {"seconds": time.Hour, "minutes": time.Hour},
		"1772424000":    {"seconds": time.Hour}, // an absolute time
		"{}":            {"seconds": 48 * time.Second},
	} {
		for unit, life := range want {
			d := usual(t)
			d.serve[tokenPath] = tokenSays("t", expiresIn)
			p := open(t, d, map[string]string{"EXPIRES_IN_UNIT": unit})
			first, err := p.Verify(t.Context(), values())
			if err != nil {
				t.Fatalf("%s %s: %v", expiresIn, unit, err)
			}
			next, err := p.(oauth.Refresher).Refresh(t.Context(), first)
			if err != nil {
				t.Fatalf("%s %s: %v", expiresIn, unit, err)
			}
			for what, cred := range map[string]oauth.Credential{"the first": first, "the next": next} {
				if got := cred.ExpiresAt.Sub(oauthtest.Now()); got != life {
					t.Errorf("%s %s: %s token is used for %s, want %s", expiresIn, unit, what, got, life)
				}
			}
		}
	}
}

func TestRefreshGetsANewTokenForTheSameValues(t *testing.T) {
	d := usual(t)
	d.serve[tokenPath] = tokenSays("canary-next", "60")
	p := open(t, d, nil)
	fresh, err := p.(oauth.Refresher).Refresh(t.Context(), credential())
	if err != nil || fresh.AccessToken.Reveal() != "canary-next" || fresh.Extra["client_id"].Reveal() != clientID ||
		fresh.Extra["client_secret"].Reveal() != clientSecret || !fresh.ObtainedAt.Equal(oauthtest.Now()) {
		t.Fatalf("Refresh = %+v, %v", fresh, err)
	}
	if q := query(t, d.calls(tokenPath)[0].URL.RawQuery); q.Get("grant_type") != "client_credentials" || len(q) != 3 {
		t.Errorf("sent %v", q)
	}
	if _, err := p.(oauth.WalletFetcher).FetchWallets(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	if got := d.calls(walletPath)[0].Header.Get("Authorization"); got != "Bearer canary-next" {
		t.Errorf("read with %q", got)
	}
	if n := len(d.calls(tokenPath)); n != 1 {
		t.Errorf("%d token calls", n)
	}
}

// A credential from before tokens were part of it holds none: nothing is sent with it, and its first reading gets one.
func TestACredentialWithoutATokenIsOver(t *testing.T) {
	d := usual(t)
	cred := credential()
	cred.AccessToken = secret.String{}
	_, err := open(t, d, nil).(oauth.WalletFetcher).FetchWallets(t.Context(), cred)
	oauthtest.WantKind(t, "no token", err, oauth.AuthExpired)
	if len(d.calls(walletPath)) != 0 {
		t.Error("a request was sent")
	}
}

// A token that is turned away is over; what else is refused is not for a new token to mend.
func TestTurnedAway(t *testing.T) {
	ok := oauthtest.Fixture(t, "wallets.json")
	for name, tc := range map[string]struct {
		read http.HandlerFunc
		want oauth.Kind
		code string
	}{
		"401":                  {oauthtest.Says(401, ""), oauth.AuthExpired, ""},
		"code 401":             {oauthtest.Says(200, `{"success":false,"code":"401"}`), oauth.AuthExpired, "401"},
		"code 403 as a number": {oauthtest.Says(200, `{"success":false,"code":403}`), oauth.AuthExpired, "403"},
		"403":                  {oauthtest.Says(403, `{"success":false,"code":"403"}`), oauth.AuthExpired, "403"},
		"a 401 that is a 429":  {oauthtest.Says(401, `{"success":false,"code":"429"}`), oauth.RateLimited, "429"},
		"accepted with a 401":  {oauthtest.Says(401, ok), "", ""},
		"an unknown code":      {oauthtest.Says(200, `{"success":false,"code":"90001"}`), oauth.Upstream, "90001"},
	} {
		d := usual(t)
		d.serve[walletPath] = tc.read
		_, err := open(t, d, nil).(oauth.WalletFetcher).FetchWallets(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); ok && e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: code %q, want %q", name, e.Code, tc.code)
		}
		if len(d.calls(walletPath)) != 1 || len(d.calls(tokenPath)) != 0 {
			t.Errorf("%s: %d reads and %d token calls", name, len(d.calls(walletPath)), len(d.calls(tokenPath)))
		}
	}
}

func TestRefusedTokenCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   oauth.Kind
		code   string
	}{
		"401":                          {401, "", oauth.AuthConfig, ""},
		"401 in the envelope":          {200, `{"success":false,"code":"401","message":"x"}`, oauth.AuthConfig, "401"},
		"403 as a number":              {200, `{"success":false,"code":403,"message":"x"}`, oauth.AuthConfig, "403"},
		"the secret is named":          {200, `{"success":false,"code":"10001","message":"client_secret 错误"}`, oauth.AuthConfig, "10001"},
		"密钥 named":                     {400, `{"success":false,"code":"10001","message":"密钥不正确"}`, oauth.AuthConfig, "10001"},
		"OAuth's own word":             {400, `{"error":"invalid_client"}`, oauth.AuthConfig, ""},
		"another of OAuth's words":     {400, `{"error":"invalid_request"}`, oauth.BadRequest, ""},
		"an unknown code":              {200, `{"success":false,"code":"90001","message":"oops"}`, oauth.Upstream, "90001"},
		"the wrong path":               {404, "<html>", oauth.AuthConfig, ""},
		"the wrong path, by a frame":   {404, `{"timestamp":1,"status":404,"error":"Not Found","path":"/x"}`, oauth.AuthConfig, ""},
		"a method not taken":           {405, "", oauth.AuthConfig, ""},
		"429 in the envelope":          {200, `{"success":false,"code":"429"}`, oauth.RateLimited, "429"},
		"500 naming the client":        {500, `{"success":false,"code":"500","message":"client pool"}`, oauth.Upstream, "500"},
		"success without the code":     {200, `{"success":true,"data":{"access_token":"t"}}`, oauth.BadResponse, ""},
		"the code without success":     {200, `{"code":"200","data":{"access_token":"t"}}`, oauth.BadResponse, ""},
		"success denied with code 200": {200, `{"success":false,"code":"200","data":{"access_token":"t"}}`, oauth.Upstream, ""},
		"success with another code":    {200, `{"success":true,"code":"0","data":{"access_token":"t"}}`, oauth.Upstream, "0"},
		"a token that is a number":     {200, `{"success":true,"code":"200","data":{"access_token":123}}`, oauth.BadResponse, ""},
		"a token with a line break":    {200, `{"success":true,"code":"200","data":{"access_token":"a\r\nX: y"}}`, oauth.BadResponse, ""},
		"a token without end":          {200, `{"success":true,"code":"200","data":{"access_token":"` + strings.Repeat("x", 9<<10) + `"}}`, oauth.BadResponse, ""},
		"no data":                      {200, `{"success":true,"code":"200","data":null}`, oauth.BadResponse, ""},
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(tc.status, tc.body)
		_, err := open(t, d, nil).Verify(t.Context(), values())
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); !ok || e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: %v, want code %q", name, err, tc.code)
		}
		if text := fmt.Sprintf("%+v", err); strings.Contains(text, clientSecret) || strings.Contains(text, clientID) {
			t.Errorf("%s tells a value: %s", name, text)
		}
	}
}

func TestAcceptedTokenAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
	}{
		"code as a number":       {200, `{"success":true,"code":200,"data":{"access_token":"t","expires_in":60}}`},
		"success as a word":      {200, `{"success":"true","code":"200","data":{"access_token":"t"}}`},
		"status of a failure":    {500, `{"success":true,"code":"200","data":{"access_token":"t"}}`},
		"a scope that is a list": {200, `{"success":true,"code":"200","data":{"access_token":"t","scope":["a"]}}`},
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(tc.status, tc.body)
		if _, err := open(t, d, nil).Verify(t.Context(), values()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

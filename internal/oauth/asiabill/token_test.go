package asiabill_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestTokenCallInItsThreeVariants(t *testing.T) {
	want := url.Values{
		"client_id": {clientID}, "client_secret": {clientSecret}, "code": {code},
		"grant_type": {"authorization_code"}, "redirect_uri": {oauthtest.RedirectURI},
	}.Encode()
	for method, check := range map[string]func(d *desk) string{
		"":          func(d *desk) string { return d.seen[0].Header.Get("Content-Type") + " " + d.forms[0].Encode() },
		"post_form": func(d *desk) string { return d.seen[0].Header.Get("Content-Type") + " " + d.forms[0].Encode() },
		"get_query": func(d *desk) string { return "application/x-www-form-urlencoded " + d.seen[0].URL.RawQuery },
	} {
		d := usual(t)
		if _, err := open(t, d, map[string]string{"TOKEN_METHOD": method}).Exchange(t.Context(), arrival()); err != nil {
			t.Fatal(err)
		}
		if got := check(d); got != "application/x-www-form-urlencoded "+want {
			t.Errorf("%s: %s", method, got)
		}
	}
}

func TestTokenCallInJSONKeepsItsCharacters(t *testing.T) {
	var body []byte
	answer := oauthtest.Says(200, oauthtest.Fixture(t, "token_top.json"))
	flow := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		answer(w, r)
	}), map[string]string{"TOKEN_METHOD": "post_json"})
	a := arrival()
	a.RedirectURI = "https://app.example/cb?x=1&y=<2>"
	if _, err := flow.Exchange(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	var sent map[string]string
	if err := json.Unmarshal(body, &sent); err != nil || sent["redirect_uri"] != a.RedirectURI || sent["client_secret"] != clientSecret || len(sent) != 5 {
		t.Errorf("sent %q, %v", body, err)
	}
	if !strings.Contains(string(body), "x=1&y=<2>") {
		t.Error("the bytes of redirect_uri were rewritten")
	}
}

func TestTokenEnvelopes(t *testing.T) {
	for _, name := range []string{"token_top.json", "token_data.json", "token_result.json"} {
		d := usual(t)
		d.serve["/oauth/token"] = oauthtest.Says(200, oauthtest.Fixture(t, name))
		cred, err := open(t, d, nil).Exchange(t.Context(), arrival())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if cred.AccessToken.Reveal() != accessToken || cred.RefreshToken.Reveal() != refreshToken || cred.Extra["merNo"].Reveal() != "12345" ||
			!cred.ObtainedAt.Equal(oauthtest.Now()) || !cred.ExpiresAt.Equal(oauthtest.Now().Add(2*time.Hour)) ||
			!cred.RefreshExpires.Equal(oauthtest.Now().Add(14*24*time.Hour)) {
			t.Errorf("%s: %+v", name, cred)
		}
	}
}

func TestLifetimes(t *testing.T) {
	for value, want := range map[string]time.Duration{
		`60`: time.Minute, `"7200"`: 2 * time.Hour, `7200.0`: 2 * time.Hour, `7.2e3`: 2 * time.Hour,
		`0`: 0, `-1`: 0, `""`: 0, `null`: 0, `"soon"`: 0, `1000000000000`: 0, `1e309`: 0, `1e300`: 0, `"NaN"`: 0, `1772424000`: 0, `true`: 0,
	} {
		d := usual(t)
		d.serve["/oauth/token"] = oauthtest.Says(200, `{"access_token":"a","expires_in":`+value+`}`)
		cred, err := open(t, d, nil).Exchange(t.Context(), arrival())
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		var got time.Duration
		if !cred.ExpiresAt.IsZero() {
			got = cred.ExpiresAt.Sub(oauthtest.Now())
		}
		if got != want {
			t.Errorf("expires_in %s: %s, want %s", value, got, want)
		}
	}
}

func TestUnusableTokens(t *testing.T) {
	for _, body := range []string{
		`{"access_token":123}`, `{"access_token":""}`, `{"access_token":null}`, `{"access_token":["a"]}`, `{"access_token":"a\r\nX: y"}`,
		`{"access_token":"令牌"}`, `{"access_token":"` + strings.Repeat("a", 9000) + `"}`, `{"code":"00000","data":null}`, `{"code":"00000","data":"a"}`,
		`{"result":{"code":"00000","data":{"token":"a"}}}`, `{"access_token":"a"`,
	} {
		d := usual(t)
		d.serve["/oauth/token"] = oauthtest.Says(200, body)
		_, err := open(t, d, nil).Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, fmt.Sprintf("%.60s", body), err, oauth.BadResponse)
	}
}

func TestRefusedTokens(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   oauth.Kind
		code   string
	}{
		"invalid_grant":           {400, `{"error":"invalid_grant","error_description":"canary","code":"40010"}`, oauth.NeedsReauth, "invalid_grant"},
		"invalid_client":          {401, `{"error":"invalid_client"}`, oauth.AuthConfig, "invalid_client"},
		"redirect_uri is ours":    {400, `{"error":"invalid_grant","error_description":"redirect_uri does not match"}`, oauth.AuthConfig, "invalid_grant"},
		"invalid_request":         {400, `{"error":"invalid_request"}`, oauth.BadRequest, "invalid_request"},
		"server_error":            {500, `{"error":"server_error"}`, oauth.Upstream, "server_error"},
		"授权码已过期":                  {200, `{"code":"10010","message":"授权码已过期"}`, oauth.NeedsReauth, "10010"},
		"under result":            {200, `{"result":{"code":"10010","message":"授权码已过期"}}`, oauth.NeedsReauth, "10010"},
		"secret is wrong":         {200, `{"code":"10011","message":"client_secret 不正确"}`, oauth.AuthConfig, "10011"},
		"unknown code":            {200, `{"code":"77777","message":"oops"}`, oauth.Upstream, "77777"},
		"a token and a refusal":   {200, `{"code":"77777","access_token":"a","data":{"access_token":"b"}}`, oauth.Upstream, "77777"},
		"a token and success=no":  {200, `{"success":false,"access_token":"a"}`, oauth.Upstream, ""},
		"a token with status 400": {400, `{"access_token":"a"}`, oauth.BadRequest, ""},
		"bare 401":                {401, "", oauth.AuthConfig, ""},
		"bare 403":                {403, "<html>", oauth.AuthConfig, ""},
		"bare 400":                {400, "<html>", oauth.BadResponse, ""},
	} {
		d := usual(t)
		d.serve["/oauth/token"] = oauthtest.Says(tc.status, tc.body)
		_, err := open(t, d, nil).Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); !ok || e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: %v, want code %q", name, err, tc.code)
		}
		if got := len(d.paths()); got != 1 {
			t.Errorf("%s: %d calls: the code was brought twice", name, got)
		}
	}
}

func TestTokenCallFallsBackToGETOnlyWhereTheMethodIsUnknown(t *testing.T) {
	for status, want := range map[int]string{
		404: "POST GET", 405: "POST GET", 415: "POST GET", 400: "POST", 401: "POST", 403: "POST", 406: "POST", 409: "POST", 429: "POST", 500: "POST", 501: "POST",
	} {
		for _, method := range []string{"post_form", "post_json"} {
			d := usual(t)
			token := d.serve["/oauth/token"]
			d.serve["/oauth/token"] = func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					token(w, r)
					return
				}
				w.WriteHeader(status)
			}
			_, err := open(t, d, map[string]string{"TOKEN_METHOD": method}).Exchange(t.Context(), arrival())
			got := strings.ReplaceAll(strings.Join(d.paths(), " "), " /oauth/token", "")
			if got != want || (err == nil) != (want == "POST GET") {
				t.Errorf("%s, %d: %s, %v", method, status, got, err)
			}
		}
	}
	// Where GET is what was set, nothing else is tried, and where GET is refused as well, the address is wrong.
	d := usual(t)
	delete(d.serve, "/oauth/token")
	_, err := open(t, d, map[string]string{"TOKEN_METHOD": "get_query"}).Exchange(t.Context(), arrival())
	oauthtest.WantKind(t, "404", err, oauth.AuthConfig)
	if got := len(d.paths()); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}

func TestAnnouncedMerchant(t *testing.T) {
	for name, tc := range map[string]struct {
		params url.Values
		want   string
		kind   oauth.Kind
	}{
		"merNo":      {url.Values{"merNo": {"12345"}}, "12345", ""},
		"merchantNo": {url.Values{"merchantNo": {"12345"}}, "12345", ""},
		"merchantId": {url.Values{"merchantId": {" 12345 "}}, "12345", ""},
		"merno":      {url.Values{"merno": {"012"}}, "012", ""},
		"twice":      {url.Values{"merNo": {"12345"}, "merchantId": {"12345"}}, "12345", ""},
		"none":       {nil, "", ""},
		"two":        {url.Values{"merNo": {"12345"}, "merchantId": {"54321"}}, "", oauth.BadResponse},
		"endless":    {url.Values{"merNo": {strings.Repeat("1", 33)}}, "", oauth.BadResponse},
	} {
		d, a := usual(t), arrival()
		a.Params = tc.params
		cred, err := open(t, d, nil).Exchange(t.Context(), a)
		oauthtest.WantKind(t, name, err, tc.kind)
		if got := cred.Extra["merNo"].Reveal(); got != tc.want {
			t.Errorf("%s: merNo %q", name, got)
		}
		if tc.kind != "" && len(d.paths()) != 0 {
			t.Errorf("%s: the code was spent on it", name)
		}
	}
}

func TestRefreshIsThereOnlyWhereItIsEnabled(t *testing.T) {
	if _, can := oauth.Provider(open(t, usual(t), nil)).(oauth.Refresher); can {
		t.Error("promises a refresh that nobody documented")
	}
	refresher := func(d *desk) oauth.Refresher {
		return oauth.Provider(open(t, d, map[string]string{"REFRESH_ENABLED": "true"})).(oauth.Refresher)
	}
	d := usual(t)
	cred := credential("12345")
	fresh, err := refresher(d).Refresh(t.Context(), cred)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"client_id": {clientID}, "client_secret": {clientSecret}, "grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	if got := d.forms[0].Encode(); got != want.Encode() {
		t.Errorf("sent %s", got)
	}
	if fresh.Extra["merNo"].Reveal() != "12345" || fresh.AccessToken.Reveal() != accessToken {
		t.Errorf("fresh = %+v", fresh)
	}

	// No new refresh token: the old one stays.
	d.serve["/oauth/token"] = oauthtest.Says(200, `{"access_token":"canary-access-2"}`)
	cred.RefreshExpires = oauthtest.Now().Add(time.Hour)
	if fresh, err = refresher(d).Refresh(t.Context(), cred); err != nil || fresh.RefreshToken.Reveal() != refreshToken || !fresh.RefreshExpires.Equal(cred.RefreshExpires) {
		t.Errorf("kept %+v, %v", fresh, err)
	}

	// No refusal of an undocumented call ends a connection.
	for status, body := range map[int]string{400: `{"error":"invalid_grant"}`, 401: "", 200: `{"code":"1","message":"refresh_token 已过期"}`, 403: "{}"} {
		d.serve["/oauth/token"] = oauthtest.Says(status, body)
		_, err := refresher(d).Refresh(t.Context(), cred)
		if e, ok := err.(*oauth.Error); !ok || e.Definite() { //nolint:errorlint // the type itself is the contract
			t.Errorf("%d: %v", status, err)
		}
	}
	cred.RefreshToken = secret.String{}
	_, err = refresher(d).Refresh(t.Context(), cred)
	oauthtest.WantKind(t, "no refresh token", err, oauth.AuthExpired)
}

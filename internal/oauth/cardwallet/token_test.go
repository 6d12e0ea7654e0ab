package cardwallet_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
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
			now := &clock{now: oauthtest.Now()}
			d := usual(t)
			d.serve[tokenPath] = tokenSays("t", expiresIn)
			p := openAt(t, d, map[string]string{"EXPIRES_IN_UNIT": unit}, now.Now)
			for _, step := range []struct {
				pass  time.Duration
				calls int
			}{{0, 1}, {life - time.Millisecond, 1}, {time.Millisecond, 2}} {
				now.pass(step.pass)
				if _, err := p.Identify(t.Context(), credential()); err != nil {
					t.Fatalf("%s %s: %v", expiresIn, unit, err)
				}
				if n := len(d.calls(tokenPath)); n != step.calls {
					t.Errorf("%s %s: %d token calls %s later, want %d", expiresIn, unit, n, step.pass, step.calls)
				}
			}
		}
	}
}

// Ten pages and a sync at the same moment are one token call; so are its refusal and a new token after a 401.
func TestNoStorm(t *testing.T) {
	slow := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(100 * time.Millisecond)
			h(w, r)
		}
	}
	for name, tc := range map[string]struct {
		token  http.HandlerFunc
		want   oauth.Kind
		tokens int
	}{
		"while all is well": {slow(tokenSays("good", "60")), "", 1},
		"refused":           {slow(oauthtest.Says(401, `{"success":false,"code":"401"}`)), oauth.AuthConfig, 1},
		"failing":           {slow(oauthtest.Says(500, "")), oauth.Upstream, 1},
		"ended too early":   {slow(inTurn(tokenSays("stale", "60"), tokenSays("good", "60"))), "", 2},
	} {
		d := usual(t)
		d.serve[tokenPath] = tc.token
		d.serve[walletPath] = needs(t, "good", oauthtest.Fixture(t, "wallets.json"))
		p := open(t, d, nil).(oauth.WalletFetcher)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				_, err := p.FetchWallets(t.Context(), credential())
				oauthtest.WantKind(t, name, err, tc.want)
			})
		}
		wg.Wait()
		if n := len(d.calls(tokenPath)); n != tc.tokens {
			t.Errorf("%s: %d token calls, want %d", name, n, tc.tokens)
		}
	}
}

// needs turns away every token but one.
func needs(t testing.TB, token, body string) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			oauthtest.Says(401, "")(w, r)
			return
		}
		oauthtest.Says(200, body)(w, r)
	}
}

func TestTokensAreTheClientsOwn(t *testing.T) {
	d := usual(t)
	d.serve[tokenPath] = func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		tokenSays(q.Get("client_id")+"-"+q.Get("client_secret"), "60")(w, r)
	}
	p := open(t, d, nil).(oauth.WalletFetcher)
	for _, c := range [][2]string{{"1", "23"}, {"12", "3"}, {"1", "24"}, {"1", "23"}} {
		cred := oauth.Credential{Extra: map[string]secret.String{"client_id": secret.New(c[0]), "client_secret": secret.New(c[1])}}
		if _, err := p.FetchWallets(t.Context(), cred); err != nil {
			t.Fatal(err)
		}
		all := d.calls(walletPath)
		if got := all[len(all)-1].Header.Get("Authorization"); got != "Bearer "+c[0]+"-"+c[1] {
			t.Errorf("client %v read with %q", c, got)
		}
	}
	if n := len(d.calls(tokenPath)); n != 3 {
		t.Errorf("%d token calls for three clients", n)
	}
}

// A caller who gives up leaves the others nothing to believe: they ask for themselves.
func TestWhoGivesUpSpoilsNothing(t *testing.T) {
	entered := make(chan struct{}, 2)
	d := usual(t)
	d.serve[tokenPath] = inTurn(
		func(_ http.ResponseWriter, r *http.Request) { entered <- struct{}{}; <-r.Context().Done() },
		tokenSays("good", "60"))
	p := open(t, d, nil).(oauth.WalletFetcher)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := p.FetchWallets(ctx, credential()); err == nil {
			t.Error("the one who gave up was served")
		}
	})
	<-entered
	waits, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, err := p.FetchWallets(waits, credential())
	oauthtest.WantKind(t, "waiting only so long", err, oauth.Upstream)
	wg.Go(func() {
		if _, err := p.FetchWallets(t.Context(), credential()); err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
	})
	time.Sleep(20 * time.Millisecond)
	cancel()
	wg.Wait()
}

func TestTurnedAway(t *testing.T) {
	ok := oauthtest.Fixture(t, "wallets.json")
	for name, tc := range map[string]struct {
		reads  []http.HandlerFunc
		want   oauth.Kind
		code   string
		calls  int
		tokens int
	}{
		"401 once":             {[]http.HandlerFunc{oauthtest.Says(401, ""), oauthtest.Says(200, ok)}, "", "", 2, 2},
		"code 401 once":        {[]http.HandlerFunc{oauthtest.Says(200, `{"success":false,"code":"401"}`), oauthtest.Says(200, ok)}, "", "", 2, 2},
		"code 403 as a number": {[]http.HandlerFunc{oauthtest.Says(200, `{"success":false,"code":403}`), oauthtest.Says(200, ok)}, "", "", 2, 2},
		"401 for ever":         {[]http.HandlerFunc{oauthtest.Says(401, "")}, oauth.AuthConfig, "", 2, 2},
		"403 for ever":         {[]http.HandlerFunc{oauthtest.Says(403, `{"success":false,"code":"403"}`)}, oauth.AuthConfig, "403", 2, 2},
		"401, then 500":        {[]http.HandlerFunc{oauthtest.Says(401, ""), oauthtest.Says(500, "")}, oauth.Upstream, "", 2, 2},
		"accepted with a 401":  {[]http.HandlerFunc{oauthtest.Says(401, ok)}, "", "", 1, 1},
		"an unknown code":      {[]http.HandlerFunc{oauthtest.Says(200, `{"success":false,"code":"90001"}`)}, oauth.Upstream, "90001", 1, 1},
	} {
		d := usual(t)
		d.serve[walletPath] = inTurn(tc.reads...)
		d.serve[tokenPath] = inTurn(tokenSays("a", "60"), tokenSays("b", "60"))
		_, err := open(t, d, nil).(oauth.WalletFetcher).FetchWallets(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); ok && e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: code %q, want %q", name, e.Code, tc.code)
		}
		reads := d.calls(walletPath)
		if len(reads) != tc.calls || len(d.calls(tokenPath)) != tc.tokens {
			t.Errorf("%s: %d reads and %d token calls", name, len(reads), len(d.calls(tokenPath)))
		}
		if len(reads) == 2 && reads[1].Header.Get("Authorization") != "Bearer b" {
			t.Errorf("%s: repeated with the old token", name)
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

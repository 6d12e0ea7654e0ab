package chainup_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestRequestByteByByte(t *testing.T) {
	for code, want := range map[string]struct{ plain, message string }{
		"code_abc123":            {`{"code":"code_abc123"}`, "917e24e46c4a979dc931ac46e52b4ca2"},
		`a&b<c>"d\界`:             {`{"code":"a&b<c>\"d\\界"}`, ""}, // not a byte is escaped that JSON does not demand
		strings.Repeat("界", 200): {`{"code":"` + strings.Repeat("界", 200) + `"}`, ""},
	} {
		d, a := usual(t), arrival()
		a.Code = secret.New(code)
		if _, err := open(t, d, nil).Exchange(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		got := d.seen[0]
		if got.plain != want.plain || (want.message != "" && !signed(got.sign, want.message)) {
			t.Errorf("P is %s", got.plain)
		}
		if got.header.Get("Content-Type") != "application/json" || got.header.Get("Accept") != "application/json" {
			t.Errorf("headers %v", got.header)
		}
		if !strings.HasPrefix(got.body, `{"app_id":"app_1","time":1772424000000,"data":"`) || len(got.fields) != 4 {
			t.Errorf("body %.80s", got.body)
		}
	}
}

func TestRefreshRequestByteByByte(t *testing.T) {
	d, cred := usual(t), credential()
	cred.RefreshToken, cred.AccessToken = secret.New("rt_1"), secret.New("tk_1")
	if _, err := open(t, d, nil).Refresh(t.Context(), cred); err != nil {
		t.Fatal(err)
	}
	if got := d.seen[0]; got.plain != `{"openId":"open_1","refreshToken":"rt_1","token":"tk_1"}` || !signed(got.sign, "bb7b170b800e5be4330bfd7343e8dd0f") {
		t.Errorf("P is %s", got.plain)
	}
}

func TestTimeFormats(t *testing.T) {
	for format, want := range map[string]string{
		"": `1772424000000`, "ms_number": `1772424000000`, "ms_string": `"1772424000000"`, "s_number": `1772424000`,
	} {
		d := usual(t)
		if _, err := open(t, d, map[string]string{"TIME_FORMAT": format}).Exchange(t.Context(), arrival()); err != nil {
			t.Fatal(err)
		}
		if got := string(d.seen[0].fields["time"]); got != want {
			t.Errorf("%s: time is %s, want %s", format, got, want)
		}
	}
}

func TestExchange(t *testing.T) {
	for _, success := range []string{`0`, `"0"`, `" 0 "`} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(success, fixture(t, "token.json")))
		cred, err := open(t, d, nil).Exchange(t.Context(), arrival())
		if err != nil {
			t.Errorf("code %s: %v", success, err)
			continue
		}
		if cred.AccessToken.Reveal() != accessToken || cred.RefreshToken.Reveal() != refreshToken || cred.Extra["openId"].Reveal() != "open_1" ||
			!cred.ObtainedAt.Equal(oauthtest.Now()) || !cred.ExpiresAt.Equal(oauthtest.Now().Add(2*time.Hour)) || !cred.RefreshExpires.IsZero() {
			t.Errorf("code %s: %+v", success, cred)
		}
	}
}

// The documents' sample of expireIn is the moment 2024-07-09 02:27:53 UTC.
func TestExpireInInAllItsReadings(t *testing.T) {
	now := time.Date(2024, 7, 9, 0, 27, 53, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		`"1720492073"`: 2 * time.Hour, `1720492073`: 2 * time.Hour, `"1720492073000"`: 2 * time.Hour, `1720492073500`: 2*time.Hour + 500*time.Millisecond,
		`"7200"`: 2 * time.Hour, `7200`: 2 * time.Hour, `"60"`: time.Minute, `7.2e3`: 2 * time.Hour, `"7200.0"`: 2 * time.Hour,
		`""`: 0, `null`: 0, `"soon"`: 0, `0`: 0, `-1`: 0, `"-7200"`: 0, `1e309`: 0, `1e300`: 0, `"NaN"`: 0, `true`: 0,
		`999999999`: 0, `1000000000`: 0, `1720484873`: 0, `"1720484872000"`: 0, `9999999999`: 0, `99999999999999`: 0, `1000000000000000000`: 0,
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(`0`, `{"openId":"o","token":"t","refreshToken":"r","expireIn":`+value+`}`))
		cred, err := openAt(t, d, func() time.Time { return now }, nil).Exchange(t.Context(), arrival())
		if err != nil {
			t.Errorf("%s: %v", value, err)
			continue
		}
		var got time.Duration
		if !cred.ExpiresAt.IsZero() {
			got = cred.ExpiresAt.Sub(now)
		}
		if got != want {
			t.Errorf("expireIn %s: %s, want %s", value, got, want)
		}
	}
}

func TestRefreshTokenInEverySpelling(t *testing.T) {
	for name, want := range map[string]string{"refreshToken": "canary-2", "refersh_token": "canary-2", "refresh_token": "canary-2", "refresh": ""} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(`0`, `{"openId":"open_1","token":"t","`+name+`":"canary-2"}`))
		d.serve[refreshPath] = d.serve[tokenPath]
		p := open(t, d, nil)
		cred, err := p.Exchange(t.Context(), arrival())
		if err != nil || cred.RefreshToken.Reveal() != want {
			t.Errorf("%s: %q, %v", name, cred.RefreshToken.Reveal(), err)
		}
		if want == "" {
			want = refreshToken // an answer without one keeps the old one
		}
		if cred, err = p.Refresh(t.Context(), credential()); err != nil || cred.RefreshToken.Reveal() != want {
			t.Errorf("%s, refreshed: %q, %v", name, cred.RefreshToken.Reveal(), err)
		}
	}
}

func TestRefreshReplacesBothTokensAndKeepsTheAccount(t *testing.T) {
	fresh, err := open(t, usual(t), nil).Refresh(t.Context(), credential())
	if err != nil || fresh.AccessToken.Reveal() != "canary-access-2" || fresh.RefreshToken.Reveal() != "canary-refresh-2" || fresh.Extra["openId"].Reveal() != "open_1" ||
		!fresh.ExpiresAt.Equal(oauthtest.Now().Add(2*time.Hour)) {
		t.Errorf("%+v, %v", fresh, err)
	}
	for name, tc := range map[string]struct {
		answer string
		want   oauth.Kind
	}{
		"another account":       {answer(`0`, `{"openId":"open_2","token":"t","refreshToken":"r"}`), oauth.AccountMismatch},
		"no account":            {answer(`0`, `{"token":"t","refreshToken":"r"}`), oauth.BadResponse},
		"no token":              {answer(`0`, `{"openId":"open_1","refreshToken":"r"}`), oauth.BadResponse},
		"refresh token invalid": {`{"code":"60001"}`, oauth.NeedsReauth},
		"token invalid":         {`{"code":"60002"}`, oauth.NeedsReauth}, // a refresh that asks for a refresh would never end
		"openId invalid":        {`{"code":"60004"}`, oauth.NeedsReauth},
		"system":                {`{"code":"10001"}`, oauth.Upstream},
	} {
		d := usual(t)
		d.serve[refreshPath] = oauthtest.Says(200, tc.answer)
		p := open(t, d, nil)
		_, err := p.Refresh(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); !ok || (e.Code == "60002" && !explained(p, e)) { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: %v has no words", name, err)
		}
		if len(d.paths()) != 1 {
			t.Errorf("%s: asked %v", name, d.paths())
		}
	}
	d, cred := usual(t), credential()
	cred.RefreshToken = secret.String{}
	_, err = open(t, d, nil).Refresh(t.Context(), cred)
	oauthtest.WantKind(t, "no refresh token", err, oauth.AuthExpired)
}

func explained(p oauth.Provider, e *oauth.Error) bool {
	x, ok := p.Descriptor().Explain(e.Kind, e.Code)
	return ok && x.Code == e.Code
}

func TestUnusableTokens(t *testing.T) {
	for _, plain := range []string{
		`{"openId":"o","token":123456}`, // a number is taken for its digits
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(`0`, plain))
		if cred, err := open(t, d, nil).Exchange(t.Context(), arrival()); err != nil || cred.AccessToken.Reveal() != "123456" {
			t.Errorf("%s: %v", plain, err)
		}
	}
	for _, plain := range []string{
		`{"openId":"o","token":""}`, `{"openId":"","token":"t"}`, `{"token":"t"}`, `{"openId":"o"}`, `{"openId":"o","token":null}`, `{"openId":"o","token":["t"]}`,
		`{"openId":"o","token":"t\r\nX: y"}`, `{"openId":"o","token":"令牌"}`, `{"openId":"o","token":"` + strings.Repeat("a", 9000) + `"}`,
		`null`, `[]`, `"t"`, `{"openId":"o","token":"t"`, `{"openId":"o","token":"t"}{}`,
		`{"openId":"o","expireIn":"1720492073","refreshToken":"r","token":"t". //token` + "\n}", // the documents' own illustration is no JSON
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(`0`, plain))
		_, err := open(t, d, nil).Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, fmt.Sprintf("%.60s", plain), err, oauth.BadResponse)
	}
}

// An answer is taken only when it is encrypted for us and signed by the exchange. Nothing else of it is looked at, and
// nothing tells what was wrong.
func TestAnswersThatCannotBeTrusted(t *testing.T) {
	k, plain := keyring(), fixture(t, "token.json")
	data, sign := sealWith(&k.app.PublicKey, k.exchange, plain)
	foreign, _ := sealWith(&k.stranger.PublicKey, k.exchange, plain)
	for name, body := range map[string]string{
		"not signed":              `{"code":0,"data":"` + data + `"}`,
		"signature blank":         `{"code":0,"data":"` + data + `","sign":""}`,
		"signature null":          `{"code":0,"data":"` + data + `","sign":null}`,
		"signature an object":     `{"code":0,"data":"` + data + `","sign":{}}`,
		"signed by a stranger":    `{"code":0,"data":"` + data + `","sign":"` + signWith(k.stranger, plain) + `"}`,
		"signed by ourselves":     `{"code":0,"data":"` + data + `","sign":"` + signWith(k.app, plain) + `"}`,
		"signed for another text": `{"code":0,"data":"` + data + `","sign":"` + signWith(k.exchange, plain+" ") + `"}`,
		"for a stranger":          `{"code":0,"data":"` + foreign + `","sign":"` + sign + `"}`,
		"plain, as version 1":     `{"code":0,"data":` + plain + `,"sign":"` + sign + `"}`,
		"plain, as a string":      `{"code":0,"data":` + strconv.Quote(plain) + `,"sign":"` + sign + `"}`,
		"no data":                 `{"code":0,"sign":"` + sign + `"}`,
		"data blank":              `{"code":"0","data":"","sign":""}`,
		"at the top":              plain,
	} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, body)
		_, err := open(t, d, nil).Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, name, err, oauth.BadResponse)
		if name != "at the top" && err.Error() != "chainup: bad_response: the answer cannot be opened with our keys" {
			t.Errorf("%s: %v", name, err)
		}
		if len(d.paths()) != 1 {
			t.Errorf("%s: the code was brought %d times", name, len(d.paths()))
		}
	}
}

// 200 means success in one call's sample, and in that call alone.
func TestTwoHundredIsNoSuccessElsewhere(t *testing.T) {
	for _, written := range []string{`200`, `"200"`} {
		d := usual(t)
		d.serve[tokenPath] = oauthtest.Says(200, answer(written, fixture(t, "token.json")))
		d.serve[balancePath] = oauthtest.Says(200, answer(written, fixture(t, "balance.json")))
		d.serve[userPath] = oauthtest.Says(200, answer(written, fixture(t, "user.json")))
		p := open(t, d, nil)
		_, err := p.Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, "Exchange", err, oauth.Upstream)
		_, err = p.FetchWallets(t.Context(), credential())
		oauthtest.WantKind(t, "FetchWallets", err, oauth.Upstream)
		if _, err = p.FetchUser(t.Context(), credential()); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusedCalls(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		once   oauth.Kind
		read   oauth.Kind
		code   string
	}{
		"code used":             {200, `{"code":"60003","msg":"x"}`, oauth.NeedsReauth, oauth.NeedsReauth, "60003"},
		"an unknown code":       {200, `{"code":"88888"}`, oauth.Upstream, oauth.Upstream, "88888"},
		"an unknown code, 429":  {429, `{"code":"88888"}`, oauth.RateLimited, oauth.RateLimited, "88888"},
		"a code with 500":       {500, `{"code":"50005"}`, oauth.Signature, oauth.Signature, "50005"},
		"a refusal with a text": {200, answer(`"60003"`, fixture(t, "token.json")), oauth.NeedsReauth, oauth.NeedsReauth, "60003"},
		"a code of nothing":     {200, `{"code":"","data":"x"}`, oauth.BadResponse, oauth.BadResponse, ""},
		"a code of null":        {200, `{"code":null}`, oauth.BadResponse, oauth.BadResponse, ""},
		"a code of objects":     {200, `{"code":{}}`, oauth.BadResponse, oauth.BadResponse, ""},
		"00000":                 {200, `{"code":"00000"}`, oauth.Upstream, oauth.Upstream, "00000"},
		"401":                   {401, ``, oauth.AuthConfig, oauth.AuthConfig, ""},
		"403 in JSON":           {403, `{"status":403}`, oauth.AuthConfig, oauth.AuthConfig, ""},
		"403 from a wall":       {403, `<html>blocked`, oauth.Upstream, oauth.Upstream, ""},
		"404":                   {404, `{"status":404,"error":"Not Found"}`, oauth.AuthConfig, oauth.NotFound, ""},
		"400":                   {400, ``, oauth.BadRequest, oauth.BadRequest, ""},
	} {
		d := usual(t)
		d.serve[tokenPath], d.serve[balancePath] = oauthtest.Says(tc.status, tc.body), oauthtest.Says(tc.status, tc.body)
		p := open(t, d, nil)
		_, err := p.Exchange(t.Context(), arrival())
		oauthtest.WantKind(t, name+", once", err, tc.once)
		_, err = p.FetchWallets(t.Context(), credential())
		oauthtest.WantKind(t, name+", read", err, tc.read)
		if e, ok := err.(*oauth.Error); !ok || e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: %v, want code %q", name, err, tc.code)
		}
	}
}

func TestVerdictOfTheBodyBeatsTheStatus(t *testing.T) {
	d := usual(t)
	d.serve[tokenPath] = oauthtest.Says(500, answer(`0`, fixture(t, "token.json")))
	if _, err := open(t, d, nil).Exchange(t.Context(), arrival()); err != nil {
		t.Errorf("code 0 with status 500: %v", err)
	}
}

// A refusal about the clock or the keys tells an operator what was sent and measured, and no secret.
func TestClockAndSignatureTellWhatWasMeasured(t *testing.T) {
	dated := func(code string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", oauthtest.Now().Add(-95*time.Second).Format(http.TimeFormat))
			oauthtest.Says(200, `{"code":"`+code+`"}`)(w, r)
		}
	}
	for code, want := range map[string][]string{
		"50009": {"1772424000000", "ms_number", "-1m35s"}, "50010": {"1772424000000", "ms_number", "-1m35s"}, "50005": {"-1m35s", "our_key=", "their_key=", "algorithm="},
	} {
		d := usual(t)
		d.serve[tokenPath] = dated(code)
		_, err := open(t, d, nil).Exchange(t.Context(), arrival())
		for _, part := range want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v does not tell %s", code, err, part)
			}
		}
	}
}

func TestDailyLimitLastsUntilTheExchangesNextDay(t *testing.T) {
	d := usual(t)
	d.serve[balancePath] = oauthtest.Says(200, `{"code":"50013"}`)
	_, err := open(t, d, nil).FetchWallets(t.Context(), credential())     // 12:00 in Shanghai
	if e, ok := err.(*oauth.Error); !ok || e.RetryAfter != 12*time.Hour { //nolint:errorlint // the type itself is the contract
		t.Errorf("%v", err)
	}
	d.serve[balancePath] = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "60")
		oauthtest.Says(200, `{"code":50013}`)(w, r)
	}
	_, err = open(t, d, nil).FetchWallets(t.Context(), credential())
	if e, ok := err.(*oauth.Error); !ok || e.RetryAfter != time.Minute { //nolint:errorlint // the type itself is the contract
		t.Errorf("%v", err)
	}
}

// Credentials print nothing, whatever carries them.
func TestCredentialIsSilent(t *testing.T) {
	cred, err := open(t, usual(t), nil).Exchange(t.Context(), arrival())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(cred)
	if told := fmt.Sprintf("%v %+v %#v %s", cred, cred, cred, text); err != nil || strings.Contains(told, "canary") || strings.Contains(told, "open_1") {
		t.Error(told)
	}
}

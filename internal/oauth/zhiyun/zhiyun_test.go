package zhiyun_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/zhiyun"
	"mooring/internal/secret"
)

func subject(t *testing.T, extra map[string]string) oauthtest.Subject {
	t.Helper()
	noToken := `{"data":{"auth_code":""},"code":200,"message":"ok"}`
	if extra["FORMAT"] == "xml" {
		noToken = `<apiResponse><data><auth_code/></data><code>200</code></apiResponse>`
	}
	return oauthtest.Subject{
		Factory: zhiyun.Factory(),
		Settings: func(base string) map[string]string {
			settings := settingsAt(base)
			maps.Copy(settings, extra)
			return settings
		},
		Well: usual(t), Values: pasted(accessToken),
		Refusal: `{"code":601,"message":"canary-prose"}`,
		NoToken: noToken,
		Secrets: []string{clientSecret, accessToken, authCode, "canary-prose", "13312340170"},
	}
}

func TestConformance(t *testing.T) {
	authorizes := func(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, authorize) }
	for _, format := range []string{"json", "xml"} {
		t.Run(format, func(t *testing.T) {
			s := subject(t, map[string]string{"FORMAT": format})
			oauthtest.Run(t, s)
			oauthtest.Reads(t, s, authorizes)
		})
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	for name, value := range map[string]string{
		"BASE_URL": "ftp://x", "CLIENT_ID": "1000:1", "FORMAT": "jsonp",
	} {
		settings := oauth.Settings{}
		for n, v := range settingsAt("https://x.example") {
			settings[n] = secret.New(v)
		}
		settings[name] = secret.New(value)
		if _, err := zhiyun.New(oauth.Config{Settings: settings}); err == nil {
			t.Errorf("%s=%s was taken", name, value)
		}
	}
	if _, err := zhiyun.New(oauth.Config{}); err == nil {
		t.Error("no settings were taken")
	}
}

func TestVerify(t *testing.T) {
	for name, tc := range map[string]struct{ pasted, sent string }{
		"as it is":           {accessToken, accessToken},
		"with blanks":        {"  " + accessToken + "\t ", accessToken},
		"over several lines": {accessToken[:10] + "\r\n  " + accessToken[10:] + "\n", accessToken},
		"with what hides":    {"\ufeff" + accessToken[:5] + "\u200b\u3000\u00a0" + accessToken[5:], accessToken},
		"thirty-two":         {"0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef"},
		"thirty-six":         {"0123456789abcdef0123456789abcdefabcd", "0123456789abcdef0123456789abcdefabcd"},
		"one":                {"a", "a"},
		"empty":              {"", ""},
		"upper case":         {strings.ToUpper(accessToken), ""},
		"a sentence":         {"access_token=" + accessToken, ""},
		"an address":         {"http://auth.example/?t=1", ""},
		"endless":            {strings.Repeat("a", 513), ""},
		"other digits":       {"１２３４", ""},
	} {
		d := usual(t)
		cred, err := open(t, d).Verify(t.Context(), pasted(tc.pasted))
		if tc.sent == "" {
			oauthtest.WantKind(t, name, err, oauth.BadRequest)
			if e, ok := err.(*oauth.Error); !ok || e.Code != "access_token" || len(d.seen) != 0 { //nolint:errorlint // the type itself is the contract
				t.Errorf("%s: %v after %q", name, err, d.paths())
			}
			continue
		}
		now := oauthtest.Now()
		if err != nil || cred.AccessToken.Reveal() != tc.sent || !cred.ObtainedAt.Equal(now) || !cred.ExpiresAt.Equal(now.Add(90*24*time.Hour)) {
			t.Errorf("%s: %+v, %v", name, cred, err)
			continue
		}
		if got := d.seen[0].URL.Query().Get("access_token"); got != tc.sent || d.paths() != "authorize" {
			t.Errorf("%s: sent %q to %s", name, got, d.paths())
		}
		if len(cred.Extra) != 0 || !cred.RefreshToken.IsEmpty() {
			t.Errorf("%s: keeps more than the token", name)
		}
	}
}

// The vectors of the documents, and the ends of the range.
func TestEveryCallCarriesItsNumbers(t *testing.T) {
	for stamp, check := range map[int64]string{1700000000000: "2345", 1700000009999: "32342", 1422339152058: "8519", 1700000000001: "2348"} {
		d := usual(t)
		now := func() time.Time { return time.UnixMilli(stamp) }
		p := opened(t, d, now, nil)
		if _, err := p.FetchUser(t.Context(), credential()); err != nil {
			t.Fatal(err)
		}
		if _, err := p.FetchCompany(t.Context(), credential()); err != nil {
			t.Fatal(err)
		}
		if d.paths() != "authorize getUserInfo authorize getCompanyInfo" {
			t.Errorf("called %s", d.paths())
		}
		for i, r := range d.seen {
			want := url.Values{"access_token": {accessToken}, "client_id": {clientID}, "t_": {strconv.FormatInt(stamp, 10)}, "p_": {check}}
			if i%2 == 1 {
				want.Set("auth_code", authCode)
			}
			if got := r.URL.RawQuery; got != want.Encode() {
				t.Errorf("%s: sent %s, want %s", r.URL.Path, got, want.Encode())
			}
			if id, key, ok := r.BasicAuth(); !ok || id != clientID || key != clientSecret || r.Method != http.MethodGet {
				t.Errorf("%s: %s without Basic auth", r.URL.Path, r.Method)
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	for file, want := range map[string]oauth.Account{
		"user.json":        {ExternalID: "linyue"},
		"user_masked.json": {ExternalID: "l****e", TenantOnly: true},
	} {
		d := usual(t)
		d.set(user+"json", says(http.StatusOK, oauthtest.Fixture(t, file)))
		got, err := open(t, d).Identify(t.Context(), credential())
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", file, got, err)
		}
	}
	d := usual(t)
	d.set(user+"json", says(http.StatusOK, `{"data":{"username":"","phone":"1"},"code":200}`))
	_, err := open(t, d).Identify(t.Context(), credential())
	oauthtest.WantKind(t, "no name", err, oauth.BadResponse)
}

// A code that is gone is replaced once, and only once.
func TestACodeThatExpiredIsReplacedOnce(t *testing.T) {
	for _, code := range []string{"100019", "100020"} {
		d := usual(t)
		d.set(user+"json", refuses(code), says(http.StatusOK, oauthtest.Fixture(t, "user.json")))
		if got, err := open(t, d).FetchUser(t.Context(), credential()); err != nil || got.Data.Username != "linyue" {
			t.Errorf("%s: %+v, %v", code, got.Data, err)
		}
		if d.paths() != "authorize getUserInfo authorize getUserInfo" {
			t.Errorf("%s: called %s", code, d.paths())
		}
		d = usual(t)
		d.set(user+"json", refuses(code))
		_, err := open(t, d).FetchUser(t.Context(), credential())
		oauthtest.WantKind(t, code, err, oauth.Upstream)
		if d.paths() != "authorize getUserInfo authorize getUserInfo" {
			t.Errorf("%s for ever: called %s", code, d.paths())
		}
	}
	d := usual(t)
	d.set(user+"json", refuses("100018"))
	_, err := open(t, d).FetchUser(t.Context(), credential())
	oauthtest.WantKind(t, "100018", err, oauth.Permission)
	if d.paths() != "authorize getUserInfo" {
		t.Errorf("a refusal that is none of the code's was repeated: %s", d.paths())
	}
}

// documented are the codes of the documents and of the source, with what they must become.
func documented() map[string]oauth.Kind {
	return map[string]oauth.Kind{
		"304": oauth.Upstream, "400": oauth.BadRequest, "401": oauth.AuthConfig, "500": oauth.Upstream, "501": oauth.BadRequest,
		"601": oauth.BadRequest, "602": oauth.NotFound,
		"100002": oauth.AuthConfig, "100008": oauth.AuthConfig, "100009": oauth.AuthConfig, "100013": oauth.AuthConfig,
		"100014": oauth.NeedsReauth, "100018": oauth.Permission, "100019": oauth.Upstream, "100020": oauth.Upstream,
		"100021": oauth.Permission, "100023": oauth.Permission,
		"704": oauth.NotFound, "705": oauth.NotFound, "714": oauth.NeedsReauth, "904": oauth.NotFound, "905": oauth.NotFound, "1045": oauth.Upstream,
	}
}

func TestCodes(t *testing.T) {
	for code, kind := range documented() {
		for form, body := range map[string]string{"number": code, "text": `"` + code + `"`} {
			d := usual(t)
			d.set(user+"json", refuses(body))
			_, err := open(t, d).FetchUser(t.Context(), credential())
			oauthtest.WantKind(t, code+" as a "+form, err, kind)
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: tells the provider's prose: %v", code, err)
			}
		}
		d := open(t, usual(t)).Descriptor()
		e, ok := d.Explain(kind, code)
		if !ok || e.Code != code {
			t.Errorf("%s is not explained", code)
		}
	}
	for _, e := range zhiyun.Factory().Describe().Errors {
		if _, ok := documented()[e.Code]; !ok && e.Code != "" && e.Code != "access_token" {
			t.Errorf("%s is explained and nowhere documented", e.Code)
		}
	}
}

func TestRefusalsThatAreNoCode(t *testing.T) {
	for name, tc := range map[string]struct {
		answer http.HandlerFunc
		kind   oauth.Kind
	}{
		"unknown code":              {refuses("90001"), oauth.Upstream},
		"unknown code in a 429":     {says(429, `{"code":42901}`), oauth.RateLimited},
		"a known code in a 500":     {says(500, `{"code":100014}`), oauth.NeedsReauth},
		"a class that is not there": {says(500, "<b>Fatal error</b>: Class 'ApiException' not found"), oauth.Upstream},
		"401 without a body":        {says(401, ""), oauth.AuthConfig},
		"a wall":                    {says(403, "<html>"), oauth.Upstream},
		"success without data":      {says(200, `{"code":200,"message":"ok"}`), oauth.BadResponse},
		"success with a list":       {says(200, `{"code":200,"data":[]}`), oauth.BadResponse},
		"JSONP":                     {says(200, `var _callbackvar={"code":200,"data":{"username":"x"}}`), oauth.BadResponse},
		"no code":                   {says(200, `{"data":{"username":"x"}}`), oauth.BadResponse},
	} {
		d := usual(t)
		d.set(user+"json", tc.answer)
		_, err := open(t, d).FetchUser(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.kind)
	}
}

// 401 means our client or our clock; the Date header tells which.
func TestUnauthorizedTellsTheClockFromTheClient(t *testing.T) {
	for name, tc := range map[string]struct {
		off  time.Duration
		kind oauth.Kind
	}{
		"in time":          {0, oauth.AuthConfig},
		"fifty minutes":    {50 * time.Minute, oauth.AuthConfig},
		"an hour ahead":    {time.Hour, oauth.ClockSkew},
		"eight hours late": {-8 * time.Hour, oauth.ClockSkew},
	} {
		d := usual(t)
		d.set(authorize+"json", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", oauthtest.Now().Add(tc.off).Format(http.TimeFormat))
			refuses("401")(w, r)
		})
		_, err := open(t, d).Verify(t.Context(), pasted(accessToken))
		oauthtest.WantKind(t, name, err, tc.kind)
		if tc.off != 0 && !strings.Contains(err.Error(), tc.off.String()) {
			t.Errorf("%s: the measure is not told: %v", name, err)
		}
	}
}

func TestAuthorizeAnswers(t *testing.T) {
	long := strings.Repeat("a", 40)
	for body, want := range map[string]bool{
		`{"code":200,"data":{"auth_code":"` + long + `"}}`:                      true,
		`{"code":"200","data":{"authorize_code":"` + long + `"}}`:               true,
		"\xef\xbb\xbf\n{\"code\":200,\"data\":{\"auth_code\":\"" + long + `"}}`: true,
		`{"code":200,"data":{"auth_code":"` + long[1:] + `"}}`:                  false,
		`{"code":200,"data":{"auth_code":"` + long[1:] + `&"}}`:                 false,
		`{"code":200,"data":{"auth_code":"` + strings.ToUpper(long) + `"}}`:     false,
		`{"code":200,"data":"` + long + `"}`:                                    false,
		`{"code":201,"data":{"auth_code":"` + long + `"}}`:                      false,
	} {
		d := usual(t)
		d.set(authorize+"json", says(http.StatusOK, body))
		if _, err := open(t, d).Verify(t.Context(), pasted(accessToken)); (err == nil) != want {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestSettingsAreThoseOfTheDocuments(t *testing.T) {
	var names []string
	for _, s := range zhiyun.Factory().Describe().Settings {
		names = append(names, s.Name)
	}
	if want := []string{"BASE_URL", "CLIENT_ID", "CLIENT_SECRET", "FORMAT"}; !slices.Equal(names, want) {
		t.Errorf("settings are %v", names)
	}
}

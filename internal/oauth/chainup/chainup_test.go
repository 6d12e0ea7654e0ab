package chainup_test

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/chainup"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestConformance(t *testing.T) {
	for name, extra := range map[string]map[string]string{
		"as it comes":     {},
		"everything else": {"TIME_FORMAT": "s_number", "STATE_POLICY": "strict", "LOGIN_PATH": "/login.html"},
	} {
		t.Run(name, func(t *testing.T) {
			oauthtest.Run(t, oauthtest.Subject{
				Factory: chainup.Factory(),
				Settings: func(base string) map[string]string {
					all := settings(base)
					for k, v := range extra {
						all[k] = v
					}
					return all
				},
				Well: usual(t), Arrival: arrival(),
				Refusal: `{"code":"10001","msg":"canary-prose","data":"","sign":""}`,
				NoToken: answer(`"0"`, `{"openId":"open_1","expireIn":"7200","refreshToken":"r","token":""}`),
				Secrets: []string{code, accessToken, refreshToken, "canary-refresh-2", "canary-access-2", "canary-prose", settings("")["PRIVATE_KEY"]},
			})
		})
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	base := func() oauth.Settings {
		s := oauth.Settings{}
		for name, value := range settings("https://exchange.example") {
			s[name] = secret.New(value)
		}
		return s
	}
	for name, value := range map[string]string{
		"BASE_URL": "ftp://x", "LOGIN_PATH": "//elsewhere.example/login.html", "TIME_FORMAT": "rfc3339", "PRIVATE_KEY": "secret-canary",
		"PLATFORM_PUBLIC_KEY": base64.StdEncoding.EncodeToString(publicDER(keyring().app)),
	} {
		s := base()
		s[name] = secret.New(value)
		_, err := chainup.Factory().New(oauth.Config{Settings: s})
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s=%.40s: %v", name, value, err)
		}
	}
	p, err := chainup.Factory().New(oauth.Config{Settings: base(), Environment: oauth.Live})
	if err != nil {
		t.Fatal(err)
	}
	if d := p.Descriptor(); d.FormOrigin != "https://exchange.example" || d.Environment != oauth.Live || d.StatePolicy != oauth.StateCookieFallback {
		t.Errorf("%+v", d)
	}
}

// The documents show the login page at the exchange's own host, and link to one elsewhere.
func TestAuthURL(t *testing.T) {
	d := oauth.Departure{RedirectURI: oauthtest.RedirectURI, State: secret.New("state-1")}
	want := url.Values{"appKey": {appID}, "redirectUrl": {oauthtest.RedirectURI}, "state": {"state-1"}}
	for login, address := range map[string]string{
		"":                                    "https://exchange.example/platform/login.html",
		"/login.html":                         "https://exchange.example/login.html",
		"https://platform.example/login.html": "https://platform.example/login.html",
	} {
		p := open(t, usual(t), map[string]string{"BASE_URL": "https://exchange.example/", "LOGIN_PATH": login})
		raw, err := p.AuthURL(d)
		if err != nil || raw != address+"?"+want.Encode() {
			t.Errorf("LOGIN_PATH %q: %s, %v", login, raw, err)
		}
		if !strings.HasPrefix(address, p.Descriptor().FormOrigin+"/") {
			t.Errorf("LOGIN_PATH %q: origin %s", login, p.Descriptor().FormOrigin)
		}
	}
}

func TestKeysInEveryForm(t *testing.T) {
	breaks := func(text string) string {
		var b strings.Builder
		for chunk := range slices.Chunk([]byte(text), 64) {
			b.Write(chunk)
			b.WriteString("\r\n")
		}
		return b.String()
	}
	forms := func(der []byte, kind string) map[string]string {
		armour := string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		return map[string]string{
			"PEM": armour, "PEM with written line breaks": strings.ReplaceAll(armour, "\n", `\n`), "PEM in white space": "\n " + armour + "\n",
			"standard": base64.StdEncoding.EncodeToString(der), "standard without padding": base64.RawStdEncoding.EncodeToString(der),
			"url": base64.URLEncoding.EncodeToString(der), "url without padding": base64.RawURLEncoding.EncodeToString(der),
			"in lines": breaks(base64.StdEncoding.EncodeToString(der)),
		}
	}
	for name, value := range forms(privateDER(keyring().app), "PRIVATE KEY") {
		if _, err := open(t, usual(t), map[string]string{"PRIVATE_KEY": value}).Exchange(t.Context(), arrival()); err != nil {
			t.Errorf("private key, %s: %v", name, err)
		}
	}
	for name, value := range forms(publicDER(keyring().exchange), "PUBLIC KEY") {
		if _, err := open(t, usual(t), map[string]string{"PLATFORM_PUBLIC_KEY": value}).Exchange(t.Context(), arrival()); err != nil {
			t.Errorf("public key, %s: %v", name, err)
		}
	}
}

func TestReturnForAnotherApp(t *testing.T) {
	d, a := usual(t), arrival()
	a.Params.Set("appKey", appID) // the in-app page returns it as well
	if _, err := open(t, d, nil).Exchange(t.Context(), a); err != nil {
		t.Errorf("our own appKey: %v", err)
	}
	d = usual(t)
	a.Params.Set("appKey", "app_2")
	_, err := open(t, d, nil).Exchange(t.Context(), a)
	oauthtest.WantKind(t, "a foreign appKey", err, oauth.BadResponse)
	if len(d.paths()) != 0 {
		t.Error("the code was spent on it")
	}
}

func TestIdentify(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		want   oauth.Account
		kind   oauth.Kind
	}{
		"uid under user":     {answer(`0`, fixture(t, "superior.json")), oauth.Account{ExternalID: "open_1", Name: "UID 9007199254740993"}, ""},
		"uid at the top":     {answer(`0`, `{"uid":"77"}`), oauth.Account{ExternalID: "open_1", Name: "UID 77"}, ""},
		"not offered":        {`{"code":"50012"}`, oauth.Account{ExternalID: "open_1"}, ""},
		"no permission":      {`{"code":50003,"data":""}`, oauth.Account{ExternalID: "open_1"}, ""},
		"openId is not one":  {`{"code":"60004"}`, oauth.Account{}, oauth.NeedsReauth},
		"no uid":             {answer(`0`, `{"user":{}}`), oauth.Account{}, oauth.BadResponse},
		"uid is an object":   {answer(`0`, `{"user":{"uid":{}}}`), oauth.Account{}, oauth.BadResponse},
		"uid is not visible": {answer(`0`, `{"user":{"uid":"7\n7"}}`), oauth.Account{}, oauth.BadResponse},
		"null":               {answer(`0`, `null`), oauth.Account{}, oauth.BadResponse},
	} {
		d := usual(t)
		d.serve[uidPath] = oauthtest.Says(200, tc.answer)
		got, err := open(t, d, nil).Identify(t.Context(), credential())
		oauthtest.WantKind(t, name, err, tc.kind)
		if got != tc.want || len(d.seen) != 1 || d.seen[0].plain != `{"openId":"open_1"}` {
			t.Errorf("%s: %+v after %v", name, got, d.paths())
		}
	}
	d := usual(t)
	delete(d.serve, uidPath)
	if got, err := open(t, d, nil).Identify(t.Context(), credential()); err != nil || got.ExternalID != "open_1" {
		t.Errorf("no such call: %+v, %v", got, err)
	}
}

// A credential without an account opens nobody's data, least of all somebody else's.
func TestNoAccountAsksNothing(t *testing.T) {
	d := usual(t)
	p, cred := open(t, d, nil), credential()
	cred.Extra = nil
	_, err := p.Identify(t.Context(), cred)
	oauthtest.WantKind(t, "Identify", err, oauth.BadRequest)
	_, err = p.FetchWallets(t.Context(), cred)
	oauthtest.WantKind(t, "FetchWallets", err, oauth.BadRequest)
	_, err = p.FetchUser(t.Context(), cred)
	oauthtest.WantKind(t, "FetchUser", err, oauth.BadRequest)
	_, err = p.Refresh(t.Context(), cred)
	oauthtest.WantKind(t, "Refresh", err, oauth.BadRequest)
	if len(d.paths()) != 0 {
		t.Errorf("asked for %v", d.paths())
	}
}

// documented is the list of §5.5, with what each must be made of.
func documented() map[string]oauth.Kind {
	return map[string]oauth.Kind{
		"10001": oauth.Upstream, "10003": oauth.BadRequest, "10004": oauth.Upstream, "10005": oauth.RateLimited, "10009": oauth.BadRequest,
		"10010": oauth.BadRequest, "10015": oauth.Upstream, "10020": oauth.BadRequest,
		"50000": oauth.BadRequest, "50001": oauth.AuthConfig, "50002": oauth.AuthConfig, "50003": oauth.AuthConfig, "50004": oauth.AuthConfig,
		"50005": oauth.Signature, "50006": oauth.BadRequest, "50007": oauth.BadRequest, "50008": oauth.BadRequest, "50009": oauth.ClockSkew,
		"50010": oauth.ClockSkew, "50011": oauth.Upstream, "50012": oauth.Permission, "50013": oauth.RateLimited, "50014": oauth.Permission,
		"60001": oauth.NeedsReauth, "60002": oauth.AuthExpired, "60003": oauth.NeedsReauth, "60004": oauth.NeedsReauth,
		"70001": oauth.BadRequest, "70002": oauth.BadRequest, "70003": oauth.BadRequest, "70004": oauth.BadRequest, "70005": oauth.BadRequest,
		"70006": oauth.BadRequest, "70007": oauth.BadRequest, "70008": oauth.BadRequest, "70009": oauth.BadRequest,
	}
}

func TestEveryDocumentedCode(t *testing.T) {
	for code, want := range documented() {
		for _, written := range []string{`"` + code + `"`, code} {
			d := usual(t)
			d.serve[balancePath] = oauthtest.Says(200, `{"code":`+written+`,"msg":"canary","data":null,"sign":null}`)
			p := open(t, d, nil)
			_, err := p.FetchWallets(t.Context(), credential())
			oauthtest.WantKind(t, written, err, want)
			e, ok := errors.AsType[*oauth.Error](err)
			if !ok || e.Code != code {
				t.Errorf("%s: %v", written, err)
				continue
			}
			if x, ok := p.Descriptor().Explain(e.Kind, e.Code); !ok || x.Code != code {
				t.Errorf("%s has no entry of its own: %+v", code, x)
			}
		}
	}
	for _, e := range chainup.Factory().Describe().Errors {
		if _, listed := documented()[e.Code]; e.Code != "" && !listed {
			t.Errorf("%s is explained but not documented", e.Code)
		}
	}
}

func TestDescriptorExplainsAnUnknownCodeByItsKind(t *testing.T) {
	d := chainup.Factory().Describe()
	if _, ok := d.Explain(oauth.BadResponse, "99999"); !ok {
		t.Error("nothing is said of an answer that cannot be opened")
	}
	if _, ok := d.Explain(oauth.Upstream, "99999"); ok {
		t.Error("the general words are i18n's")
	}
}

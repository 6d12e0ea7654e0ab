package asiabill_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/asiabill"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/secret"
)

func TestConformance(t *testing.T) {
	for name, extra := range map[string]map[string]string{
		"as it comes":     {},
		"everything else": {"TOKEN_METHOD": "post_json", "REFRESH_ENABLED": "true", "PROBE_PATH": "/openApi/transactions", "REQUEST_TIME_ZONE": "UTC"},
		"in the query":    {"TOKEN_METHOD": "get_query"},
	} {
		t.Run(name, func(t *testing.T) {
			oauthtest.Run(t, oauthtest.Subject{
				Factory: asiabill.Factory(),
				Settings: func(base string) map[string]string {
					settings := map[string]string{"OAUTH_URL": base, "OPENAPI_URL": base, "CLIENT_ID": clientID, "CLIENT_SECRET": clientSecret}
					for k, v := range extra {
						settings[k] = v
					}
					return settings
				},
				Well: usual(t), Arrival: arrival(),
				Refusal: `{"success":false,"code":"90001","message":"canary-prose"}`,
				NoToken: `{"code":"00000","message":"success","data":{"access_token":"","expires_in":7200}}`,
				Secrets: []string{clientSecret, code, accessToken, refreshToken, "canary-prose"},
			})
		})
	}
}

func TestNewRefusesWhatItCannotUse(t *testing.T) {
	base := func() oauth.Settings {
		return oauth.Settings{"CLIENT_ID": secret.New("c"), "CLIENT_SECRET": secret.New("s")}
	}
	for name, value := range map[string]string{
		"OAUTH_URL": "ftp://x", "OPENAPI_URL": "https://x/?a=b", "REQUEST_TIME_ZONE": "Mars/Olympus", "REFRESH_ENABLED": "perhaps", "SEND_REDIRECT_URI": "si",
	} {
		s := base()
		s[name] = secret.New(value)
		if _, err := asiabill.Factory().New(oauth.Config{Settings: s}); err == nil {
			t.Errorf("%s=%s was taken", name, value)
		}
	}
	for environment, origin := range map[oauth.Environment]string{oauth.Test: "https://auth-uat.asiabill.com", oauth.Live: "https://oauth.asiabill.com"} {
		p, err := asiabill.Factory().New(oauth.Config{Settings: base(), Environment: environment})
		if err != nil {
			t.Fatal(err)
		}
		if d := p.Descriptor(); d.FormOrigin != origin || d.Environment != environment {
			t.Errorf("%s: origin %s", environment, d.FormOrigin)
		}
	}
}

func TestAuthURL(t *testing.T) {
	d := oauth.Departure{RedirectURI: oauthtest.RedirectURI, State: secret.New("state-1")}
	for send, want := range map[string]url.Values{
		"true":  {"client_id": {clientID}, "response_type": {"code"}, "state": {"state-1"}, "redirect_uri": {oauthtest.RedirectURI}},
		"false": {"client_id": {clientID}, "response_type": {"code"}, "state": {"state-1"}},
	} {
		raw, err := open(t, usual(t), map[string]string{"SEND_REDIRECT_URI": send}).AuthURL(d)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Path != "/oauth/authorize" || u.RawQuery != want.Encode() {
			t.Errorf("send %s: %s, %v", send, raw, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	one := func(gateway string) string {
		return `{"code":"00000","data":{"page":{"total":"1","list":[{"gatewayNo":` + gateway + `}]}}}`
	}
	empty := oauthtest.Fixture(t, "empty.json")
	refused := `{"code":"40101","message":"access_token 无效"}`
	for name, tc := range map[string]struct {
		merNo, probe, chargebacks, transactions string
		want                                    string
		kind                                    oauth.Kind
		calls                                   int
	}{
		"a chargeback proves it":          {merNo: "12345", chargebacks: one(`"12345001"`), want: "12345", calls: 1},
		"a number proves it as well":      {merNo: "12345", chargebacks: one(`12345001`), want: "12345", calls: 1},
		"a transaction proves it":         {merNo: "12345", chargebacks: empty, transactions: one(`"12345001"`), want: "12345", calls: 2},
		"nothing contradicts it":          {merNo: "12345", chargebacks: empty, transactions: empty, want: "12345", calls: 2},
		"transactions are not there":      {merNo: "12345", chargebacks: empty, transactions: "404", want: "12345", calls: 2},
		"an odd number is let be":         {merNo: "M-77", chargebacks: empty, transactions: empty, want: "M-77", calls: 2},
		"an odd gateway proves nothing":   {merNo: "12345", chargebacks: one(`"G1"`), want: "12345", calls: 1},
		"not announced, but seen":         {chargebacks: one(`"54321009"`), want: "54321", calls: 1},
		"not announced, not seen":         {chargebacks: empty, transactions: empty, kind: oauth.BadResponse, calls: 2},
		"a chargeback contradicts":        {merNo: "12345", chargebacks: one(`"54321001"`), kind: oauth.AccountMismatch, calls: 1},
		"a transaction contradicts":       {merNo: "12345", chargebacks: empty, transactions: one(`"54321001"`), kind: oauth.AccountMismatch, calls: 2},
		"the token does not work":         {merNo: "12345", chargebacks: refused, kind: oauth.NeedsReauth, calls: 1},
		"the token does not work further": {merNo: "12345", chargebacks: empty, transactions: refused, kind: oauth.NeedsReauth, calls: 2},
		"no proof wanted":                 {merNo: "12345", probe: "off", want: "12345"},
		"no proof wanted, none announced": {probe: "off", kind: oauth.BadResponse},
		"another probe":                   {merNo: "12345", probe: "/openApi/transactions", transactions: empty, want: "12345", calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{serve: map[string]http.HandlerFunc{"/openApi/chargebacks": oauthtest.Says(200, tc.chargebacks), "/openApi/transactions": oauthtest.Says(200, tc.transactions)}}
			if tc.transactions == "404" {
				delete(d.serve, "/openApi/transactions")
			}
			p := open(t, d, map[string]string{"PROBE_PATH": tc.probe})
			got, err := p.Identify(t.Context(), credential(tc.merNo))
			oauthtest.WantKind(t, "Identify", err, tc.kind)
			if got.ExternalID != tc.want || len(d.paths()) != tc.calls {
				t.Errorf("account %+v after %v", got, d.paths())
			}
		})
	}
}

func TestEveryReadCarriesItsHeaders(t *testing.T) {
	for zone, want := range map[string]string{"": "2026-03-02T12:00:00", "UTC": "2026-03-02T04:00:00", "America/New_York": "2026-03-01T23:00:00"} {
		d := usual(t)
		p := open(t, d, map[string]string{"REQUEST_TIME_ZONE": zone})
		for range 20 {
			if _, err := p.Identify(t.Context(), credential("12345")); err != nil {
				t.Fatal(err)
			}
		}
		ids := map[string]bool{}
		for _, r := range d.seen {
			id := r.Header.Get("request-id")
			if len(id) != 20 || strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
				t.Errorf("request-id %q", id)
			}
			ids[id] = true
			if got := r.Header.Get("request-time"); got != want {
				t.Errorf("zone %q: request-time %s, want %s", zone, got, want)
			}
			if got := r.Header.Get("authorization"); got != "Bearer "+accessToken {
				t.Error("authorization is not the bearer token")
			}
		}
		if len(ids) != 20 {
			t.Errorf("%d request-ids for 20 requests", len(ids))
		}
		q := d.seen[0].URL.Query()
		end, err := time.Parse("2006-01-02T15:04:05", q.Get("endTime"))
		start, err2 := time.Parse("2006-01-02T15:04:05", q.Get("startTime"))
		if err != nil || err2 != nil || end.Sub(start) != 24*time.Hour || q.Get("pageIndex") != "1" || q.Get("pageSize") != "1" {
			t.Errorf("probe asks for %v", q)
		}
	}
}

func TestWrongZoneIsTriedOnceInUTC(t *testing.T) {
	const complaint = `{"result":{"code":"40006","message":"request-time 与服务器时间相差超过 30 分钟"}}`
	inUTC := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("request-time") == "2026-03-02T04:00:00" {
			oauthtest.Says(200, oauthtest.Fixture(t, "chargebacks.json"))(w, r)
			return
		}
		oauthtest.Says(400, complaint)(w, r)
	}
	for name, tc := range map[string]struct {
		serve http.HandlerFunc
		kind  oauth.Kind
		calls int
	}{
		"UTC is right":            {inUTC, "", 2},
		"both are wrong":          {oauthtest.Says(400, complaint), oauth.ClockSkew, 2},
		"named in English":        {oauthtest.Says(200, `{"code":"1","message":"Timestamp out of range"}`), oauth.ClockSkew, 2},
		"a token's time is not":   {oauthtest.Says(200, `{"code":"1","message":"token 时间已过期"}`), oauth.NeedsReauth, 1},
		"the window's time isn't": {oauthtest.Says(400, `{"code":"1","message":"startTime 时间格式错误"}`), oauth.BadRequest, 1},
		"a time-out is not":       {oauthtest.Says(200, `{"code":"1","message":"处理超时，时间过长"}`), oauth.Upstream, 1},
	} {
		d := &desk{serve: map[string]http.HandlerFunc{"/openApi/chargebacks": tc.serve}}
		_, err := open(t, d, nil).Identify(t.Context(), credential("12345"))
		oauthtest.WantKind(t, name, err, tc.kind)
		if got := len(d.paths()); got != tc.calls {
			t.Errorf("%s: %d calls, want %d", name, got, tc.calls)
		}
		ids := []string{}
		for _, r := range d.seen {
			ids = append(ids, r.Header.Get("request-id"))
		}
		if len(slices.Compact(ids)) != tc.calls {
			t.Errorf("%s: a request-id was used twice", name)
		}
	}
}

func TestRefusedReads(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   oauth.Kind
		code   string
	}{
		"401":                       {401, "", oauth.NeedsReauth, ""},
		"403 in JSON":               {403, `{"code":"40300","message":"x"}`, oauth.NeedsReauth, "40300"},
		"403 from a wall before it": {403, "<html>blocked</html>", oauth.Upstream, ""},
		"token named":               {200, `{"code":"10001","message":"access_token is invalid"}`, oauth.NeedsReauth, "10001"},
		"授权 named":                  {200, `{"code":"10001","message":"未授权"}`, oauth.NeedsReauth, "10001"},
		"过期 named, under result":    {200, `{"result":{"code":"10002","message":"已过期"}}`, oauth.NeedsReauth, "10002"},
		"an unknown code":           {200, `{"code":"77777","message":"oops"}`, oauth.Upstream, "77777"},
		"a number as code":          {200, `{"code":500,"message":"oops"}`, oauth.Upstream, "500"},
		"outer yes, inner no":       {200, `{"code":"00000","result":{"code":"77777"}}`, oauth.Upstream, "77777"},
		"outer no, inner yes":       {200, `{"code":"77777","result":{"code":"00000","data":{"page":{"list":[]}}}}`, oauth.Upstream, "77777"},
		"too often":                 {200, `{"code":"429","message":"请求过于频繁"}`, oauth.RateLimited, "429"},
		"request-id repeated":       {400, `{"code":"40003","message":"request-id 在 30 分钟内重复"}`, oauth.Replay, "40003"},
		"400":                       {400, `{"code":"40004","message":"pageSize"}`, oauth.BadRequest, "40004"},
		"404":                       {404, "", oauth.NotFound, ""},
		"500 with a code":           {500, `{"code":"50000","message":"oops"}`, oauth.Upstream, "50000"},
		"no page":                   {200, `{"code":"00000","data":null}`, oauth.BadResponse, "00000"},
		"list of words":             {200, `{"code":"00000","data":{"page":{"total":1,"list":["x"]}}}`, oauth.BadResponse, "00000"},
		"success without a code":    {200, `{"data":{"page":{"total":0,"list":[]}}}`, oauth.BadResponse, ""},
		"success said to be false":  {200, `{"code":"00000","success":"false","data":{"page":{"total":0,"list":[]}}}`, oauth.Upstream, ""},
	} {
		d := &desk{serve: map[string]http.HandlerFunc{"/openApi/chargebacks": oauthtest.Says(tc.status, tc.body)}}
		_, err := open(t, d, nil).Identify(t.Context(), credential("12345"))
		oauthtest.WantKind(t, name, err, tc.want)
		if e, ok := err.(*oauth.Error); !ok || e.Code != tc.code { //nolint:errorlint // the type itself is the contract
			t.Errorf("%s: %v, want code %q", name, err, tc.code)
		}
	}
}

func TestVerdictOfTheBodyBeatsTheStatus(t *testing.T) {
	d := &desk{serve: map[string]http.HandlerFunc{"/openApi/chargebacks": oauthtest.Says(500, oauthtest.Fixture(t, "chargebacks.json"))}}
	if _, err := open(t, d, nil).Identify(t.Context(), credential("12345")); err != nil {
		t.Errorf("code 00000 with status 500: %v", err)
	}
}

func TestExplanations(t *testing.T) {
	d := asiabill.Factory().Describe()
	if e, ok := d.Explain(oauth.NeedsReauth, "invalid_grant"); !ok || !strings.Contains(e.Cause.ZH, "授权码") {
		t.Errorf("invalid_grant: %+v", e)
	}
	if e, ok := d.Explain(oauth.NeedsReauth, "40101"); !ok || e.Code != "" {
		t.Errorf("another code: %+v", e)
	}
	if _, ok := d.Explain(oauth.Upstream, ""); ok {
		t.Error("the general words are i18n's")
	}
}

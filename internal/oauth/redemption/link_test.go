package redemption_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
	"mooring/internal/oauth/redemption"
)

func TestLink(t *testing.T) {
	for name, tc := range map[string]struct {
		body, message string
		settings      []string
		kind          oauth.Kind
		code          string
	}{
		"as documented":          {body: linkAnswer(0, "成功", authURL)},
		"status as text":         {body: linkAnswer("0", "x", authURL)},
		"420 and success":        {body: linkAnswer(420, "success", authURL)},
		"420 as text, SUCCESS":   {body: linkAnswer("420", " SUCCESS ", authURL)},
		"420 but strict":         {body: linkAnswer(420, "success", authURL), settings: []string{"ACCEPT_SUCCESS_MESSAGE", "false"}, kind: oauth.Upstream, code: "420"},
		"420 and another word":   {body: linkAnswer(420, "ok", authURL), kind: oauth.Upstream, code: "420"},
		"420 and no link":        {body: linkAnswer(420, "success", ""), kind: oauth.BadResponse},
		"420 and a foreign link": {body: linkAnswer(420, "success", "https://abc.com"), kind: oauth.BadResponse, code: "alipayAuthUrl"},
		// A documented refusal stays one, whatever its message and data say.
		"1 and success":                      {body: linkAnswer(1, "success", authURL), kind: oauth.Upstream, code: "1"},
		"2 with data":                        {body: `{"status":2,"message":"验签失败","data":{"merchantId":"m","amount":164,"alipayAuthUrl":"` + authURL + `"}}`, kind: oauth.Signature, code: "2"},
		"99 and success":                     {body: linkAnswer(99, "success", authURL), kind: oauth.Ambiguous, code: "99"},
		"no status":                          {body: `{"message":"success","data":{"alipayAuthUrl":"` + authURL + `"}}`, kind: oauth.BadResponse},
		"status null":                        {body: `{"status":null,"message":"success","data":{"alipayAuthUrl":"` + authURL + `"}}`, kind: oauth.BadResponse},
		"status true":                        {body: `{"status":true,"message":"success","data":{"alipayAuthUrl":"` + authURL + `"}}`, kind: oauth.BadResponse},
		"no data":                            {body: `{"status":0,"message":"success"}`, kind: oauth.BadResponse},
		"data null":                          {body: `{"status":0,"data":null}`, kind: oauth.BadResponse},
		"link is an object":                  {body: `{"status":0,"data":{"alipayAuthUrl":{}}}`, kind: oauth.BadResponse},
		"the documents' own quotation marks": {body: `{"status":420,"message":"success","data":{"alipayAuthUrl":“https://abc.com”}}`, kind: oauth.BadResponse},
		"a foreign link":                     {body: linkAnswer(0, "success", "https://alipay.com.evil.example/"), kind: oauth.BadResponse, code: "alipayAuthUrl"},
	} {
		d := linkDesk(200, tc.body)
		link, err := open(t, d, tc.settings...).Link(t.Context(), departure(), withMD5())
		oauthtest.WantKind(t, name, err, tc.kind)
		if !one(d) {
			t.Errorf("%s: %d requests", name, len(d.seen))
		}
		if tc.kind != "" {
			wantCode(t, name, err, tc.code)
			continue
		}
		if link.URL != authURL || !strings.Contains(d.bodies[0], link.Serial) || link.Kept["serial_no"].Reveal() != link.Serial {
			t.Errorf("%s: %+v", name, link)
		}
	}
}

func TestAllowedLinks(t *testing.T) {
	const allowed = "alipay.com, Alipayobjects.com,http://localhost:8101"
	for _, link := range []string{
		"https://alipay.com", "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm?a=b&c=%2F#x", "https://m.ALIPAY.com/x", "https://a.alipay.com:443/",
		"https://gw.alipayobjects.com/x", "http://localhost:8101/login?x=1",
	} {
		if got, ok := redemption.AllowLink(allowed, link); !ok || !strings.EqualFold(got, link) {
			t.Errorf("%s was refused, %q", link, got)
		}
	}
	for _, link := range []string{
		"", "alipay.com", "//alipay.com/x", "http://alipay.com", "http://openauth.alipay.com/", "alipays://platformapi/startapp", "javascript:alert(1)//alipay.com",
		"data:text/html,https://alipay.com", "https://evil.example/?https://alipay.com", "https://alipay.com.evil.example", "https://notalipay.com",
		"https://user@alipay.com", "https://evil.example\\@alipay.com", "https://alipay.com\\.evil.example", "https://alipay.com:8443/", "https://alipay.com.",
		"https://evil.example#.alipay.com", "https://evil.example?.alipay.com", "https:alipay.com", "https:///alipay.com", "https://alipay.com /x", "https://alipay.com/\r\nX: y",
		"\thttps://alipay.com", "https://ali\tpay.com", "https://аlipay.com", "https://[::1]/", "http://localhost:8102/", "https://localhost:8101/", "http://localhost:8101@evil.example/",
		"http://LOCALHOST:8101\\x", "ftp://localhost:8101/", "https://alipay.com/" + strings.Repeat("x", 2048), "https://%61lipay.com.evil.example/",
	} {
		if got, ok := redemption.AllowLink(allowed, link); ok {
			t.Errorf("%q was taken as %s", link, got)
		}
	}
}

// documented is the table 接口响应状态, with what a read and the call for a link make of it.
func documented() map[string][2]oauth.Kind {
	both := func(k oauth.Kind) [2]oauth.Kind { return [2]oauth.Kind{k, k} }
	return map[string][2]oauth.Kind{
		"1": both(oauth.Upstream), "2": both(oauth.Signature), "3": both(oauth.BadRequest), "4": both(oauth.AuthConfig),
		"5": {oauth.ClockSkew, oauth.Ambiguous}, "6": {oauth.Replay, oauth.Ambiguous}, "7": both(oauth.NotFound), "8": {oauth.Upstream, oauth.Ambiguous},
		"9": both(oauth.Permission), "10": both(oauth.AuthConfig), "11": both(oauth.Permission), "98": {oauth.Upstream, oauth.Ambiguous}, "99": {oauth.Upstream, oauth.Ambiguous},
	}
}

func TestEveryDocumentedStatusIsSortedAndExplained(t *testing.T) {
	var list []string
	d := redemption.Factory().Describe()
	for status, want := range documented() {
		list = append(list, status)
		body := `{"status":` + status + `,"message":"canary-prose","data":{"merchantId":"` + merchant + `","amount":1,"alipayAuthUrl":"` + authURL + `"}}`
		p := open(t, &desk{serve: map[string]http.HandlerFunc{
			"/v1/openapi/auth/alipay/url": says(200, body), "/v1/openapi/merchant/business/balance": says(200, body),
		}})
		_, read := p.FetchWallets(t.Context(), credential(t, p))
		_, link := p.Link(t.Context(), departure(), withMD5())
		for i, err := range []error{read, link} {
			oauthtest.WantKind(t, status, err, want[i])
			wantCode(t, status, err, status)
			if e, ok := d.Explain(want[i], status); !ok || e.Code != status {
				t.Errorf("%s as %s is not explained", status, want[i])
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: %v", status, err)
			}
		}
	}
	got := redemption.Codes()
	slices.Sort(list)
	slices.Sort(got)
	if !slices.Equal(got, list) {
		t.Errorf("the package knows %v, the documents %v", got, list)
	}
	if _, ok := d.Explain(oauth.Upstream, "12345"); ok {
		t.Error("the general words are i18n's")
	}
}

func TestUnknownStatusIsToldAndNotDefinite(t *testing.T) {
	for status, code := range map[string]string{"12345": "12345", `"-7"`: "-7", "100001": "100001"} {
		_, err := open(t, linkDesk(200, `{"status":`+status+`,"message":"x"}`)).Link(t.Context(), departure(), withMD5())
		oauthtest.WantKind(t, status, err, oauth.Upstream)
		wantCode(t, status, err, code)
	}
}

// Status 5 is about the time of our request; whether the clocks or the way was to blame shows in the Date header.
func TestLateRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		skew       time.Duration
		dated      bool
		link, read oauth.Kind
		told       string
	}{
		"clocks differ":      {40 * time.Minute, true, oauth.ClockSkew, oauth.ClockSkew, "40m0s"},
		"clocks differ back": {-2 * time.Hour, true, oauth.ClockSkew, oauth.ClockSkew, "-2h0m0s"},
		"clocks agree":       {5 * time.Second, true, oauth.Ambiguous, oauth.ClockSkew, "5s"},
		"nothing to compare": {0, false, oauth.Ambiguous, oauth.ClockSkew, `clocks="?"`},
	} {
		late := func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			if tc.dated {
				w.Header().Set("Date", oauthtest.Now().Add(tc.skew).Format(http.TimeFormat))
			}
			says(200, `{"status":5,"message":"接口请求时间超长"}`)(w, r)
		}
		p := open(t, &desk{serve: map[string]http.HandlerFunc{"/v1/openapi/auth/alipay/url": late, "/v1/openapi/merchant/business/balance": late}})
		_, err := p.Link(t.Context(), departure(), withMD5())
		oauthtest.WantKind(t, name, err, tc.link)
		if !strings.Contains(err.Error(), tc.told) || !strings.Contains(err.Error(), "MD5") {
			t.Errorf("%s: %v does not tell what was measured", name, err)
		}
		_, err = p.FetchWallets(t.Context(), credential(t, p))
		oauthtest.WantKind(t, name, err, tc.read)
	}
}

func TestStatusOfHTTPCountsOnlyWithoutAVerdict(t *testing.T) {
	for status, want := range map[int]oauth.Kind{
		401: oauth.AuthConfig, 403: oauth.AuthConfig, 404: oauth.AuthConfig, 405: oauth.AuthConfig, 400: oauth.BadRequest, 415: oauth.BadRequest, 500: oauth.Upstream,
	} {
		_, err := open(t, linkDesk(status, "<html>")).Link(t.Context(), departure(), withMD5())
		oauthtest.WantKind(t, strconv.Itoa(status), err, want)
		_, err = open(t, linkDesk(status, `{"status":7}`)).Link(t.Context(), departure(), withMD5())
		oauthtest.WantKind(t, strconv.Itoa(status)+" with a verdict", err, oauth.NotFound)
		if _, err = open(t, linkDesk(status, linkAnswer(0, "", authURL))).Link(t.Context(), departure(), withMD5()); err != nil {
			t.Errorf("%d with success: %v", status, err)
		}
	}
}

func TestLinkWithoutSubjectOrCallback(t *testing.T) {
	d := usual()
	link, err := open(t, d).Link(t.Context(), oauth.Departure{RedirectURI: "https://app.example/cb"}, withMD5())
	if err != nil || len(link.Kept["user_id"].Reveal()) < 20 {
		t.Errorf("a name is made: %v", err)
	}
	_, err = open(t, d).Link(t.Context(), oauth.Departure{Subject: "s"}, withMD5())
	oauthtest.WantKind(t, "no address for the callback", err, oauth.BadRequest)
	if !one(d) {
		t.Errorf("%d requests", len(d.seen))
	}
}

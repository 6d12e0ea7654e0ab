package handlers

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"mooring/internal/oauth/oauthtest"
)

// TestHeaders_OnEveryAnswer asks for every class of status there is.
func TestHeaders_OnEveryAnswer(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	h.owner(t, "viewer@example.com")
	style := regexp.MustCompile(`href="(/static/[^"]+\.css)"`).FindStringSubmatch(v.get(t, "/overview").body)[1]
	big := strings.Repeat("x", maxBody+1)
	for name, c := range map[string]struct {
		method, path, body string
		header             map[string]string
		status             int
	}{
		"200":         {path: "/overview", status: 200},
		"303":         {path: "/", status: 303},
		"304":         {path: style, header: map[string]string{"If-None-Match": `"` + strings.Split(style, "/")[2] + `"`}, status: 304},
		"403 foreign": {method: "POST", path: "/connect/fake", header: map[string]string{"Sec-Fetch-Site": "cross-site"}, status: 403},
		"403 staff":   {path: "/admin/tenants", status: 403},
		"404":         {path: "/nothing", status: 404},
		"404 suffix":  {path: "/overview/x.css", status: 404},
		"404 asset":   {path: "/static/0/css/none.css", status: 404},
		"405":         {method: "DELETE", path: "/overview", status: 405},
		"405 begin":   {path: "/attempts/0190b2c3-0000-7000-8000-000000000000/confirm", status: 405},
		"409":         {method: "POST", path: "/connect/far", status: 409},
		"413":         {method: "POST", path: "/settings/language", body: big, status: 413},
		"422":         {path: "/activity?before=x", status: 422},
		"422 form":    {method: "POST", path: "/settings/language", body: "language=xx", status: 422},
		"asset":       {path: style, status: 200},
		"healthz":     {path: "/healthz", status: 200},
		"TRACE":       {method: "TRACE", path: "/", status: 405},
	} {
		r := httptest.NewRequest(orGet(c.method), c.path, strings.NewReader(c.body)).WithContext(t.Context())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		for _, cookie := range v.Jar.Cookies(mustURL(t, h.URL)) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s: status %d, want %d", name, w.Code, c.status)
		}
		checkHeaders(t, name, w.Header(), strings.HasPrefix(c.path, "/static/") && w.Code < 400)
		if w.Code >= 400 && c.status != 405 && !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) && name != "422 form" {
			t.Errorf("%s: the page does not show the reference", name)
		}
	}
}

func orGet(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

func checkHeaders(t *testing.T, name string, h http.Header, asset bool) {
	t.Helper()
	for header, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Values(header); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %s = %q, want %q", name, header, got, want)
		}
	}
	policy := h.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s: the content policy lacks %q: %s", name, part, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("%s: the content policy is loose: %s", name, policy)
	}
	if cache := h.Get("Cache-Control"); (cache != "no-store") != asset {
		t.Errorf("%s: Cache-Control = %q", name, cache)
	}
	if h.Get("Permissions-Policy") == "" || h.Get("X-Request-Id") == "" || h.Get("Server") != "" || h.Get("X-Powered-By") != "" {
		t.Errorf("%s: headers = %v", name, h)
	}
}

func TestForeignPagesCannotPressButtons(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	for _, target := range []string{"/connect/fake", "/login", "/logout", "/signup", path + "/sync", path + "/disconnect", "/settings/password"} {
		for _, header := range []map[string]string{
			{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}, {"Origin": "https://evil.example"},
			{"Origin": h.URL + ".evil.example"},
		} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL+target, strings.NewReader("email=a"))
			must(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for name, value := range header {
				r.Header.Set(name, value)
			}
			v.do(t, r).want(t, target, 403, "", "started by another site")
		}
	}
	v.get(t, path).want(t, "afterwards", 200, "", "Connected")
}

func TestHTTPS_CookiesAndHeaders(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "https://mooring.example", &oauthtest.Fake{})
	r := httptest.NewRequest(http.MethodPost, "https://mooring.example/signup?lang=en", strings.NewReader("business_name=Pier&email=a%40example.com&password=correct+horse+battery"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r.WithContext(t.Context()))
	if w.Code != http.StatusSeeOther {
		t.Fatalf("signing up: %d", w.Code)
	}
	session := ""
	for _, cookie := range w.Result().Cookies() {
		if !strings.HasPrefix(cookie.Name, "__Host-mooring-") || !cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("the cookie %s is not as safe as it can be: %s", cookie.Name, cookie.Raw)
		}
		if cookie.Name == "__Host-mooring-session" {
			session = cookie.Value
		}
	}
	if w.Header().Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security")
	}
	ask := func(cookies ...string) int {
		r := httptest.NewRequest(http.MethodGet, "/overview", nil).WithContext(t.Context())
		r.Header.Set("Cookie", strings.Join(cookies, "; "))
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for name, c := range map[string]struct {
		cookies []string
		status  int
	}{
		"the cookie":         {[]string{"__Host-mooring-session=" + session}, 200},
		"without its prefix": {[]string{"mooring-session=" + session}, 303},
		"tossed by another":  {[]string{"__Host-mooring-session=" + session, "__Host-mooring-session=x"}, 303},
		"too long":           {[]string{"__Host-mooring-session=" + strings.Repeat("x", 3000)}, 303},
	} {
		if got := ask(c.cookies...); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
}

func TestSignIn_NextIsWhereOneWantedToGo(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.visitor(t)
	v.get(t, "/activity?before=0190b2c3-0000-7000-8000-000000000000").want(t, "a page", 303, "/login?next=%2Factivity%3Fbefore%3D0190b2c3-0000-7000-8000-000000000000")
	v.get(t, "/oauth/fake/callback?code=canary&state=canary").want(t, "the callback", 303, "/login?next=%2Fconnections")
	v.post(t, "/connect/fake").want(t, "a form", 303, "/login")
	v.get(t, "//evil.example/%2f..").want(t, "an odd path", 404, "")
}

func TestLanguage_IsChosenAndRemembered(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.visitor(t)
	v.get(t, "/").want(t, "asked by the browser", 200, "", `<html lang="en"`, `href="/?lang=zh-CN"`)
	v.get(t, "/?lang=zh-CN").want(t, "chosen", 200, "", `<html lang="zh-CN"`)
	v.get(t, "/nothing").want(t, "remembered", 404, "", `<html lang="zh-CN"`, "没有找到这个页面")
	v.get(t, "/?lang=%3Cscript%3E").want(t, "nonsense", 200, "", `<html lang="zh-CN"`)
	v.get(t, "/login?next=/activity&lang=en").want(t, "keeps its place", 200, "", `href="/login?lang=zh-CN&amp;next=%2Factivity"`)
}

func TestAssets(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.visitor(t)
	for _, m := range regexp.MustCompile(`(?:href|src|srcset)="(/static/[^"]+)"`).FindAllStringSubmatch(v.get(t, "/").body, -1) {
		got := v.get(t, m[1])
		if got.status != 200 || !strings.Contains(got.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %q", m[1], got.status, got.header.Get("Cache-Control"))
		}
		parts := strings.SplitN(m[1], "/", 4)
		if old := v.get(t, "/static/0123456789ab/"+parts[3]); old.status != 200 || old.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s of another release: %d, %q", m[1], old.status, old.header.Get("Cache-Control"))
		}
	}
}

func TestStream_TellsOfChangesAndEnds(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v, stranger := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	path := h.connected(t, v, "12345")
	stranger.get(t, path+"/events").want(t, "a stranger's look", 404, "")

	lines := v.listen(t, h.URL+path+"/events")
	expect(t, lines, "event: hello")
	h.work(t)
	expect(t, lines, "event: changed")
	h.server.EndStreams()
	for {
		select {
		case _, open := <-lines:
			if !open {
				return
			}
		case <-time.After(5 * time.Second):
			t.Fatal("the stream did not end")
		}
	}
}

// listen opens a stream and gives its lines.
func (v *visitor) listen(t *testing.T, address string) <-chan string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	response, err := v.Do(r)
	must(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("Content-Type = %q", got)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(response.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	return lines
}

func expect(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case line, open := <-lines:
			if line == want {
				return
			}
			if !open {
				t.Fatalf("the stream ended before %q", want)
			}
		case <-deadline:
			t.Fatalf("no %q", want)
		}
	}
}

func TestLastErrorPageNeedsNothing(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	delete(h.server.pages.byType, pageTypeOf(ErrorPage{}))
	r := httptest.NewRequest(http.MethodGet, "/nothing", nil).WithContext(t.Context())
	w := httptest.NewRecorder()
	h.server.Handler().ServeHTTP(w, r)
	body, err := io.ReadAll(w.Body)
	must(t, err)
	if w.Code != 404 || !strings.Contains(string(body), w.Header().Get("X-Request-Id")) || strings.Contains(string(body), referenceMark) {
		t.Errorf("%d: %s", w.Code, body)
	}
}

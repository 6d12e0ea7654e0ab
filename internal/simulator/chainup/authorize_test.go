package chainup

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestAuthorize_WholeJourney(t *testing.T) {
	w := newWorld(t)
	login := w.get(loginPath())
	w.want(login.Status, http.StatusOK, "login page")
	w.want(strings.Contains(login.Body, "Test partner"), true, "the partner is named")
	consent := w.consentPage("10002318")
	for _, part := range []string{"mulan_trade", "10002318", "Test partner", "https://app.example"} {
		w.want(strings.Contains(consent.Body, part), true, "consent page names "+part)
	}
	policy := consent.Header.Get("Content-Security-Policy")
	w.want(strings.HasSuffix(policy, "form-action 'self' https://app.example"), true, "policy lets the form end at the partner")
	back := w.decide(consent, "allow")
	w.want(back.Get("state"), "state-1", "state")
	w.want(back.Has("appKey"), false, "appKey on the redirect")
	got := w.pair(w.exchange(back.Get("code")))
	w.want(len(got.OpenID) == 32 && got.Token != "" && got.Refresh != "", true, "openId and tokens")
	w.want(w.call("/user/accountBalance", `{"openId":"`+got.OpenID+`"}`).Code, "0", "a read")
}

func TestAuthorize_RefusesOnAPageAndNeverRedirects(t *testing.T) {
	w := newWorld(t)
	for name, path := range map[string]string{
		"unknown app":          loginPath("appKey", "nobody"),
		"no app":               loginPath("appKey", ""),
		"no redirectUrl":       loginPath("redirectUrl", ""),
		"other redirectUrl":    loginPath("redirectUrl", "https://evil.example/"),
		"redirectUrl and more": loginPath("redirectUrl", callback+"?x=1"),
		"redirectUrl slashed":  loginPath("redirectUrl", callback+"/"),
		"redirectUrl cased":    loginPath("redirectUrl", strings.Replace(callback, "app", "APP", 1)),
		"parameter twice":      loginPath() + "&appKey=" + appID,
	} {
		p := w.get(path)
		if p.Status != http.StatusBadRequest || p.URL.Path != "/platform/login.html" {
			t.Errorf("%s: got %d at %s, want a page of 400 where it is", name, p.Status, p.URL.Path)
		}
	}
	w.want(strings.Contains(w.get(loginPath("redirectUrl", "https://x.example/")).Body, "50002"), true, "the documents' code is named")
}

func TestLogin_WhoMayAuthorise(t *testing.T) {
	for _, c := range []struct {
		name, account, password string
		status                  int
		sentence                string
	}{
		{"by uid", "10002318", "chainup-10002318", 200, "它将可以读取"},
		{"by e-mail", "MULAN@exchange.example", "chainup-10002318", 200, "它将可以读取"},
		{"by phone", "13800010231", "chainup-10002318", 200, "它将可以读取"},
		{"frozen", "10007755", "chainup-10007755", 403, "冻结"},
		{"frozen, wrong password", "10007755", "x", 401, "不正确"},
		{"another's password", "10002318", "chainup-10004471", 401, "不正确"},
		{"nobody", "", "", 401, "不正确"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.post("/platform/login", url.Values{"visit": {w.visit(w.get(loginPath()))}, "account": {c.account}, "password": {c.password}})
			w.want(p.Status, c.status, "status")
			w.want(strings.Contains(p.Body, c.sentence), true, "sentence "+c.sentence)
			w.want(len(c.password) > 1 && strings.Contains(p.Body, c.password), false, "the password comes back on the page")
		})
	}
}

func TestLogin_SampleLanguageAndLeaving(t *testing.T) {
	w := newWorld(t)
	visit := w.visit(w.get(loginPath()))
	p := w.get("/platform/login?visit=" + visit + "&sample=10004471&lang=en")
	w.want(strings.Contains(p.Body, `value="chainup-10004471"`), true, "password filled in")
	w.want(strings.Contains(p.Body, "Sign in to the exchange"), true, "English")
	w.decide(w.consentPage("10002318"), "deny")
	again := w.get(loginPath())
	w.want(again.URL.Path, "/platform/consent", "who is signed in goes on to consent")
	p = w.post("/platform/logout", url.Values{"visit": {w.visit(again)}})
	w.want(p.URL.Path, "/platform/login", "after signing out")
}

func TestConsent_DenyTwiceAndTooLate(t *testing.T) {
	w := newWorld(t)
	consent := w.consentPage("10002318")
	back := w.decide(consent, "deny")
	w.want(back.Get("error")+back.Get("state"), "access_deniedstate-1", "denied")
	w.want(back.Has("code"), false, "a code")
	w.want(w.decide(consent, "allow").Encode(), back.Encode(), "second press")
	late := w.get(loginPath())
	w.sim.Clock.Shift(visitLife + time.Second)
	p := w.post("/platform/consent", url.Values{"visit": {w.visit(late)}, "decision": {"allow"}})
	w.want(p.Status, http.StatusGone, "after its time")
}

func TestReturn_Faults(t *testing.T) {
	for name, check := range map[string]func(w *world, back url.Values){
		faultDeny:         func(w *world, back url.Values) { w.want(back.Get("error"), "access_denied", "error") },
		faultStateMissing: func(w *world, back url.Values) { w.want(back.Has("state"), false, "state") },
		faultStateForeign: func(w *world, back url.Values) { w.want(back.Get("state") == "state-1", false, "ours came back") },
		faultNoCode:       func(w *world, back url.Values) { w.want(back.Has("code") || back.Has("error"), false, "code or error") },
		variantAppKeyBack: func(w *world, back url.Values) { w.want(back.Get("appKey"), appID, "appKey") },
		faultExpiredCode:  func(w *world, back url.Values) { w.want(w.exchange(back.Get("code")).Code, "60003", "exchange") },
		faultReusedCode:   func(w *world, back url.Values) { w.want(w.exchange(back.Get("code")).Code, "60003", "exchange") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fault(name, 1, 0)
			check(w, w.decide(w.consentPage("10002318"), "allow"))
		})
	}
}

func TestPages_RefuseCrossSiteForms(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/platform/login", "/platform/consent", "/platform/logout"} {
		r, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader("visit=x"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w.want(w.read(http.DefaultClient.Do(r)).Status, http.StatusForbidden, path)
	}
}

func TestAuthorise_WithoutABrowser(t *testing.T) {
	w := newWorld(t)
	back, err := w.sim.Authorise(appID, "desk@harbour.example", "s")
	if err != nil {
		t.Fatal(err)
	}
	w.want(back.Get("state"), "s", "state")
	w.want(w.pair(w.exchange(back.Get("code"))).Token != "", true, "token")
	for _, wrong := range [][2]string{{"nobody", "10002318"}, {appID, "99999"}} {
		if _, err := w.sim.Authorise(wrong[0], wrong[1], ""); err == nil {
			t.Errorf("%v was authorised", wrong)
		}
	}
}

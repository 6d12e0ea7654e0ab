package asiabill

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestAuthorize_WholeJourney(t *testing.T) {
	w := newWorld(t)
	login := w.get(authorizePath())
	w.want(login.Status, http.StatusOK, "login page")
	w.want(strings.Contains(login.Body, "Test partner"), true, "the partner is named")
	consent := w.consentPage("20488")
	for _, part := range []string{"Harbour &amp; Finch Ltd", "20488001", "Test partner", "https://app.example"} {
		w.want(strings.Contains(consent.Body, part), true, "consent page names "+part)
	}
	policy := consent.Header.Get("Content-Security-Policy")
	w.want(strings.HasSuffix(policy, "form-action 'self' https://app.example"), true, "policy lets the form end at the partner")
	back := w.decide(consent, "allow")
	w.want(back.Get("merNo"), "20488", "merNo")
	w.want(back.Get("state"), "state-1", "state")
	p, a := w.exchange(tokenForm(back.Get("code")))
	w.want(p.Status, http.StatusOK, "token status")
	w.want(a.TokenType, "Bearer", "token type")
	w.want(a.ExpiresIn, 30*24*3600, "expires_in")
	list := w.decode(w.reading("/openApi/transactions?pageSize=5", a.AccessToken, nil))
	w.want(list.Result.Code, "00000", "code of the list")
	w.want(list.Result.Data.Page.List[0]["gatewayNo"], "20488001", "gateway of the first row")
}

func TestAuthorize_RefusesOnAPageAndNeverRedirects(t *testing.T) {
	w := newWorld(t)
	for name, path := range map[string]string{
		"unknown client":        authorizePath("client_id", "nobody"),
		"no client":             authorizePath("client_id", ""),
		"wrong response_type":   authorizePath("response_type", "token"),
		"no response_type":      authorizePath("response_type", ""),
		"other redirect_uri":    authorizePath("redirect_uri", "https://evil.example/"),
		"redirect_uri and more": authorizePath("redirect_uri", callback+"?x=1"),
		"redirect_uri cased":    authorizePath("redirect_uri", strings.Replace(callback, "app", "APP", 1)),
		"redirect_uri slashed":  authorizePath("redirect_uri", callback+"/"),
		"empty redirect_uri":    authorizePath("redirect_uri", "") + "&redirect_uri=",
		"parameter twice":       authorizePath() + "&client_id=" + clientID,
	} {
		t.Run(name, func(t *testing.T) {
			p := w.get(path)
			if p.Status != http.StatusBadRequest || p.URL.Path != "/oauth/authorize" {
				t.Errorf("got %d at %s, want a page of 400 where it is", p.Status, p.URL.Path)
			}
		})
	}
}

func TestAuthorize_RedirectURIAndStateAreOptional(t *testing.T) {
	w := newWorld(t)
	login := w.get(authorizePath("redirect_uri", "", "state", ""))
	consent := w.post("/oauth/login", url.Values{
		"visit": {w.visit(login)}, "merchantId": {"10231"}, "username": {"admin"}, "password": {"asiabill-10231"},
	})
	back := w.decide(consent, "allow")
	w.want(back.Has("state"), false, "a state that was not sent")
	_, a := w.exchange(tokenForm(back.Get("code")))
	w.want(a.AccessToken != "", true, "token")
}

func TestLogin_WhoMayAuthorise(t *testing.T) {
	for _, c := range []struct {
		name, id, user, password string
		status                   int
		sentence                 string
	}{
		{"super administrator", "10231", "admin", "asiabill-10231", 200, "它将可以读取"},
		{"by a gateway's number", "31760002", "admin", "asiabill-31760", 200, "31760"},
		{"operator", "10231", "operator", "operator-10231", 403, "操作员账号"},
		{"wrong password", "10231", "admin", "asiabill-10232", 401, "不正确"},
		{"another merchant's password", "10231", "admin", "asiabill-20488", 401, "不正确"},
		{"unknown merchant", "99999", "admin", "asiabill-99999", 401, "不正确"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			login := w.get(authorizePath())
			p := w.post("/oauth/login", url.Values{
				"visit": {w.visit(login)}, "merchantId": {c.id}, "username": {c.user}, "password": {c.password},
			})
			w.want(p.Status, c.status, "status")
			w.want(strings.Contains(p.Body, c.sentence), true, "sentence "+c.sentence)
			w.want(strings.Contains(p.Body, c.password), false, "the password comes back on the page")
		})
	}
}

func TestLogin_SampleFillsTheFormAndLanguageKeepsTheVisit(t *testing.T) {
	w := newWorld(t)
	visit := w.visit(w.get(authorizePath()))
	p := w.get("/oauth/login?visit=" + visit + "&sample=20488.operator&lang=en")
	w.want(strings.Contains(p.Body, `value="operator-20488"`), true, "password filled in")
	w.want(strings.Contains(p.Body, "Merchant sign-in"), true, "English")
	w.want(strings.Contains(p.Body, `href="/oauth/login?lang=zh-CN&amp;sample=20488.operator&amp;visit=`+visit+`"`), true, "language switch keeps the visit")
	p = w.post("/oauth/login", url.Values{"visit": {visit}, "merchantId": {"1"}})
	w.want(strings.Contains(p.Body, "is wrong"), true, "the language is remembered over a form")
	w.want(strings.Contains(p.Body, `href="/oauth/login?lang=zh-CN&amp;visit=`+visit+`"`), true, "language switch after a form")
}

func TestLogin_SessionIsKeptAndCanBeLeft(t *testing.T) {
	w := newWorld(t)
	w.decide(w.consentPage("10231"), "deny")
	again := w.get(authorizePath())
	w.want(again.URL.Path, "/oauth/consent", "who is signed in goes on to consent")
	p := w.post("/oauth/logout", url.Values{"visit": {w.visit(again)}})
	w.want(p.URL.Path, "/oauth/login", "after signing out")
}

func TestConsent_Deny(t *testing.T) {
	w := newWorld(t)
	back := w.decide(w.consentPage("10231"), "deny")
	w.want(back.Get("error"), "access_denied", "error")
	w.want(back.Get("state"), "state-1", "state")
	w.want(back.Has("code"), false, "a code")
}

func TestConsent_SecondPressLeadsToTheSamePlace(t *testing.T) {
	w := newWorld(t)
	consent := w.consentPage("10231")
	first, second := w.decide(consent, "allow"), w.decide(consent, "deny")
	w.want(second.Encode(), first.Encode(), "second press")
}

func TestVisit_Ends(t *testing.T) {
	w := newWorld(t)
	consent := w.consentPage("10231")
	w.sim.Clock.Shift(visitLife + time.Second)
	p := w.post("/oauth/consent", url.Values{"visit": {w.visit(consent)}, "decision": {"allow"}})
	w.want(p.Status, http.StatusGone, "after its time")
	w.want(w.get("/oauth/login?visit=INVENTED").Status, http.StatusGone, "one that never was")
}

func TestPages_RefuseCrossSiteForms(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/oauth/login", "/oauth/consent", "/oauth/logout"} {
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
	back, err := w.sim.Authorise(clientID, "31760001", "s")
	if err != nil {
		t.Fatal(err)
	}
	w.want(back.Get("merNo")+back.Get("state"), "31760s", "merNo and state")
	_, a := w.exchange(tokenForm(back.Get("code")))
	w.want(a.AccessToken != "", true, "token")
	for _, wrong := range [][2]string{{"nobody", "31760"}, {clientID, "99999"}} {
		if _, err := w.sim.Authorise(wrong[0], wrong[1], ""); err == nil {
			t.Errorf("%v was authorised", wrong)
		}
	}
}

package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

func TestConnect_FromThePressToTheData(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	v.get(t, "/overview").want(t, "an empty overview", 200, "", "No account is moored here yet")
	ask := v.get(t, "/connect/fake")
	ask.want(t, "before leaving", 200, "", "What will be read", "Everything.", "fake.example", `action="/connect/fake"`)
	if csp := ask.header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://fake.example;") {
		t.Errorf("the form could not lead to the provider: %s", csp)
	}
	got := v.post(t, "/connect/fake")
	cookie := got.header.Get("Set-Cookie")
	for _, part := range []string{"mooring-flow-", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the flow cookie %q lacks %s", cookie, part)
		}
	}
	back := h.fake.Approve(got.location, "12345")
	landed := v.comeBack(t, back)
	if !strings.HasPrefix(landed.location, "/connections/") {
		t.Fatalf("coming back: %d to %q", landed.status, landed.location)
	}
	v.get(t, landed.location).want(t, "while it syncs", 200, "", "Data will be fetched in a moment", `data-stream="`+landed.location+`/events"`, "<noscript><meta http-equiv=\"refresh\"")
	v.comeBack(t, back).want(t, "a reload of the callback", 303, landed.location)
	h.work(t)
	v.get(t, landed.location).want(t, "after the sync", 200, "", "order-1", "order-0", "19.99\u00a0USD", "Fetched", "91•••ry", "Connected Fake, account 1•••5")
	v.get(t, "/overview").want(t, "the overview", 200, "", "90.10\u00a0USD", "Permissions complete", "Last fetched")
	v.get(t, "/connections").want(t, "the cards", 200, "", landed.location, "Not offered on this platform at the moment.")
	v.get(t, "/activity").want(t, "the history", 200, "", "Began connecting Fake.", "5 kinds of data have changed", "The account was created.")
	if h.fake.Calls(oauthtest.OpExchange) != 1 {
		t.Errorf("%d exchanges, want 1", h.fake.Calls(oauthtest.OpExchange))
	}
}

// TestConnect_EveryEndingHasItsPage brings back what a provider, a person or an attacker may bring.
func TestConnect_EveryEndingHasItsPage(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	other := h.owner(t, "other@example.com")
	h.connected(t, other, "77777")
	v := h.owner(t, "a@example.com")
	for _, c := range []struct {
		name  string
		kind  oauth.Kind // what the exchange fails with
		back  func(location string) url.Values
		texts []string
	}{
		{name: "denied", back: h.fake.Deny, texts: []string{"You did not agree, and that is fine", "Try again"}},
		{name: "no code", back: stateOnly, texts: []string{"It did not work this time", "without a result"}},
		{name: "claimed", back: func(l string) url.Values { return h.fake.Approve(l, "77777") }, texts: []string{"This account is taken", "7•••7"}},
		{name: "config", kind: oauth.AuthConfig, texts: []string{"This one is on us", "registration", "The platform."}},
		{name: "upstream", kind: oauth.Upstream, texts: []string{"Fake is having trouble", "Try again in a few minutes", "E-77"}},
		{name: "permission", kind: oauth.Permission, texts: []string{"It needs something from you", "administrator"}},
		{name: "ambiguous", kind: oauth.Ambiguous, texts: []string{"It did not work this time", "did not answer in time"}},
	} {
		h.fake.Set(func(f *oauthtest.Fake) { f.OnExchange = failing(c.kind) })
		if c.back == nil {
			c.back = func(l string) url.Values { return h.fake.Approve(l, "12345") }
		}
		back := c.back(v.leave(t, "/connect/fake"))
		got := v.comeBack(t, back)
		if got.status != 303 || !strings.HasPrefix(got.location, "/attempts/") {
			t.Fatalf("%s: %d to %q", c.name, got.status, got.location)
		}
		v.comeBack(t, back).want(t, c.name+" again", 303, got.location)
		v.get(t, got.location).want(t, c.name, 200, "", append(c.texts, strings.TrimPrefix(got.location, "/attempts/"))...)
		v.get(t, got.location+"?lang=zh-CN").want(t, c.name, 200, "", `<html lang="zh-CN"`, "参考编号")
		v.get(t, got.location+"?lang=en")
	}
}

func TestConnect_WithoutStateThePersonConfirms(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{OmitState: true})
	v := h.owner(t, "a@example.com")
	got := v.comeBack(t, h.fake.Approve(v.leave(t, "/connect/fake"), "12345"))
	v.get(t, got.location).want(t, "to be confirmed", 200, "", "Is this your account?", "1•••5", got.location+"/confirm")
	confirmed := v.post(t, got.location+"/confirm")
	if !strings.HasPrefix(confirmed.location, "/connections/") {
		t.Fatalf("confirming: %d to %q", confirmed.status, confirmed.location)
	}
	v.post(t, got.location+"/confirm").want(t, "pressed twice", 303, confirmed.location)
	v.get(t, got.location).want(t, "its page", 303, confirmed.location)

	again := v.comeBack(t, h.fake.Approve(v.leave(t, "/connect/fake"), "54321"))
	v.post(t, again.location+"/cancel").want(t, "no, stop", 303, again.location)
	v.get(t, again.location).want(t, "stopped", 200, "", "Stopped")
}

func TestConnect_WhatNobodyBeganIsRefused(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	a, b := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	back := h.fake.Approve(a.leave(t, "/connect/fake"), "12345")
	b.comeBack(t, back).want(t, "another person's browser", 403, "", "Nothing was connected")
	h.visitor(t).comeBack(t, back).want(t, "nobody's browser", 303, "/login?next=%2Fconnections")
	// No state at all is another matter: the fake's policy lets the flow cookie stand in for it.
	for name, query := range map[string]string{
		"empty state": "code=x&state=", "two states": "code=x&state=a&state=b", "foreign state": "code=x&state=y",
		"two codes": "code=x&code=y&state=" + back.Get("state"), "nothing": "",
	} {
		b.get(t, "/oauth/fake/callback?"+query).want(t, name, 403, "")
	}
	a.get(t, "/oauth/nobody/callback?code=x").want(t, "an unknown provider", 404, "")
	if n := h.fake.Calls(oauthtest.OpExchange); n != 0 {
		t.Errorf("%d exchanges, want none", n)
	}
}

func TestConnect_FlowCookiesAreFew(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	for range 9 {
		v.leave(t, "/connect/fake")
	}
	site, err := url.Parse(h.URL)
	must(t, err)
	flows := 0
	for _, cookie := range v.Jar.Cookies(site) {
		if strings.HasPrefix(cookie.Name, "mooring-flow-") {
			flows++
		}
	}
	if flows != maxFlows {
		t.Errorf("%d flow cookies, want %d", flows, maxFlows)
	}
}

func TestConnection_ReconnectAndDisconnect(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	v.get(t, path+"/reconnect").want(t, "before reconnecting", 200, "", "with the same account", `action="`+path+`/reconnect"`)
	got := v.comeBack(t, h.fake.Approve(v.leave(t, path+"/reconnect"), "99999"))
	v.get(t, got.location).want(t, "another account", 200, "", "That was another account", path+"/reconnect")
	v.comeBack(t, h.fake.Approve(v.leave(t, path+"/reconnect"), "12345")).want(t, "the same account", 303, path)
	h.work(t)

	v.post(t, path+"/sync").want(t, "fetch now", 303, path)
	v.post(t, path+"/sync").want(t, "fetch now, twice", 303, path)
	h.work(t)
	v.get(t, path+"/disconnect").want(t, "asked once more", 200, "", "Disconnect Fake?", "Ask its support.")
	v.post(t, path+"/disconnect").want(t, "disconnecting", 303, path)
	page := v.get(t, path)
	page.want(t, "after it", 200, "", "The account is disconnected", "Disconnected on", "order-1")
	if strings.Contains(page.body, path+"/sync") {
		t.Error("a disconnected account can be fetched")
	}
	v.post(t, path+"/sync").want(t, "fetching all the same", 409, "", "This account is disconnected.")
	v.get(t, path+"/disconnect").want(t, "asking again", 303, path)
	v.get(t, "/overview").want(t, "the overview", 200, "", "No account is moored here yet")
}

func TestConnection_SaysWhoMustAct(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	for kind, texts := range map[oauth.Kind]struct{ page, banner []string }{
		oauth.NeedsReauth: {
			[]string{"no longer accepts the access you gave", "Needs you", `id="reconnect"`},
			[]string{"Fake, account 1•••5:", "needs you since", `class="button slight" href="` + path + `/reconnect"`},
		},
		oauth.Upstream: {
			[]string{"is failing at the moment", "Waiting for the provider", "We try again by ourselves"},
			[]string{"Fake, account 1•••5:", "waiting for the provider since", "you need to do nothing", `href="` + path + `">Details`},
		},
		oauth.Signature: {
			[]string{"does not accept our signature", "We are on it", "The platform."},
			[]string{"Fake, account 1•••5:", "out of order on our side since", "you need to do nothing", `href="` + path + `">Details`},
		},
	} {
		h.mayAsk(t)
		h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = failingMerchant(kind) })
		v.post(t, path+"/sync").want(t, "fetch now", 303, path)
		h.work(t)
		v.get(t, path).want(t, string(kind), 200, "", append(texts.page, "order-1", "stays readable")...)
		for _, page := range []string{"/overview", "/connections", "/activity", "/settings", "/connect/fake"} {
			v.get(t, page).want(t, string(kind)+" on "+page, 200, "", texts.banner...)
		}
		h.fake.Set(func(f *oauthtest.Fake) { f.OnMerchant = nil })
		v.post(t, path+"/sync").want(t, "fetch now", 303, path)
		h.work(t)
		if page := v.get(t, "/overview"); strings.Contains(page.body, `class="banner"`) {
			t.Errorf("%s: the banner outlives the trouble", kind)
		}
	}
}

func TestStrangersAndInventedIdsLookTheSame(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	a, b := h.owner(t, "a@example.com"), h.owner(t, "b@example.com")
	path := h.connected(t, a, "12345")
	attempt := a.comeBack(t, h.fake.Deny(a.leave(t, "/connect/fake"))).location
	const invented = "0190b2c3-0000-7000-8000-000000000000"
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, suffix := range []string{"", "/events", "/reconnect", "/disconnect", "/sync", "/confirm", "/cancel"} {
			for root, own := range map[string]string{"/connections/": path, "/attempts/": attempt} {
				ask := b.get
				if method == http.MethodPost {
					ask = func(t *testing.T, path string) answer { return b.post(t, path) }
				}
				foreign, nobodys := ask(t, own+suffix), ask(t, root+invented+suffix)
				if foreign.status != nobodys.status || plain(foreign, own) != plain(nobodys, root+invented) {
					t.Errorf("%s %s%s: a stranger's gives %d, an invented one %d", method, root, suffix, foreign.status, nobodys.status)
				}
				if foreign.status != http.StatusNotFound && foreign.status != http.StatusMethodNotAllowed {
					t.Errorf("%s %s%s: %d", method, root, suffix, foreign.status)
				}
			}
		}
	}
	for _, odd := range []string{"x", "0", "00000000-0000-0000-0000-000000000000", "{" + invented + "}", "urn:uuid:" + invented, strings.ReplaceAll(invented, "-", "")} {
		a.get(t, "/connections/"+odd).want(t, odd, 404, "")
	}
}

func TestViewersLookAndChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	path := h.connected(t, v, "12345")
	h.work(t)
	attempt := v.leaveUnfinished(t)
	h.demote(t, "a@example.com")
	for _, page := range []string{"/overview", "/connections", "/connect/fake", path, attempt, "/activity"} {
		got := v.get(t, page)
		got.want(t, page, 200, "")
		_, body, _ := strings.Cut(got.body, "<main")
		if strings.Contains(body, "<form") || strings.Contains(body, "/disconnect") || strings.Contains(body, "/reconnect") {
			t.Errorf("%s offers a viewer something to press", page)
		}
	}
	for _, post := range []string{"/connect/fake", path + "/sync", path + "/reconnect", path + "/disconnect", attempt + "/confirm", attempt + "/cancel"} {
		v.post(t, post).want(t, post, 403, "", "You may look at everything here")
	}
	v.get(t, path+"/disconnect").want(t, "asking to disconnect", 403, "")
	v.get(t, "/oauth/fake/callback?code=x").want(t, "coming back", 403, "")
}

// leaveUnfinished begins and gives the attempt's path.
func (v *visitor) leaveUnfinished(t *testing.T) string {
	t.Helper()
	v.leave(t, "/connect/fake")
	page := v.get(t, "/connections").body
	_, rest, found := strings.Cut(page, `href="/attempts/`)
	if !found {
		t.Fatal("the cards do not show the open attempt")
	}
	return "/attempts/" + rest[:36]
}

// plain takes out of an answer what must differ.
func plain(a answer, id string) string {
	body := strings.ReplaceAll(a.body, id, "ID")
	return strings.ReplaceAll(body, a.header.Get("X-Request-Id"), "REFERENCE")
}

func stateOnly(location string) url.Values {
	u, err := url.Parse(location)
	if err != nil {
		panic(err)
	}
	return url.Values{"state": {u.Query().Get("state")}}
}

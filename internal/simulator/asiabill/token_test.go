package asiabill

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

func TestToken_DocumentedVariants(t *testing.T) {
	w := newWorld(t)
	for name, send := range map[string]func(url.Values) page{
		"form": func(v url.Values) page { return w.read(http.PostForm(w.url+"/oauth/token", v)) },
		"json": func(v url.Values) page {
			fields := map[string]string{}
			for key := range v {
				fields[key] = v.Get(key)
			}
			body, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			return w.read(http.Post(w.url+"/oauth/token", "application/json", strings.NewReader(string(body))))
		},
		"query": func(v url.Values) page { return w.read(http.Get(w.url + "/oauth/token?" + v.Encode())) },
	} {
		t.Run(name, func(t *testing.T) {
			p := send(tokenForm(w.code()))
			a := w.decode(p)
			if p.Status != http.StatusOK || a.AccessToken == "" || a.RefreshToken == "" || a.RefreshExpiresIn == 0 {
				t.Errorf("got %d %+v", p.Status, a)
			}
			w.want(p.Header.Get("Cache-Control"), "no-store", "caching")
		})
	}
}

func TestToken_Strictness(t *testing.T) {
	w := newWorld(t)
	if _, err := w.sim.Register(Registration{"partner-2", "partner-secret-2", callback, "Other"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, field, value string
		status             int
		word, outcome      string
	}{
		{"no client_id", "client_id", "", 400, "invalid_request", "missing_client_id"},
		{"no client_secret", "client_secret", "", 400, "invalid_request", "missing_client_secret"},
		{"no code", "code", "", 400, "invalid_request", "missing_code"},
		{"no grant_type", "grant_type", "", 400, "invalid_request", "missing_grant_type"},
		{"no redirect_uri", "redirect_uri", "", 400, "invalid_request", "missing_redirect_uri"},
		{"unknown client", "client_id", "nobody", 401, "invalid_client", "wrong_client"},
		{"wrong secret", "client_secret", "guess", 401, "invalid_client", "wrong_client"},
		{"wrong grant_type", "grant_type", "password", 400, "unsupported_grant_type", "wrong_grant_type"},
		{"other redirect_uri", "redirect_uri", "https://evil.example/", 400, "invalid_grant", "redirect_uri_not_registered"},
		{"redirect_uri slashed", "redirect_uri", callback + "/", 400, "invalid_grant", "redirect_uri_not_registered"},
		{"invented code", "code", "INVENTED", 400, "invalid_grant", "code_unknown"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code := w.code()
			form := tokenForm(code)
			form.Set(c.field, c.value)
			p, a := w.exchange(form)
			w.want(p.Status, c.status, "status")
			w.want(a.Error, c.word, "error")
			w.want(w.last().Outcome, c.outcome, "outcome")
			_, a = w.exchange(tokenForm(code))
			w.want(a.AccessToken != "", true, "a refused call leaves the code unspent")
		})
	}
	form := tokenForm(w.code())
	form.Set("client_id", "partner-2")
	form.Set("client_secret", "partner-secret-2")
	_, a := w.exchange(form)
	w.want(a.Error, "invalid_grant", "another client's code")
}

func TestToken_HowItMustBeSent(t *testing.T) {
	w := newWorld(t)
	post := func(path, kind, body string) page {
		return w.read(http.Post(w.url+path, kind, strings.NewReader(body)))
	}
	const form = "application/x-www-form-urlencoded"
	w.want(post("/oauth/token", "text/plain", "x").Status, http.StatusUnsupportedMediaType, "wrong type")
	w.want(post("/oauth/token", "application/json", `{"code":1}`).Status, http.StatusBadRequest, "a number for a text")
	w.want(post("/oauth/token", "application/json", `{"code"`).Status, http.StatusBadRequest, "broken JSON")
	w.want(post("/oauth/token", form, "code=a&code=b").Status, http.StatusBadRequest, "a parameter twice")
	w.want(post("/oauth/token?"+tokenForm(w.code()).Encode(), form, "").Status, http.StatusBadRequest, "POST with a query")
	w.want(post("/oauth/token", form, strings.Repeat("a", 70<<10)).Status, http.StatusRequestEntityTooLarge, "a huge body")
	r, err := http.NewRequest(http.MethodPut, w.url+"/oauth/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := w.read(http.DefaultClient.Do(r))
	w.want(p.Status, http.StatusMethodNotAllowed, "PUT")
	w.want(p.Header.Get("Allow"), "GET, POST", "Allow")
}

func TestToken_CodeIsSingleUseAndShortLived(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	_, first := w.exchange(tokenForm(code))
	p, a := w.exchange(tokenForm(code))
	w.want(p.Status, http.StatusBadRequest, "second use")
	w.want(a.Error, "invalid_grant", "second use")
	w.want(w.reading("/openApi/chargebacks", first.AccessToken, nil).Status, http.StatusOK, "the first token lives on")

	code = w.code()
	w.sim.Clock.Shift(codeLife + time.Second)
	_, a = w.exchange(tokenForm(code))
	w.want(w.last().Outcome, "code_expired", "after 61 seconds")
	w.want(a.AccessToken, "", "token for an expired code")
}

func TestToken_ParallelExchangesOfOneCode(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			res, err := http.PostForm(w.url+"/oauth/token", tokenForm(code))
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		})
	}
	all.Wait()
	_, counters := w.sim.Ledger.After(0)
	w.want(counters.TokenExchanges[bench.Fingerprint(code)], 20, "presented")
	w.want(counters.TokensIssued[bench.Fingerprint(code)], 1, "honoured")
}

func TestToken_Refresh(t *testing.T) {
	w := newWorld(t)
	_, first := w.exchange(tokenForm(w.code()))
	form := url.Values{
		"client_id": {clientID}, "client_secret": {secret},
		"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken},
	}
	wrong := maps.Clone(form)
	wrong.Set("client_secret", "guess")
	_, a := w.exchange(wrong)
	w.want(a.Error, "invalid_client", "wrong secret")
	_, second := w.exchange(form)
	w.want(second.AccessToken != "" && second.AccessToken != first.AccessToken, true, "a new access token")
	w.want(second.RefreshToken != first.RefreshToken, true, "a new refresh token")
	w.want(w.reading("/openApi/chargebacks", second.AccessToken, nil).Status, http.StatusOK, "the new token works")
	_, a = w.exchange(form)
	w.want(a.Error, "invalid_grant", "a spent refresh token")
	form.Set("refresh_token", "INVENTED")
	_, a = w.exchange(form)
	w.want(a.Error, "invalid_grant", "an invented refresh token")
}

func TestRestartKeepsTokensAndClients(t *testing.T) {
	dir := t.TempDir()
	before := newWorldIn(t, dir)
	sample := before.sim.Sample()
	access := before.access()
	after := newWorldIn(t, dir)
	after.want(after.reading("/openApi/chargebacks", access, nil).Status, http.StatusOK, "a token from before the restart")
	after.want(after.sim.Sample(), sample, "the sample client")
	after.want(len(after.sim.state.Tokens), 1, "tokens kept")
}

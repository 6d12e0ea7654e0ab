package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"rsc.io/qr"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// server is a provider's server: no browser, no cookie.
func (d *dock) server(t *testing.T, c oauthtest.Call, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+c.Path(), strings.NewReader(string(c.Body)))
	must(t, err)
	r.Header = c.Header.Clone()
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return d.visitor(t).do(t, r)
}

// askForLink fills in the form and gives the attempt's path, and the link that the provider made.
func (d *dock) askForLink(t *testing.T, v *visitor) (path, link string) {
	t.Helper()
	before := d.linked.Links()
	asked := v.post(t, "/connect/linked", oauthtest.KeyFakeID, "42", oauthtest.KeyFakeSecret, "line one\r\nline two", oauthtest.LinkFakeMode, "HMAC")
	if asked.status != http.StatusSeeOther || !strings.HasPrefix(asked.location, "/attempts/") {
		t.Fatalf("asking for a link: %d to %q\n%s", asked.status, asked.location, asked.body)
	}
	for _, link := range d.linked.Links() {
		if !strings.Contains(strings.Join(before, " "), link) {
			return asked.location, link
		}
	}
	t.Fatal("the provider made no link")
	return "", ""
}

// work acts on every stored callback.
func (d *dock) work(t *testing.T) {
	t.Helper()
	rows, err := d.db.Owner.Query(t.Context(), `SELECT tenant_id, id FROM inbox WHERE processed_at IS NULL`)
	must(t, err)
	var due [][2]uuid.UUID
	for rows.Next() {
		var one [2]uuid.UUID
		must(t, rows.Scan(&one[0], &one[1]))
		due = append(due, one)
	}
	must(t, rows.Err())
	for _, one := range due {
		_, err := d.connect.Process(t.Context(), d.store.ForTenant(one[0], models.Actor{Kind: models.System}), one[1])
		must(t, err)
	}
}

func TestLink_FromTheFormToTheConnection(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	v.get(t, "/connect/linked").want(t, "the form", http.StatusOK, "", `<select id="sign_type"`, "<option>HMAC</option>", "<option>NONE</option>",
		`<textarea id="client_secret"`, "Get the link", "a link to open on a phone")
	wrong := v.post(t, "/connect/linked", oauthtest.KeyFakeID, "42", oauthtest.LinkFakeMode, "NONE")
	wrong.want(t, "without a key", http.StatusUnprocessableEntity, "", `value="42"`, `<option selected>NONE</option>`, `id="client_secret-fault"`)
	bad := v.post(t, "/connect/linked", oauthtest.KeyFakeID, "42", oauthtest.LinkFakeMode, "MD4", oauthtest.KeyFakeSecret, "canary-key")
	bad.want(t, "a choice that there is not", http.StatusUnprocessableEntity, "", `id="sign_type-fault"`, "Choose one of the values")
	if strings.Contains(bad.body, "canary-key") {
		t.Error("the secret was sent back")
	}

	path, link := d.askForLink(t, v)
	page := v.get(t, path)
	page.want(t, "the link", http.StatusOK, "", `href="`+link+`" target="_blank" rel="noreferrer"`, `data-stream="`+path+`/events"`,
		`<noscript><meta http-equiv="refresh" content="10"`, "Open the link and agree", path+"/cancel", "Valid until")
	checkQR(t, page.body, link)
	v.get(t, path+"?lang=zh-CN").want(t, "in Chinese", http.StatusOK, "", "请打开链接并同意授权", "链接的二维码")
	v.get(t, path+"?lang=en")
	v.get(t, "/connections").want(t, "the cards", http.StatusOK, "", path)

	call := d.linked.Call(link, "12345")
	got := d.server(t, call)
	got.want(t, "the callback", http.StatusOK, "", oauthtest.LinkFakeAnswer)
	if got.body != oauthtest.LinkFakeAnswer || !strings.HasPrefix(got.header.Get("Content-Type"), "text/plain") || got.header.Get("Set-Cookie") != "" {
		t.Errorf("answered %q as %q", got.body, got.header.Get("Content-Type"))
	}
	v.get(t, path).want(t, "stored, not yet acted on", http.StatusOK, "", "One moment")
	d.work(t)
	confirm := v.get(t, path)
	confirm.want(t, "to be confirmed", http.StatusOK, "", "Is this your account?", "1•••5", "A link can be passed on", path+"/confirm")
	if strings.Contains(confirm.body, link) {
		t.Error("the link is still on the page")
	}
	d.server(t, call).want(t, "a repeat", http.StatusOK, "", oauthtest.LinkFakeAnswer)
	end := v.post(t, path+"/confirm")
	if !strings.HasPrefix(end.location, "/connections/") {
		t.Fatalf("confirming: %d to %q", end.status, end.location)
	}
	v.get(t, end.location+"/reconnect").want(t, "reconnecting", http.StatusOK, "", `<textarea id="client_secret"`)
	v.get(t, "/activity").want(t, "the history", http.StatusOK, "", "with account 1•••5, which waits to be confirmed")
}

// checkQR reads the matrix back from the page and compares it with the library's.
func checkQR(t *testing.T, body, link string) {
	t.Helper()
	drawn := regexp.MustCompile(`<svg class="qr" viewBox="0 0 (\d+) (\d+)"[^>]*><rect width="(\d+)" height="(\d+)" fill="#fff"/><path fill="#000" d="([^"]+)"/>`).FindStringSubmatch(body)
	if drawn == nil {
		t.Fatalf("there is no code on the page:\n%s", body)
	}
	want, err := qr.Encode(link, qr.L)
	must(t, err)
	size := want.Size + 8
	for _, side := range drawn[1:5] {
		if side != strconv.Itoa(size) {
			t.Errorf("a side of %s, want %d with the quiet zone", side, size)
		}
	}
	dark := map[[2]int]bool{}
	for _, run := range strings.SplitAfter(drawn[5], "z") {
		var x, y, n, back int
		if run == "" {
			continue
		}
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%dz", &x, &y, &n, &back); err != nil || n != back {
			t.Fatalf("the run %q: %v", run, err)
		}
		for i := range n {
			dark[[2]int{x + i, y}] = true
		}
	}
	for y := range size {
		for x := range size {
			if dark[[2]int{x, y}] != want.Black(x-4, y-4) {
				t.Fatalf("module %d,%d is wrong", x, y)
			}
		}
	}
}

func TestLink_OnlyThePersonWhoBeganSeesIt(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v, stranger := d.visitor(t), d.visitor(t)
	v.member(t, "a@example.com")
	stranger.member(t, "b@example.com")
	path, link := d.askForLink(t, v)
	for _, suffix := range []string{"", "/events"} {
		if got := stranger.get(t, path+suffix); got.status != http.StatusNotFound || strings.Contains(got.body, link) {
			t.Errorf("a stranger at %s: %d", suffix, got.status)
		}
	}
	d.server(t, d.linked.Call(link, "12345"))
	d.work(t)
	stranger.post(t, path+"/confirm").want(t, "a stranger confirms", http.StatusNotFound, "")
	_, err := d.db.Owner.Exec(t.Context(), `UPDATE memberships SET role = 'viewer'`)
	must(t, err)
	_, err = d.db.Owner.Exec(t.Context(), `UPDATE attempts SET status = 'pending'`)
	must(t, err)
	if got := v.get(t, path); got.status != http.StatusOK || strings.Contains(got.body, link) || strings.Contains(got.body, "<svg class=\"qr\"") {
		t.Errorf("who may only look is shown the link: %d", got.status)
	}
}

func TestLink_ThePageIsToldWhenItsTimeRunsOut(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	path, _ := d.askForLink(t, v)
	_, err := d.db.Owner.Exec(t.Context(), `UPDATE attempts SET expires_at = now() + interval '1 second'`)
	must(t, err)
	lines := v.listen(t, d.URL+path+"/events")
	expect(t, lines, "event: hello")
	expect(t, lines, "event: changed")
	page := v.get(t, path)
	page.want(t, "afterwards", http.StatusOK, "", "The time ran out", `href="/connect/linked"`)
	if strings.Contains(page.body, "data-stream") || strings.Contains(page.body, "/agree?") {
		t.Error("an expired link is offered, or the page still waits")
	}
}

func TestLink_ARefusalHasItsPage(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	d.linked.OnLink = func(context.Context, oauth.Departure, oauth.Values) (oauth.Link, error) {
		return oauth.Link{}, &oauth.Error{Provider: "linked", Kind: oauth.AuthConfig, Code: "E-77"}
	}
	v := d.visitor(t)
	v.member(t, "a@example.com")
	asked := v.post(t, "/connect/linked", oauthtest.KeyFakeID, "42", oauthtest.KeyFakeSecret, "k")
	v.get(t, asked.location).want(t, "refused", http.StatusOK, "", "This one is on us", "E-77")
}

func TestWebhook_EveryRefusalIsTheSame(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	path, link := d.askForLink(t, v)
	right := d.linked.Call(link, "12345")
	change := func(do func(c *oauthtest.Call)) oauthtest.Call {
		c := oauthtest.Call{Address: right.Address, Body: append([]byte(nil), right.Body...), Header: right.Header.Clone()}
		do(&c)
		return c
	}
	for name, c := range map[string]oauthtest.Call{
		"unsigned":         change(func(c *oauthtest.Call) { c.Header = http.Header{} }),
		"changed":          change(func(c *oauthtest.Call) { c.Body = append(c.Body, ' ') }),
		"no body":          change(func(c *oauthtest.Call) { c.Body = nil }),
		"another token":    change(func(c *oauthtest.Call) { c.Address += "x" }),
		"a long token":     change(func(c *oauthtest.Call) { c.Address += strings.Repeat("x", 4000) }),
		"another provider": change(func(c *oauthtest.Call) { c.Address = strings.Replace(c.Address, "/linked/", "/keyed/", 1) }),
		"nobody":           change(func(c *oauthtest.Call) { c.Address = strings.Replace(c.Address, "/linked/", "/nobody/", 1) }),
		"another serial":   d.linked.Say(link, map[string]string{"serial": "other", "account": "12345"}),
		"as large as may":  change(func(c *oauthtest.Call) { c.Body = []byte(strings.Repeat("x", maxBody)) }),
	} {
		if got := d.server(t, c); got.status != http.StatusNotFound || got.body != "refused\n" {
			t.Errorf("%s: %d %q", name, got.status, got.body)
		}
	}
	d.trips.take()
	tooMuch := change(func(c *oauthtest.Call) { c.Body = []byte(strings.Repeat("x", maxBody+1)) })
	if got := d.server(t, tooMuch); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("a byte more than may be: %d", got.status)
	}
	chunked, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+right.Path(), io.MultiReader(strings.NewReader(string(tooMuch.Body))))
	must(t, err)
	if got := d.visitor(t).do(t, chunked); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("the same without saying how long: %d", got.status)
	}
	if n, of := d.trips.take(); n != 0 {
		t.Errorf("what is too large went to the database %d times: %v", n, of)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		r, err := http.NewRequestWithContext(t.Context(), method, d.URL+right.Path(), nil)
		must(t, err)
		if got := d.visitor(t).do(t, r); got.status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, got.status)
		}
	}
	v.get(t, path).want(t, "afterwards", http.StatusOK, "", "Open the link and agree")
	d.server(t, right).want(t, "the right one", http.StatusOK, "", oauthtest.LinkFakeAnswer)
}

// TestWebhook_IsTheOnlyAddressWithoutProtection lets a foreign page send to it, and to everything that looks like it.
func TestWebhook_IsTheOnlyAddressWithoutProtection(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	_, link := d.askForLink(t, v)
	foreign := []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}
	call := d.linked.Call(link, "12345")
	for path, want := range map[string]int{
		"/connect/fake": 403, "/logout": 403, "/settings/language": 403, "/webhooks": 403, "/webhooks/": 403, "/webhooks/linked": 403,
		"/webhooks/linked/": 403, "//webhooks/linked/x": 403, "/webhooks/linked/x/": 403, "/webhooks/linked/x/y": 403,
		"/webhooks/linked/../../logout": 403, "/webhooks/x/..%2f..%2flogout": 403, "/WEBHOOKS/linked/x": 403,
		"/webhooks/../logout": 404, "/webhooks//x": 404, // a provider called "..": nobody is, and nothing else is reached
	} {
		u, err := url.Parse(d.URL + path)
		must(t, err)
		r := &http.Request{Method: http.MethodPost, URL: u, Header: http.Header{}, Host: u.Host}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		got := v.do(t, r.WithContext(t.Context()))
		if got.status != want || (want == 404 && got.body != "refused\n") {
			t.Errorf("%s from a foreign page: %d, want %d", path, got.status, want)
		}
	}
	d.server(t, call, foreign...).want(t, "the callback itself", http.StatusOK, "", oauthtest.LinkFakeAnswer)
	v.get(t, "/overview").want(t, "still signed in", http.StatusOK, "")
}

func TestWebhook_AFailureOfOursAsksToTryAgain(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	_, link := d.askForLink(t, v)
	_, err := d.db.Owner.Exec(t.Context(), `ALTER TABLE inbox RENAME TO gone`)
	must(t, err)
	got := d.server(t, d.linked.Call(link, "12345"))
	if got.status != http.StatusServiceUnavailable || got.body != "try again\n" || got.header.Get("Retry-After") == "" {
		t.Errorf("%d %q", got.status, got.body)
	}
	_, err = d.db.Owner.Exec(t.Context(), `ALTER TABLE gone RENAME TO inbox`)
	must(t, err)
	d.server(t, d.linked.Call(link, "12345")).want(t, "afterwards", http.StatusOK, "", oauthtest.LinkFakeAnswer)
}

// TestWebhook_RoundTrips: a callback is looked up in one trip, because nothing can be believed before what was kept is
// read; the first one is stored in a second. Repeats and forgeries, of which there may be many, stay at one.
func TestWebhook_RoundTrips(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	warm := func(want int, what string, c oauthtest.Call) {
		t.Helper()
		d.trips.take()
		d.server(t, c)
		if n, of := d.trips.take(); n != want {
			t.Errorf("%s took %d trips, want %d:\n%s", what, n, want, strings.Join(of, "\n"))
		}
	}
	_, first := d.askForLink(t, v)
	d.server(t, d.linked.Call(first, "12345"))
	d.server(t, d.linked.Call(first, "12345"))
	_, link := d.askForLink(t, v)
	call := d.linked.Call(link, "12345")
	forged := oauthtest.Call{Address: call.Address, Body: call.Body, Header: http.Header{}}
	warm(1, "a forgery", forged)
	warm(1, "a guess", oauthtest.Call{Address: call.Address[:len(call.Address)-10] + "0123456789", Body: call.Body, Header: call.Header})
	warm(0, "what cannot be a token", oauthtest.Call{Address: call.Address + "x", Body: call.Body, Header: call.Header})
	warm(2, "the callback", call)
	warm(1, "its repeat", call)
}

func TestQR_TheLongestLinkStillFits(t *testing.T) {
	t.Parallel()
	if _, err := qrOf("https://linked.example/" + strings.Repeat("x", 2025)); err != nil {
		t.Error(err)
	}
}

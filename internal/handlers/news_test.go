package handlers

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"mooring/internal/oauth/oauthtest"
)

// newsAddress connects an account whose provider sends news, and gives the connection's path and where the news goes.
func (d *dock) newsAddress(t *testing.T, v *visitor, account string) (path, address string) {
	t.Helper()
	path = v.post(t, "/connect/newsy", oauthtest.KeyFakeID, account, oauthtest.KeyFakeSecret, "k").location
	return path, d.shownAddress(t, v, path)
}

func (d *dock) shownAddress(t *testing.T, v *visitor, path string) string {
	t.Helper()
	page := v.get(t, path)
	shown := regexp.MustCompile(`<code>` + regexp.QuoteMeta(d.URL) + `(/webhooks/newsy/[A-Za-z0-9_-]{43})</code>`).FindStringSubmatch(page.body)
	if shown == nil {
		t.Fatalf("no address is shown: %d\n%s", page.status, page.body)
	}
	return shown[1]
}

// say is the provider's server, which has no cookie.
func (d *dock) say(t *testing.T, path, body string, header ...string) answer {
	t.Helper()
	return d.server(t, oauthtest.Call{Address: d.URL + path, Body: []byte(body), Header: http.Header{}}, header...)
}

func TestNews_TheAddressIsShownRenewedAndEnded(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v, stranger := d.visitor(t), d.visitor(t)
	v.member(t, "a@example.com")
	stranger.member(t, "b@example.com")
	path, old := d.newsAddress(t, v, "42")
	v.get(t, path).want(t, "the page", 200, "", "Callback address", "Register this address there.", `data-copy="`+d.URL+old+`"`, "Make a new address")
	v.get(t, path+"?lang=zh-CN").want(t, "in Chinese", 200, "", "回调地址", "测试：请登记这个地址")
	v.get(t, path+"?lang=en")
	d.say(t, old, `{"news":1}`).want(t, "news", 200, "", oauthtest.NewsFakeAnswer)

	shown := regexp.MustCompile(`name="address" value="([0-9a-f-]{36})"`).FindStringSubmatch(v.get(t, path).body)[1]
	stranger.post(t, path+"/callback/renew", "address", shown).want(t, "a stranger renews", 404, "")
	stranger.post(t, path+"/callback/end").want(t, "a stranger ends", 404, "")
	for range 2 {
		v.post(t, path+"/callback/renew", "address", shown).want(t, "renewing", 303, path+"#news")
	}
	v.get(t, path).want(t, "renewed", 200, "", "The address is new", "still works until", "End the old one now")
	fresh := d.shownAddress(t, v, path)
	for _, address := range []string{old, fresh} {
		d.say(t, address, "x").want(t, "both", 200, "", oauthtest.NewsFakeAnswer)
	}
	v.post(t, path+"/callback/end").want(t, "ending", 303, path+"#news")
	d.say(t, old, "x").want(t, "the old one", 404, "", "refused")
	d.say(t, fresh, "x").want(t, "the new one", 200, "")
	v.get(t, "/activity").want(t, "the history", 200, "", "A new callback address was made", "was ended")
	v.post(t, path+"/callback/renew", "address", "nonsense").want(t, "no id", 404, "")

	_, err := d.db.Owner.Exec(t.Context(), `UPDATE memberships SET role = 'viewer'`)
	must(t, err)
	if page := v.get(t, path); page.status != 200 || strings.Contains(page.body, fresh) {
		t.Errorf("who may only look is shown the address: %d", page.status)
	}
	v.post(t, path+"/callback/renew", "address", shown).want(t, "who may only look renews", 403, "")
}

func TestNews_RoundTrips(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	path, address := d.newsAddress(t, v, "42")
	for range 4 { // prepares the statements
		d.say(t, address, "x")
	}
	d.work(t)
	for what, want := range map[string]int{"news": 2, "more of it": 2} {
		d.trips.take()
		d.say(t, address, "x").want(t, what, 200, "")
		if n, of := d.trips.take(); n > want {
			t.Errorf("%s took %d trips, want %d:\n%s", what, n, want, strings.Join(of, "\n"))
		}
	}
	v.get(t, path)
	d.trips.take()
	v.get(t, path)
	if n, of := d.trips.take(); n != 2 {
		t.Errorf("the page took %d trips:\n%s", n, strings.Join(of, "\n"))
	}
}

// TestWebhook_WhatIsRefusedBeforeItCosts goes over real sockets through the whole router: nothing is looked up.
func TestWebhook_WhatIsRefusedBeforeItCosts(t *testing.T) {
	t.Parallel()
	d := newDock(t)
	v := d.visitor(t)
	v.member(t, "a@example.com")
	_, address := d.newsAddress(t, v, "42")
	packed := &strings.Builder{}
	squeeze := gzip.NewWriter(packed)
	_, _ = io.WriteString(squeeze, strings.Repeat("0", 10<<20)) // to memory
	must(t, squeeze.Close())
	d.trips.take()
	d.say(t, address, packed.String(), "Content-Encoding", "gzip").want(t, "compressed", 415, "", "not compressed")
	d.say(t, address, "x", "Content-Encoding", "br").want(t, "compressed otherwise", 415, "")
	d.say(t, address, strings.Repeat("[", 65)+strings.Repeat("]", 65)).want(t, "deep", 404, "", "refused")
	d.say(t, address, strings.Repeat(`{"a":`, 9000)).want(t, "deeper", 404, "", "refused")
	d.say(t, address, strings.Repeat("x", maxBody+1)).want(t, "large", 413, "", "too large")
	if got := d.endless(t, address); !strings.Contains(got, " 413 ") {
		t.Errorf("without an end: %q", got)
	}
	if n, of := d.trips.take(); n != 0 {
		t.Errorf("went to the database %d times: %v", n, of)
	}
	d.say(t, address, `{"a":"`+strings.Repeat("[", 1000)+`"}`).want(t, "brackets in a text", 200, "")
	d.say(t, address, strings.Repeat("x", maxBody), "Content-Encoding", "identity").want(t, "as large as may be", 200, "")
}

// endless sends chunks until it is answered, and gives the first line of the answer.
func (d *dock) endless(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(d.URL)
	must(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", u.Host)
	must(t, err)
	defer func() { _ = conn.Close() }()
	line := make(chan string, 1)
	go func() {
		first, _ := bufio.NewReader(conn).ReadString('\n')
		line <- first
	}()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\n\r\n", address, u.Host)
	must(t, err)
	chunk := "4000\r\n" + strings.Repeat("x", 0x4000) + "\r\n"
	for range 100_000 {
		select {
		case first := <-line:
			return first
		default:
		}
		if _, err := io.WriteString(conn, chunk); err != nil {
			return <-line
		}
	}
	return "never"
}

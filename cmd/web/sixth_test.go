package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/config"
	"mooring/internal/database/dbtest"
	"mooring/internal/oauth"
	"mooring/internal/oauth/oauthtest"
)

// A sixth provider is its package (here the one that tests pretend with) and a line in the list. No route, page, table or
// setting knows of it, and a merchant connects it and sees its data.
func TestASixthProviderIsOneLine(t *testing.T) {
	t.Parallel()
	pretend := &oauthtest.KeyFake{Fake: oauthtest.Fake{Slug: "sixth"}}
	list := append(factories(), oauth.Factory{
		Describe: pretend.Descriptor,
		New:      func(oauth.Config) (oauth.Provider, error) { return pretend, nil },
	})
	base := serveList(t, list)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &reader{t: t, base: base, client: &http.Client{Jar: jar}}
	v.post("/signup", "business_name", "Sixth Pier", "email", "sixth@example.com", "password", "tidewater-lantern-58")
	if page := v.read("/connections"); !strings.Contains(page, `href="/connect/sixth"`) {
		t.Fatal("the sixth provider has no card")
	}
	if page := v.read("/connect/sixth"); !strings.Contains(page, `name="client_secret"`) {
		t.Fatal("the sixth provider's form is not shown")
	}
	connection := v.post("/connect/sixth", "client_id", "1234567890123456789", "client_secret", "right")
	if !strings.HasPrefix(connection, "/connections/") {
		t.Fatalf("connecting led to %s", connection)
	}
	v.follow(connection, "Fake Trading")
	if page := v.read("/overview"); !strings.Contains(page, "Fake Trading") {
		t.Error("the overview does not show the sixth provider's data")
	}
}

// serveList runs the program with another list of providers, as serve does, and gives its address.
func serveList(t *testing.T, list []oauth.Factory) string {
	t.Helper()
	db := dbtest.New(t)
	l, err := listen("LISTEN_ADDR", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	env := map[string]string{
		"DATABASE_URL": db.AppURL, "PLATFORM_DATABASE_URL": db.PlatformURL, "METRICS_ADDR": "", "PUBLIC_URL": base,
		"KEYSET": newKeyset(t), "DATA_DIR": t.TempDir(), "SIXTH_ENVIRONMENT": "test",
	}
	c, err := loadFor(list, func(name string) (string, bool) { value, set := env[name]; return value, set }, config.Serving)
	if err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		ended <- serve(ctx, c, plan{
			log: slog.New(slog.NewTextHandler(io.Discard, nil)), list: list, listener: l,
			announce: func(string, time.Duration) { close(ready) },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("serving:", err)
		}
	})
	select {
	case <-ready:
	case err := <-ended:
		ended <- nil
		t.Fatal("serving:", err)
	}
	return base
}

// reader is a browser without pictures.
type reader struct {
	t      *testing.T
	base   string
	client *http.Client
}

func (v *reader) do(method, path string, body io.Reader) *http.Response {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Accept-Language", "en")
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		v.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	return response
}

func (v *reader) read(path string) string {
	v.t.Helper()
	text, err := io.ReadAll(v.do(http.MethodGet, path, nil).Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return string(text)
}

// post sends a form and says where it led.
func (v *reader) post(path string, pairs ...string) string {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return v.do(http.MethodPost, path, strings.NewReader(form.Encode())).Request.URL.Path
}

// follow reads a page each time its stream says that it has changed, until it shows the text.
func (v *reader) follow(path, want string) {
	v.t.Helper()
	lines := bufio.NewScanner(v.do(http.MethodGet, path+"/events", nil).Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "event:") && strings.Contains(v.read(path), want) {
			return
		}
	}
	v.t.Fatalf("%s never showed %q: %v", path, want, lines.Err())
}

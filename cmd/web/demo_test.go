package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// demoLine is what the demo prints when it is ready.
const demoLine = `ready at (http://localhost:\d+) `

func demoEnv(dir string) []string {
	return []string{"DATA_DIR=" + dir, "LISTEN_ADDR=127.0.0.1:0", "SIMULATOR_ADDR=127.0.0.1:0"}
}

// signIn signs a sample person in and gives the page they land on.
func signIn(t *testing.T, base, email, password string) (landed string) {
	t.Helper()
	_, landed = signedIn(t, base, email, password)
	return landed
}

func signedIn(t *testing.T, base, email, password string) (browser *http.Client, landed string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser = &http.Client{Jar: jar}
	resp, err := browser.PostForm(base+"/login", url.Values{"email": {email}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return browser, resp.Request.URL.Path
}

// sampleConnections are the connections that the sample merchants are shown.
func sampleConnections(t *testing.T, base string) (all []string) {
	t.Helper()
	for _, person := range samplePeople() {
		if person.business == "" {
			continue
		}
		browser, _ := signedIn(t, base, person.email, person.password)
		resp, err := browser.Get(base + "/connections")
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, regexp.MustCompile(`/connections/[0-9a-f-]{36}`).FindAllString(string(page), -1)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestDemo(t *testing.T) {
	dir := t.TempDir()
	passwordFile := filepath.Join(dir, "password")
	if err := os.WriteFile(passwordFile, []byte("quay-side-lantern-77\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	first := startWeb(t, demoEnv(data), "demo")
	base := first.await(t, demoLine)[1]

	if status, body := get(t, base+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz = %d %s", status, body)
	}
	for _, person := range samplePeople() {
		first.await(t, person.email+` +`+person.password)
		if landed := signIn(t, base, person.email, person.password); landed == "/login" {
			t.Errorf("%s cannot sign in", person.email)
		}
	}

	connected := sampleConnections(t, base)
	if want := 2 * len(factories()); len(connected) != want {
		t.Errorf("the sample merchants have %d connections, want %d: each at every provider", len(connected), want)
	}

	second := startWeb(t, demoEnv(data), "demo")
	if code := second.code(t); code != 1 || !strings.Contains(second.out.String(), "another demo is running in the data directory") {
		t.Errorf("a second demo on the same data: code %d, %s", code, second.out)
	}
	create := startWeb(t, demoEnv(data), "admin", "create", "--email", "kept@mooring.example", "--password-file", passwordFile)
	if code := create.code(t); code != 0 {
		t.Errorf("admin create beside the demo: code %d, %s", code, create.out)
	}

	// Killed without warning, it leaves nothing running and loses nothing.
	first.end(t, syscall.SIGKILL)
	awaitNobody(t, data)
	third := startWeb(t, demoEnv(data), "demo")
	base = third.await(t, demoLine)[1]
	if landed := signIn(t, base, "kept@mooring.example", "quay-side-lantern-77"); landed == "/login" {
		t.Error("the admin of before the kill cannot sign in")
	}
	if found := sampleConnections(t, base); !slices.Equal(found, connected) {
		t.Errorf("after the second start there are %v, want %v", found, connected)
	}
	if info, err := os.Stat(filepath.Join(data, "keyset.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the development keyset: %v, %v", info.Mode(), err)
	}
	if code := third.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("SIGTERM: code %d, want 0", code)
	}
	if left := processesIn(t, data); len(left) > 0 {
		t.Errorf("after SIGTERM there are still %v", left)
	}
}

func TestDemoSaysWhenItsPortIsTaken(t *testing.T) {
	busy, err := listen("LISTEN_ADDR", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	p := startWeb(t, []string{"DATA_DIR=" + t.TempDir(), "LISTEN_ADDR=" + busy.Addr().String()}, "demo")
	if code := p.code(t); code != 1 || !strings.Contains(p.out.String(), "is taken by another program") {
		t.Errorf("code %d, %s", code, p.out)
	}
}

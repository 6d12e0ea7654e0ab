package bench

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newBench(t *testing.T) (*Bench, string) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 3, 16, 4, 0, 0, 0, time.UTC) }
	b, err := New(Options{Title: Text{"试验台", "Bench"}, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	b.Mount(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return b, server.URL
}

// call sends a control request; header comes as name, value.
func call(t *testing.T, method, address, body string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestControl_Faults(t *testing.T) {
	b, at := newBench(t)
	for _, c := range []struct {
		name, method, path, body string
		status, active           int
	}{
		{"switch two on", "PUT", "/_control/faults", `{"active":[{"name":"slow","value":10},{"name":"html","times":2,"stages":["read"]}]}`, 200, 2},
		{"one more", "PUT", "/_control/faults/hang", `{}`, 200, 3},
		{"one off", "DELETE", "/_control/faults/hang", ``, 200, 2},
		{"unknown name changes nothing", "PUT", "/_control/faults", `{"active":[{"name":"earthquake"}]}`, 422, 2},
		{"stage where it cannot be", "PUT", "/_control/faults/html", `{"stages":["authorize"]}`, 422, 2},
		{"value for one that takes none", "PUT", "/_control/faults/html", `{"value":3}`, 422, 2},
		{"value too great", "PUT", "/_control/faults/slow", `{"value":999999}`, 422, 2},
		{"negative times", "PUT", "/_control/faults/slow", `{"times":-1}`, 422, 2},
		{"named twice", "PUT", "/_control/faults", `{"active":[{"name":"slow"},{"name":"slow"}]}`, 422, 2},
		{"unknown field", "PUT", "/_control/faults/slow", `{"ms":3}`, 422, 2},
		{"not JSON", "PUT", "/_control/faults/slow", `slow`, 422, 2},
		{"off by an unknown name", "DELETE", "/_control/faults/earthquake", ``, 422, 2},
		{"all off", "DELETE", "/_control/faults", ``, 200, 0},
	} {
		status, body := call(t, c.method, at+c.path, c.body)
		if status != c.status || len(b.Board.Active()) != c.active {
			t.Errorf("%s: got %d with %d on, want %d with %d; %s", c.name, status, len(b.Board.Active()), c.status, c.active, body)
		}
	}
	_, body := call(t, "GET", at+"/_control/faults", "")
	for _, f := range b.Board.Menu() {
		if !strings.Contains(body, `"name":"`+f.Name+`"`) || f.Title.ZH == "" || f.Title.EN == "" || f.Sentence.ZH == "" || f.Sentence.EN == "" {
			t.Errorf("fault %s is not described in both languages", f.Name)
		}
	}
}

func TestControl_Clock(t *testing.T) {
	b, at := newBench(t)
	if status, body := call(t, "PUT", at+"/_control/clock", `{"offset_seconds":-2400}`); status != 200 || !strings.Contains(body, `"now":"2026-03-16T03:20:00Z"`) {
		t.Errorf("got %d %s", status, body)
	}
	for _, wrong := range []string{`{}`, `{"offset_seconds":"1"}`, `{"offset_seconds":999999999999}`} {
		if status, _ := call(t, "PUT", at+"/_control/clock", wrong); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: got %d", wrong, status)
		}
	}
	if call(t, "DELETE", at+"/_control/clock", ""); b.Clock.Offset() != 0 {
		t.Errorf("offset %s after a reset", b.Clock.Offset())
	}
}

func TestControl_CallsAndCounters(t *testing.T) {
	b, at := newBench(t)
	for range 3 {
		b.Ledger.add(Entry{Stage: Token, Code: "abc", Outcome: OutcomeIssued})
	}
	_, body := call(t, "GET", at+"/_control/calls?after=2", "")
	if strings.Count(body, `"seq":`) != 1 || !strings.Contains(body, `"token_exchanges":{"abc":3}`) {
		t.Errorf("got %s", body)
	}
	if _, body = call(t, "DELETE", at+"/_control/calls", ""); !strings.Contains(body, `"calls":[],"counters":{"calls":0`) {
		t.Errorf("got %s", body)
	}
	if status, _ := call(t, "GET", at+"/_control/calls?after=x", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("after=x: got %d", status)
	}
}

func TestGuard_RefusesOtherSitesAndOtherNames(t *testing.T) {
	b, at := newBench(t)
	for name, header := range map[string][]string{
		"another site":        {"Sec-Fetch-Site", "cross-site"},
		"another port's page": {"Sec-Fetch-Site", "same-site"},
		"an old browser":      {"Origin", "https://evil.example"},
		"another host name":   {"Host", "evil.example"},
		"a look-alike":        {"Host", "localhost.evil.example:80"},
	} {
		for method, path := range map[string]string{"PUT": "/_control/faults/hang", "DELETE": "/_control/calls", "POST": "/_faults"} {
			if status, _ := call(t, method, at+path, `{}`, header...); status != http.StatusForbidden {
				t.Errorf("%s %s from %s: got %d", method, path, name, status)
			}
		}
	}
	if status, _ := call(t, "GET", at+"/_control/calls", "", "Host", "evil.example"); status != http.StatusForbidden {
		t.Errorf("reading by another host name: got %d", status)
	}
	if len(b.Board.Active()) != 0 {
		t.Error("a refused request switched a fault on")
	}
	for _, host := range []string{"localhost", "LOCALHOST:80", "127.0.0.1:80", "[::1]:80", "[::1]"} {
		if status, _ := call(t, "GET", at+"/_faults", "", "Host", host); status != http.StatusOK {
			t.Errorf("host %s: got %d", host, status)
		}
	}
}

func TestFaultPage_WorksWithoutJavaScript(t *testing.T) {
	b, at := newBench(t)
	post := func(form url.Values) (int, string) {
		return call(t, "POST", at+"/_faults", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
	}
	status, _ := post(url.Values{"action": {"on"}, "name": {"slow"}, "times": {"3"}, "value": {"250"}, "at-token": {"yes"}})
	active := b.Board.Active()
	if status != http.StatusSeeOther || len(active) != 1 || active[0].Value != 250 || active[0].Left != 3 || active[0].Stages[0] != Token {
		t.Errorf("switch on: got %d %+v", status, active)
	}
	_, page := call(t, "GET", at+"/_faults?lang=en", "")
	for _, part := range []string{"calls left:\n3", "Switch all off", `value="250"`} {
		if !strings.Contains(strings.ReplaceAll(page, " \n", "\n"), part) && !strings.Contains(page, strings.ReplaceAll(part, "\n", " ")) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if strings.Contains(page, "style=") || strings.Contains(page, "<script") {
		t.Error("inline style or script on the page")
	}
	for _, wrong := range []url.Values{
		{"action": {"on"}, "name": {"<b>"}}, {"action": {"on"}, "name": {"slow"}, "times": {"many"}}, {"action": {"explode"}}, {"action": {"clock"}, "minutes": {"x"}},
	} {
		if status, page := post(wrong); status != http.StatusUnprocessableEntity || !strings.Contains(page, `role="alert"`) || strings.Contains(page, "<b>") {
			t.Errorf("%v: got %d", wrong, status)
		}
	}
	post(url.Values{"action": {"clock"}, "minutes": {"-40"}})
	if b.Clock.Offset() != -40*time.Minute {
		t.Errorf("offset %s", b.Clock.Offset())
	}
	post(url.Values{"action": {"off"}, "name": {"slow"}})
	post(url.Values{"action": {"on"}, "name": {"hang"}})
	if post(url.Values{"action": {"clear"}}); len(b.Board.Active()) != 0 {
		t.Error("faults are still on")
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		query, cookie, accept string
		want                  Lang
	}{
		{"", "", "", Chinese},
		{"", "", "en-GB,en;q=0.9,zh;q=0.8", English},
		{"", "", "fr, zh-TW;q=0.3, en;q=0.2", Chinese},
		{"", "", "zh;q=0.1, en;q=0.2", English},
		{"", "", "en;q=x", Chinese},
		{"", "en", "zh-CN", English},
		{"?lang=zh-CN", "en", "en", Chinese},
		{"?lang=fr", "", "en", English},
	} {
		r := httptest.NewRequest(http.MethodGet, "/"+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		r.Header.Set("Cookie", languageCookie+"="+c.cookie)
		if got := Language(r); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
}

func TestLedger_ForgetsTheOldestButGoesOnCounting(t *testing.T) {
	l := newLedger()
	for range ledgerSize + 1 {
		l.add(Entry{Outcome: "x"})
	}
	entries, counts := l.After(0)
	if counts.Calls != ledgerSize+1 || len(entries) > ledgerSize || entries[len(entries)-1].Seq != ledgerSize+1 {
		t.Errorf("got %d entries, %d calls", len(entries), counts.Calls)
	}
}

func TestStore_DamagedStateIsToldAndKept(t *testing.T) {
	s, err := NewStore(t.TempDir(), "x")
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]int
	if err := s.Load(&v); err != nil || v != nil {
		t.Errorf("nothing kept yet: %v %v", v, err)
	}
	if err := s.Save([]int{1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(&v); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}

func TestBoard_RefusesAMenuWithDoubles(t *testing.T) {
	if _, err := newBoard(append(commonFaults(), commonFaults()[0])); err == nil {
		t.Error("a fault listed twice was taken")
	}
}

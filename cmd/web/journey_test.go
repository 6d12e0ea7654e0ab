package main

import (
	"encoding/json"
	"html"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// journey is a merchant's whole way with one provider. What providers differ in is the way in, what they tell, and how
// access ends there.
type journey struct {
	language string
	account  string                                          // one that the sample merchants have not connected
	enter    func(b *browser, sim simulated, account string) // from the page that asks to the connection's
	shows    []string                                        // when the data is there
	fault    string                                          // that the simulator is given
	value    int                                             // of the fault, if it takes one
	says     []string                                        // what the page says then, and who must act
}

func journeys() map[string]journey {
	return map[string]journey{
		"asiabill": {
			language: "en", account: "31760", enter: enterByConsent, shows: []string{"Transaction", "Chargeback"},
			fault: "token_dead", says: []string{"Reconnect"},
		},
		"redemption": {
			language: "en", account: "820260101003", enter: enterByLink, shows: []string{"CNY"},
			fault: "answer_status", value: 2, says: []string{"The signature was refused", "Check business ID"},
		},
		"zhiyun": {
			language: "zh-CN", account: "chenmo", enter: enterByDesktop, shows: []string{"杭州木棉服饰有限公司"},
			fault: "token_dead", says: []string{"重新连接"},
		},
		"cardwallet": {
			language: "en", account: "1987654321098765440", enter: enterByCredentials, shows: []string{"杭州雨前茶业有限公司", "USD"},
			fault: "client_suspended", says: []string{"client_id"},
		},
		"chainup": {
			language: "en", account: "10009906", enter: enterByLogin, shows: []string{"新手小池"},
			fault: "open_id_dead", says: []string{"Reconnect"},
		},
	}
}

// TestE2E_TheWholeJourneyAtEveryProvider connects, reads, fails, reconnects and disconnects.
func TestE2E_TheWholeJourneyAtEveryProvider(t *testing.T) {
	demo := startWeb(t, demoEnv(t.TempDir()+"/data"), "demo")
	base, index := demo.await(t, demoLine)[1], demo.await(t, `simulators +(http://\S+)`)[1]
	_, page := get(t, index+"/?lang=en")
	for _, d := range descriptors(factories()) {
		slug := d.Slug
		j, mapped := journeys()[slug]
		if !mapped {
			t.Errorf("there is no journey with %s", slug)
			continue
		}
		t.Run(slug, func(t *testing.T) { j.walk(t, base, newSimulated(t, page, slug)) })
	}
}

func (j journey) walk(t *testing.T, base string, sim simulated) {
	b := newBrowser(t, base)
	b.open("/login?lang=" + j.language)
	b.signInAs("finch@harbour.example")
	b.open("/connections?lang=" + j.language)

	b.press("a[href='/connect/" + sim.slug + "']")
	j.enter(b, sim, j.account)
	connection := b.until(connectionPage)
	for _, want := range j.shows {
		b.untilText(want)
	}

	sim.fault(t, j.fault, j.value)
	b.press("#sync")
	b.do(chromedp.WaitVisible(".trouble[data-state=needs_you]"))
	said := b.text()
	for _, want := range append(j.says, j.shows...) { // what was read before stays readable
		if !strings.Contains(said, want) {
			t.Errorf("the page of the failure does not say %q:\n%s", want, said)
		}
	}
	b.open("/overview")
	b.do(chromedp.WaitVisible(".banner"))
	sim.clear(t)

	b.press(".banner a")
	b.do(chromedp.WaitNotPresent(".banner")) // it would lead to its own page
	j.enter(b, sim, j.account)
	if again := b.until(connectionPage); again != connection {
		t.Errorf("reconnecting led to %s, want %s", again, connection)
	}
	b.do(chromedp.WaitNotPresent(".trouble"))
	b.do(chromedp.WaitVisible("#sync")) // the reading has ended

	b.press("main a[href$='/disconnect']")
	b.press("form[action$='/disconnect'] button[type=submit]")
	b.until(connectionPage)
	b.do(chromedp.WaitVisible("[data-state=disconnected]"))
	if hosts := b.strangers(); len(hosts) > 0 {
		t.Errorf("the pages asked strangers: %v", hosts)
	}
}

// depart presses the button of the page that asks, which has a form for what must be filled in.
func (b *browser) depart() {
	b.tb.Helper()
	b.press("form[action^='/conn'] button[type=submit]")
}

func enterByConsent(b *browser, _ simulated, account string) {
	b.depart()
	b.consent(account, "allow")
}

func enterByLogin(b *browser, _ simulated, account string) {
	b.depart()
	if !strings.Contains(evaluate[string](b, `document.body.innerHTML`), `name="decision"`) {
		b.fill("#account", account)
		b.fill("#password", "chainup-"+account)
		b.press("form[action='/platform/login'] button[type=submit]")
	}
	b.press("button[name=decision][value=allow]")
}

func enterByLink(b *browser, sim simulated, account string) {
	b.fill("#business_id", account)
	b.fill("#merchant_id", "M10086023")
	b.do(chromedp.SetValue("#private_key", sim.shown(b.tb, account, "Private key")))
	b.depart()
	b.do(chromedp.WaitVisible("svg.qr"))
	phone := newBrowser(b.tb, b.base)
	phone.open(evaluate[string](b, `document.querySelector("#open-link").href`))
	phone.press("button[name=decision][value=agree]")
	b.do(chromedp.WaitVisible("#confirm"))
	b.press("#confirm")
}

func enterByDesktop(b *browser, sim simulated, account string) {
	asks := b.at()
	b.open(sim.base + "/desktop?sample=" + account)
	b.press("main form button[type=submit]")
	token := evaluate[string](b, `document.querySelector("#access_token").value`)
	b.open(asks)
	b.fill("#access_token", token)
	b.depart()
}

func enterByCredentials(b *browser, sim simulated, account string) {
	b.fill("#client_id", account)
	b.fill("#client_secret", sim.shown(b.tb, account, "client_secret"))
	b.depart()
}

// simulated is one provider's simulator, as its part of the index page shows it.
type simulated struct{ slug, base, room string }

func newSimulated(t *testing.T, index, slug string) simulated {
	t.Helper()
	_, rest, found := strings.Cut(index, `aria-labelledby="`+slug+`"`)
	room, _, _ := strings.Cut(rest, "</section>")
	base := regexp.MustCompile(`href="([^"]+)/_faults"`).FindStringSubmatch(room)
	if !found || base == nil {
		t.Fatalf("the simulators' page does not show %s:\n%s", slug, index)
	}
	return simulated{slug, base[1], room}
}

// shown is what the page tells of a sample account beside a label.
func (s simulated) shown(tb testing.TB, account, label string) string {
	tb.Helper()
	found := regexp.MustCompile(`(?s)<code>` + account + `</code>.*?<dt>` + label + `</dt><dd><code>([^<]+)</code>`).FindStringSubmatch(s.room)
	if found == nil {
		tb.Fatalf("the simulator's page shows no %s of %s", label, account)
	}
	return html.UnescapeString(found[1])
}

// fault switches a fault on where data is read.
func (s simulated) fault(t *testing.T, name string, value int) {
	t.Helper()
	rule, err := json.Marshal(map[string]any{"value": value})
	if err != nil {
		t.Fatal(err)
	}
	s.control(t, http.MethodPut, "/"+name, string(rule))
}

func (s simulated) clear(t *testing.T) {
	t.Helper()
	s.control(t, http.MethodDelete, "", "")
}

func (s simulated) control(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.base+"/_control/faults"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatal("the simulator's control answers " + strconv.Itoa(resp.StatusCode))
	}
}

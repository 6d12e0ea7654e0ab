package cardwallet

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

// TestFaults_EachDoesWhatItSays holds one line for every fault of the menu that is the card wallet's own; a fault
// without a line fails it. Those of the bench are the bench's, and one of them is tried here.
func TestFaults_EachDoesWhatItSays(t *testing.T) {
	p := DefaultPaths()
	tests := map[string]func(*world){
		faultWrongSecret: func(w *world) { w.want(w.ask(params(w.client(0))).Code, "401", "a good secret") },
		faultSuspended: func(w *world) {
			w.want(w.ask(params(w.client(0))).Code, "403", "a good secret")
			w.sim.Board.Clear()
			access := w.access(0)
			w.fault(faultSuspended)
			w.want(w.read(p.Merchant, access, "{}").Code, "403", "a good token")
		},
		faultTokenEmpty: func(w *world) {
			a := w.ask(params(w.client(0)))
			w.want(a.Success && a.data()["access_token"] == "", true, "success without a token")
		},
		faultTokenDead: func(w *world) { w.want(w.read(p.Merchant, w.access(0), "{}").Code, "401", "a good token") },
		faultShortToken: func(w *world) {
			access := w.access(0)
			w.sim.Clock.Shift(6 * time.Second)
			w.want(w.read(p.Merchant, access, "{}").Code, "401", "after six seconds")
		},
		faultNewRevokes: func(w *world) {
			mine, other := w.access(0), w.access(1)
			second := w.access(0)
			w.want(w.read(p.Merchant, mine, "{}").Code, "401", "the first token")
			w.want(w.read(p.Merchant, second, "{}").Code, "200", "the second token")
			w.want(w.read(p.Merchant, other, "{}").Code, "200", "another client's")
		},
		faultEmptyData: func(w *world) {
			for _, path := range []string{p.Merchant, p.Wallet, p.Flow} {
				a := w.read(path, w.access(0), "{}")
				w.want(a.Success && string(a.Data) == "null", true, path)
			}
		},
		faultStuckPage: func(w *world) {
			w.want(w.read(p.Flow, w.access(0), `{"pageNum":2}`).Text, w.read(p.Flow, w.access(0), `{"pageNum":1}`).Text, "the second page")
		},
		variantForm: func(w *world) {
			w.want(w.ask(params(w.client(0))).Code, "400", "in the query")
			w.want(w.do("POST", tokenPath, params(w.client(0)).Encode(), "Content-Type", "application/x-www-form-urlencoded").Code, "200", "in a form")
		},
		variantMinutes: func(w *world) {
			access := w.access(0)
			w.sim.Clock.Shift(59 * time.Minute)
			w.want(w.read(p.Merchant, access, "{}").Code, "200", "after 59 minutes")
		},
		variantCodeNumber: func(w *world) {
			w.want(strings.Contains(w.ask(params(w.client(0))).Text, `"code":200,`), true, "a number")
			w.want(strings.Contains(w.read(p.Merchant, "x", "{}").Text, `"code":401,`), true, "a number")
		},
		variantStatus: func(w *world) {
			w.want(w.read(p.Merchant, "x", "{}").Status, 401, "status of a refused token")
			w.want(w.read(p.Merchant, w.access(0), "{}").Status, 200, "status of a good one")
		},
		variantIDsAsText: func(w *world) {
			w.want(w.read(p.Merchant, w.access(0), "{}").data()["id"], "1987654321098765433", "id")
		},
		variantAmountsAsNumbers: func(w *world) {
			text := w.read(p.Wallet, w.access(1), "{}").Text
			w.want(strings.Contains(text, `"availableBalance":"`), false, "a text")
		},
		variantOtherNames: func(w *world) {
			d := w.read(p.Merchant, w.access(0), "{}").data()
			w.want(d["merchantId"] != nil && d["name"] != nil && d["id"] == nil, true, "merchant")
			d = w.read(p.Wallet, w.access(0), "{}").data()
			w.want(d["balance"] != nil && d["freezeBalance"] != nil && d["totalBalance"] == nil, true, "wallet")
		},
		variantExtraFields: func(w *world) {
			for _, path := range []string{p.Merchant, p.Wallet, p.Flow} {
				a := w.read(path, w.access(0), "{}").Text
				w.want(strings.Contains(a, "riskLevel") || strings.Contains(a, "cardCount") || strings.Contains(a, "channel"), true, path)
			}
		},
		variantWalletList: func(w *world) {
			list, ok := exactly(w.read(p.Wallet, w.access(1), "{}").Data).([]any)
			w.want(ok && len(list) == 2, true, "two wallets")
			w.want(string(w.read(p.Wallet, w.access(3), "{}").Data), "[]", "none")
		},
		variantRecords: func(w *world) {
			d := w.read(p.Flow, w.access(0), "{}").data()
			w.want(d["records"] != nil && d["current"] != nil && d["size"] != nil && d["list"] == nil, true, "fields")
		},
		variantRows: func(w *world) {
			d := w.read(p.Flow, w.access(0), "{}").data()
			_, text := d["total"].(string)
			w.want(d["rows"] != nil && d["pageNo"] != nil && text, true, "fields")
		},
	}
	common := []string{
		bench.FaultSlow, bench.FaultHang, bench.FaultServerError, bench.FaultHTML, bench.FaultTruncated, bench.FaultHuge, bench.FaultGzipBomb,
		bench.FaultRateLimited, bench.FaultNotSuccess, bench.FaultElsewhere, bench.FaultClockAhead, bench.FaultClockBehind,
	}
	for _, name := range common {
		tests[name] = func(w *world) { w.want(len(w.sim.Board.Active()), 1, "faults that are on") }
	}
	tests[bench.FaultRateLimited] = func(w *world) { w.want(w.ask(params(w.client(0))).Status, 429, "status") }
	for _, fault := range newWorld(t).sim.Board.Menu() {
		t.Run(fault.Name, func(t *testing.T) {
			test, ok := tests[fault.Name]
			if !ok {
				t.Fatal("no test says what this fault does")
			}
			w := newWorld(t)
			w.fault(fault.Name)
			test(w)
		})
	}
}

// inbox receives callbacks.
type inbox struct {
	answer string
	status int
	got    chan string
}

func (i inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, 4<<10)
	n, _ := r.Body.Read(body)
	i.got <- r.Header.Get("Content-Type") + " " + string(body[:n])
	w.WriteHeader(i.status)
	_, _ = w.Write([]byte(i.answer))
}

func TestCallbacks(t *testing.T) {
	w := newWorld(t)
	in := inbox{"success", 200, make(chan string, 64)}
	address := serve(t, in)
	c := w.client(0)
	if err := w.sim.SetCallback(c.ClientID, address); err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, topic := range Topics() {
		sent, err := w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: topic.Name})
		if err != nil || len(sent) != 1 || !sent[0].Success || sent[0].Status != 200 {
			t.Fatalf("%s: %+v, %v", topic.Name, sent, err)
		}
		got := <-in.got
		v, ok := exactly([]byte(strings.TrimPrefix(got, "application/json;charset=UTF-8 "))).(map[string]any)
		if !ok || v["topic"] != topic.Name || v["clientId"] != c.ClientID || len(got) > 1000 {
			t.Errorf("%s: %s", topic.Name, got)
		}
		numbers[v["notifyId"].(interface{ String() string }).String()] = true
	}
	if len(numbers) != 6 {
		t.Errorf("%d numbers for six callbacks", len(numbers))
	}
	for manner, part := range map[string]string{lie: `"topic":"wallet_recharge"`, foreign: w.client(1).ClientID, garbage: "<notice>", large: "xxxxxxxx", twice: `"notifyId"`} {
		sent, err := w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: recharge, Manner: manner})
		got := <-in.got
		if err != nil || !strings.Contains(got, part) {
			t.Errorf("%s: %.200s, %v", manner, got, err)
		}
		if manner == twice && (len(sent) != 2 || <-in.got != got) {
			t.Errorf("twice: %+v", sent)
		}
	}
}

func TestCallbacks_HonestOnesMoveTheMoney(t *testing.T) {
	w := newWorld(t)
	in := inbox{"success", 200, make(chan string, 64)}
	c := w.client(0)
	if err := w.sim.SetCallback(c.ClientID, serve(t, in)); err != nil {
		t.Fatal(err)
	}
	available := func() string {
		r := sum(t, w.read(DefaultPaths().Wallet, w.access(0), "{}").data()["availableBalance"])
		return r.FloatString(2)
	}
	plus := func(text string) string { return sum(t, available(), text).FloatString(2) }
	for _, step := range []struct{ topic, manner, moves string }{
		{recharge, honest, "1500.00"}, {recharge, twice, "1500.00"}, {recharge, lie, "0"}, {recharge, foreign, "0"}, {withdraw, honest, "-750.00"}, {"wallet_review", honest, "0"},
	} {
		want := plus(step.moves)
		if _, err := w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: step.topic, Manner: step.manner}); err != nil {
			t.Fatal(err)
		}
		w.want(available(), want, step.topic+" "+step.manner)
	}
}

func TestCallbacks_Refusals(t *testing.T) {
	w := newWorld(t)
	c := w.client(0)
	for name, k := range map[string]Callback{
		"no address": {ClientID: c.ClientID, Topic: recharge}, "no merchant": {ClientID: "1", Topic: recharge, URL: "http://localhost:1"},
		"no topic": {ClientID: c.ClientID, URL: "http://localhost:1"}, "no manner": {ClientID: c.ClientID, Topic: recharge, Manner: "x", URL: "http://localhost:1"},
		"in clear to elsewhere": {ClientID: c.ClientID, Topic: recharge, URL: "http://192.0.2.1/"}, "no web": {ClientID: c.ClientID, Topic: recharge, URL: "ftp://localhost/"},
	} {
		if _, err := w.sim.Send(t.Context(), k); err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	// Nobody there, and somebody who says no.
	sent, err := w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: recharge, URL: "http://127.0.0.1:1/"})
	if err != nil || sent[0].Status != 0 || sent[0].Success {
		t.Errorf("nobody there: %+v, %v", sent, err)
	}
	sent, err = w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: recharge, URL: serve(t, inbox{"no", 200, make(chan string, 1)})})
	if err != nil || sent[0].Status != 200 || sent[0].Success {
		t.Errorf("not acknowledged: %+v, %v", sent, err)
	}
	sent, err = w.sim.Send(t.Context(), Callback{ClientID: c.ClientID, Topic: recharge, URL: serve(t, inbox{"success", 500, make(chan string, 1)})})
	if err != nil || sent[0].Status != 500 || sent[0].Success {
		t.Errorf("refused: %+v, %v", sent, err)
	}
}

func TestCallbackPage(t *testing.T) {
	w := newWorld(t)
	in := inbox{"SUCCESS", 200, make(chan string, 8)}
	address, c := serve(t, in), w.client(0)
	a := w.do("POST", "/_callbacks", "client_id="+c.ClientID+"&url="+address+"&topic=wallet_recharge&manner=lie", "Content-Type", "application/x-www-form-urlencoded")
	w.want(a.Status, http.StatusSeeOther, "sending")
	w.want(strings.Contains(<-in.got, recharge), true, "what came")
	for lang, part := range map[string]string{"en": "Wallet recharge", "zh-CN": "钱包充值"} {
		page := w.do("GET", "/_callbacks?lang="+lang, "")
		if page.Status != 200 || !strings.Contains(page.Text, part) || !strings.Contains(page.Text, address) || strings.Contains(page.Text, c.ClientSecret) {
			t.Errorf("%s: %d %.300s", lang, page.Status, page.Text)
		}
	}
	a = w.do("POST", "/_callbacks", "client_id="+c.ClientID+"&url=ftp://x", "Content-Type", "application/x-www-form-urlencoded")
	w.want(a.Status, http.StatusUnprocessableEntity, "a wrong address")
	a = w.do("POST", "/_callbacks", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")
	w.want(a.Status, http.StatusForbidden, "from another site")
	a = w.do("PUT", "/_control/merchants/"+c.ClientID+"/callback", `{"url":"`+address+`"}`, "Content-Type", "application/json")
	w.want(a.Status == 200 && strings.Contains(a.Text, address), true, "by the control")
	a = w.do("POST", "/_control/callbacks", `{"client_id":"`+c.ClientID+`","topic":"card_status","manner":"","url":""}`, "Content-Type", "application/json")
	w.want(a.Status == 200 && strings.Contains(a.Text, `"success":true`), true, "sent by the control")
	<-in.got
}

func TestAbout_TellsWhatAClientNeeds(t *testing.T) {
	w := newWorld(t)
	about := w.sim.About("http://127.0.0.1:1")
	text := ""
	for _, a := range about.Accounts {
		for _, f := range a.Fields {
			text += f.Value + " "
		}
	}
	for _, c := range w.sim.Clients() {
		w.want(strings.Contains(text, c.ClientID) && strings.Contains(text, c.ClientSecret), true, "credentials of "+c.ClientID)
	}
}

// serve answers as the inbox does.
func serve(t *testing.T, in inbox) string {
	t.Helper()
	server := httptest.NewServer(in)
	t.Cleanup(server.Close)
	return server.URL + "/webhooks/cardwallet/x"
}

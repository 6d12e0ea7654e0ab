package chainup

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"
)

// open gives the openId of a user who has consented.
func (w *world) open(uid string) string {
	w.Helper()
	return w.pair(w.exchange(w.code(uid))).OpenID
}

// tree reads the plain text of an answer; numbers keep their digits.
func (w *world) tree(a answer) map[string]any {
	w.Helper()
	dec := json.NewDecoder(strings.NewReader(a.Plain))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil || !a.Signed {
		w.Fatalf("%v in %+v", err, a)
	}
	return v
}

func TestAccountBalance(t *testing.T) {
	w := newWorld(t)
	got := w.tree(w.call("/user/accountBalance", `{"openId":"`+w.open("10002318")+`"}`))
	w.want(got["totalBalanceSymbol"], "BTC", "symbol")
	all := got["allCoinMap"].(map[string]any)
	w.want(len(all), 4, "coins")
	btc := all["BTC"].(map[string]any)
	for name, kind := range map[string]string{"normal_balance": "string", "lock_balance": "number", "total_balance": "string", "allBalance": "number", "btcValuatin": "string"} {
		_, isText := btc[name].(string)
		w.want(isText, kind == "string", name+" is a "+kind)
	}
	empty := w.tree(w.call("/user/accountBalance", `{"openId":"`+w.open("10009906")+`"}`))
	w.want(len(empty["allCoinMap"].(map[string]any)), 0, "a new user's coins")
}

func TestBalances_AddUpOnEveryDay(t *testing.T) {
	for _, u := range people() {
		for day := range 60 {
			for i, h := range u.holdings(noon().AddDate(0, 0, day)) {
				if h.Normal < 0 || h.total() != u.coins[i].total() {
					t.Errorf("%s %s on day %d: %s and %s", u.UID, h.Symbol, day, h.Normal.text(), h.Frozen.text())
				}
			}
		}
	}
	if text := amount(7).text() + " " + (12*one + 34).text(); text != "0.00000007 12.00000034" {
		t.Error(text)
	}
}

func TestRead_WhoIsMeant(t *testing.T) {
	w := newWorld(t)
	mine, other := w.open("10002318"), w.open("10004471")
	for plain, want := range map[string]string{
		`{"openId":"` + mine + `","userId":"10004471"}`:  "BTC", // openId wins
		`{"userId":10004471}`:                            "USDC",
		`{"mobileNumber":"13800010231"}`:                 "BTC",
		`{"email":"desk@harbour.example","openId":""}`:   "USDC",
		`{"openId":"` + other + `"}`:                     "USDC",
		`{"openId":"0123456789abcdef0123456789abcdef"}`:  "60004",
		`{"userId":"999"}`:                               "50006",
		`{}`:                                             "10020",
		`{"openId":"` + mine + `","time":1773633600000}`: "10020",
	} {
		got := w.call("/user/accountBalance", plain)
		if len(want) == 5 {
			w.want(got.Code, want, plain)
			continue
		}
		_, has := w.tree(got)["allCoinMap"].(map[string]any)[want]
		w.want(has, true, plain)
	}
	w.fault(faultOpenIDDead, 1, 0)
	w.want(w.call("/user/accountBalance", `{"openId":"`+mine+`"}`).Code, "60004", "withdrawn")
}

func TestUserAccounts(t *testing.T) {
	w := newWorld(t)
	open := w.open("10002318")
	rows := w.tree(w.call("/ouser/v2/userAccounts", `{"openId":"`+open+`","coinSymbols":"USDT,BTC,XYZ"}`))["accounts"].([]any)
	types := ""
	for _, row := range rows {
		r := row.(map[string]any)
		types += r["coinSymbol"].(string) + r["type"].(string) + " "
		w.want(r["uid"], json.Number("10002318"), "uid")
	}
	w.want(types, "BTC201 BTC202 USDT201 USDT202 USDT207 ", "rows")
	w.want(w.call("/ouser/v2/userAccounts", `{"openId":"`+open+`"}`).Code, "10020", "without coinSymbols")
}

func TestUserSuperiorAndInquireUser(t *testing.T) {
	w := newWorld(t)
	user := w.tree(w.call("/user/user_superior", `{"openId":"`+w.open("10004471")+`"}`))["user"].(map[string]any)
	w.want(user["uid"], json.Number("10004471"), "uid of the openId")
	w.want(user["invitedUid"], json.Number("10002318"), "who invited")
	user = w.tree(w.call("/user/user_superior", `{"openId":"`+w.open("10004471")+`","uid":10002318}`))["user"].(map[string]any)
	w.want(user["uid"], json.Number("10002318"), "uid comes first")
	got := w.call("/user/inquire_user", `{"uid":"10002318"}`)
	w.want(got.Code, "#200", "the code of this call's sample")
	w.want(got.Raw["msg"], "success", "msg")
	person := w.tree(got)
	w.want(person["nickName"], "mulan_trade", "nickName")
	w.want(person["ctime"], json.Number("1616059451000"), "ctime")
	w.want(w.call("/user/inquire_user", `{"openId":"x"}`).Code, "10020", "by openId: not documented")
	w.fault(variantNumberCode, 1, 0)
	w.want(w.call("/user/inquire_user", `{"uid":"10002318"}`).Code, "#0", "0 as for all others")
}

func TestRegistration(t *testing.T) {
	w := newWorld(t)
	public, err := publicText(&pool()[1].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := derOf(public)
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	urlSafe := strings.NewReplacer("+", "-", "/", "_", "=", "").Replace(public)
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"a key of one's own":  {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb","public_key":"` + public + `"}`, 201},
		"the other alphabet":  {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb","public_key":"` + urlSafe + `"}`, 201},
		"armoured":            {`{"app_id":"a","name":"n","redirect_url":"http://localhost:1/cb","public_key":"` + strings.ReplaceAll(armoured, "\n", `\n`) + `"}`, 201},
		"a pair is made":      {`{"app_id":"b","name":"n","redirect_url":"https://x.example/cb"}`, 201},
		"no key":              {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb","public_key":"eHh4"}`, 422},
		"a query behind it":   {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb?a=b"}`, 422},
		"a fragment":          {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb#"}`, 422},
		"plain http":          {`{"app_id":"a","name":"n","redirect_url":"http://x.example/cb"}`, 422},
		"no name":             {`{"app_id":"a","redirect_url":"https://x.example/cb"}`, 422},
		"no id":               {`{"name":"n","redirect_url":"https://x.example/cb"}`, 422},
		"a private key given": {`{"app_id":"a","name":"n","redirect_url":"https://x.example/cb","private_key":"x"}`, 422},
	} {
		p := w.read(http.Post(w.url+"/_control/registrations", "application/json", strings.NewReader(c.body)))
		w.want(p.Status, c.want, name)
		if c.want != http.StatusCreated {
			continue
		}
		var r Registration
		if err := json.Unmarshal([]byte(p.Body), &r); err != nil {
			t.Fatal(err)
		}
		w.want(r.SaasPublicKey == "", false, name+": no key of the exchange")
		w.want(r.PrivateKey != "", name == "a pair is made", name+": a private key")
	}
}

func TestSample_StandsReady(t *testing.T) {
	w := newWorld(t)
	before := w.sim.Sample()
	r, err := w.sim.EnrolSample("http://localhost:8080/oauth/chainup/callback", "Mooring")
	if err != nil {
		t.Fatal(err)
	}
	w.want(r.AppID+r.PrivateKey+r.PublicKey, before.AppID+before.PrivateKey+before.PublicKey, "id and keys")
	key, err := parsePrivate(r.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	public, err := parsePublic(r.PublicKey)
	w.want(err == nil && key.PublicKey.Equal(public), true, "a pair")
	about := w.sim.About("http://localhost:1")
	w.want(len(about.Accounts), len(people()), "sample accounts")
	own, err := publicText(&appKey().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	r.PublicKey = own
	if r, err = w.sim.Register(r); err != nil || r.PrivateKey != "" || w.sim.Sample().PrivateKey != "" {
		t.Errorf("a private key that fits nothing is handed out: %v", err)
	}
	r.PublicKey = ""
	if r, err = w.sim.Register(r); err != nil || r.PrivateKey == "" || w.sim.Sample().PrivateKey != r.PrivateKey {
		t.Errorf("no new pair: %v", err)
	}
}

// The transport faults are bench's; that they are mounted at every stage is ours.
func TestTransportFaults(t *testing.T) {
	w := newWorld(t)
	for name, status := range map[string]int{"server_error": 500, "rate_limited": 429, "html": 200, "success_false": 200} {
		w.fault(name, 1, 0)
		p := w.read(http.Post(w.url+api+"/user/inquire_user", "application/json", strings.NewReader("{}")))
		w.want(p.Status, status, name)
		w.want(w.last().Outcome, "fault_"+name, name)
	}
	w.fault("slow", 1, 30)
	began := time.Now()
	w.exchange("x")
	w.want(time.Since(began) >= 30*time.Millisecond, true, "slow")
}

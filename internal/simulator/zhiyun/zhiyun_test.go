package zhiyun

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

func TestChecksum_Vectors(t *testing.T) {
	for ms, want := range map[int64]int64{1700000000000: 2345, 1700000009999: 32342, 1422339152058: 8519} {
		if got := checksum(ms); got != want {
			t.Errorf("%d: got %d, want %d", ms, got, want)
		}
	}
}

func TestJourney(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	w.want(len(access), 36, "length of an access_token")
	p := w.call("authService/authorize/json", w.params("access_token", access), nil)
	if !regexp.MustCompile(`^\n\{"data":\{"auth_code":"[a-z0-9]{40}"\},"code":200,"message":"ok"\}$`).MatchString(p.Body) {
		t.Errorf("authorize: %q", p.Body)
	}
	w.want(w.last().Outcome, bench.OutcomeIssued, "outcome")

	u := w.user("lanjing")
	w.contains(u.Body, `{"data":{"username":"lanjing","truename":"\u738b\u6d77\u5c9a","sex":"1","phone":"13300000170","is_admin":"1","status":null,"avatar":"http:\/\/img.zhiyun.example\/avatar\/lanjing.png","created":"2021-04-12 09:30:05","nowtime":1773633600},"code":200,"message":"ok"}`, "user")
	w.want(u.Body[0], byte('\n'), "the blank line before it")
	w.want(w.last().Account, "lanjing", "account")

	c := w.decode(w.company("lanjing"))
	w.want(c.Data["company_name"], "深圳市蓝鲸科技有限公司", "company")
	w.want(c.Data["address"], "深圳市南山区模拟路 17 号 3 栋 / 1201", "address, its slash escaped on the way")
	for _, name := range []string{"province", "city", "zone", "disable", "tel_phone"} {
		w.want(c.Data[name], "", name)
	}
	for name, value := range c.Data {
		if _, text := value.(string); text == (name == "nowtime") {
			t.Errorf("%s is %T", name, value)
		}
	}
	w.want(w.code(w.company("ziyou")), 905, "a user without company")
	w.want(w.decode(w.user("mumian")).Data["is_admin"], "0", "an employee")
}

func TestXML(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	p := w.call("userService/getUserInfo/xml", w.params("access_token", access, "auth_code", w.authCode(access)), nil)
	w.want(strings.HasPrefix(p.Body, "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<apiResponse>\n  <data>\n    <username>lanjing</username>\n    <truename>王海岚</truename>\n"), true, "how it begins")
	w.contains(p.Body, "    <status />\n", "null")
	w.contains(p.Body, "  </data>\n  <code>200</code>\n  <message>ok</message>\n</apiResponse>\n", "how it ends")
	p = w.call("companyService/getCompanyInfo/xml", w.params("access_token", access, "auth_code", w.authCode(access)), nil)
	w.contains(p.Body, "    <province />\n", "nothing")
	p = w.call("userService/getUserInfo/xml", w.params("access_token", access), nil)
	w.want(p.Body, "\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<apiResponse>\n  <code>100019</code>\n  <message>code不存在</message>\n</apiResponse>\n", "a refusal")
	var any struct {
		Code int `xml:"code"`
	}
	if err := xml.Unmarshal([]byte(strings.TrimSpace(p.Body)), &any); err != nil || any.Code != 100019 {
		t.Errorf("%+v, %v", any, err)
	}
}

func TestCall_Rules(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	at := func(d time.Duration) []string {
		ms := noon().Add(d).UnixMilli()
		return []string{"t_", strconv.FormatInt(ms, 10), "p_", strconv.FormatInt(ms%10000*3+2345, 10)}
	}
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	as := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	other, err := w.sim.Register(Registration{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		extra  []string
		change func(*http.Request)
		code   int
	}{
		{"correct", nil, nil, 200},
		{"no t_", []string{"t_", ""}, nil, 401},
		{"no p_", []string{"p_", ""}, nil, 401},
		{"wrong p_", []string{"p_", "2346"}, nil, 401},
		{"p_ with a zero before it", []string{"p_", "02345"}, nil, 401},
		{"t_ in seconds", []string{"t_", "1773633600", "p_", "13145"}, nil, 401},
		{"t_ with a letter", []string{"t_", "177363360000x"}, nil, 401},
		{"59 minutes behind", at(-59 * time.Minute), nil, 200},
		{"an hour behind", at(-time.Hour), nil, 200},
		{"an hour and a second behind", at(-time.Hour - time.Second), nil, 401},
		{"an hour ahead", at(time.Hour), nil, 200},
		{"61 minutes ahead", at(61 * time.Minute), nil, 401},
		{"talked out of the check", []string{"t_", "", "Iamsuperman", "1"}, nil, 401},
		{"no Authorization", nil, header("Authorization"), 100009},
		{"Authorization twice", nil, header("Authorization", "Basic MTox", "Basic MTox"), 100009},
		{"Bearer", nil, header("Authorization", "Bearer "+access), 100009},
		{"no Base64", nil, header("Authorization", "Basic %%%"), 100009},
		{"no colon", nil, header("Authorization", "Basic MTIzNDU="), 100009},
		{"no client_id", []string{"client_id", ""}, nil, 601},
		{"a client_id of nine digits", []string{"client_id", "100000000"}, nil, 601},
		{"an unknown client_id", []string{"client_id", "9999999999"}, as("9999999999", secret), 100008},
		{"another client's Basic", nil, as(other.ClientID, other.ClientSecret), 100002},
		{"a wrong secret", nil, as(clientID, "sixteen-letters2"), 100013},
		{"no secret", nil, as(clientID, ""), 100013},
		{"no access_token", []string{"access_token", ""}, nil, 601},
		{"an access_token with a space", []string{"access_token", access[:9] + " " + access[9:]}, nil, 601},
		{"an access_token in capitals", []string{"access_token", strings.ToUpper(access)}, nil, 601},
		{"an unknown access_token", []string{"access_token", "abc123"}, nil, 100014},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := w.params(append([]string{"access_token", access}, c.extra...)...)
			p := w.call("authService/authorize/json", q, c.change)
			w.want(p.Status, http.StatusOK, c.name+": status")
			w.want(w.code(p), c.code, c.name+": code")
		})
	}
}

func TestCall_QueryWinsOverForm(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	post := func(query, form url.Values) page {
		r, err := http.NewRequest(http.MethodPost, w.url+BasePath+"/authService/authorize/json?"+query.Encode(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(clientID, secret)
		return w.read(http.DefaultTransport.RoundTrip(r))
	}
	w.want(w.code(post(nil, w.params("access_token", access))), 200, "all in the form")
	w.want(w.code(post(url.Values{"access_token": {access}}, w.params("access_token", "wrong"))), 200, "the right one in the query")
	w.want(w.code(post(url.Values{"access_token": {"wrong"}}, w.params("access_token", access))), 100014, "the wrong one in the query")
	q := w.params()
	q["access_token"] = []string{"wrong", access}
	w.want(w.code(w.call("authService/authorize/json", q, nil)), 200, "of two the last")
	p := w.call("authService/authorize/json", w.params("access_token", access, "callback", "cb"), nil)
	w.want(strings.HasPrefix(p.Body, "\nvar _cb={"), true, "with callback it is a script")
	p = w.call("authService/authorize/json", w.params("access_token", access, "callback", "<b>"), nil)
	w.want(strings.Contains(p.Body, "<b>"), false, "but no other's")
}

func TestServices(t *testing.T) {
	w := newWorld(t)
	for _, method := range []string{"", "x", "authService/x/json", "userService/authorize/json", "authService/authorize/yaml", "authService/authorize", "authService/authorize/json/x"} {
		p := w.call(method, w.params(), nil)
		w.want(w.code(p), 501, method)
	}
	w.want(w.get("/x").Status, http.StatusNotFound, "outside the interface")
}

func TestAuthCode(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	code := w.authCode(access)
	read := func(access, code string) int {
		return w.code(w.call("companyService/getCompanyInfo/json", w.params("access_token", access, "auth_code", code), nil))
	}
	w.want(read(access, ""), 100019, "none")
	w.want(read(access, "0"), 100020, "an unknown one")
	w.want(read(access, code), 200, "first")
	w.want(read(access, code), 200, "again: it can be used until its end")
	w.want(read(w.token("mumian"), code), 100023, "another user's")
	other, err := w.sim.Register(Registration{})
	if err != nil {
		t.Fatal(err)
	}
	p := w.call("userService/getUserInfo/json", w.params("access_token", access, "auth_code", code, "client_id", other.ClientID),
		func(r *http.Request) { r.SetBasicAuth(other.ClientID, other.ClientSecret) })
	w.want(w.code(p), 100021, "another client's")
	w.sim.Clock.Shift(30 * time.Second)
	w.want(read(access, code), 200, "30 seconds later")
	w.sim.Clock.Shift(31 * time.Second)
	w.want(read(access, code), 100020, "31 seconds later")
	w.sim.Clock.Shift(90*24*time.Hour + time.Second)
	w.want(read(access, code), 100014, "three months later")
}

func TestMasked(t *testing.T) {
	w := newWorld(t)
	u := w.decode(w.user("chenmo")).Data
	for name, want := range map[string]string{"username": "ch***o", "truename": "陈*", "phone": "133****0355", "created": "2023-02-14 09:30:05"} {
		w.want(u[name], want, name)
	}
	c := w.decode(w.company("chenmo")).Data
	for name, want := range map[string]string{"company_name": "杭州木棉服饰有限公司", "tax_number": "913****0282", "legal_person_name": "林*", "legal_person_phone": "133****0280"} {
		w.want(c[name], want, name)
	}
	w.want(w.decode(w.user("lanjing")).Data["phone"], "13300000170", "nobody else's")
}

func TestDesktop(t *testing.T) {
	w := newWorld(t)
	for lang, part := range map[string]string{"en": "Sign in to the desktop software", "zh-CN": "登录致云桌面软件"} {
		w.contains(w.get("/desktop?lang="+lang).Body, part, lang)
	}
	w.contains(w.get("/desktop?sample=ziyou").Body, `value="zhiyun-ziyou"`, "a filled-in form")
	for name, form := range map[string]url.Values{
		"wrong password": {"username": {"lanjing"}, "password": {"x"}}, "nobody": {"username": {"x"}, "password": {"zhiyun-x"}}, "nothing": {},
	} {
		p := w.post("/desktop", form)
		w.want(p.Status, http.StatusUnauthorized, name)
		w.contains(p.Body, `role="alert"`, name)
	}
	first, second := w.token("lanjing"), w.token("lanjing")
	w.want(first != second, true, "each login gives a token of its own")
	w.want(w.authCode(first) != "" && w.authCode(second) != "", true, "both work")
	r, err := http.NewRequest(http.MethodPost, w.url+"/desktop", strings.NewReader("username=lanjing&password=zhiyun-lanjing"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w.want(w.read(http.DefaultTransport.RoundTrip(r)).Status, http.StatusForbidden, "from another site")
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	post := func(path, body string) page {
		return w.read(http.Post(w.url+path, "application/json", strings.NewReader(body)))
	}
	p := post("/_control/registrations", `{}`)
	w.want(p.Status, http.StatusCreated, "status")
	if !regexp.MustCompile(`^\{"client_id":"[0-9]{10}","client_secret":"[a-z0-9]{16}"\}\n$`).MatchString(p.Body) {
		t.Errorf("registered %s", p.Body)
	}
	for _, body := range []string{`{"client_id":"1"}`, `{"client_secret":"short"}`, `{"x":1}`, `[]`} {
		w.want(post("/_control/registrations", body).Status, http.StatusUnprocessableEntity, body)
	}
	p = post("/_control/tokens", `{"username":"ziyou"}`)
	found := regexp.MustCompile(`^\{"access_token":"([a-z0-9]{36})"\}\n$`).FindStringSubmatch(p.Body)
	if p.Status != http.StatusCreated || found == nil {
		t.Fatalf("%d %s", p.Status, p.Body)
	}
	w.want(w.authCode(found[1]) != "", true, "it works")
	w.want(post("/_control/tokens", `{"username":"x"}`).Status, http.StatusUnprocessableEntity, "nobody")
}

func TestRestart_KeepsClientsAndTokensButNoSecret(t *testing.T) {
	dir := t.TempDir()
	first := newWorldIn(t, dir)
	access := first.token("lanjing")
	second := newWorldIn(t, dir)
	if first.sim.Sample() != second.sim.Sample() || first.sim.Sample().ClientSecret == "" {
		t.Error("the sample client changed")
	}
	second.want(second.authCode(access) != "", true, "the token works on")
	text, err := os.ReadFile(filepath.Join(dir, Slug+".json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []string{access, secret} {
		first.want(strings.Contains(string(text), hidden), false, "the file tells "+hidden)
	}
}

func TestLedger_HoldsNoSecret(t *testing.T) {
	w := newWorld(t)
	access := w.token("lanjing")
	code := w.authCode(access)
	w.call("userService/getUserInfo/json", w.params("access_token", access, "auth_code", code), nil)
	body := w.get("/_control/calls").Body + w.get("/_faults").Body
	for _, hidden := range []string{access, code, secret, "zhiyun-lanjing", "13300000170"} {
		w.want(strings.Contains(body, hidden), false, "the ledger tells "+hidden)
	}
	w.contains(body, bench.Fingerprint(code), "the code's fingerprint")
}

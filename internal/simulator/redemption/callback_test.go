package redemption

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAlipay_AgreeSendsASignedCallback(t *testing.T) {
	w := newWorld(t)
	address := w.open("serialNo", "S-7")
	shown := w.get(address)
	w.want(shown.Status == http.StatusOK && strings.Contains(shown.Body, "深圳市松果文化传播有限公司"), true, "the page names who asks")
	after := w.decide(address, "agree", "amei")
	w.want(strings.Contains(after.Body, "已授权"), true, "the page after")
	r := w.next()
	fields := w.fields(r)
	for name, want := range map[string]string{
		"serialNo": "S-7", "userId": "u-1", "merchantId": "M10086021", "businessId": "820260101001", "openId": openID("M10086021", "amei"),
	} {
		w.want(fields[name], want, name)
	}
	w.want(w.genuine(r), true, "signature")
	w.want(r.header("businessId"), "820260101001", "businessId, to the letter")
	w.want(r.header("signType"), "", "signType")
	w.want(r.head.target, "/cb?x=1&y=2", "target")
	w.decide(address, "agree", "daniel")
	w.want(w.last().Outcome, "link_opened", "after a second answer, the page again")
	w.quiet()
	w.want(w.sim.Deliveries()[0].Outcome, "success", "delivery")
	w.want(strings.Contains(w.get("/_control/callbacks").Body, openID("M10086021", "amei")), false, "the list tells the openId")
}

func TestAlipay_RefuseSendsNothing(t *testing.T) {
	w := newWorld(t)
	address := w.open()
	w.want(strings.Contains(w.decide(address, "refuse", "amei").Body, "已拒绝"), true, "the page after")
	w.decide(address, "agree", "amei")
	w.quiet()
}

func TestAlipay_LinksEnd(t *testing.T) {
	w := newWorld(t)
	address := w.open()
	w.want(w.get(alipayPath+"?auth=X").Status, http.StatusGone, "unknown")
	w.want(w.get(alipayPath).Status, http.StatusGone, "none")
	w.sim.Clock.Shift(linkLife + time.Minute)
	w.want(w.get(address).Status, http.StatusGone, "old")
	w.decide(address, "agree", "amei")
	w.quiet()
	w.sim.Clock.Shift(0)
	w.decide(address, "agree", "nobody")
	w.quiet()
	en := w.get(address + "&lang=en")
	w.want(strings.Contains(en.Body, "Do you agree?") && !strings.Contains(en.Body, "<script") && !strings.Contains(en.Body, "style="), true, "the page in English")
}

func TestCallback_MD5Merchant(t *testing.T) {
	w := newWorld(t)
	q := request{path: linkPath, business: "820260101002", md5: "lantern-and-leaf-5f2c7d",
		body: linkBody("businessId", "820260101002", "merchantId", "M10086022", "callbackUrl", w.inbox.url)}
	address, _ := w.decode(w.send(q)).Data["alipayAuthUrl"].(string)
	w.decide(address, "agree", "xiaohe")
	r := w.next()
	w.want(r.header("sign"), md5Sign(r.signed(), "lantern-and-leaf-5f2c7d"), "sign")
}

// The schedule of the documents, and what counts as an answer.
func TestCallback_RetriesUntilSuccess(t *testing.T) {
	var total time.Duration
	for _, p := range pauses() {
		total += p
	}
	if len(pauses()) != 9 || pauses()[0] != 15*time.Second || total != 11*time.Hour+3*time.Minute+45*time.Second {
		t.Errorf("the schedule is %v", pauses())
	}
	w := newWorld(t)
	answers := []struct {
		status int
		body   string
	}{{500, "SUCCESS"}, {200, "OK"}, {200, "SUCCESS\n"}, {200, `"SUCCESS"`}, {200, "sUcCeSs"}}
	w.inbox.answer = func(n int) (int, string) { return answers[n-1].status, answers[n-1].body }
	w.sim.scale = 0.00001
	first := w.agreed()
	seen := map[string]bool{first.header("nonce"): true}
	for range answers[1:] {
		r := w.next()
		w.want(w.genuine(r) && r.body == first.body && !seen[r.header("nonce")], true, "the same again, with a nonce of its own")
		seen[r.header("nonce")] = true
	}
	w.quiet()
	got := w.sim.Deliveries()
	w.want(len(got) == 5 && got[0].Status == 500 && got[4].Outcome == "success" && got[4].Try == 5, true, "deliveries")
}

func TestCallback_GivesUpAfterTheSchedule(t *testing.T) {
	w := newWorld(t)
	w.inbox.answer = func(int) (int, string) { return 401, "" }
	w.sim.scale = 0.0000001
	w.agreed()
	for range 9 {
		w.next()
	}
	w.quiet()
}

func TestCallback_EndsWithTheSimulator(t *testing.T) {
	w := newWorld(t)
	w.inbox.answer = func(int) (int, string) { return 500, "" }
	w.sim.scale = 0.002 // 30 ms to the second
	w.agreed()
	w.sim.Close()
	w.quiet()
}

// A callback that is still owed when the program ends is sent by the next one.
func TestCallback_OutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	first := newWorldIn(t, dir)
	first.inbox.answer = func(int) (int, string) { return 500, "" }
	first.sim.scale = 1
	lost := first.agreed()
	first.sim.Close()
	first.inbox.mu.Lock()
	first.inbox.answer = func(int) (int, string) { return 200, "SUCCESS" }
	first.inbox.mu.Unlock()
	newWorldIn(t, dir)
	again := first.next()
	first.want(again.body == lost.body && again.header("nonce") != lost.header("nonce"), true, "the same callback")
	first.quiet()
	newWorldIn(t, dir)
	first.quiet() // it is owed no longer
}

func TestAgree_WithoutABrowser(t *testing.T) {
	w := newWorld(t)
	address := w.open()
	if err := w.sim.Agree(address, "nobody"); err == nil {
		t.Error("nobody agreed")
	}
	if err := w.sim.Agree("http://x/?auth=none", ""); err == nil {
		t.Error("an unknown link was taken")
	}
	if err := w.sim.Agree(address, ""); err != nil {
		t.Fatal(err)
	}
	w.want(w.fields(w.next())["openId"], openID("M10086021", w.sim.Persons()[0]), "openId")
}

func TestControl_SendAgain(t *testing.T) {
	w := newWorld(t)
	again := func() int {
		res, err := http.Post(w.url+"/_control/callbacks/S1", "application/json", nil)
		return read(t, res, err).Status
	}
	w.fault(faultWithheld, 0)
	address := w.open()
	w.want(again(), http.StatusUnprocessableEntity, "before anybody agreed")
	w.decide(address, "agree", "amei")
	w.quiet()
	w.want(again(), http.StatusAccepted, "after")
	w.want(w.genuine(w.next()), true, "the genuine one")
	w.quiet()
	var list struct{ Callbacks []Delivery }
	if err := json.Unmarshal([]byte(w.get("/_control/callbacks").Body), &list); err != nil || len(list.Callbacks) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestRestart_KeepsKeysAndSerials(t *testing.T) {
	dir := t.TempDir()
	first := newWorldIn(t, dir)
	samples, err := first.sim.Samples()
	if err != nil {
		t.Fatal(err)
	}
	platform, err := first.sim.PlatformKeyPEM()
	if err != nil {
		t.Fatal(err)
	}
	first.open()
	second := newWorldIn(t, dir)
	again, err := second.sim.Samples()
	if err != nil || len(samples) != 3 || again[0] != samples[0] || again[0].SignType != SHA256RSA || again[1].SignType != MD5 || again[1].PrivateKey != "" {
		t.Errorf("samples changed: %v", err)
	}
	if !strings.Contains(samples[0].PrivateKeyPEM, "BEGIN PRIVATE KEY") || !strings.Contains(platform, "BEGIN PUBLIC KEY") {
		t.Error("keys are not in PEM")
	}
	second.want(second.status(second.linkCall()), 8, "a serialNo of before")
	about := second.sim.About("http://x")
	text, err := json.Marshal(about)
	if err != nil || !bytes.Contains(text, []byte(samples[0].PrivateKey)) || len(about.Accounts) != 3 {
		t.Errorf("the index lacks the keys: %v", err)
	}
}

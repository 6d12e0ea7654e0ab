package chainup

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

func TestToken_CodeWorksOnce(t *testing.T) {
	w := newWorld(t)
	code := w.code("10002318")
	got := w.pair(w.exchange(code))
	end, err := strconv.ParseInt(got.ExpireIn.(string), 10, 64)
	w.want(err == nil && end == noon().Add(accessLife).Unix(), true, "expireIn is the absolute second")
	w.want(w.exchange(code).Code, "60003", "a second time")
	w.want(w.last().Outcome, "code_reused", "outcome")
	w.want(w.refresh(got).Code, "0", "the tokens live on")
	old := w.code("10002318")
	w.sim.Clock.Shift(codeLife + time.Second)
	w.want(w.exchange(old).Code, "60003", "too late")
	w.want(w.exchange("invented").Code, "10020", "one that never was")
}

func TestToken_OfManyAtOnceOneIsHonoured(t *testing.T) {
	w := newWorld(t)
	body := w.pack(`{"code":"` + w.code("10002318") + `"}`)
	var mu sync.Mutex
	var wg sync.WaitGroup
	codes := map[string]int{}
	for range 10 {
		wg.Go(func() {
			got := w.send("/auth/token", body, nil)
			mu.Lock()
			defer mu.Unlock()
			codes[got.Code]++
		})
	}
	wg.Wait()
	w.want(codes["0"], 1, "honoured")
	w.want(codes["60003"], 9, "refused")
}

func TestToken_OpenIDIsTheUsersAtThisApplication(t *testing.T) {
	w := newWorld(t)
	first, again, other := w.pair(w.exchange(w.code("10002318"))), w.pair(w.exchange(w.code("10002318"))), w.pair(w.exchange(w.code("10004471")))
	w.want(first.OpenID, again.OpenID, "the same user")
	w.want(first.OpenID == other.OpenID, false, "another user has the same")
	w.want(openIDOf("another app", "10002318") == first.OpenID, false, "another application has the same")
}

// The two switches that a measuring program needs: tokens of a minute, and reads for living tokens only.
func TestToken_ReadsMayNeedALivingOne(t *testing.T) {
	w := newWorld(t)
	w.fault("token_life", 0, 60)
	w.fault("token_required", 0, 0)
	first := w.pair(w.exchange(w.code("10002318")))
	read := func() string { return w.call("/user/accountBalance", `{"openId":"`+first.OpenID+`"}`).Code }
	w.want(first.ExpireIn, strconv.FormatInt(noon().Add(time.Minute).Unix(), 10), "expireIn")
	w.want(read(), "0", "within its life")
	w.sim.Clock.Shift(61 * time.Second)
	w.want(read(), "60002", "after it")
	second := w.pair(w.refresh(first))
	w.want(w.last().Code, bench.Fingerprint(first.Refresh), "the ledger's word for the refresh token")
	w.want(w.last().Account, "10002318", "account")
	w.want(read(), "0", "with a new one")
	w.refresh(first)
	w.want(w.last().Account, "10002318", "account of the one that came twice")
	w.want(read(), "60002", "the family has ended")
	w.want(w.refresh(second).Code, "60001", "the newest of its family")
}

func TestRefresh_Rotates(t *testing.T) {
	w := newWorld(t)
	first := w.pair(w.exchange(w.code("10002318")))
	second := w.pair(w.refresh(first))
	w.want(second.OpenID, first.OpenID, "openId")
	w.want(second.Refresh == first.Refresh || second.Token == first.Token, false, "a token came again")
	third := w.pair(w.refresh(second))
	w.want(w.refresh(third).Code, "0", "and so on")
}

func TestRefresh_ReuseKillsTheFamily(t *testing.T) {
	w := newWorld(t)
	bystander := w.pair(w.exchange(w.code("10002318")))
	first := w.pair(w.exchange(w.code("10002318")))
	second := w.pair(w.refresh(first))
	w.want(w.refresh(first).Code, "60001", "a spent refresh token")
	w.want(w.last().Outcome, "refresh_token_reused", "outcome")
	w.want(w.refresh(second).Code, "60001", "the newest of its family")
	w.want(w.last().Outcome, "refresh_token_dead", "outcome")
	w.want(w.refresh(bystander).Code, "0", "the same user's other connection")
}

func TestRefresh_AllThreeMustBelongTogether(t *testing.T) {
	w := newWorld(t)
	good, other := w.pair(w.exchange(w.code("10002318"))), w.pair(w.exchange(w.code("10004471")))
	for name, c := range map[string]struct {
		change func(*tokens)
		want   string
	}{
		"unknown refresh token": {func(t *tokens) { t.Refresh = "x" }, "60001"},
		"another openId":        {func(t *tokens) { t.OpenID = other.OpenID }, "60004"},
		"another token":         {func(t *tokens) { t.Token = other.Token }, "60002"},
		"no refresh token":      {func(t *tokens) { t.Refresh = "" }, "10020"},
		"no token":              {func(t *tokens) { t.Token = "" }, "10020"},
		"no openId":             {func(t *tokens) { t.OpenID = "" }, "10020"},
	} {
		wrong := good
		c.change(&wrong)
		w.want(w.refresh(wrong).Code, c.want, name)
	}
	w.sim.Clock.Shift(refreshLife + time.Second)
	w.want(w.refresh(good).Code, "60001", "too late")
	w.sim.Clock.Shift(0)
	w.want(w.refresh(good).Code, "0", "and none of it has spent the token")
}

func TestToken_Readings(t *testing.T) {
	for name, want := range map[string]any{
		variantMillis: strconv.FormatInt(noon().Add(accessLife).UnixMilli(), 10), variantDuration: "7200", variantNoExpiry: "",
		variantExpiryNumber: float64(noon().Add(accessLife).Unix()),
	} {
		w := newWorld(t)
		w.fault(name, 1, 0)
		w.want(w.pair(w.exchange(w.code("10002318"))).ExpireIn, want, name)
	}
	w := newWorld(t)
	w.fault(variantMisspelt, 0, 0)
	got := w.pair(w.exchange(w.code("10002318")))
	w.want(got.Refresh == "" && got.Misspelt != "", true, "refersh_token")
	got.Refresh = got.Misspelt
	w.want(w.pair(w.refresh(got)).Misspelt != "", true, "refersh_token of a refresh")
	w.sim.Board.Clear()
	w.fault(variantUnderscored, 1, 0)
	w.want(w.pair(w.exchange(w.code("10002318"))).Under != "", true, "refresh_token")
}

func TestToken_Faults(t *testing.T) {
	w := newWorld(t)
	got := w.pair(w.exchange(w.code("10002318")))
	w.fault(faultRefreshDead, 1, 0)
	w.want(w.refresh(got).Code, "60001", "dead")
	w.fault(faultOtherOpenID, 1, 0)
	w.want(w.pair(w.refresh(got)).OpenID == got.OpenID, false, "the openId stayed")
	code := w.code("10002318")
	got = w.pair(w.exchange(code))
	w.fault(faultReuseRevokes, 1, 0)
	w.want(w.exchange(code).Code, "60003", "reuse")
	w.want(w.refresh(got).Code, "60001", "the tokens from the first time")
}

func TestRestart_KeepsKeysAndTokens(t *testing.T) {
	dir := t.TempDir()
	first := newWorldIn(t, dir)
	spent := first.pair(first.exchange(first.code("10002318")))
	live := first.pair(first.refresh(spent))
	second := newWorldIn(t, dir)
	second.want(second.sim.Sample(), first.sim.Sample(), "the sample application")
	second.want(second.sim.key.Equal(first.sim.key), true, "the exchange's key")
	second.want(second.call("/user/accountBalance", `{"openId":"`+live.OpenID+`"}`).Code, "0", "a read with the openId from before")
	third := second.pair(second.refresh(live))
	second.want(second.refresh(spent).Code, "60001", "reuse over a restart")
	second.want(second.refresh(third).Code, "60001", "and its family")

	path := filepath.Join(dir, "chainup.json")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{spent.Token, spent.Refresh, third.Refresh} {
		if strings.Contains(string(kept), secret) {
			t.Error("a token stands in the state file")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v %v", info, err)
	}
}

package redemption

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

// TestFaults_EachDoesWhatItSays holds one line for every fault of the menu; a fault without a line fails it.
func TestFaults_EachDoesWhatItSays(t *testing.T) {
	tests := map[string]func(*world){}
	callbackTests(tests)
	callTests(tests)
	commonTests(tests)
	for _, fault := range newWorld(t).sim.Board.Menu() {
		t.Run(fault.Name, func(t *testing.T) {
			test, ok := tests[fault.Name]
			if !ok {
				t.Fatal("no test says what this fault does")
			}
			if fault.Title.ZH == "" || fault.Title.EN == "" || fault.Sentence.ZH == "" || fault.Sentence.EN == "" {
				t.Error("not described in both languages")
			}
			w := newWorld(t)
			w.fault(fault.Name, 0)
			test(w)
		})
	}
}

func callbackTests(tests map[string]func(*world)) {
	only := func(check func(w *world, r received)) func(*world) {
		return func(w *world) {
			w.inbox.answer = func(int) (int, string) { return 401, "" }
			check(w, w.agreed())
			w.quiet()
		}
	}
	tests[faultDeny] = func(w *world) {
		w.want(strings.Contains(w.decide(w.open(), "agree", "amei").Body, "已拒绝"), true, "refused all the same")
		w.quiet()
	}
	tests[faultUnsigned] = only(func(w *world, r received) {
		_, loose := r.head.values("sign")
		w.want(loose, 0, "a sign")
	})
	tests[faultForeignKey] = only(func(w *world, r received) {
		w.want(r.header("sign") != "" && !w.genuine(r), true, "somebody else's signature")
	})
	tests[faultMD5] = only(func(w *world, r received) {
		w.want(r.header("signType")+r.header("sign"), MD5+md5Sign(r.signed(), ""), "MD5 with no key")
	})
	tests[faultTampered] = only(func(w *world, r received) {
		w.want(w.genuine(r) || w.fields(r)["openId"] == openID("M10086021", "xiaohe"), false, "another openId under the signature")
	})
	tests[faultForeignSerial] = only(func(w *world, r received) {
		w.want(w.genuine(r) && w.fields(r)["serialNo"] != "S1", true, "signed, with a foreign serialNo")
	})
	tests[faultForeignBusiness] = only(func(w *world, r received) {
		w.want(w.genuine(r) && r.header("businessId") == "820260101002", true, "signed, with a foreign businessId")
	})
	tests[faultWithheld] = func(w *world) {
		w.want(strings.Contains(w.decide(w.open(), "agree", "amei").Body, "已授权"), true, "agreed")
		w.quiet()
	}
	tests[faultDuplicates] = func(w *world) {
		first := w.agreed()
		for range 4 {
			r := w.next()
			w.want(r.body+r.header("nonce"), first.body+first.header("nonce"), "the same")
		}
		w.quiet()
	}
	tests[faultLate] = func(w *world) {
		w.faultValue(faultLate, 1)
		address, began := w.open(), time.Now()
		w.decide(address, "agree", "xiaohe")
		w.next()
		w.want(time.Since(began) >= time.Second, true, "late")
	}
	tests[faultSecondOpenID] = func(w *world) {
		first, second := w.agreed(), w.next()
		w.want(w.genuine(second) && w.fields(second)["serialNo"] == "S1" && w.fields(second)["openId"] != w.fields(first)["openId"], true, "another openId, truly signed")
		w.quiet()
	}
	variantTests(tests)
}

func variantTests(tests map[string]func(*world)) {
	tests[variantSignType] = func(w *world) {
		r := w.agreed()
		w.want(r.header("signType") == SHA256RSA && w.genuine(r), true, "signType, and signed")
	}
	tests[variantSpaced] = func(w *world) {
		r := w.agreed("serialNo", "S-1")
		w.want(w.genuine(r) && strings.Contains(r.body, `S\u002d1`) && w.fields(r)["serialNo"] == "S-1", true, "spaced, escaped, signed")
	}
	tests[variantMinimal] = func(w *world) {
		fields := w.fields(w.agreed())
		w.want(len(fields) == 2 && fields["serialNo"] == "S1" && fields["openId"] != "", true, "two fields")
	}
	for variant, name := range map[string]string{variantOpenID: "openid", variantAlipayOpenID: "alipayOpenId"} {
		tests[variant] = func(w *world) {
			fields := w.fields(w.agreed())
			_, usual := fields["openId"]
			w.want(fields[name] == openID("M10086021", "xiaohe") && !usual, true, "the other name")
		}
	}
	tests[variantSameNonce] = func(w *world) {
		w.inbox.answer = func(n int) (int, string) { return 200, []string{"", "SUCCESS"}[n-1] }
		first, second := w.agreed(), w.next()
		w.want(second.header("nonce")+second.header("sign"), first.header("nonce")+first.header("sign"), "the same again")
	}
}

func callTests(tests map[string]func(*world)) {
	tests[faultStatus] = func(w *world) {
		for _, status := range []int{98, 5, 11} {
			w.faultValue(faultStatus, status)
			w.want(w.status(w.linkCall()), status, "status")
		}
		w.sim.Board.Clear()
		w.want(w.status(w.linkCall()), 0, "the serialNo is not spent")
	}
	tests[faultRefusedData] = func(w *world) {
		a := w.decode(w.send(w.linkCall()))
		w.want(*a.Status == 2 && a.Data["merchantId"] == "M10086021", true, "data with status 2")
	}
	tests[faultIP] = func(w *world) { w.want(w.status(balanceCall()), 10, "status") }
	for name, start := range map[string]string{faultForeignLink: "https://abc.com/", faultScriptLink: "javascript:"} {
		tests[name] = func(w *world) { w.want(strings.HasPrefix(w.open(), start), true, "the address") }
	}
	tests[faultNoLink] = func(w *world) {
		a := w.decode(w.send(w.linkCall()))
		w.want(*a.Status == 0 && a.Data["alipayAuthUrl"] == "", true, "success without a link")
	}
	tests[faultExact] = func(w *world) {
		w.want(strings.Contains(w.send(balanceCall()).Body, `"amount":9007199254740993.01`), true, "amount")
	}
	tests[faultStatus420] = func(w *world) {
		a := w.decode(w.send(w.linkCall()))
		w.want(*a.Status == 420 && a.Message == "success" && a.Data["alipayAuthUrl"] != "", true, "420, and a link")
	}
	tests[variantThirdAccount] = func(w *world) {
		w.want(w.status(w.linkCall()), 3, "userId")
		w.want(w.fields(w.agreed("thirdAccount", "u-9"))["userId"], "u-9", "who it was for")
	}
	tests[variantTextAmounts] = func(w *world) {
		w.want(w.decode(w.send(balanceCall())).Data["amount"], "128447.55", "amount")
	}
}

// commonTests are the faults that the bench gives every provider, tried on this one's calls.
func commonTests(tests map[string]func(*world)) {
	tests[bench.FaultSlow] = func(w *world) {
		if err := w.sim.Board.Set(bench.Rule{Name: bench.FaultSlow, Value: 80, Stages: []bench.Stage{bench.Token}}); err != nil {
			w.Fatal(err)
		}
		began := time.Now()
		w.want(w.status(w.linkCall()) == 0 && time.Since(began) >= 80*time.Millisecond, true, "late, but whole")
	}
	tests[bench.FaultHang] = func(w *world) {
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+balancePath, nil)
		if err != nil {
			w.Fatal(err)
		}
		_, err = http.DefaultTransport.RoundTrip(r)
		w.want(err != nil && ctx.Err() != nil, true, "no answer until the client leaves")
	}
	tests[bench.FaultServerError] = func(w *world) { w.want(w.send(w.linkCall()).Status, 500, "status") }
	tests[bench.FaultRateLimited] = func(w *world) { w.want(w.send(w.linkCall()).Header.Get("Retry-After"), "30", "Retry-After") }
	tests[bench.FaultHTML] = func(w *world) {
		w.want(strings.HasPrefix(w.send(w.linkCall()).Body, "<!DOCTYPE html>"), true, "a page")
	}
	tests[bench.FaultTruncated] = func(w *world) {
		p := w.send(w.linkCall())
		w.want(strings.HasSuffix(strings.TrimSpace(p.Body), "}"), false, "a whole answer")
		w.want(w.last().Outcome, "link_issued", "the serialNo is spent")
	}
	tests[bench.FaultHuge] = func(w *world) { w.want(len(w.send(balanceCall()).Body) > 16<<20, true, "huge") }
	tests[bench.FaultGzipBomb] = func(w *world) {
		w.faultValue(bench.FaultGzipBomb, 1)
		w.want(len(w.send(balanceCall()).Body) > 1<<20, true, "grows")
	}
	tests[bench.FaultNotSuccess] = func(w *world) {
		a := w.decode(w.send(balanceCall()))
		w.want(a.Success != nil && !*a.Success, true, "success=false")
	}
	tests[bench.FaultElsewhere] = func(w *world) { w.want(w.send(balanceCall()).Status, http.StatusFound, "status") }
	skew := func(w *world) { w.want(w.status(balanceCall()), 5, "an honest client") }
	tests[bench.FaultClockAhead], tests[bench.FaultClockBehind] = skew, skew
}

func TestLedger_HoldsNoSecret(t *testing.T) {
	w := newWorld(t)
	w.agreed()
	body := w.get("/_control/calls").Body + w.get("/_faults").Body
	for _, hidden := range []string{openID("M10086021", "xiaohe"), w.sim.state.Links["S1"].ID, w.inbox.url} {
		w.want(strings.Contains(body, hidden), false, "the ledger tells "+hidden)
	}
}

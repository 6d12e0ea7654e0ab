package zhiyun

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"mooring/internal/simulator/bench"
)

// TestFaults_EachDoesWhatItSays holds one line for every fault of the menu; a fault without a line fails it.
func TestFaults_EachDoesWhatItSays(t *testing.T) {
	tests := map[string]func(*world){
		faultDeny: func(w *world) {
			p := w.post("/desktop", url.Values{"username": {"lanjing"}, "password": {"zhiyun-lanjing"}})
			w.want(p.Status, http.StatusUnauthorized, "status")
		},
		faultRefuse:          func(w *world) { w.want(w.code(w.authorized()), 500, "code") },
		faultTokenDead:       func(w *world) { w.want(w.code(w.authorized()), 100014, "code") },
		faultCodeExpired:     func(w *world) { w.want(w.code(w.user("lanjing")), 100020, "code") },
		faultForeignClient:   func(w *world) { w.want(w.code(w.user("lanjing")), 100021, "code") },
		faultForeignUser:     func(w *world) { w.want(w.code(w.company("lanjing")), 100023, "code") },
		faultNoCompany:       func(w *world) { w.want(w.code(w.company("lanjing")), 905, "code") },
		variantAuthorizeCode: func(w *world) { w.contains(w.authorized().Body, `{"authorize_code":"`, "its name") },
		variantNewtime:       func(w *world) { w.contains(w.user("lanjing").Body, `"newtime":1773633600}`, "its name") },
		variantCodeAsText:    func(w *world) { w.contains(w.authorized().Body, `,"code":"200","message":"ok"}`, "the code") },
		variantMasked:        func(w *world) { w.want(w.decode(w.user("lanjing")).Data["phone"], "133****0170", "a number") },
		faultNarrowScope: func(w *world) {
			w.want(w.code(w.user("lanjing")), 200, "the user")
			w.want(w.code(w.company("lanjing")), 100018, "the company")
		},
		variantForeignBreaks: func(w *world) {
			w.fault(faultForeignUser, 0)
			p := w.user("lanjing")
			w.want(p.Status == http.StatusInternalServerError && strings.HasPrefix(p.Body, "<br />"), true, "a page")
		},
		variantNoChecksum: func(w *world) {
			q := w.params("access_token", w.token("lanjing"), "t_", "x", "p_", "")
			w.want(w.code(w.call("authService/authorize/json", q, nil)), 200, "code")
		},
	}
	commonTests(tests)
	for _, fault := range newWorld(t).sim.Board.Menu() {
		t.Run(fault.Name, func(t *testing.T) {
			test, ok := tests[fault.Name]
			if !ok {
				t.Fatal("no test says what this fault does")
			}
			w := newWorld(t)
			w.fault(fault.Name, 0)
			test(w)
		})
	}
}

// authorized calls for an auth_code with a good token.
func (w *world) authorized() page {
	w.Helper()
	access, err := w.sim.Issue("lanjing")
	if err != nil {
		w.Fatal(err)
	}
	return w.call("authService/authorize/json", w.params("access_token", access), nil)
}

// commonTests adds the faults that the bench gives every provider, tried on this one's calls.
func commonTests(tests map[string]func(*world)) {
	tests[bench.FaultSlow] = func(w *world) {
		w.fault(bench.FaultSlow, 80)
		began := time.Now()
		w.want(w.code(w.authorized()) == 200 && time.Since(began) >= 80*time.Millisecond, true, "late, but whole")
	}
	tests[bench.FaultHang] = func(w *world) {
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+BasePath+"/authService/authorize/json", nil)
		if err != nil {
			w.Fatal(err)
		}
		_, err = http.DefaultTransport.RoundTrip(r)
		w.want(err != nil && ctx.Err() != nil, true, "no answer until the client leaves")
	}
	tests[bench.FaultServerError] = func(w *world) {
		w.want(w.authorized().Status, http.StatusInternalServerError, "status")
		w.want(w.get("/desktop").Status, http.StatusInternalServerError, "status of a page")
	}
	tests[bench.FaultRateLimited] = func(w *world) {
		p := w.authorized()
		w.want(p.Status == http.StatusTooManyRequests && p.Header.Get("Retry-After") == "30", true, "429 with Retry-After")
	}
	tests[bench.FaultHTML] = func(w *world) {
		p := w.authorized()
		w.want(p.Status == http.StatusOK && strings.HasPrefix(p.Body, "<!DOCTYPE html>"), true, "a page")
	}
	tests[bench.FaultTruncated] = func(w *world) {
		p := w.authorized()
		w.want(p.Status == http.StatusOK && !json.Valid([]byte(p.Body)) && p.Body != "", true, "half an answer")
	}
	tests[bench.FaultHuge] = func(w *world) { w.want(len(w.authorized().Body) > 16<<20, true, "more than 16 MiB") }
	tests[bench.FaultGzipBomb] = func(w *world) {
		w.fault(bench.FaultGzipBomb, 8)
		r, err := http.NewRequest(http.MethodGet, w.url+BasePath+"/authService/authorize/json", nil)
		if err != nil {
			w.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", "identity") // so that the transport unpacks nothing
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		zip, err := gzip.NewReader(res.Body)
		if err != nil {
			w.Fatal(err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(zip, 9<<20))
		w.want(err == nil && n > 8<<20, true, "enormous unpacked")
	}
	tests[bench.FaultNotSuccess] = func(w *world) {
		p := w.authorized()
		w.want(p.Status == http.StatusOK && strings.Contains(p.Body, `"success":false`), true, "success=false in 200")
	}
	tests[bench.FaultElsewhere] = func(w *world) {
		w.want(w.authorized().Status, http.StatusFound, "status")
		w.get("/_elsewhere")
		w.want(w.last().Outcome, "followed_redirect", "who follows is written down")
	}
	skew := func(name string, minutes int) func(*world) {
		return func(w *world) {
			date, err := http.ParseTime(w.authorized().Header.Get("Date"))
			w.want(err == nil && !date.Equal(noon()), true, "Date header")
			w.fault(name, 70) // the default is within the hour that is forgiven here
			p := w.authorized()
			date, err = http.ParseTime(p.Header.Get("Date"))
			w.want(err == nil && date.Equal(noon().Add(time.Duration(minutes)*time.Minute)), true, "Date header")
			w.want(w.code(p), 401, "an honest client")
		}
	}
	tests[bench.FaultClockAhead], tests[bench.FaultClockBehind] = skew(bench.FaultClockAhead, 70), skew(bench.FaultClockBehind, -70)
}

// Every code of the documents and of the public source can be had by its number.
func TestFaults_RefuseReachesEveryCode(t *testing.T) {
	w := newWorld(t)
	for _, code := range []int{
		304, 400, 401, 500, 501, 601, 602, 704, 705, 714, 904, 905, 1045,
		100002, 100008, 100009, 100013, 100014, 100018, 100019, 100020, 100021, 100023,
	} {
		w.fault(faultRefuse, code)
		p := w.authorized()
		w.want(w.code(p), code, "code")
		w.want(p.Status, http.StatusOK, "status")
		if _, known := messages()[code]; !known {
			t.Errorf("%d has no message", code)
		}
	}
	w.want(len(messages()), 24, "codes, success among them")
	w.fault(faultRefuse, 4711)
	w.want(w.decode(w.authorized()).Message, "未知错误", "an unknown one")
}

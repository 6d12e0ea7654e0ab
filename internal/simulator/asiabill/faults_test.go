package asiabill

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
			w.want(w.decide(w.consentPage("10231"), "allow").Get("error"), "access_denied", "error")
		},
		faultWrongMerchant: func(w *world) {
			back := w.decide(w.consentPage("10231"), "allow")
			w.want(back.Get("merNo"), "20488", "merNo on the redirect")
			_, a := w.exchange(tokenForm(back.Get("code")))
			row := w.decode(w.reading("/openApi/transactions", a.AccessToken, nil)).Result.Data.Page.List[0]
			w.want(row["merNo"], "10231", "owner of the token")
		},
		faultStateMissing: func(w *world) {
			w.want(w.decide(w.consentPage("10231"), "allow").Has("state"), false, "a state")
		},
		faultStateForeign: func(w *world) {
			state := w.decide(w.consentPage("10231"), "allow").Get("state")
			w.want(state != "" && state != "state-1", true, "a foreign state")
		},
		faultNoCode: func(w *world) {
			back := w.decide(w.consentPage("10231"), "allow")
			w.want(back.Has("code") || back.Has("error"), false, "a code or an error")
		},
		faultExpiredCode: func(w *world) { w.refusedCode("code_expired") },
		faultReusedCode:  func(w *world) { w.refusedCode("code_reused") },
		faultReuseRevokes: func(w *world) {
			code := w.code()
			_, a := w.exchange(tokenForm(code))
			w.exchange(tokenForm(code))
			w.want(w.reading("/openApi/chargebacks", a.AccessToken, nil).Status, http.StatusUnauthorized, "the first token")
		},
		faultTokenDead: func(w *world) {
			w.want(w.reading("/openApi/chargebacks", w.access(), nil).Status, http.StatusUnauthorized, "a good token")
		},
		variantInData: func(w *world) {
			_, a := w.exchange(tokenForm(w.code()))
			w.want(a.Code == "00000" && a.Data.AccessToken != "" && a.AccessToken == "", true, "token under data")
		},
		variantInResult: func(w *world) {
			_, a := w.exchange(tokenForm(w.code()))
			w.want(a.Result.Code == "00000" && a.Result.Data.AccessToken != "" && a.AccessToken == "", true, "token under result.data")
		},
		variantNoExpiry: func(w *world) {
			p, a := w.exchange(tokenForm(w.code()))
			w.want(strings.Contains(p.Body, `"expires_in"`), false, "expires_in")
			w.sim.Clock.Shift(3 * 365 * 24 * time.Hour)
			w.want(w.reading("/openApi/chargebacks", a.AccessToken, nil).Status, http.StatusOK, "three years later")
		},
		variantGetOnly: func(w *world) {
			form := tokenForm(w.code())
			p, _ := w.exchange(form)
			w.want(p.Status, http.StatusMethodNotAllowed, "POST")
			w.want(w.get("/oauth/token?"+form.Encode()).Status, http.StatusOK, "GET with the same code")
		},
		variantUnwrapped: func(w *world) {
			a := w.decode(w.reading("/openApi/chargebacks", w.access(), nil))
			w.want(a.Code == "00000" && a.Result == nil && a.Data != nil, true, "envelope without result")
		},
		variantRequestInUTC: func(w *world) {
			token := w.access()
			w.want(w.reading("/openApi/chargebacks", token, nil).Status, http.StatusBadRequest, "Beijing time")
			utc := func(r *http.Request) { r.Header.Set("request-time", noon().Format(timeLayout)) }
			w.want(w.reading("/openApi/chargebacks", token, utc).Status, http.StatusOK, "UTC")
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

// commonTests adds the faults that the bench gives every provider, tried on this one's calls.
func commonTests(tests map[string]func(*world)) {
	tests[bench.FaultSlow] = func(w *world) {
		if err := w.sim.Board.Set(bench.Rule{Name: bench.FaultSlow, Value: 80, Stages: []bench.Stage{bench.Token}}); err != nil {
			w.Fatal(err)
		}
		code, began := w.code(), time.Now()
		_, a := w.exchange(tokenForm(code))
		w.want(time.Since(began) >= 80*time.Millisecond && a.AccessToken != "", true, "late, but whole")
	}
	tests[bench.FaultHang] = func(w *world) {
		ctx, cancel := context.WithTimeout(w.Context(), 50*time.Millisecond)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/openApi/chargebacks", nil)
		if err != nil {
			w.Fatal(err)
		}
		_, err = http.DefaultTransport.RoundTrip(r)
		w.want(err != nil && ctx.Err() != nil, true, "no answer until the client leaves")
	}
	tests[bench.FaultServerError] = func(w *world) {
		p := w.get("/openApi/chargebacks")
		w.want(p.Status, http.StatusInternalServerError, "status")
		w.want(w.get(authorizePath()).Status, http.StatusInternalServerError, "status of a page")
	}
	tests[bench.FaultRateLimited] = func(w *world) {
		p := w.get("/openApi/chargebacks")
		w.want(p.Status, http.StatusTooManyRequests, "status")
		w.want(p.Header.Get("Retry-After"), "30", "Retry-After")
	}
	tests[bench.FaultHTML] = func(w *world) {
		p := w.get("/openApi/chargebacks")
		w.want(p.Status == http.StatusOK && strings.HasPrefix(p.Body, "<!DOCTYPE html>"), true, "a page")
	}
	tests[bench.FaultTruncated] = func(w *world) {
		code := w.code()
		p := w.read(http.PostForm(w.url+"/oauth/token", tokenForm(code)))
		w.want(p.Status == http.StatusOK && !json.Valid([]byte(p.Body)) && p.Body != "", true, "half an answer")
		w.want(w.last().Outcome, bench.OutcomeIssued, "the code is spent")
	}
	tests[bench.FaultHuge] = func(w *world) {
		p := w.get("/openApi/chargebacks")
		w.want(len(p.Body) > 16<<20 && json.Valid([]byte(p.Body)), true, "more than 16 MiB of JSON")
	}
	tests[bench.FaultGzipBomb] = gzipBombTest
	tests[bench.FaultNotSuccess] = func(w *world) {
		p := w.get("/openApi/chargebacks")
		a := w.decode(p)
		w.want(p.Status == http.StatusOK && a.Success != nil && !*a.Success, true, "success=false in 200")
	}
	tests[bench.FaultElsewhere] = func(w *world) {
		p := w.reading("/openApi/chargebacks", "x", nil)
		w.want(p.Status, http.StatusFound, "status")
		u, err := url.Parse(p.Header.Get("Location"))
		w.want(err == nil && u.Hostname() == "localhost", true, "another host name")
		w.get("/_elsewhere")
		w.want(w.last().Outcome, "followed_redirect", "who follows is written down")
	}
	skew := func(minutes int) func(*world) {
		return func(w *world) {
			p := w.reading("/openApi/chargebacks", w.access(), nil)
			w.want(w.decode(p).Result.Code, "40006", "an honest client")
			date, err := http.ParseTime(p.Header.Get("Date"))
			w.want(err == nil && date.Equal(noon().Add(time.Duration(minutes)*time.Minute)), true, "Date header")
		}
	}
	tests[bench.FaultClockAhead], tests[bench.FaultClockBehind] = skew(40), skew(-40)
}

func gzipBombTest(w *world) {
	if err := w.sim.Board.Set(bench.Rule{Name: bench.FaultGzipBomb, Value: 8}); err != nil {
		w.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodGet, w.url+"/openApi/chargebacks", nil)
	if err != nil {
		w.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity") // so that the transport unpacks nothing
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	packed := &counter{from: res.Body}
	zip, err := gzip.NewReader(packed)
	if err != nil {
		w.Fatal(err)
	}
	n, err := io.Copy(io.Discard, io.LimitReader(zip, 9<<20))
	w.want(err == nil && n > 8<<20 && packed.n < 1<<17, true, "small packed, enormous unpacked")
}

type counter struct {
	from io.Reader
	n    int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += n
	return n, err
}

// refusedCode walks the whole way and expects the code to be refused.
func (w *world) refusedCode(outcome string) {
	w.Helper()
	_, a := w.exchange(tokenForm(w.code()))
	w.want(a.Error, "invalid_grant", "error")
	w.want(w.last().Outcome, outcome, "outcome")
}

func TestFaults_NextCallsAndStages(t *testing.T) {
	w := newWorld(t)
	token := w.access()
	if err := w.sim.Board.Set(bench.Rule{Name: bench.FaultServerError, Times: 2, Stages: []bench.Stage{bench.Read}}); err != nil {
		t.Fatal(err)
	}
	w.want(w.get(authorizePath()).Status, http.StatusOK, "a stage it is not limited to")
	for _, status := range []int{500, 500, 200} {
		w.want(w.reading("/openApi/chargebacks", token, nil).Status, status, "read")
	}
	w.want(len(w.sim.Board.Active()), 0, "faults still on")
}

func TestLedger_HoldsNoSecret(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	_, a := w.exchange(tokenForm(code))
	w.reading("/openApi/chargebacks", a.AccessToken, nil)
	w.get("/oauth/token?" + tokenForm("CANARYCODE").Encode())
	body := w.get("/_control/calls").Body + w.get("/_faults").Body
	for _, hidden := range []string{code, secret, a.AccessToken, a.RefreshToken, "CANARYCODE", "asiabill-10231", "state-1"} {
		w.want(strings.Contains(body, hidden), false, "the ledger tells "+hidden)
	}
	w.want(strings.Contains(body, bench.Fingerprint(code)), true, "the code's fingerprint")
}

func TestControl_Registrations(t *testing.T) {
	w := newWorld(t)
	post := func(body string) page {
		return w.read(http.Post(w.url+"/_control/registrations", "application/json", strings.NewReader(body)))
	}
	p := post(`{"client_id":"run-time","redirect_uri":"http://localhost:9000/cb","name":"Run time"}`)
	w.want(p.Status, http.StatusCreated, "status")
	var made Registration
	if err := json.Unmarshal([]byte(p.Body), &made); err != nil || made.ClientSecret == "" {
		t.Errorf("no secret made: %v %s", err, p.Body)
	}
	login := w.get("/oauth/authorize?response_type=code&client_id=run-time")
	w.want(strings.Contains(login.Body, "Run time"), true, "the new client is known")
	for name, body := range map[string]string{
		"http elsewhere": `{"client_id":"a","redirect_uri":"http://app.example/cb","name":"A"}`,
		"relative":       `{"client_id":"a","redirect_uri":"/cb","name":"A"}`,
		"fragment":       `{"client_id":"a","redirect_uri":"https://app.example/cb#x","name":"A"}`,
		"script":         `{"client_id":"a","redirect_uri":"javascript:alert(1)","name":"A"}`,
		"no name":        `{"client_id":"a","redirect_uri":"https://app.example/cb"}`,
		"no client_id":   `{"redirect_uri":"https://app.example/cb","name":"A"}`,
		"unknown field":  `{"client_id":"a","redirect_uri":"https://app.example/cb","name":"A","scope":"all"}`,
	} {
		w.want(post(body).Status, http.StatusUnprocessableEntity, name)
	}
}

package redemption

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The vectors of the documents: the exact bytes, with & as it is.
func TestSign_Vectors(t *testing.T) {
	body := []byte(`{"merchantId":"m1","businessId":"b1","serialNo":"s1","userId":"u1","callbackUrl":"https://app.example/cb?x=1&y=2"}`)
	headers := map[string]string{"businessId": "b1", "nonce": "n1", "signType": MD5, "timestamp": "1628772138668", "sign": "is not signed"}
	signed := text(headers, body)
	if !strings.HasPrefix(string(signed), `businessId=b1&nonce=n1&signType=MD5&timestamp=1628772138668{"merchantId"`) {
		t.Errorf("signed %s", signed)
	}
	if got := md5Sign(signed, "key_1"); got != "9A739058501785E76673D1C35B0D4956" {
		t.Errorf("with signType: %s", got)
	}
	headers["signType"] = ""
	if got := md5Sign(text(headers, body), "key_1"); got != "BD214EA8F9DDEFF9026D3F2BF850BBBC" {
		t.Errorf("without signType: %s", got)
	}
}

func TestCalls_EveryRule(t *testing.T) {
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = []string{value} }
	}
	rename := func(from, to string) func(*http.Request) {
		return func(r *http.Request) {
			value := r.Header[from]
			delete(r.Header, from)
			r.Header[to] = value
		}
	}
	stamp := func(off time.Duration) func(map[string]string) {
		return func(h map[string]string) { h["timestamp"] = strconv.FormatInt(noon().Add(off).UnixMilli(), 10) }
	}
	set := func(name, value string) func(map[string]string) {
		return func(h map[string]string) { h[name] = value }
	}
	for name, c := range map[string]struct {
		change  func(*request)
		status  int
		outcome string
	}{
		"as documented":            {func(*request) {}, 0, "link_issued"},
		"without signType":         {func(q *request) { q.before = set("signType", "") }, 0, "link_issued"},
		"without callbackUrl":      {func(q *request) { q.body = linkBody() }, 0, "link_issued"},
		"both names of the user":   {func(q *request) { q.body = linkBody("thirdAccount", "u-1") }, 0, "link_issued"},
		"GET":                      {func(q *request) { q.method = http.MethodGet }, 4, "method_refused"},
		"form":                     {func(q *request) { q.after = header("Content-Type", "application/x-www-form-urlencoded") }, 1, "wrong_content_type"},
		"another charset":          {func(q *request) { q.after = header("Content-Type", "application/json; charset=gbk") }, 1, "wrong_content_type"},
		"a query":                  {func(q *request) { q.path += "?a=b" }, 1, "parameters_in_query"},
		"canonical letters":        {func(q *request) { q.after = rename("businessId", "Businessid") }, 3, "header_letters"},
		"small letters":            {func(q *request) { q.after = rename("signType", "signtype") }, 3, "header_letters"},
		"canonical Nonce":          {func(q *request) { q.after = rename("nonce", "Nonce") }, 3, "header_letters"},
		"canonical Sign":           {func(q *request) { q.after = rename("sign", "Sign") }, 3, "header_letters"},
		"both letters":             {func(q *request) { q.after = header("Nonce", "n1") }, 1, "header_twice"},
		"no nonce":                 {func(q *request) { q.before = set("nonce", "-") }, 3, "missing_header"},
		"empty sign":               {func(q *request) { q.after = header("sign", "") }, 3, "missing_header"},
		"unknown business":         {func(q *request) { q.business = "1" }, 7, "unknown_business"},
		"unknown signType":         {func(q *request) { q.before = set("signType", "sha256-rsa") }, 2, "unknown_sign_type"},
		"MD5 without a key":        {func(q *request) { q.md5 = "lantern-and-leaf-5f2c7d" }, 2, "wrong_signature"},
		"another body":             {func(q *request) { q.after = func(r *http.Request) { swap(r, linkBody("userId", "u-2")) } }, 2, "wrong_signature"},
		"the same body, spaced":    {func(q *request) { q.after = func(r *http.Request) { swap(r, " "+q.body) } }, 2, "wrong_signature"},
		"hex for Base64":           {func(q *request) { q.after = header("sign", "AB12") }, 2, "wrong_signature"},
		"signType not signed":      {func(q *request) { q.before = set("signType", ""); q.after = header("signType", SHA256RSA) }, 2, "wrong_signature"},
		"five minutes late":        {func(q *request) { q.before = stamp(-5 * time.Minute) }, 0, "link_issued"},
		"a little later":           {func(q *request) { q.before = stamp(-5*time.Minute - time.Millisecond) }, 5, "timestamp_out_of_range"},
		"too early":                {func(q *request) { q.before = stamp(6 * time.Minute) }, 5, "timestamp_out_of_range"},
		"seconds":                  {func(q *request) { q.before = set("timestamp", "1773633600") }, 3, "timestamp_malformed"},
		"a nonce without end":      {func(q *request) { q.before = set("nonce", strings.Repeat("n", 65)) }, 3, "nonce_malformed"},
		"no serialNo":              {func(q *request) { q.body = linkBody("serialNo", "") }, 3, "missing_serialNo"},
		"no userId":                {func(q *request) { q.body = linkBody("userId", "") }, 3, "missing_userId"},
		"thirdAccount alone":       {func(q *request) { q.body = linkBody("userId", "", "thirdAccount", "u-1") }, 3, "missing_userId"},
		"other letters in a field": {func(q *request) { q.body = linkBody("serialNo", "", "serialno", "S1") }, 1, "unknown_field"},
		"a field nobody knows":     {func(q *request) { q.body = linkBody("scope", "all") }, 1, "unknown_field"},
		"a number for a text":      {func(q *request) { q.body = strings.Replace(q.body, `"S1"`, `1`, 1) }, 1, "wrong_body"},
		"a field twice":            {func(q *request) { q.body = strings.Replace(q.body, "{", `{"userId":"u-2",`, 1) }, 1, "wrong_body"},
		"two values":               {func(q *request) { q.body += "{}" }, 1, "wrong_body"},
		"no JSON":                  {func(q *request) { q.body = "a=b" }, 1, "wrong_body"},
		"another's businessId":     {func(q *request) { q.body = linkBody("businessId", "820260101002") }, 7, "business_differs"},
		"another's merchantId":     {func(q *request) { q.body = linkBody("merchantId", "M10086022") }, 7, "merchant_differs"},
		"a callback on http":       {func(q *request) { q.body = linkBody("callbackUrl", "http://app.example/cb") }, 1, "callback_refused"},
		"a callback that is none":  {func(q *request) { q.body = linkBody("callbackUrl", "javascript:alert(1)") }, 1, "callback_refused"},
	} {
		w := newWorld(t)
		q := w.linkCall()
		c.change(&q)
		if got := w.status(q); got != c.status || w.last().Outcome != c.outcome {
			t.Errorf("%s: status %d, outcome %s; want %d, %s", name, got, w.last().Outcome, c.status, c.outcome)
		}
	}
}

// swap exchanges the body after it was signed.
func swap(r *http.Request, body string) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
}

func TestCalls_MD5(t *testing.T) {
	w := newWorld(t)
	q := request{path: linkPath, business: "820260101002", md5: "lantern-and-leaf-5f2c7d", body: linkBody("businessId", "820260101002", "merchantId", "M10086022")}
	w.want(w.status(q), 0, "as documented")
	q.after = func(r *http.Request) { r.Header["sign"] = []string{strings.ToLower(r.Header["sign"][0])} }
	w.want(w.status(q), 2, "lower hex")
	q.after, q.md5 = nil, "another"
	w.want(w.status(q), 2, "another key")
	q.md5 = ""
	w.want(w.status(q), 2, "RSA without a key here")
}

func TestCalls_NonceAndSerialWorkOnce(t *testing.T) {
	w := newWorld(t)
	same := func(h map[string]string) { h["nonce"] = "again" }
	q := balanceCall()
	q.before = same
	spoilt := q
	spoilt.after = func(r *http.Request) { r.Header["sign"] = []string{"AAAA"} }
	w.want(w.status(spoilt), 2, "a nonce that was not truly signed")
	w.want(w.status(q), 0, "first")
	w.want(w.status(q), 6, "second")
	w.sim.Clock.Shift(nonceLife + time.Second)
	w.want(w.status(q), 0, "long after")

	w.want(w.status(w.linkCall()), 0, "first serialNo")
	w.want(w.status(w.linkCall()), 8, "second serialNo")
	md5 := request{path: linkPath, business: "820260101002", md5: "lantern-and-leaf-5f2c7d", body: linkBody("businessId", "820260101002", "merchantId", "M10086022")}
	w.want(w.status(md5), 8, "another merchant's serialNo")
}

func TestBalance(t *testing.T) {
	w := newWorld(t)
	p := w.send(balanceCall())
	w.want(p.Body, `{"status":0,"message":"success","data":{"merchantId":"M10086021","businessId":"820260101001","creditLine":50000.00,"amount":128447.55}}`+"\n", "answer")
	for fen, want := range map[int64]string{0: "0.00", 5: "0.05", -845510: "-8455.10", 100: "1.00"} {
		w.want(yuan(fen).String(), want, "yuan")
	}
	q := request{path: balancePath, business: "820260101003", body: fieldsOf("merchantId", "M10086023", "businessId", "820260101003")}
	w.want(strings.HasPrefix(fmt.Sprint(w.decode(w.send(q)).Data["amount"]), "-"), true, "a merchant below zero")
	q.md5 = "qinghe-life-0b81e6"
	w.want(w.status(q), 0, "the same by MD5")
}

func TestAddressesThatNobodyDocumented(t *testing.T) {
	w := newWorld(t)
	p := w.get("/v1/openapi/order")
	w.want(p.Status, http.StatusNotFound, "HTTP status")
	w.want(*w.decode(p).Status, 4, "status")
}

// A kept connection brings many requests, in pieces and with bodies that look like heads.
func TestWire_FollowsAConnection(t *testing.T) {
	w := newWorld(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	from := bufio.NewReader(conn)
	bodies := []string{"", "POST / HTTP/1.1\r\nbusinessId: x\r\n\r\n", "abc"}
	for i, body := range bodies {
		name := "businessId"
		if i == 1 {
			name = "Businessid"
		}
		all := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s: b\r\nContent-Length: %d\r\n\r\n%s", balancePath, name, len(body), body)
		for _, piece := range []string{all[:7], all[7:60], all[60 : len(all)-2], all[len(all)-2:]} {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		res, err := http.ReadResponse(from, nil)
		p := read(t, res, err)
		detail := map[bool]string{true: "businessId", false: "nonce"}[i == 1]
		if !strings.Contains(p.Body, detail) {
			t.Errorf("request %d: %s", i, p.Body)
		}
	}
	// A body without a length ends the connection: nobody could tell where the next head begins.
	_, err = io.WriteString(conn, "POST "+balancePath+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(from, nil)
	read(t, res, err)
	w.want(res.Close, true, "closed after a chunked body")
}

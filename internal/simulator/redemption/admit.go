package redemption

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// The documents name neither the window of timestamp nor how long a nonce is remembered.
const (
	timeWindow = 5 * time.Minute
	nonceLife  = 2 * timeWindow
	nonceMax   = 64
)

// The documented statuses.
const (
	statusOK        = 0
	statusFailed    = 1
	statusSignature = 2
	statusMissing   = 3
	statusNoMethod  = 4
	statusTooOld    = 5
	statusNonce     = 6
	statusNotFound  = 7
	statusSerial    = 8
	statusIP        = 10
)

// statusText is the documents' table.
func statusText(status int) string {
	texts := map[int]string{
		statusOK: "success", statusFailed: "失败", statusSignature: "验签失败", statusMissing: "请求参数缺失", statusNoMethod: "没有对应的接口方法",
		statusTooOld: "接口请求时间超长", statusNonce: "nonce重复", statusNotFound: "资源不存在", statusSerial: "单号重复", 9: "余额不足",
		statusIP: "IP校验不通过", 11: "库存不足", 98: "订单异常", 99: "数据异常",
	}
	if text, ok := texts[status]; ok {
		return text
	}
	return "未知状态"
}

// reply is the documented envelope.
type reply struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// refusal is why a call is not honoured. Its zero value is no refusal. The verdict is in the body: the HTTP status of a
// documented refusal is 200.
type refusal struct {
	outcome string
	status  int
	detail  string
	http    int
}

func (r refusal) refused() bool { return r.outcome != "" }

func refuseWith(code, status int, detail string) bench.Answer {
	message := statusText(status)
	if detail != "" {
		message += "：" + detail
	}
	return bench.JSON(code, reply{Status: status, Message: message})
}

// refuse answers a refusal. The documents show one that carries data all the same.
func refuse(c *bench.Call, r refusal) bench.Answer {
	c.Outcome(r.outcome)
	code := r.http
	if code == 0 {
		code = http.StatusOK
	}
	return refuseWith(code, r.status, r.detail)
}

// admit applies every rule that all calls share: method, form, headers, signature, time, nonce, fields, in this order.
// A nonce counts as used only by a call that was truly signed.
func (s *Simulator) admit(c *bench.Call, required, optional []string) (merchant, map[string]string, refusal) {
	if c.Request.Method != http.MethodPost {
		return merchant{}, nil, refusal{"method_refused", statusNoMethod, "POST", http.StatusMethodNotAllowed}
	}
	if no := checkForm(c.Request); no.refused() {
		return merchant{}, nil, no
	}
	headers, no := readHeaders(headIn(c.Request.Context()))
	if no.refused() {
		return merchant{}, nil, no
	}
	c.Client(headers["businessId"])
	m, known := s.business(headers["businessId"])
	if !known {
		return merchant{}, nil, refusal{"unknown_business", statusNotFound, "businessId", 0}
	}
	if !s.authentic(m, headers["signType"], headers["sign"], text(headers, c.Body)) {
		return merchant{}, nil, refusal{"wrong_signature", statusSignature, "", 0}
	}
	if _, on := c.Fault(faultIP); on {
		return merchant{}, nil, refusal{"address_refused", statusIP, "", 0}
	}
	if no := s.inTime(c, headers); no.refused() {
		return merchant{}, nil, no
	}
	fields, no := readFields(c.Body, required, optional)
	if no.refused() {
		return merchant{}, nil, no
	}
	c.Account(fields["merchantId"])
	switch {
	case fields["businessId"] != m.BusinessID:
		return merchant{}, nil, refusal{"business_differs", statusNotFound, "businessId", 0}
	case fields["merchantId"] != m.MerchantID:
		return merchant{}, nil, refusal{"merchant_differs", statusNotFound, "merchantId", 0}
	}
	return m, fields, refusal{}
}

func checkForm(r *http.Request) refusal {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return refusal{"wrong_content_type", statusFailed, "Content-Type", http.StatusUnsupportedMediaType}
	}
	if r.URL.RawQuery != "" {
		return refusal{"parameters_in_query", statusFailed, "query", 0}
	}
	return refusal{}
}

// readHeaders reads the headers by the exact letters of their names; each may be there once. signType may be left out.
func readHeaders(h head) (map[string]string, refusal) {
	headers := map[string]string{}
	for _, name := range []string{"businessId", "nonce", "timestamp", "signType", "sign"} {
		exact, loose := h.values(name)
		switch {
		case loose == 0 && name == "signType":
			continue
		case loose == 0:
			return nil, refusal{"missing_header", statusMissing, name, 0}
		case len(exact) == 0:
			return nil, refusal{"header_letters", statusMissing, name, 0}
		case loose > 1:
			return nil, refusal{"header_twice", statusFailed, name, 0}
		case exact[0] == "" && name != "signType":
			return nil, refusal{"missing_header", statusMissing, name, 0}
		}
		headers[name] = exact[0]
	}
	if kind := headers["signType"]; kind != "" && kind != MD5 && kind != SHA256RSA {
		return nil, refusal{"unknown_sign_type", statusSignature, "signType", 0}
	}
	return headers, refusal{}
}

// inTime checks timestamp and nonce, in that order.
func (s *Simulator) inTime(c *bench.Call, headers map[string]string) refusal {
	stamp, nonce := headers["timestamp"], headers["nonce"]
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(stamp) != 13 || ms < 0 {
		return refusal{"timestamp_malformed", statusMissing, "timestamp", 0}
	}
	if c.Now.Sub(time.UnixMilli(ms)).Abs() > timeWindow {
		return refusal{"timestamp_out_of_range", statusTooOld, "", 0}
	}
	if len(nonce) > nonceMax || !visible(nonce) {
		return refusal{"nonce_malformed", statusMissing, "nonce", 0}
	}
	c.RequestID(nonce)
	if s.seen(headers["businessId"]+" "+nonce, c.Now) {
		return refusal{"nonce_replayed", statusNonce, "", 0}
	}
	return refusal{}
}

// seen remembers a nonce and says whether it was there already.
func (s *Simulator) seen(nonce string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, then := range s.nonces {
		if now.Sub(then).Abs() >= nonceLife {
			delete(s.nonces, old)
		}
	}
	if _, used := s.nonces[nonce]; used {
		return true
	}
	s.nonces[nonce] = now
	return false
}

var errShape = errors.New("the body is not one flat object of texts")

// readFields reads the body: one object, every value a text, every name known and given once, in its exact letters.
func readFields(body []byte, required, optional []string) (map[string]string, refusal) {
	fields, err := flat(body)
	if err != nil {
		return nil, refusal{"wrong_body", statusFailed, "JSON", 0}
	}
	for name := range fields {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			return nil, refusal{"unknown_field", statusFailed, name, 0}
		}
	}
	for _, name := range required {
		if fields[name] == "" {
			return nil, refusal{"missing_" + name, statusMissing, name, 0}
		}
	}
	return fields, refusal{}
}

func flat(body []byte) (map[string]string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errShape
	}
	fields := map[string]string{}
	for d.More() {
		name, err := textToken(d)
		if err != nil {
			return nil, err
		}
		value, err := textToken(d)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice {
			return nil, errShape
		}
		fields[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errShape
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errShape
	}
	return fields, nil
}

func textToken(d *json.Decoder) (string, error) {
	token, err := d.Token()
	text, ok := token.(string)
	if err != nil || !ok {
		return "", errShape
	}
	return text, nil
}

// visible says whether a text is one run of visible ASCII characters.
func visible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

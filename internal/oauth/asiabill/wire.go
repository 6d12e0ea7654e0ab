package asiabill

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var errAmount = errors.New("an amount is missing or not a number")

// text is a value that may come as a string, a number or a truth value; a number keeps its digits.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return errAnswer
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return errAnswer
		}
		*t = text(strings.TrimSpace(s))
	case string(b) != "null":
		*t = text(b)
	}
	return nil
}

// seconds is a lifetime.
type seconds struct{ text }

// after gives the end of a lifetime that begins now: none where it is absent, not a number, not positive or absurd.
func (s seconds) after(now time.Time) time.Time {
	n, err := strconv.ParseFloat(string(s.text), 64)
	if err != nil || math.IsNaN(n) || n <= 0 || n > longestLife.Seconds() {
		return time.Time{}
	}
	return now.Add(time.Duration(n * float64(time.Second)))
}

type tokenWire struct {
	AccessToken      string  `json:"access_token"`
	RefreshToken     string  `json:"refresh_token"`
	ExpiresIn        seconds `json:"expires_in"`
	RefreshExpiresIn seconds `json:"refresh_expires_in"`
}

// reply is an answer's envelope, whichever of its shapes it came in.
type reply struct {
	code    string
	problem string // OAuth's own error word
	denied  bool   // success is said to be false
	message string // for sorting only; never shown, never logged
	data    json.RawMessage
}

type envelopeWire struct {
	Code    text            `json:"code"`
	Message text            `json:"message"`
	Success text            `json:"success"`
	Error   text            `json:"error"`
	Detail  text            `json:"error_description"`
	Data    json.RawMessage `json:"data"`
	Result  json.RawMessage `json:"result"`
}

// parse reads {code, message, data}, alone or under result. It says no where the body is not a JSON object.
func parse(body []byte) (reply, bool) {
	var top envelopeWire
	if err := outbound.DecodeJSON(body, &top); err != nil {
		return reply{}, false
	}
	r := top.reply()
	var inner envelopeWire
	if outbound.DecodeJSON(top.Result, &inner) != nil {
		return r, true // no result, or one that is a mere word
	}
	deep := inner.reply()
	if r.code == "" || accepted(r.code) {
		r.code = cmp.Or(deep.code, r.code) // a refusal on either level is one
	}
	r.problem, r.message = cmp.Or(r.problem, deep.problem), r.message+" "+deep.message
	r.denied = r.denied || deep.denied
	if deep.data != nil {
		r.data = deep.data
	}
	return r, true
}

func (w envelopeWire) reply() reply {
	return reply{
		code: string(w.Code), problem: string(w.Error), denied: strings.EqualFold(string(w.Success), "false"),
		message: strings.ToLower(string(w.Message) + " " + string(w.Detail)), data: w.Data,
	}
}

// accepted says whether a code is the documented success. The documents' code tests 00000, their sample 0000.
func accepted(code string) bool { return code == "00000" || code == "0000" }

func (r reply) accepted() bool { return accepted(r.code) && !r.denied && r.problem == "" }

func (r reply) refused() bool {
	return r.denied || r.problem != "" || (r.code != "" && !accepted(r.code))
}

// name is what the refusal calls itself: OAuth's word, else the provider's code.
func (r reply) name() string {
	if accepted(r.code) {
		return r.problem
	}
	return cmp.Or(r.problem, r.code)
}

func (r reply) names(words ...string) bool {
	for _, w := range words {
		if strings.Contains(r.message, w) {
			return true
		}
	}
	return false
}

// namesTime says whether the message is about request-time: not about a token's time, nor about the window asked for.
func (r reply) namesTime() bool {
	if r.names("request-time", "request_time", "requesttime", "request time", "请求时间") {
		return true
	}
	return r.names("timestamp", "时间戳", "时间") && !r.names("token", "授权", "starttime", "endtime", "开始", "结束", "超时")
}

// listOf reads {page: {total, list}}.
func listOf(data json.RawMessage) (rows []row, total int, err error) {
	var d struct {
		Page *struct {
			Total text  `json:"total"`
			List  []row `json:"list"`
		} `json:"page"`
	}
	if outbound.DecodeJSON(data, &d) != nil || d.Page == nil {
		return nil, 0, errAnswer
	}
	total, err = strconv.Atoi(string(d.Page.Total))
	if err != nil {
		total = len(d.Page.List) // it does not say
	}
	return d.Page.List, total, nil
}

// row is one entry of a list. Its fields are not documented for this product; those of the neighbour's lists and events
// are looked for by all their names.
type row map[string]json.RawMessage

// text gives the first of the named fields that holds something.
func (r row) text(names ...string) string {
	for _, name := range names {
		var t text
		if err := t.UnmarshalJSON(bytes.TrimSpace(r[name])); err == nil && t != "" {
			return string(t)
		}
	}
	return ""
}

// owner is the merchant number that the row belongs to: the first five digits of its eight-digit gateway.
func (r row) owner() string {
	if gateway := r.text("gatewayNo"); digits(gateway, 8) {
		return gateway[:5]
	}
	return ""
}

func (r row) entry(kind string, zone *time.Location) (oauth.FlowEntry, error) {
	e := oauth.FlowEntry{
		Kind: kind, OrderNo: r.text("orderNo"), Gateway: r.text("gatewayNo"),
		Status: strings.ToLower(r.text("chargebackStatus", "orderStatus", "tradeStatus", "status")),
	}
	var err error
	if kind == "chargeback" {
		e.ID = r.text("batchNo", "chargebackNo", "tradeNo", "orderNo")
		e.Reason = r.text("reason", "chargebackReason")
		e.OccurredAt = instant(r.text("noticeDate", "chargebackDate", "chargebackTime", "createTime"), zone)
		e.Amount, err = r.money("chargebackAmount", "amount", "orderAmount", "tradeAmount")
		return e, err
	}
	e.ID = r.text("tradeNo", "orderNo")
	e.OccurredAt = instant(r.text("tradeDate", "tradeTime", "transactionTime", "orderTime", "createTime"), zone)
	e.Amount, err = r.money("orderAmount", "tradeAmount", "amount")
	return e, err
}

// money reads the first amount that is there, with the currency of the same name. No amount is no entry: a zero that
// nobody sent would be a lie.
func (r row) money(names ...string) (oauth.Money, error) {
	for _, name := range names {
		value := r.text(name)
		if value == "" {
			continue
		}
		amount, err := exact(value)
		currency := r.text(strings.NewReplacer("Amount", "Currency", "amount", "currency").Replace(name), "currency")
		return oauth.Money{Amount: amount, Currency: strings.ToUpper(currency)}, err
	}
	return oauth.Money{}, errAmount
}

// exact reads an amount. A few characters can name a number of a billion digits, and the first sum would write them
// out: such a one is refused unseen.
func exact(value string) (decimal.Decimal, error) {
	if len(value) > 40 {
		return decimal.Decimal{}, errAmount
	}
	d, err := decimal.NewFromString(value)
	if err != nil || d.Exponent() > 30 || d.Exponent() < -30 {
		return decimal.Decimal{}, errAmount
	}
	return d, nil
}

// instant reads a time that tells no zone in the provider's; one that cannot be read is no time.
func instant(value string, zone *time.Location) time.Time {
	for _, layout := range []string{timeLayout, time.DateTime, "2006-01-02T15:04:05.999", time.RFC3339Nano, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, zone); err == nil {
			return at.UTC()
		}
	}
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil && digits(value, 13) {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

// headerSafe says whether a token can stand in a header: visible ASCII, and not without end.
func headerSafe(token string) bool {
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return token != "" && len(token) <= 8<<10
}

func success(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

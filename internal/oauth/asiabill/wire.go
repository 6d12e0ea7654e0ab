package asiabill

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var errAmount = errors.New("an amount is missing or not a number")

// seconds is a lifetime.
type seconds struct{ outbound.Text }

// after gives the end of a lifetime that begins now: none where it is absent, not a number, not positive or absurd.
func (s seconds) after(now time.Time) time.Time {
	n, err := strconv.ParseFloat(string(s.Text), 64)
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
	Code    outbound.Text   `json:"code"`
	Message outbound.Text   `json:"message"`
	Success outbound.Text   `json:"success"`
	Error   outbound.Text   `json:"error"`
	Detail  outbound.Text   `json:"error_description"`
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
func listOf(data json.RawMessage) (rows []outbound.Object, total int, err error) {
	var d struct {
		Page *struct {
			Total outbound.Text     `json:"total"`
			List  []outbound.Object `json:"list"`
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

// ownerOf is the merchant number that a row belongs to: the first five digits of its eight-digit gateway.
func ownerOf(r outbound.Object) string {
	if gateway := r.Text("gatewayNo"); digits(gateway, 8) {
		return gateway[:5]
	}
	return ""
}

// entry reads a row of a list. Its fields are not documented for this product; those of the neighbour's lists and events
// are looked for by all their names.
func entry(r outbound.Object, kind string, zone *time.Location) (oauth.FlowEntry, error) {
	e := oauth.FlowEntry{
		Kind: kind, OrderNo: r.Text("orderNo"), Gateway: r.Text("gatewayNo"),
		Status: strings.ToLower(r.Text("chargebackStatus", "orderStatus", "tradeStatus", "status")),
	}
	var err error
	if kind == "chargeback" {
		e.ID = r.Text("batchNo", "chargebackNo", "tradeNo", "orderNo")
		e.Reason = r.Text("reason", "chargebackReason")
		e.OccurredAt = instant(r.Text("noticeDate", "chargebackDate", "chargebackTime", "createTime"), zone)
		e.Amount, err = money(r, "chargebackAmount", "amount", "orderAmount", "tradeAmount")
		return e, err
	}
	e.ID = r.Text("tradeNo", "orderNo")
	e.OccurredAt = instant(r.Text("tradeDate", "tradeTime", "transactionTime", "orderTime", "createTime"), zone)
	e.Amount, err = money(r, "orderAmount", "tradeAmount", "amount")
	return e, err
}

// money reads the first amount that is there, with the currency of the same name. No amount is no entry: a zero that
// nobody sent would be a lie.
func money(r outbound.Object, names ...string) (oauth.Money, error) {
	for _, name := range names {
		value := r.Text(name)
		if value == "" {
			continue
		}
		amount, ok := outbound.Exact(value)
		if !ok {
			return oauth.Money{}, errAmount
		}
		currency := r.Text(strings.NewReplacer("Amount", "Currency", "amount", "currency").Replace(name), "currency")
		return oauth.Money{Amount: amount, Currency: strings.ToUpper(currency)}, nil
	}
	return oauth.Money{}, errAmount
}

// instant reads a time that tells no zone in the provider's, or thirteen digits of milliseconds; one that cannot be read
// is no time.
func instant(value string, zone *time.Location) time.Time {
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil && digits(value, 13) {
		return time.UnixMilli(ms).UTC()
	}
	return outbound.Instant(value, zone)
}

func digits(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789") == ""
}

func success(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

package asiabill

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// The header rules.
const (
	requestIDMax  = 20
	requestWindow = 30 * time.Minute
	timeLayout    = "2006-01-02T15:04:05"
)

// listing is the documented page object.
type listing[T any] struct {
	Total     int `json:"total"`
	PageSize  int `json:"pageSize"`
	PageIndex int `json:"pageIndex"`
	List      []T `json:"list"`
}

// paged is the documented data object.
type paged[T any] struct {
	Page listing[T] `json:"page"`
}

// chargebacks handles "GET /openApi/chargebacks".
func (s *Simulator) chargebacks(c *bench.Call) bench.Answer {
	m, f, no := s.admit(c)
	if no != nil {
		return *no
	}
	return answerList(c, f, m.chargebacks(s.Clock.Now()))
}

// transactions handles "GET /openApi/transactions".
func (s *Simulator) transactions(c *bench.Call) bench.Answer {
	m, f, no := s.admit(c, "uploadGoodsFlag", "uploadLogisticsFlag")
	if no != nil {
		return *no
	}
	return answerList(c, f, m.transactions(s.Clock.Now()))
}

// record is a row that can be filtered.
type record interface {
	matches(f filter) bool
}

func answerList[T record](c *bench.Call, f filter, rows []T) bench.Answer {
	rows = slices.DeleteFunc(rows, func(row T) bool { return !row.matches(f) })
	from := min((f.Index-1)*f.Size, len(rows))
	part := rows[from:min(from+f.Size, len(rows))]
	c.Outcome("listed")
	return wrapRead(c, http.StatusOK, "00000", "success", paged[T]{listing[T]{len(rows), f.Size, f.Index, slices.Concat([]T{}, part)}})
}

// admit applies every rule that all reads share: method, token, headers, parameters, in this order.
func (s *Simulator) admit(c *bench.Call, extra ...string) (merchant, filter, *bench.Answer) {
	if c.Request.Method != http.MethodGet {
		return refuseRead(c, http.StatusMethodNotAllowed, "method_refused", "40500", "请求方法不支持 (method not allowed)")
	}
	if no := s.checkHeaders(c); no != nil {
		return merchant{}, filter{}, no
	}
	holder, ok := s.bearer(c)
	if !ok {
		return refuseRead(c, http.StatusUnauthorized, "token_refused", "40101", "access_token 无效 (the access token is not valid)")
	}
	c.Client(holder.ClientID)
	c.Account(holder.MerNo)
	if s.replayed(holder.ClientID+" "+c.Request.Header.Get("request-id"), c.Now) {
		return refuseRead(c, http.StatusBadRequest, "request_id_replayed", "40003", "request-id 在 30 分钟内重复 (request-id was seen within 30 minutes)")
	}
	m, ok := s.find(holder.MerNo)
	if !ok {
		return refuseRead(c, http.StatusForbidden, "merchant_gone", "40300", "商户不存在 (no such merchant)")
	}
	f, fault := parseFilter(c.Request.URL.RawQuery, m, s.Clock.Now(), extra)
	if fault != "" {
		return refuseRead(c, http.StatusBadRequest, "wrong_parameter", "40004", fault)
	}
	return m, f, nil
}

// checkHeaders checks the three headers' form. Each must be there exactly once.
func (s *Simulator) checkHeaders(c *bench.Call) *bench.Answer {
	refuse := func(outcome, code, message string) *bench.Answer {
		_, _, no := refuseRead(c, http.StatusBadRequest, outcome, code, message)
		return no
	}
	for _, name := range []string{"authorization", "request-id", "request-time"} {
		if got := c.Request.Header.Values(name); len(got) != 1 || got[0] == "" {
			return refuse("missing_header", "40001", "请求头 "+name+" 必须且只能出现一次 (header required exactly once)")
		}
	}
	id := c.Request.Header.Get("request-id")
	if len(id) > requestIDMax || !visible(id) {
		return refuse("request_id_malformed", "40002", "request-id 长度须为 1 到 20 个字符 (request-id must have 1 to 20 characters)")
	}
	c.RequestID(id)
	at, ok := s.requestTime(c)
	if !ok {
		return refuse("request_time_malformed", "40005", "request-time 格式须为 yyyy-MM-dd'T'HH:mm:ss (wrong form of request-time)")
	}
	if gap := c.Now.Sub(at); gap > requestWindow || gap < -requestWindow {
		return refuse("request_time_out_of_range", "40006", "request-time 与服务器时间相差超过 30 分钟 (request-time is more than 30 minutes off)")
	}
	return nil
}

// requestTime reads the header in the provider's zone, to the letter: Go alone would take a fraction as well.
func (s *Simulator) requestTime(c *bench.Call) (time.Time, bool) {
	in := zone()
	if _, on := c.Fault(variantRequestInUTC); on {
		in = time.UTC
	}
	text := c.Request.Header.Get("request-time")
	at, err := time.ParseInLocation(timeLayout, text, in)
	return at, err == nil && len(text) == len(timeLayout)
}

// bearer finds the token's holder.
func (s *Simulator) bearer(c *bench.Call) (token, bool) {
	if _, on := c.Fault(faultTokenDead); on {
		return token{}, false
	}
	access, ok := bearerValue(c.Request.Header.Get("authorization"))
	if !ok {
		return token{}, false
	}
	return s.holder(access)
}

// replayed remembers a request-id and says whether it was seen within the window.
func (s *Simulator) replayed(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, seen := s.seen[id]
	if seen && now.Sub(at).Abs() < requestWindow {
		return true
	}
	for old, then := range s.seen {
		if now.Sub(then).Abs() >= requestWindow {
			delete(s.seen, old)
		}
	}
	s.seen[id] = now
	return false
}

func refuseRead(c *bench.Call, status int, outcome, code, message string) (merchant, filter, *bench.Answer) {
	c.Outcome(outcome)
	a := wrapRead(c, status, code, message, nil)
	return merchant{}, filter{}, &a
}

// wrapRead puts an answer under result, as documented, or leaves that out.
func wrapRead(c *bench.Call, status int, code, message string, data any) bench.Answer {
	inner := plain{Code: code, Message: message, Data: data}
	if _, on := c.Fault(variantUnwrapped); on {
		return bench.JSON(status, inner)
	}
	return bench.JSON(status, wrapped{inner})
}

// visible says whether a text is one run of visible ASCII characters.
func visible(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// bearerValue takes the token out of the header, to the letter: one scheme, one space, one value.
func bearerValue(header string) (string, bool) {
	value, ok := strings.CutPrefix(header, "Bearer ")
	return value, ok && visible(value)
}

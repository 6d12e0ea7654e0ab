package redemption

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var (
	errAddress = errors.New("the address does not parse")
	errAnswer  = errors.New("the answer is not the documented one")
)

// skewed is a difference of the clocks beyond which they are to blame for a request that comes too late.
const skewed = time.Minute

// sent is what may be told of a request when its signature or its time is refused.
type sent struct {
	timestamp string
	length    int // of what was signed
}

// call signs and sends one request. The body is written once: the bytes that are signed are those that are sent.
func (p *Provider) call(ctx context.Context, m merchant, path string, content any) (oauth.Answer, sent, error) {
	body, err := outbound.EncodeJSON(content)
	if err != nil {
		return oauth.Answer{}, sent{}, errAddress // strings always encode
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.baseURL+path, bytes.NewReader(body))
	if err != nil {
		return oauth.Answer{}, sent{}, errAddress
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Accept", "application/json")
	s := signed{businessID: m.businessID, nonce: rand.Text(), signType: m.signType, timestamp: strconv.FormatInt(p.now().UnixMilli(), 10)}
	sign, err := m.sign(s, body)
	if err != nil {
		return oauth.Answer{}, sent{}, err
	}
	for name, value := range map[string]string{
		"businessId": s.businessID, "nonce": s.nonce, "timestamp": s.timestamp, "signType": s.signType, "sign": sign,
	} {
		req.Header[name] = []string{value} // past Set, which would change the letters
	}
	if p.forceHTTP1 {
		req = outbound.HTTP1(req)
	}
	answer, err := p.caller.Call(ctx, req)
	return answer, sent{s.timestamp, len(s.text(body))}, err
}

// reply is an answer's envelope. The verdict is its status; that there is data says nothing.
type reply struct {
	status  int
	told    bool // there is a status, and it is a number
	message string
	data    json.RawMessage
}

// parse reads {status, message, data}.
func parse(body []byte) reply {
	var w struct {
		Status  outbound.Text   `json:"status"`
		Message outbound.Text   `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := outbound.DecodeJSON(body, &w); err != nil {
		return reply{}
	}
	status, err := strconv.Atoi(string(w.Status))
	return reply{status: status, told: err == nil, message: strings.TrimSpace(string(w.Message)), data: w.Data}
}

func (r reply) accepted() bool { return r.told && r.status == 0 }

// code is the status as a refusal names it.
func (r reply) code() string {
	if !r.told {
		return ""
	}
	return strconv.Itoa(r.status)
}

// refused sorts a refusal: the status in the body first, then the HTTP status. once says that the call may have had an
// effect, and then what the documents mark "query or confirm by hand" must not be tried again.
func (p *Provider) refused(m merchant, out sent, answer oauth.Answer, r reply, once bool) *oauth.Error {
	e := p.refusal(oauth.Upstream, "", nil)
	e.RetryAfter = answer.RetryAfter
	switch {
	case r.told && r.status != 0:
		e.Code = r.code()
		if c, known := codeOf(e.Code); known && once {
			e.Kind = c.once()
		} else if known {
			e.Kind = c.kind
		}
		measure(e, m, out, answer)
	case answer.Status == http.StatusTooManyRequests:
		e.Kind = oauth.RateLimited
	case answer.Status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream
	case answer.Status == http.StatusNotFound, answer.Status == http.StatusMethodNotAllowed:
		e.Kind = oauth.AuthConfig // BASE_URL leads elsewhere
	case answer.Status == http.StatusUnauthorized, answer.Status == http.StatusForbidden:
		e.Kind = oauth.AuthConfig // the wall before the interface: it knows no codes
	case answer.Status >= http.StatusBadRequest:
		e.Kind = oauth.BadRequest
	default:
		e.Kind, e.Cause = oauth.BadResponse, errAnswer
	}
	return e
}

// measure adds what we know ourselves to a refusal of a signature or a time, and tells a late request from a wrong clock.
func measure(e *oauth.Error, m merchant, out sent, answer oauth.Answer) {
	if e.Code != codeSignature && e.Code != codeLate {
		return
	}
	if answer.Dated && e.Code == codeLate && answer.Skew.Abs() >= skewed {
		e.Kind = oauth.ClockSkew
	}
	e.Facts = []oauth.Fact{
		{Name: oauth.SentTime, Value: out.timestamp}, {Name: oauth.SentZone, Value: "ms, UTC"}, oauth.SkewFact(answer),
		{Name: oauth.Algorithm, Value: m.signType}, {Name: oauth.Length, Value: strconv.Itoa(out.length)},
	}
	if m.privateKey != nil {
		e.Facts = append(e.Facts, oauth.Fact{Name: oauth.OurKey, Value: oauth.Fingerprint(&m.privateKey.PublicKey)})
	}
}

package chainup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// The ways to write time. The documents' table says string, their demo sends a number of milliseconds, and a sample
// shows seconds.
const (
	msNumber = "ms_number"
	msString = "ms_string"
	sNumber  = "s_number"
)

var (
	errAddress = errors.New("the address does not parse")
	errRequest = errors.New("the request could not be made")
	errAnswer  = errors.New("the answer is not the documented one")
)

// call is one documented call.
type call struct {
	path string
	once bool   // has an effect: without an answer nobody knows whether it happened
	also string // a code that means success beside 0
}

// ask makes a call and gives the opened, verified text of its answer. The verdict is the body's code; the status counts
// only where there is none.
func (p *Provider) ask(ctx context.Context, c call, params any) ([]byte, error) {
	body, sent, err := p.request(params, p.now())
	if err != nil {
		return nil, p.refusal(oauth.AuthConfig, "", errRequest)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.baseURL+c.path, bytes.NewReader(body))
	if err != nil {
		return nil, p.refusal(oauth.AuthConfig, "", errAddress)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	answer, err := p.caller.Call(ctx, req)
	if err != nil && c.once {
		return nil, oauth.Unanswered(slug, err)
	}
	if err != nil {
		return nil, oauth.UnansweredRead(slug, err)
	}
	r, understood := parse(answer.Body)
	switch {
	case r.code == "":
		return nil, p.noVerdict(answer, c, understood)
	case r.code != "0" && (r.code != c.also || c.also == ""):
		return nil, p.refused(answer, r.code, sent)
	}
	plain, err := p.keys.open(r.data, r.sign)
	if err != nil {
		p.log.Warn("an answer could not be decrypted or verified", "provider", slug, "call", c.path)
		return nil, p.refusal(oauth.BadResponse, "", err)
	}
	return plain, nil
}

// sent is what may be told of a request when it is refused.
type sent struct {
	at     time.Time
	length int // of what was signed
}

// request writes the body of a call. The bytes of params are the ones that are signed.
func (p *Provider) request(params any, at time.Time) ([]byte, sent, error) {
	plain, err := outbound.EncodeJSON(params)
	if err != nil {
		return nil, sent{}, err
	}
	data, sign, err := p.keys.seal(plain)
	if err != nil {
		return nil, sent{}, err
	}
	body, err := outbound.EncodeJSON(struct {
		AppID string          `json:"app_id"`
		Time  json.RawMessage `json:"time"`
		Data  string          `json:"data"`
		Sign  string          `json:"sign"`
	}{p.appID, p.stamp(at), data, sign})
	return body, sent{at, len(plain)}, err
}

// stamp writes the time as TIME_FORMAT says.
func (p *Provider) stamp(at time.Time) json.RawMessage {
	switch p.timeFormat {
	case sNumber:
		return strconv.AppendInt(nil, at.Unix(), 10)
	case msString:
		return strconv.AppendQuote(nil, strconv.FormatInt(at.UnixMilli(), 10))
	}
	return strconv.AppendInt(nil, at.UnixMilli(), 10)
}

// reply is an answer's envelope.
type reply struct{ code, data, sign string }

// parse reads {code, msg, data, sign}; msg goes nowhere. It says no where the body is not such an object. Data that is
// no string belongs to the version without encryption and counts as none.
func parse(body []byte) (reply, bool) {
	var w struct {
		Code outbound.Text   `json:"code"`
		Data json.RawMessage `json:"data"`
		Sign json.RawMessage `json:"sign"`
	}
	if err := outbound.DecodeJSON(body, &w); err != nil {
		return reply{}, false
	}
	return reply{code: string(w.Code), data: word(w.Data), sign: word(w.Sign)}, true
}

// word is the string that a JSON value is, or nothing.
func word(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// refused sorts a refusal by its code.
func (p *Provider) refused(answer oauth.Answer, code string, sent sent) *oauth.Error {
	e := p.refusal(oauth.Upstream, code, nil)
	e.RetryAfter = answer.RetryAfter
	kind, known := p.kinds[code]
	switch {
	case known:
		e.Kind = kind
	case answer.Status == http.StatusTooManyRequests:
		e.Kind = oauth.RateLimited
	}
	switch {
	case e.Kind == oauth.ClockSkew:
		e.Facts = []oauth.Fact{
			{Name: oauth.SentTime, Value: string(p.stamp(sent.at))}, {Name: oauth.SentZone, Value: p.timeFormat}, oauth.SkewFact(answer),
		}
	case e.Kind == oauth.Signature:
		e.Facts = []oauth.Fact{
			{Name: oauth.Algorithm, Value: "RSA PKCS #1 v1.5, SHA-256 of MD5"}, {Name: oauth.Length, Value: strconv.Itoa(sent.length)},
			{Name: oauth.OurKey, Value: oauth.Fingerprint(&p.keys.ours.PublicKey)},
			{Name: oauth.TheirKey, Value: oauth.Fingerprint(p.keys.theirs)}, oauth.SkewFact(answer),
		}
	case code == dailyLimit && e.RetryAfter == 0:
		e.RetryAfter = untilTomorrow(sent.at.In(p.zone))
	}
	return e
}

// untilTomorrow is how long a daily limit lasts.
func untilTomorrow(now time.Time) time.Duration {
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()).Sub(now)
}

// noVerdict sorts an answer without a code by its status.
func (p *Provider) noVerdict(answer oauth.Answer, c call, understood bool) *oauth.Error {
	e := p.refusal(oauth.BadResponse, "", nil)
	e.RetryAfter = answer.RetryAfter
	switch status := answer.Status; {
	case status == http.StatusTooManyRequests:
		e.Kind = oauth.RateLimited
	case status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream
	case status == http.StatusNotFound && !c.once:
		e.Kind = oauth.NotFound
	case status == http.StatusNotFound, status == http.StatusUnauthorized,
		status == http.StatusForbidden && understood: // the exchange may list our addresses
		e.Kind = oauth.AuthConfig
	case status == http.StatusForbidden: // a wall in front of the exchange
		e.Kind = oauth.Upstream
	case status >= http.StatusBadRequest:
		e.Kind = oauth.BadRequest
	default:
		e.Cause = errAnswer
	}
	return e
}

package cardwallet

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var errAmount = errors.New("an amount is not a number")

// text is a Text for which a list or an object is no text, and no reason to refuse what stands beside it.
type text outbound.Text

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	if outbound.Container(b) {
		*t = ""
		return nil
	}
	return (*outbound.Text)(t).UnmarshalJSON(b)
}

// reply is an answer's envelope.
type reply struct {
	success string // "true", "false" or absent
	code    string
	problem string // OAuth's own error word, where the token call answers in OAuth's way
	message string // for sorting only; never shown, never logged
	data    json.RawMessage
}

// parse reads {success, code, message, data}. It says no where the body is not this envelope.
func parse(body []byte) (reply, bool) {
	var w struct {
		Success text            `json:"success"`
		Code    text            `json:"code"`
		Message text            `json:"message"`
		Error   text            `json:"error"`
		Data    json.RawMessage `json:"data"`
	}
	if err := outbound.DecodeJSON(body, &w); err != nil {
		return reply{}, false
	}
	r := reply{
		success: strings.ToLower(string(w.Success)), code: string(w.Code), problem: string(w.Error),
		message: strings.ToLower(string(w.Message)), data: w.Data,
	}
	return r, r.success != "" || r.code != ""
}

// accepted is the documented success: both words of it.
func (r reply) accepted() bool { return r.success == "true" && r.code == "200" }

// refused says whether the answer is a no, and not merely nonsense.
func (r reply) refused() bool { return r.success == "false" || (r.code != "" && r.code != "200") }

// turnedAway says whether the token was not accepted, by the status or by the envelope.
func (r reply) turnedAway(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusForbidden || r.code == "401" || r.code == "403"
}

func (r reply) names(words ...string) bool {
	for _, w := range words {
		if strings.Contains(r.message, w) {
			return true
		}
	}
	return false
}

type tokenWire struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   text   `json:"expires_in"`
	Scope       text   `json:"scope"`
}

func (r reply) token() (tokenWire, error) {
	var w tokenWire
	err := outbound.DecodeJSON(r.data, &w)
	return w, err
}

// instant reads a time that tells no zone in the provider's, or a number: thirteen characters are milliseconds, ten are
// seconds. One that cannot be read is no time.
func instant(value string, zone *time.Location) time.Time {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err == nil && len(value) == 13:
		return time.UnixMilli(n).UTC()
	case err == nil && len(value) == 10:
		return time.Unix(n, 0).UTC()
	}
	return outbound.Instant(value, zone)
}

// tokenRefused sorts a refusal of the token call. No codes are documented; most likely the merchant's values are wrong.
func (p *Provider) tokenRefused(answer oauth.Answer, r reply, understood bool) *oauth.Error {
	e := p.refused(answer, r, understood)
	named := r.names("client", "secret", "客户端", "密钥", "凭证", "认证", "unauthorized")
	if (understood || r.problem != "") && answer.Status < http.StatusInternalServerError && e.Kind != oauth.RateLimited &&
		(named || r.problem == "invalid_client" || r.problem == "unauthorized_client") {
		e.Kind, e.Cause = oauth.AuthConfig, nil
	}
	return e
}

// refused sorts a refusal: the body first, then the status. The message goes nowhere.
func (p *Provider) refused(answer oauth.Answer, r reply, understood bool) *oauth.Error {
	e := p.refusal(oauth.Upstream, r.code, nil)
	if e.RetryAfter = answer.RetryAfter; r.code == "200" {
		e.Code = "" // of a refusal that calls itself a success there is nothing to look up
	}
	switch {
	case answer.Status == http.StatusTooManyRequests || r.code == "429":
		e.Kind = oauth.RateLimited
	case r.turnedAway(answer.Status):
		e.Kind = oauth.AuthConfig
	case answer.Status >= http.StatusInternalServerError:
		e.Kind = oauth.Upstream
	case !understood && (answer.Status == http.StatusNotFound || answer.Status == http.StatusMethodNotAllowed):
		e.Kind, e.Cause = oauth.AuthConfig, errPath
	case answer.Status == http.StatusNotFound || r.code == "404":
		e.Kind = oauth.NotFound
	case answer.Status >= http.StatusBadRequest || r.code == "400":
		e.Kind = oauth.BadRequest
	case !understood || !r.refused():
		e.Kind, e.Cause = oauth.BadResponse, errAnswer
	}
	return e
}

package zhiyun

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

// window is how far t_ may be from the provider's clock.
const window = time.Hour

// request is a call that has passed the checks that all methods have in common.
type request struct {
	ClientID string
	User     user
	AuthCode string
}

// api checks a call and lets the method answer. The order is the server's: the checksum, the client, the token.
func (s *Simulator) api(format string, answer func(*bench.Call, request) reply) bench.Handler {
	return func(c *bench.Call) bench.Answer {
		params, readable := paramsOf(c)
		if !readable {
			return s.write(c, format, nil, refuse(codeParameter))
		}
		c.RequestID(params.Get("t_"))
		if code, on := c.Fault(faultRefuse); on {
			return s.write(c, format, params, refuse(code))
		}
		_, unchecked := c.Fault(variantNoChecksum)
		if !unchecked && !timely(params.Get("t_"), params.Get("p_"), c.Now) {
			return s.write(c, format, params, refuse(codeUnauthorized))
		}
		id, code := s.client(c, params)
		if code != codeOK {
			return s.write(c, format, params, refuse(code))
		}
		who, code := s.holder(c, params.Get("access_token"))
		if code != codeOK {
			return s.write(c, format, params, refuse(code))
		}
		r := answer(c, request{ClientID: id, User: who, AuthCode: params.Get("auth_code")})
		if _, breaks := c.Fault(variantForeignBreaks); breaks && (r.Code == codeForeignClient || r.Code == codeForeignUser) {
			return broken(c, r.Code)
		}
		return s.write(c, format, params, r)
	}
}

// paramsOf merges query and form as the server does: the query wins, and of one that comes twice the last counts.
func paramsOf(c *bench.Call) (url.Values, bool) {
	merged := url.Values{}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, false
	}
	sources := []url.Values{query}
	if strings.HasPrefix(c.Request.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(c.Body))
		if err != nil {
			return nil, false
		}
		sources = []url.Values{form, query}
	}
	for _, source := range sources {
		for name, values := range source {
			merged.Set(name, values[len(values)-1])
		}
	}
	return merged, true
}

// timely checks t_, thirteen digits of milliseconds of which the seconds are compared, and p_, which is made of it.
func timely(t, p string, now time.Time) bool {
	if !regexp.MustCompile(`^[0-9]{13}$`).MatchString(t) {
		return false
	}
	ms, err := strconv.ParseInt(t, 10, 64)
	if err != nil || p != strconv.FormatInt(checksum(ms), 10) {
		return false
	}
	off := now.Sub(time.Unix(ms/1000, 0)).Truncate(time.Second)
	return off.Abs() <= window
}

func checksum(ms int64) int64 { return ms%10000*3 + 2345 }

// client checks HTTP Basic and the parameter client_id, which must say the same.
func (s *Simulator) client(c *bench.Call, params url.Values) (id string, code int) {
	basic, secret, legal := basicOf(c.Request)
	if !legal {
		return "", codeBasic
	}
	id = params.Get("client_id")
	if !regexp.MustCompile(`^[0-9]{10}$`).MatchString(id) {
		return "", codeParameter
	}
	s.mu.Lock()
	kept, known := s.state.Clients[id]
	s.mu.Unlock()
	if !known {
		return "", codeClientUnknown
	}
	c.Client(id)
	switch {
	case basic != id:
		return "", codeClientDiffers
	case subtle.ConstantTimeCompare([]byte(kept), []byte(bench.Fingerprint(secret))) != 1:
		return "", codeSecret
	}
	return id, codeOK
}

// basicOf reads the header as the documents write it: once, "Basic", one space, Base64 of id:secret.
func basicOf(r *http.Request) (id, secret string, legal bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 || !strings.HasPrefix(values[0], "Basic ") {
		return "", "", false
	}
	return r.BasicAuth()
}

// holder finds whose access_token this is.
func (s *Simulator) holder(c *bench.Call, access string) (user, int) {
	if !regexp.MustCompile(`^[a-z0-9]+$`).MatchString(access) {
		return user{}, codeParameter
	}
	if _, dead := c.Fault(faultTokenDead); dead {
		return user{}, codeToken
	}
	s.mu.Lock()
	t, known := s.state.Tokens[bench.Fingerprint(access)]
	s.mu.Unlock()
	if !known || t.Expires.Before(s.Clock.Now()) {
		return user{}, codeToken // an unknown token is told apart from an expired one by nobody
	}
	who, known := s.find(t.Username)
	if !known {
		return user{}, codeToken
	}
	c.Account(who.Username)
	return who, codeOK
}

// broken is what the server makes of a foreign code: the class of its exception is not found, and PHP ends in a page.
func broken(c *bench.Call, code int) bench.Answer {
	c.Outcome("code_" + strconv.Itoa(code) + "_broken")
	body := "<br />\n<b>Fatal error</b>:  Uncaught Error: Class 'ApiException' not found in <b>/data/www/auth/Service.php</b> on line <b>88</b><br />\n"
	return bench.Answer{Status: http.StatusInternalServerError, Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(body)}
}

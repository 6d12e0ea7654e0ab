package cardwallet

import (
	"encoding/base64"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mooring/internal/simulator/bench"
)

const (
	tokenPath  = "/api/open/auth/token"
	tokenLife  = 60 // what expires_in says; the documents do not say of what
	shortLife  = 5 * time.Second
	tokenBytes = 96 // 128 characters of Base64, as documented
)

// token is an issued one.
type token struct {
	ClientID string
	Expires  time.Time
}

// envelope is how everything is answered. The code is a text, as documented.
type envelope struct {
	Success bool   `json:"success"`
	Code    any    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// refusal is why a call is not honoured. Its zero value is no refusal.
type refusal struct{ Outcome, Code, Message string }

func (r refusal) refused() bool { return r.Outcome != "" }

// token handles "/api/open/auth/token".
func (s *Simulator) token(c *bench.Call) bench.Answer {
	if c.Request.Method != http.MethodPost {
		return say(c, wrongMethod(), nil)
	}
	values, no := tokenParams(c)
	c.Client(values.Get("client_id"))
	if !no.refused() {
		no = s.checkClient(c, values)
	}
	if no.refused() {
		return say(c, no, nil)
	}
	issued := struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
		Scope       string `json:"scope"`
	}{TokenType: "bearer", ExpiresIn: tokenLife, Scope: "default"}
	if _, on := c.Fault(faultTokenEmpty); !on {
		issued.AccessToken = s.issue(c, values.Get("client_id"))
	}
	c.Outcome(bench.OutcomeIssued)
	return say(c, refusal{}, issued)
}

// tokenParams reads the parameters from where they belong: the query, of a request without a body.
func tokenParams(c *bench.Call) (url.Values, refusal) {
	malformed := refusal{"malformed_parameters", "400", "参数格式不正确 (malformed parameters)"}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, malformed
	}
	if _, inForm := c.Fault(variantForm); inForm {
		kind, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
		form, err2 := url.ParseQuery(string(c.Body))
		if err != nil || err2 != nil || kind != "application/x-www-form-urlencoded" || len(query) > 0 {
			return nil, refusal{"parameters_misplaced", "400", "参数必须放在表单正文里 (parameters belong in the form)"}
		}
		query = form
	} else if len(c.Body) > 0 {
		return query, refusal{"body_refused", "400", "参数在查询串里，正文必须为空 (parameters belong in the query, without a body)"}
	}
	for name, values := range query {
		if len(values) != 1 {
			return query, malformed
		}
		if name != "grant_type" && name != "client_id" && name != "client_secret" {
			return query, refusal{"unknown_parameter", "400", "未知参数 (unknown parameter)"}
		}
	}
	for _, name := range []string{"grant_type", "client_id", "client_secret"} {
		if query.Get(name) == "" {
			return query, refusal{"missing_" + name, "400", "缺少参数 " + name + " (missing parameter)"}
		}
	}
	if query.Get("grant_type") != "client_credentials" {
		return query, refusal{"wrong_grant_type", "400", "grant_type 必须是 client_credentials (unsupported grant_type)"}
	}
	return query, refusal{}
}

// checkClient says whether the secret is the merchant's.
func (s *Simulator) checkClient(c *bench.Call, values url.Values) refusal {
	m, known := s.find(values.Get("client_id"))
	_, refused := c.Fault(faultWrongSecret)
	if refused || !known || !s.authentic(m.ClientID, values.Get("client_secret")) {
		return refusal{"wrong_client", "401", "client_id 或 client_secret 不正确 (wrong client_id or client_secret)"}
	}
	c.Account(m.ClientID)
	if _, off := c.Fault(faultSuspended); off {
		return refusal{"client_suspended", "403", "该客户端已停用 (the client is suspended)"}
	}
	return refusal{}
}

// issue makes a token. Each holds a plus and a slash, which are lost by whoever puts it into an address unencoded.
func (s *Simulator) issue(c *bench.Call, clientID string) string {
	made := ""
	for !strings.Contains(made, "+") || !strings.Contains(made, "/") {
		made = base64.StdEncoding.EncodeToString(randomBytes(tokenBytes))
	}
	life := tokenLife * time.Second
	if _, on := c.Fault(variantMinutes); on {
		life = tokenLife * time.Minute
	}
	if _, on := c.Fault(faultShortToken); on {
		life = shortLife
	}
	_, alone := c.Fault(faultNewRevokes)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for hash, t := range s.tokens {
		if t.Expires.Before(now) || alone && t.ClientID == clientID {
			delete(s.tokens, hash)
		}
	}
	s.tokens[bench.Fingerprint(made)] = token{ClientID: clientID, Expires: now.Add(life)}
	return made
}

// holder finds whose token this is, as long as it lives.
func (s *Simulator) holder(access string) (merchant, bool) {
	s.mu.Lock()
	t, ok := s.tokens[bench.Fingerprint(access)]
	s.mu.Unlock()
	if !ok || !t.Expires.After(s.Clock.Now()) {
		return merchant{}, false
	}
	return s.find(t.ClientID)
}

// say wraps an answer. The zero refusal is success. The status is 200 whatever the code says, unless that is switched.
func say(c *bench.Call, no refusal, data any) bench.Answer {
	e, status := envelope{Success: true, Code: "200", Message: "操作成功", Data: data}, http.StatusOK
	number := http.StatusOK
	if no.refused() {
		c.Outcome(no.Outcome)
		e = envelope{Code: no.Code, Message: no.Message}
		number = numbers()[no.Code]
	}
	if _, on := c.Fault(variantStatus); on || number == http.StatusMethodNotAllowed { // that one comes from the server in front
		status = number
	}
	if _, on := c.Fault(variantCodeNumber); on {
		e.Code = number
	}
	a := bench.JSON(status, e)
	if status == http.StatusMethodNotAllowed {
		a.Header.Set("Allow", http.MethodPost)
	}
	return a
}

func wrongMethod() refusal {
	return refusal{"method_refused", "405", "请求方法不支持 (method not allowed)"}
}

func numbers() map[string]int {
	return map[string]int{"400": 400, "401": 401, "403": 403, "404": 404, "405": 405, "415": 415}
}

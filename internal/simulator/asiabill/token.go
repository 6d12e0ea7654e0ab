package asiabill

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"

	"mooring/internal/simulator/bench"
)

// params are the token call's parameters, however they came.
type params struct {
	ClientID, ClientSecret, Code, GrantType, RedirectURI, RefreshToken string
}

// pair is the documented answer.
type pair struct {
	AccessToken      string `json:"access_token"`
	ExpiresIn        int    `json:"expires_in,omitempty"`
	RefreshToken     string `json:"refresh_token"`
	RefreshExpiresIn int    `json:"refresh_expires_in"`
	TokenType        string `json:"token_type"`
}

// refusal is why a token call is not honoured. Its zero value is no refusal. The documents list no errors; the words
// are OAuth's own, beside the provider's code and message.
type refusal struct {
	Status                        int
	Outcome, Error, Code, Message string
}

func (r refusal) refused() bool { return r.Outcome != "" }

func invalidGrant(outcome, message string) refusal {
	return refusal{http.StatusBadRequest, outcome, "invalid_grant", "40010", message}
}

func invalidRequest(outcome, message string) refusal {
	return refusal{http.StatusBadRequest, outcome, "invalid_request", "40000", message}
}

// token handles "POST /oauth/token" and "GET /oauth/token".
func (s *Simulator) token(c *bench.Call) bench.Answer {
	p, no := readParams(c)
	c.Client(p.ClientID)
	if code := p.Code; code != "" {
		c.Code(code)
	}
	if !no.refused() {
		no = p.complete()
	}
	if no.refused() {
		return s.refuseToken(c, no)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, known := s.state.Clients[p.ClientID]
	if !known || !who.authentic(p.ClientSecret) {
		return s.refuseToken(c, refusal{http.StatusUnauthorized, "wrong_client", "invalid_client", "40100", "client_id 或 client_secret 不正确 (wrong client_id or client_secret)"})
	}
	made, no, err := s.honour(c, p, who)
	if err != nil {
		return s.refuseToken(c, refusal{http.StatusInternalServerError, "state_not_saved", "server_error", "50000", "模拟器无法保存状态 (the simulator cannot save its state)"})
	}
	if no.refused() {
		return s.refuseToken(c, no)
	}
	c.Outcome(bench.OutcomeIssued)
	return wrapToken(c, http.StatusOK, "00000", "success", made, made)
}

// honour exchanges the code or the refresh token. The caller holds the lock.
func (s *Simulator) honour(c *bench.Call, p params, who client) (pair, refusal, error) {
	_, longLived := c.Fault(variantNoExpiry)
	if p.GrantType == "refresh_token" {
		old, no := s.refresh(c, p)
		if no.refused() {
			return pair{}, no, nil
		}
		made, err := s.issue(old.ClientID, old.MerNo, "", longLived)
		return made, refusal{}, err
	}
	if p.RedirectURI != who.RedirectURI {
		return pair{}, invalidGrant("redirect_uri_not_registered", "redirect_uri 与登记的不一致 (redirect_uri is not the registered one)"), nil
	}
	g, no := s.redeem(c, p)
	if no.refused() {
		return pair{}, no, nil
	}
	made, err := s.issue(g.ClientID, g.MerNo, p.Code, longLived)
	return made, refusal{}, err
}

// complete checks that every documented parameter is there.
func (p params) complete() refusal {
	required := []struct{ name, value string }{
		{"client_id", p.ClientID}, {"client_secret", p.ClientSecret}, {"grant_type", p.GrantType},
	}
	switch p.GrantType {
	case "authorization_code":
		required = append(required, struct{ name, value string }{"code", p.Code}, struct{ name, value string }{"redirect_uri", p.RedirectURI})
	case "refresh_token":
		required = append(required, struct{ name, value string }{"refresh_token", p.RefreshToken})
	case "":
	default:
		return refusal{http.StatusBadRequest, "wrong_grant_type", "unsupported_grant_type", "40000", "grant_type 必须是 authorization_code (unsupported grant_type)"}
	}
	for _, r := range required {
		if r.value == "" {
			return invalidRequest("missing_"+r.name, "缺少参数 "+r.name+" (missing parameter)")
		}
	}
	return refusal{}
}

// readParams reads the parameters from where this way of calling has them: the query of a GET, the body of a POST.
func readParams(c *bench.Call) (params, refusal) {
	r := c.Request
	_, getOnly := c.Fault(variantGetOnly)
	switch {
	case r.Method == http.MethodGet:
		values, err := url.ParseQuery(r.URL.RawQuery)
		return fromValues(values, err)
	case r.Method != http.MethodPost || getOnly:
		return params{}, refusal{http.StatusMethodNotAllowed, "method_refused", "invalid_request", "40500", "请求方法不支持 (method not allowed)"}
	case r.URL.RawQuery != "":
		return params{}, invalidRequest("parameters_in_query", "POST 的参数必须放在正文里 (parameters belong in the body)")
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		kind = ""
	}
	switch kind {
	case "application/x-www-form-urlencoded":
		values, err := url.ParseQuery(string(c.Body))
		return fromValues(values, err)
	case "application/json":
		return fromJSON(c.Body)
	}
	return params{}, refusal{http.StatusUnsupportedMediaType, "wrong_content_type", "invalid_request", "41500", "不支持的 Content-Type (unsupported content type)"}
}

func fromValues(values url.Values, err error) (params, refusal) {
	if name, twice := repeated(values); err == nil && twice {
		err = fmt.Errorf("%s is given twice", name)
	}
	p := params{
		values.Get("client_id"), values.Get("client_secret"), values.Get("code"), values.Get("grant_type"),
		values.Get("redirect_uri"), values.Get("refresh_token"),
	}
	return p, malformed(err)
}

func fromJSON(body []byte) (params, refusal) {
	fields := map[string]string{} // a number where a text belongs is refused by this type
	err := json.Unmarshal(body, &fields)
	if err == nil && len(fields) == 0 {
		err = errors.New("no parameter")
	}
	p := params{
		fields["client_id"], fields["client_secret"], fields["code"], fields["grant_type"],
		fields["redirect_uri"], fields["refresh_token"],
	}
	return p, malformed(err)
}

// malformed says no more than that: the error could quote a secret.
func malformed(err error) refusal {
	if err == nil {
		return refusal{}
	}
	return invalidRequest("malformed_parameters", "参数格式不正确 (malformed parameters)")
}

func (s *Simulator) refuseToken(c *bench.Call, no refusal) bench.Answer {
	c.Outcome(no.Outcome)
	a := wrapToken(c, no.Status, no.Code, no.Message, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Code        string `json:"code"`
		Message     string `json:"message"`
	}{no.Error, no.Message, no.Code, no.Message}, nil)
	if no.Status == http.StatusMethodNotAllowed {
		a.Header.Set("Allow", "GET, POST")
	}
	return a
}

// wrapToken puts an answer into the envelope that is chosen: at the top, under data, or under result.data.
func wrapToken(c *bench.Call, status int, code, message string, top, data any) bench.Answer {
	inner := plain{Code: code, Message: message, Data: data}
	if _, on := c.Fault(variantInResult); on {
		return bench.JSON(status, wrapped{inner})
	}
	if _, on := c.Fault(variantInData); on {
		return bench.JSON(status, inner)
	}
	return bench.JSON(status, top)
}

// plain is the provider's envelope.
type plain struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data"`
}

// wrapped is the envelope as documented: under an outer result.
type wrapped struct {
	Result plain `json:"result"`
}

package asiabill

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"mooring/internal/simulator/bench"
)

// consentPage is GET /oauth/consent.
type consentPage struct {
	bench.Page
	Visit, App, ReturnsTo string
	Merchant              merchant
	Username              string
}

// showConsent handles "GET /oauth/consent".
func (s *Simulator) showConsent(c *bench.Call) bench.Answer {
	id := c.Request.URL.Query().Get("visit")
	v, who, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.ClientID)
	signed, in := s.signedIn(c.Request)
	if !in {
		return bench.Redirect("/oauth/login?visit=" + url.QueryEscape(id))
	}
	m, _ := s.find(signed.MerNo)
	c.Account(m.No)
	c.Outcome("consent_shown")
	return s.Pages.Render(http.StatusOK, "consent", &consentPage{
		Page: c.Shell(bench.Text{ZH: "授权确认", EN: "Authorise an application"}), Visit: id, App: who.Name,
		ReturnsTo: who.origin(), Merchant: m, Username: signed.Username,
	}, who.origin())
}

// consent handles "POST /oauth/consent". A second press of the button leads where the first one led.
func (s *Simulator) consent(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return s.gone(c)
	}
	id := form.Get("visit")
	v, _, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.ClientID)
	signed, in := s.signedIn(c.Request)
	if !in {
		return bench.Redirect("/oauth/login?visit=" + url.QueryEscape(id))
	}
	c.Account(signed.MerNo)
	s.mu.Lock()
	defer s.mu.Unlock()
	under, ok := s.visits[id]
	if !ok {
		return s.gone(c)
	}
	if under.Answer == "" {
		under.Answer = s.decide(c, *under, signed.MerNo, form.Get("decision") == "allow")
	} else {
		c.Outcome("answered_again")
	}
	return bench.Redirect(under.Answer)
}

// decide is where the browser goes: back to the registered address, with a code or an error. The caller holds the lock.
func (s *Simulator) decide(c *bench.Call, v visit, merNo string, allowed bool) string {
	params := url.Values{}
	s.addState(c, v, params)
	if _, deny := c.Fault(faultDeny); deny || !allowed {
		c.Outcome("denied")
		params.Set("error", "access_denied")
		params.Set("error_description", "The merchant denied the request")
		return withParams(v.RedirectURI, params)
	}
	c.Outcome("code_issued")
	params.Set("merNo", merNo)
	if _, on := c.Fault(faultWrongMerchant); on {
		params.Set("merNo", s.another(merNo))
	}
	if _, on := c.Fault(faultNoCode); on {
		c.Outcome("code_withheld")
		return withParams(v.RedirectURI, params)
	}
	code, g := s.issueCode(v, merNo)
	if _, on := c.Fault(faultExpiredCode); on {
		g.Expires = s.Clock.Now().Add(-time.Second)
	}
	if _, on := c.Fault(faultReusedCode); on {
		g.Used = true
	}
	c.Code(code)
	params.Set("code", code)
	return withParams(v.RedirectURI, params)
}

// Authorise gives a merchant's consent without a browser, for the program that sets up sample connections. The values
// are those of the redirect: code, merNo, and the state if there is one. Faults do not touch it.
func (s *Simulator) Authorise(clientID, merNo, state string) (url.Values, error) {
	m, ok := s.find(merNo)
	if !ok {
		return nil, fmt.Errorf("simulator: there is no merchant %q", merNo)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, ok := s.state.Clients[clientID]
	if !ok {
		return nil, fmt.Errorf("simulator: client %q is not registered", clientID)
	}
	code, _ := s.issueCode(visit{ClientID: clientID, RedirectURI: who.RedirectURI}, m.No)
	back := url.Values{"code": {code}, "merNo": {m.No}}
	if state != "" {
		back.Set("state", state)
	}
	return back, nil
}

// addState echoes the state if one came. The documents do not promise it; the provider has been seen doing it.
func (s *Simulator) addState(c *bench.Call, v visit, params url.Values) {
	if v.HasState {
		params.Set("state", v.State)
	}
	if _, on := c.Fault(faultStateMissing); on {
		params.Del("state")
	}
	if _, on := c.Fault(faultStateForeign); on {
		params.Set("state", random())
	}
}

// withParams adds to an address that may have a query of its own.
func withParams(address string, params url.Values) string {
	u, err := url.Parse(address)
	if err != nil { // it was checked when it was registered
		return address
	}
	query := u.Query()
	for name, values := range params {
		query[name] = values
	}
	u.RawQuery = query.Encode()
	return u.String()
}

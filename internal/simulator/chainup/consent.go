package chainup

import (
	"fmt"
	"net/http"
	"net/url"

	"mooring/internal/simulator/bench"
)

// consentPage is GET /platform/consent.
type consentPage struct {
	bench.Page
	Visit, App, ReturnsTo string
	User                  user
}

// showConsent handles "GET /platform/consent".
func (s *Simulator) showConsent(c *bench.Call) bench.Answer {
	id := c.Request.URL.Query().Get("visit")
	v, who, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.AppID)
	u, in := s.signedIn(c.Request)
	if !in {
		return bench.Redirect("/platform/login?visit=" + url.QueryEscape(id))
	}
	c.Account(u.UID)
	c.Outcome("consent_shown")
	return s.Pages.Render(http.StatusOK, "consent", &consentPage{
		Page: c.Shell(bench.Text{ZH: "授权确认", EN: "Authorise an application"}), Visit: id, App: who.Name,
		ReturnsTo: who.origin(), User: u,
	}, who.origin())
}

// consent handles "POST /platform/consent". A second press of the button leads where the first one led.
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
	c.Client(v.AppID)
	u, in := s.signedIn(c.Request)
	if !in {
		return bench.Redirect("/platform/login?visit=" + url.QueryEscape(id))
	}
	c.Account(u.UID)
	s.mu.Lock()
	defer s.mu.Unlock()
	under, ok := s.visits[id]
	if !ok {
		return s.gone(c)
	}
	if under.Answer == "" {
		under.Answer = s.decide(c, *under, u.UID, form.Get("decision") == "allow")
	} else {
		c.Outcome("answered_again")
	}
	return bench.Redirect(under.Answer)
}

// decide is where the browser goes: back to the registered address, with a code. How a refusal comes back is not
// documented; here it does as OAuth says. The caller holds the lock.
func (s *Simulator) decide(c *bench.Call, v visit, uid string, allowed bool) string {
	params := url.Values{}
	s.addState(c, v, params)
	if _, on := c.Fault(variantAppKeyBack); on {
		params.Set("appKey", v.AppID)
		params.Set("lan", "zh_CN")
	}
	if _, deny := c.Fault(faultDeny); deny || !allowed {
		c.Outcome("denied")
		params.Set("error", "access_denied")
		return v.RedirectURL + "?" + params.Encode()
	}
	if _, on := c.Fault(faultNoCode); on {
		c.Outcome("code_withheld")
		return v.RedirectURL + "?" + params.Encode()
	}
	code, g := s.issueCode(v.AppID, uid)
	if _, on := c.Fault(faultExpiredCode); on {
		g.Expires = s.Clock.Now().Add(-1)
	}
	if _, on := c.Fault(faultReusedCode); on {
		g.Used = true
	}
	c.Code(code)
	c.Outcome("code_issued")
	params.Set("code", code)
	return v.RedirectURL + "?" + params.Encode()
}

// addState echoes the state if one came. The documents do not promise it.
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

// Authorise gives a user's consent without a browser, for the program that sets up sample connections. account is a
// uid, e-mail address or phone number. The values are those of the redirect. Faults do not touch it.
func (s *Simulator) Authorise(appID, account, state string) (url.Values, error) {
	u, ok := s.find(account)
	if !ok {
		return nil, fmt.Errorf("simulator: there is no user %q", account)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.state.Clients[appID]; !ok {
		return nil, fmt.Errorf("simulator: application %q is not registered", appID)
	}
	code, _ := s.issueCode(appID, u.UID)
	back := url.Values{"code": {code}}
	if state != "" {
		back.Set("state", state)
	}
	return back, nil
}

package chainup

import (
	"net/http"
	"net/url"
	"time"

	"mooring/internal/simulator/bench"
)

// sessionCookie holds who is signed in. Cookies know no ports: its name must be nobody else's on this host.
const sessionCookie = "chainup-simulator"

// session is somebody signed in here.
type session struct {
	UID     string
	Expires time.Time
}

// loginPage is GET /platform/login.
type loginPage struct {
	bench.Page
	Visit, App        string
	Account, Password string
	Problem           bench.Text
	Samples           []sampleUser
}

// sampleUser is a user whose sign-in the page offers to fill in.
type sampleUser struct {
	user
	Address string
}

// showLogin handles "GET /platform/login". Who is signed in already goes on to consent.
func (s *Simulator) showLogin(c *bench.Call) bench.Answer {
	query := c.Request.URL.Query()
	id := query.Get("visit")
	v, who, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.AppID)
	sample, asked := s.find(query.Get("sample"))
	if _, in := s.signedIn(c.Request); in && !asked {
		return bench.Redirect("/platform/consent?visit=" + url.QueryEscape(id))
	}
	c.Outcome("login_shown")
	p := s.loginPage(c, id, who)
	p.Account, p.Password = sample.Email, sample.Password
	return s.Pages.Render(http.StatusOK, "login", p, who.origin())
}

// login handles "POST /platform/login".
func (s *Simulator) login(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return s.gone(c)
	}
	id := form.Get("visit")
	v, who, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.AppID)
	u, ok := s.find(form.Get("account"))
	ok = ok && u.Password == form.Get("password")
	if ok && !u.Frozen {
		c.Account(u.UID)
		c.Outcome("signed_in")
		answer := bench.Redirect("/platform/consent?visit=" + url.QueryEscape(id))
		answer.Header.Set("Set-Cookie", s.signIn(u.UID).String())
		return answer
	}
	p := s.loginPage(c, id, who)
	p.Account = form.Get("account")
	p.Problem = bench.Text{ZH: "账号或密码不正确。", EN: "The account or the password is wrong."}
	c.Outcome("login_failed")
	status := http.StatusUnauthorized
	if ok {
		c.Outcome("login_frozen")
		status = http.StatusForbidden
		p.Problem = bench.Text{ZH: "这个账号已被交易所冻结，不能授权应用。", EN: "The exchange has frozen this account; it cannot authorise an application."}
	}
	return s.Pages.Render(status, "login", p, who.origin())
}

// logout handles "POST /platform/logout": another account for the same visit.
func (s *Simulator) logout(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return s.gone(c)
	}
	if cookie, err := c.Request.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.signed, cookie.Value)
		s.mu.Unlock()
	}
	c.Outcome("signed_out")
	answer := bench.Redirect("/platform/login?visit=" + url.QueryEscape(form.Get("visit")))
	answer.Header.Set("Set-Cookie", sessionCookieOf("", -1).String())
	return answer
}

func (s *Simulator) loginPage(c *bench.Call, visit string, who client) *loginPage {
	p := &loginPage{Page: c.Shell(bench.Text{ZH: "登录交易所", EN: "Sign in to the exchange"}), Visit: visit, App: who.Name}
	p.Keep.Set("visit", visit) // the answer to a form has none in its address
	for _, u := range s.people {
		query := url.Values{"visit": {visit}, "sample": {u.UID}}
		p.Samples = append(p.Samples, sampleUser{u, "/platform/login?" + query.Encode()})
	}
	return p
}

func (s *Simulator) signIn(uid string) *http.Cookie {
	id := random()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for old, past := range s.signed {
		if past.Expires.Before(now) {
			delete(s.signed, old)
		}
	}
	s.signed[id] = session{uid, now.Add(sessionLife)}
	return sessionCookieOf(id, int(sessionLife/time.Second))
}

// signedIn says who the browser is signed in as.
func (s *Simulator) signedIn(r *http.Request) (user, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return user{}, false
	}
	s.mu.Lock()
	who, ok := s.signed[cookie.Value]
	s.mu.Unlock()
	if !ok || !who.Expires.After(s.Clock.Now()) {
		return user{}, false
	}
	return s.find(who.UID)
}

// sessionCookieOf is Lax: the browser brings it when the partner sends it here again.
func sessionCookieOf(value string, age int) *http.Cookie {
	return &http.Cookie{ // not Secure: there is no https here
		Name: sessionCookie, Value: value, Path: "/platform", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

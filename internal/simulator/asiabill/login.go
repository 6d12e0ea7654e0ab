package asiabill

import (
	"net/http"
	"net/url"
	"time"

	"mooring/internal/simulator/bench"
)

// sessionCookie holds who is signed in. Cookies know no ports: its name must be nobody else's on this host.
const sessionCookie = "asiabill-simulator"

// session is somebody signed in here.
type session struct {
	MerNo, Username string
	Expires         time.Time
}

// loginPage is GET /oauth/login.
type loginPage struct {
	bench.Page
	Visit, App                     string
	MerchantID, Username, Password string
	Problem                        bench.Text
	Samples                        []sampleMerchant
}

// sampleMerchant is a merchant whose sign-ins the page offers to fill in.
type sampleMerchant struct {
	Business bench.Text
	MerNo    string
	Logins   []sampleLogin
}

// sampleLogin is one of them; its address fills the form.
type sampleLogin struct {
	Address string
	Super   bool
}

// showLogin handles "GET /oauth/login". Who is signed in already goes on to consent.
func (s *Simulator) showLogin(c *bench.Call) bench.Answer {
	query := c.Request.URL.Query()
	id := query.Get("visit")
	v, who, ok := s.visiting(id)
	if !ok {
		return s.gone(c)
	}
	c.Client(v.ClientID)
	sample, asked := s.sample(query.Get("sample"))
	if _, in := s.signedIn(c.Request); in && !asked {
		return bench.Redirect("/oauth/consent?visit=" + url.QueryEscape(id))
	}
	c.Outcome("login_shown")
	p := s.loginPage(c, id, who)
	p.MerchantID, p.Username, p.Password = sample.MerNo, sample.Username, sample.password
	return s.Pages.Render(http.StatusOK, "login", p, who.origin())
}

// login handles "POST /oauth/login".
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
	c.Client(v.ClientID)
	m, u, ok := s.authenticate(form.Get("merchantId"), form.Get("username"), form.Get("password"))
	if ok && u.Super {
		c.Account(m.No)
		c.Outcome("signed_in")
		answer := bench.Redirect("/oauth/consent?visit=" + url.QueryEscape(id))
		answer.Header.Set("Set-Cookie", s.signIn(m.No, u.Name).String())
		return answer
	}
	p := s.loginPage(c, id, who)
	p.MerchantID, p.Username = form.Get("merchantId"), form.Get("username")
	p.Problem = bench.Text{ZH: "商户号、用户名或密码不正确。", EN: "The merchant number, the user name or the password is wrong."}
	c.Outcome("login_failed")
	status := http.StatusUnauthorized
	if ok {
		c.Outcome("login_not_super_admin")
		status = http.StatusForbidden
		p.Problem = bench.Text{
			ZH: "您登录的是操作员账号。只有商户的超级管理员可以授权第三方应用。",
			EN: "This is an operator's account. Only the merchant's super administrator can authorise an application.",
		}
	}
	return s.Pages.Render(status, "login", p, who.origin())
}

// logout handles "POST /oauth/logout": another account for the same visit.
func (s *Simulator) logout(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		return s.gone(c)
	}
	if cookie, err := c.Request.Cookie(sessionCookie); err == nil {
		s.mu.Lock()
		delete(s.sessions, cookie.Value)
		s.mu.Unlock()
	}
	c.Outcome("signed_out")
	answer := bench.Redirect("/oauth/login?visit=" + url.QueryEscape(form.Get("visit")))
	answer.Header.Set("Set-Cookie", sessionCookieOf("", -1).String())
	return answer
}

func (s *Simulator) loginPage(c *bench.Call, visit string, who client) *loginPage {
	p := &loginPage{Page: c.Shell(bench.Text{ZH: "商户登录", EN: "Merchant sign-in"}), Visit: visit, App: who.Name}
	p.Keep.Set("visit", visit) // the answer to a form has none in its address
	for _, m := range s.people {
		offered := sampleMerchant{Business: m.Name, MerNo: m.No}
		for _, u := range m.Users {
			query := url.Values{"visit": {visit}, "sample": {m.No + "." + u.Name}}
			offered.Logins = append(offered.Logins, sampleLogin{"/oauth/login?" + query.Encode(), u.Super})
		}
		p.Samples = append(p.Samples, offered)
	}
	return p
}

// filled is a sample sign-in to fill the form with.
type filled struct{ MerNo, Username, password string }

// sample reads "merNo.user" from the address.
func (s *Simulator) sample(name string) (filled, bool) {
	for _, m := range s.people {
		for _, u := range m.Users {
			if name == m.No+"."+u.Name {
				return filled{m.No, u.Name, u.Password}, true
			}
		}
	}
	return filled{}, false
}

// authenticate checks a sign-in; merchantId may be the number of a gateway as well.
func (s *Simulator) authenticate(merchantID, username, password string) (merchant, user, bool) {
	m, ok := s.find(merchantID)
	if !ok {
		return merchant{}, user{}, false
	}
	for _, u := range m.Users {
		if u.Name == username && u.Password == password {
			return m, u, true
		}
	}
	return merchant{}, user{}, false
}

func (s *Simulator) signIn(merNo, username string) *http.Cookie {
	id := random()
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	for old, past := range s.sessions {
		if past.Expires.Before(now) {
			delete(s.sessions, old)
		}
	}
	s.sessions[id] = session{merNo, username, now.Add(sessionLife)}
	return sessionCookieOf(id, int(sessionLife/time.Second))
}

// signedIn says who the browser is signed in as.
func (s *Simulator) signedIn(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	who, ok := s.sessions[cookie.Value]
	return who, ok && who.Expires.After(s.Clock.Now())
}

// sessionCookieOf is Lax: the browser brings it when the partner sends it here again.
func sessionCookieOf(value string, age int) *http.Cookie {
	return &http.Cookie{ // not Secure: there is no https here
		Name: sessionCookie, Value: value, Path: "/oauth", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

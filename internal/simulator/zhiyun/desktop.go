package zhiyun

import (
	"net/http"
	"net/url"
	"time"

	"mooring/internal/simulator/bench"
)

// desktopPage is GET /desktop: the desktop software, before its login.
type desktopPage struct {
	bench.Page
	Username, Password string
	Problem            bench.Text
	Samples            []user
}

// tokenPage is what it shows after one.
type tokenPage struct {
	bench.Page
	User        user
	AccessToken string
	Expires     time.Time
}

// showDesktop handles "GET /desktop". ?sample fills the form in.
func (s *Simulator) showDesktop(c *bench.Call) bench.Answer {
	c.Outcome("login_shown")
	p := s.desktop(c)
	if u, known := s.find(c.Request.URL.Query().Get("sample")); known {
		p.Username, p.Password = u.Username, u.Password
	}
	return s.Pages.Render(http.StatusOK, "desktop", p)
}

func (s *Simulator) desktop(c *bench.Call) *desktopPage {
	return &desktopPage{Page: c.Shell(bench.Text{ZH: "登录致云桌面软件", EN: "Sign in to the desktop software"}), Samples: s.people}
}

// signIn handles "POST /desktop": a login, and the access_token that comes of it.
func (s *Simulator) signIn(c *bench.Call) bench.Answer {
	form, err := url.ParseQuery(string(c.Body))
	if err != nil {
		form = url.Values{}
	}
	u, known := s.find(form.Get("username"))
	_, denied := c.Fault(faultDeny)
	if !known || u.Password != form.Get("password") || denied {
		c.Outcome("login_failed")
		p := s.desktop(c)
		p.Username = form.Get("username")
		p.Problem = bench.Text{ZH: "用户名或密码不正确。", EN: "The user name or the password is wrong."}
		return s.Pages.Render(http.StatusUnauthorized, "desktop", p)
	}
	c.Account(u.Username)
	access, err := s.Issue(u.Username)
	if err != nil {
		c.Outcome("not_kept")
		return bench.Answer{Status: http.StatusInternalServerError, Header: http.Header{}}
	}
	c.Outcome("signed_in")
	return s.Pages.Render(http.StatusOK, "token", &tokenPage{
		Page: c.Shell(bench.Text{ZH: "您的 access_token", EN: "Your access_token"}), User: u, AccessToken: access,
		Expires: s.Clock.Now().Add(tokenLife).In(zone()),
	})
}

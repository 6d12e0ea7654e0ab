package chainup

import (
	"net/http"
	"net/url"
	"time"

	"mooring/internal/simulator/bench"
)

// Lifetimes on the browser's side. None is documented.
const (
	visitLife   = 15 * time.Minute
	sessionLife = time.Hour
	codeLife    = 60 * time.Second
)

// visit is one browser on its way from the partner to consent and back.
type visit struct {
	AppID       string
	RedirectURL string // the registered one
	State       string
	HasState    bool
	Expires     time.Time
	Answer      string // where consent led, so that a second press leads there too
}

// authorize handles "GET /platform/login.html". A request that is wrong is told so on a page here, with the documented
// code: only the registered address of a known application is ever redirected to.
func (s *Simulator) authorize(c *bench.Call) bench.Answer {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return s.stop(c, http.StatusBadRequest, "malformed_query", bench.Text{ZH: "地址里的参数无法解析。", EN: "The parameters in the address cannot be read."})
	}
	for name, values := range query {
		if len(values) > 1 {
			return s.stop(c, http.StatusBadRequest, "repeated_parameter", bench.Text{ZH: "参数重复：" + name, EN: "A parameter is given twice: " + name})
		}
	}
	id := query.Get("appKey")
	c.Client(id)
	s.mu.Lock()
	who, known := s.state.Clients[id]
	s.mu.Unlock()
	switch {
	case id == "":
		return s.stop(c, http.StatusBadRequest, "missing_app_key", bench.Text{ZH: "缺少 appKey（50004）。", EN: "appKey is missing (50004)."})
	case !known:
		return s.stop(c, http.StatusBadRequest, "unknown_app", bench.Text{ZH: "appKey 不合法（50001）。", EN: "This appKey is not registered (50001)."})
	case query.Get("redirectUrl") != who.RedirectURL:
		return s.stop(c, http.StatusBadRequest, "wrong_redirect_url", bench.Text{
			ZH: "redirectUrl 与商户后台登记的不完全一致（50002），因此不会跳转。",
			EN: "The redirectUrl is not exactly the registered one (50002), so nobody is sent there.",
		})
	}
	v := &visit{
		AppID: id, RedirectURL: who.RedirectURL,
		State: query.Get("state"), HasState: query.Has("state"), Expires: s.Clock.Now().Add(visitLife),
	}
	c.Outcome("login_asked")
	return bench.Redirect("/platform/login?visit=" + s.begin(v))
}

// begin remembers a visit and forgets the old ones.
func (s *Simulator) begin(v *visit) string {
	id := random()
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, past := range s.visits {
		if past.Expires.Before(s.Clock.Now()) {
			delete(s.visits, old)
		}
	}
	s.visits[id] = v
	return id
}

// visiting finds a visit that is under way, and the application it is for.
func (s *Simulator) visiting(id string) (visit, client, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.visits[id]
	if !ok || v.Expires.Before(s.Clock.Now()) {
		return visit{}, client{}, false
	}
	who, ok := s.state.Clients[v.AppID]
	return *v, who, ok
}

// gone tells that a visit has ended or never was.
func (s *Simulator) gone(c *bench.Call) bench.Answer {
	return s.stop(c, http.StatusGone, "visit_over", bench.Text{
		ZH: "这次授权已经过期或不存在。请回到发起授权的应用，重新开始。",
		EN: "This authorisation has expired or never began. Go back to the application that sent you and start again.",
	})
}

// problemPage says why the provider goes no further.
type problemPage struct {
	bench.Page
	Sentence bench.Text
}

func (s *Simulator) stop(c *bench.Call, status int, outcome string, sentence bench.Text) bench.Answer {
	c.Outcome(outcome)
	shell := c.Shell(bench.Text{ZH: "无法授权", EN: "Cannot authorise"})
	return s.Pages.Render(status, "problem", &problemPage{Page: shell, Sentence: sentence})
}

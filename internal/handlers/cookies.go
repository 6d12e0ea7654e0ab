package handlers

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/gorilla/sessions"

	"mooring/internal/i18n"
	"mooring/internal/secret"
)

const (
	flowPrefix   = "mooring-flow-" // + the attempt's id: two tabs never overwrite each other
	flashName    = "mooring-flash"
	languageName = "mooring-lang"
	maxFlows     = 5
)

// cookieJar knows how every cookie of ours is written.
type cookieJar struct {
	secure bool
	now    func() time.Time
}

// name puts the prefix before a cookie's name that makes browsers refuse it from any other host or path.
func (j cookieJar) name(name string) string {
	if j.secure {
		return "__Host-" + name
	}
	return name
}

// options are the flags that every cookie carries. Lax, because a browser that comes back from a provider must bring them.
// life 0 lasts as long as the browser, a negative one deletes.
func (j cookieJar) options(life time.Duration) *sessions.Options {
	return &sessions.Options{
		Path: "/", MaxAge: int(life / time.Second), Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

func (j cookieJar) set(c *gin.Context, name, value string, life time.Duration) {
	http.SetCookie(c.Writer, sessions.NewCookie(j.name(name), value, j.options(life)))
}

func (j cookieJar) drop(c *gin.Context, name string) { j.set(c, name, "", -time.Second) }

// only gives a cookie's value when the browser sent it once. Two of the same name mean that somebody else set one.
func (j cookieJar) only(r *http.Request, name string) string {
	if found := r.CookiesNamed(j.name(name)); len(found) == 1 {
		return found[0].Value
	}
	return ""
}

// startFlow gives the browser the cookie that its return must bring. A browser keeps the newest few: more would only be
// tabs that nobody goes back to.
func (j cookieJar) startFlow(c *gin.Context, attempt uuid.UUID, cookie secret.String, expires time.Time) {
	var others []uuid.UUID
	for id := range j.flows(c.Request) {
		others = append(others, id)
	}
	slices.SortFunc(others, func(a, b uuid.UUID) int { return cmp.Compare(a.String(), b.String()) }) // by time: UUIDv7
	for _, id := range others[:max(0, len(others)-(maxFlows-1))] {
		j.drop(c, flowPrefix+id.String())
	}
	j.set(c, flowPrefix+attempt.String(), cookie.Reveal(), expires.Sub(j.now()))
}

// flows gives the flow cookies by attempt. They stay until they expire, so that a reload of the return still matches.
func (j cookieJar) flows(r *http.Request) map[uuid.UUID]secret.String {
	flows := map[uuid.UUID]secret.String{}
	for _, cookie := range r.Cookies() {
		rest, ok := strings.CutPrefix(cookie.Name, j.name(flowPrefix))
		if !ok || len(flows) == 4*maxFlows {
			continue
		}
		if id, err := uuid.Parse(rest); err == nil {
			flows[id] = secret.New(cookie.Value)
		}
	}
	return flows
}

// flash keeps a message for the next page: its key, never a text.
func (j cookieJar) flash(c *gin.Context, key string) { j.set(c, flashName, key, time.Minute) }

// takeFlash gives the key once.
func (j cookieJar) takeFlash(c *gin.Context) string {
	key := j.only(c.Request, flashName)
	if key != "" {
		j.drop(c, flashName)
	}
	return key
}

// keepLanguage remembers a choice for a year; "" forgets it.
func (j cookieJar) keepLanguage(c *gin.Context, tag string) {
	if tag == "" {
		j.drop(c, languageName)
		return
	}
	j.set(c, languageName, tag, 365*24*time.Hour)
}

// rememberLanguage keeps a language that was chosen in the address.
func (s *Server) rememberLanguage(c *gin.Context) {
	if tag := c.Query("lang"); s.Words.Speaks(tag) && s.cookies.only(c.Request, languageName) != tag {
		s.cookies.keepLanguage(c, tag)
	}
	c.Next()
}

// printer picks the language: the address, then what was chosen in this browser, then the person's setting, then what the
// browser asks for.
func (s *Server) printer(c *gin.Context, setting string) *i18n.Printer {
	for _, tag := range []string{c.Query("lang"), s.cookies.only(c.Request, languageName), setting} {
		if s.Words.Speaks(tag) {
			return s.Words.Printer(tag).At(s.Now())
		}
	}
	return s.Words.Printer(s.Words.Match(c.GetHeader("Accept-Language"))).At(s.Now())
}

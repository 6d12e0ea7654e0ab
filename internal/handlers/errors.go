package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"mooring/internal/accounts"
	"mooring/internal/errs"
	"mooring/internal/i18n"
)

// ErrorPage tells a person what happened, what to do next, and the reference that support can find it by.
type ErrorPage struct {
	Page
	Status  int
	Message string // what happened
	Next    string // what to do
	Back    Link   // where to go on
}

// statusGone is what nginx writes down for a browser that hung up; nobody receives it.
const statusGone = 499

// errNoMethod is the answer to a method that a known address does not have.
var errNoMethod = errors.New("handlers: no such method here")

// statusOf is the one place where an error becomes a status.
func statusOf(err error) int {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, errNoMethod) {
		return http.StatusMethodNotAllowed
	}
	switch errs.CodeOf(err) {
	case errs.Invalid:
		return http.StatusUnprocessableEntity
	case errs.Unauthenticated:
		return http.StatusSeeOther
	case errs.Forbidden:
		return http.StatusForbidden
	case errs.NotFound:
		return http.StatusNotFound
	case errs.Conflict:
		return http.StatusConflict
	case errs.TooMany:
		return http.StatusTooManyRequests
	case errs.Upstream:
		return http.StatusBadGateway
	case errs.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// fail turns an error into the page of its status. Nobody's session turns into the sign-in page, which leads back.
func (s *Server) fail(c *gin.Context, err error) {
	c.Abort()
	ctx := c.Request.Context()
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		c.Status(statusGone)
		return
	}
	if errors.Is(err, errProve) {
		c.Redirect(http.StatusSeeOther, s.proveAddress(c.Request))
		return
	}
	status := statusOf(err)
	if status == http.StatusRequestEntityTooLarge || status == http.StatusMethodNotAllowed {
		err = errs.Wrap(errs.Invalid, "error.status_"+strconv.Itoa(status), err)
	}
	eventOf(ctx).failed(err)
	switch status {
	case http.StatusSeeOther:
		c.Redirect(status, signInAddress(c.Request))
		return
	case http.StatusTooManyRequests:
		c.Header("Retry-After", "60")
	case http.StatusServiceUnavailable, http.StatusBadGateway:
		c.Header("Retry-After", "10")
	}
	if renderErr := s.render(c, status, s.errorPage(c, status, errs.As(err))); renderErr != nil {
		eventOf(ctx).failed(errors.Join(err, renderErr))
		s.answerLastly(c, status)
	}
}

func (s *Server) errorPage(c *gin.Context, status int, e *errs.Error) ErrorPage {
	page := s.page(c, "error.title_"+strconv.Itoa(status))
	out := ErrorPage{Page: page, Status: status, Message: page.T(e.Key, e.Args), Next: page.T("error.next_" + strconv.Itoa(status))}
	if e.Key == "viewas.no_act" { // they are not somebody else, they only look like it
		out.Next = page.T("viewas.no_act_next")
	}
	out.Back = Link{Text: page.T("error.back_start"), Href: "/"}
	if page.Viewer != nil {
		out.Back = Link{Text: page.T("error.back_work"), Href: page.Home}
	}
	return out
}

// referenceMark stands in the last error page where the request's id belongs.
const referenceMark = "00000000000000000000000000000000"

// renderLastly prepares the page for when rendering itself fails.
func (s *Server) renderLastly() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, tag := range i18n.Languages() {
		p := s.Words.Printer(tag)
		page := ErrorPage{
			Page:   Page{Words: Words{p}, Title: p.T("error.title_500"), Reference: referenceMark, Home: "/", assets: s.assets, path: "/"},
			Status: http.StatusInternalServerError, Message: p.T("error.internal"), Next: p.T("error.next_500"),
			Back: Link{Text: p.T("error.back_start"), Href: "/"},
		}
		text, err := s.pages.execute(page)
		if err != nil {
			return nil, err
		}
		out[tag] = text.Bytes()
	}
	return out, nil
}

func (s *Server) answerLastly(c *gin.Context, status int) {
	text := strings.Replace(string(s.lastly[s.visitOf(c).p.Lang()]), referenceMark, eventOf(c.Request.Context()).id, 1)
	c.Data(status, "text/html; charset=utf-8", []byte(text))
}

// signInAddress leads to the sign-in page and from there back. What came from a provider is not taken along: it holds a
// code, and an attempt belongs to the session that began it anyway.
func signInAddress(r *http.Request) string {
	next := ""
	switch {
	case strings.HasPrefix(r.URL.Path, "/oauth/"):
		next = "/connections"
	case r.Method == http.MethodGet:
		next = localPath(r.URL.RequestURI())
	}
	if next == "" || next == "/" {
		return "/login"
	}
	return "/login?" + url.Values{"next": {next}}.Encode()
}

// localPath gives a path that was named by an address or a form if it stays on this site, else "". Browsers drop tabs and
// line ends inside addresses and take a backslash for a slash, so whatever is not plain is refused.
func localPath(next string) string {
	if len(next) > 512 || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") {
		return ""
	}
	for _, r := range next {
		if r <= ' ' || r == '\\' || r >= 0x7f {
			return ""
		}
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") {
		return ""
	}
	return next
}

// Faults are what a person can correct in a form, in their language.
type Faults struct {
	byField map[string]string
	top     []string
}

// On gives the fault of a field, "" if it has none.
func (f Faults) On(field string) string { return f.byField[field] }

// Top gives what belongs to no field.
func (f Faults) Top() []string { return f.top }

// Any says whether there is anything to correct.
func (f Faults) Any() bool { return len(f.byField)+len(f.top) > 0 }

// faultsOf turns an error into faults of a form, to be shown with the given status. ok is false for an error that no input
// can mend: return that one.
func faultsOf(p *i18n.Printer, err error) (faults Faults, status int, ok bool) {
	all := accounts.Faults{err}
	if several, is := errors.AsType[accounts.Faults](err); is {
		all = several
	}
	faults.byField = map[string]string{}
	for _, fault := range all {
		e := errs.As(fault)
		switch e.Code {
		case errs.Invalid, errs.Conflict, errs.TooMany:
			status = statusOf(e)
		default:
			return Faults{}, 0, false
		}
		if text := p.T(e.Key, e.Args); e.Field == "" {
			faults.top = append(faults.top, text)
		} else {
			faults.byField[e.Field] = text
		}
	}
	return faults, status, true
}

// formOf reads a posted form. Too much of it and what cannot be read are errors, unlike in gin's own PostForm.
func formOf(c *gin.Context) (url.Values, error) {
	if err := c.Request.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, err
		}
		return nil, errs.Wrap(errs.Invalid, "error.bad_form", errors.New("the form cannot be parsed")) // the parser's error repeats the form
	}
	return c.Request.PostForm, nil
}

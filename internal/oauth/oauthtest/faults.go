package oauthtest

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"mooring/internal/oauth"
)

// fault is one way in which a provider can fail us, and what must be made of it. An empty kind takes any: the
// provider's documents decide.
type fault struct {
	name       string
	once, read oauth.Kind
	retryAfter time.Duration
	serve      mischief
	hangs      bool // ends by our patience
	onlyOnce   bool // means nothing to a read
}

// faults lists them; elsewhere is the address of a server that nothing may reach.
func faults(s Subject, elsewhere string) []fault {
	const bad, up = oauth.BadResponse, oauth.Upstream
	wait := 7 * time.Second
	return []fault{
		{name: "no answer", once: oauth.Ambiguous, read: up, serve: hang, hangs: true},
		{name: "cut in the middle", once: oauth.Ambiguous, read: up, serve: cut},
		{name: "429 with Retry-After", once: oauth.RateLimited, read: oauth.RateLimited, serve: status(429, "{}", "Retry-After", "7"), retryAfter: wait},
		{name: "429 in HTML with a date", once: oauth.RateLimited, read: oauth.RateLimited, retryAfter: wait,
			serve: status(429, page, "Retry-After", Now().Add(wait).Format(http.TimeFormat))},
		{name: "500", once: up, read: up, serve: status(500, "")},
		{name: "502 in HTML", once: up, read: up, serve: status(502, page)},
		{name: "503 with Retry-After", once: up, read: up, serve: status(503, page, "Retry-After", "7"), retryAfter: wait},
		{name: "HTML", once: bad, read: bad, serve: status(200, page)},
		{name: "204", once: bad, read: bad, serve: status(204, "")},
		{name: "nothing", once: bad, read: bad, serve: status(200, "")},
		{name: "null", once: bad, read: bad, serve: status(200, "null")},
		{name: "empty object", once: bad, read: bad, serve: status(200, "{}")},
		{name: "a list", once: bad, read: bad, serve: status(200, "[]")},
		{name: "a word", once: bad, read: bad, serve: status(200, `"`+planted+`"`)},
		{name: "truncated", once: bad, read: bad, serve: truncated},
		{name: "nested without end", once: bad, read: bad, serve: status(200, string(bytes.Repeat([]byte(`{"data":`), 100_000)))},
		{name: "huge", once: bad, read: bad, serve: huge},
		{name: "gzip bomb", once: bad, read: bad, serve: bomb},
		{name: "unknown encoding", once: bad, read: bad, serve: status(200, "x", "Content-Encoding", "br")},
		{name: "refused with status 200", serve: status(200, s.Refusal)},
		{name: "empty token", once: bad, serve: status(200, s.NoToken), onlyOnce: true},
		{name: "redirect 302", once: bad, read: bad, serve: redirect(302, elsewhere)},
		{name: "redirect 307", once: bad, read: bad, serve: redirect(307, elsewhere)},
		{name: "redirect 308", once: bad, read: bad, serve: redirect(308, elsewhere)},
	}
}

const page = "<!doctype html><title>" + planted + "</title>"

// status answers with a fixed status, body and headers.
func status(code int, body string, headers ...string) mischief {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func redirect(code int, elsewhere string) mischief {
	return status(code, page, "Location", elsewhere+"/steal?x="+planted)
}

func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }

// answered gives what the provider would have answered.
func answered(r *http.Request, well http.Handler) (int, []byte) {
	rec := httptest.NewRecorder()
	well.ServeHTTP(rec, r)
	return rec.Code, rec.Body.Bytes()
}

func cut(w http.ResponseWriter, r *http.Request, well http.Handler) {
	_, body := answered(r, well)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body[:len(body)/2])
	panic(http.ErrAbortHandler)
}

func truncated(w http.ResponseWriter, r *http.Request, well http.Handler) {
	code, body := answered(r, well)
	w.WriteHeader(code)
	_, _ = w.Write(body[:len(body)-1-len(body)/8])
}

// huge is a correct answer with white space after it that does not end.
func huge(w http.ResponseWriter, r *http.Request, well http.Handler) {
	_, body := answered(r, well)
	_, _ = w.Write(body)
	space := bytes.Repeat([]byte(" "), 64<<10)
	for range 1 << 14 {
		if _, err := w.Write(space); err != nil {
			return
		}
	}
}

// bomb is a correct answer that unpacks to 64 MiB: a gzip body may have many members, and one is quickly made.
func bomb(w http.ResponseWriter, r *http.Request, well http.Handler) {
	_, body := answered(r, well)
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(packed(body))
	space := packed(bytes.Repeat([]byte(" "), 1<<20))
	for range 64 {
		if _, err := w.Write(space); err != nil {
			return
		}
	}
}

func packed(plain []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(plain) // into memory: neither fails
	_ = z.Close()
	return b.Bytes()
}

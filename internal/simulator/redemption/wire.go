package redemption

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// longestHead is more than net/http takes by default in these simulators.
const longestHead = 128 << 10

// watcher hands out connections that remember the heads of their requests.
type watcher struct{ net.Listener }

// Accept implements net.Listener.
func (w watcher) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &watched{Conn: conn}, nil
}

// head is a request's head as it came: the method and target, and the header lines in their order and letters.
type head struct {
	method, target string
	lines          []line
}

type line struct{ name, value string }

// values gives the values of a header by the exact letters of its name; loose also counts those whose letters differ
// in case only.
func (h head) values(name string) (exact []string, loose int) {
	for _, l := range h.lines {
		if strings.EqualFold(l.name, name) {
			loose++
		}
		if l.name == name {
			exact = append(exact, l.value)
		}
	}
	return exact, loose
}

// watched is a connection. It follows the requests on it from head to head; a body must have a length for that.
type watched struct {
	net.Conn

	mu    sync.Mutex
	now   []byte // of the head that is being read
	skip  int64  // of the body that is being read
	lost  bool   // a body without a length: where the next head begins is not known
	heads []head // read, and not yet asked for
}

// Read implements net.Conn.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.see(p[:n])
	return n, err
}

func (w *watched) see(b []byte) {
	for len(b) > 0 && !w.lost {
		if w.skip > 0 {
			k := min(w.skip, int64(len(b)))
			w.skip, b = w.skip-k, b[k:]
			continue
		}
		// The head ends at the first empty line; it may have begun in an earlier piece.
		before := len(w.now)
		w.now = append(w.now, b...)
		end := bytes.Index(w.now, []byte("\r\n\r\n"))
		if end < 0 {
			w.lost = len(w.now) > longestHead
			return
		}
		b = b[end+4-before:]
		w.keep(string(w.now[:end]))
		w.now = nil
	}
}

// keep reads a whole head.
func (w *watched) keep(text string) {
	lines := strings.Split(text, "\r\n")
	method, rest, _ := strings.Cut(lines[0], " ")
	target, _, _ := strings.Cut(rest, " ")
	h := head{method: method, target: target}
	for _, text := range lines[1:] {
		name, value, _ := strings.Cut(text, ":")
		l := line{name, strings.Trim(value, " \t")}
		h.lines = append(h.lines, l)
		switch {
		case strings.EqualFold(name, "Content-Length"):
			w.skip, _ = strconv.ParseInt(l.value, 10, 64) // net/http refuses what is no number
		case strings.EqualFold(name, "Transfer-Encoding"):
			w.lost = true
		}
	}
	w.heads = append(w.heads, h)
}

// take gives the head of a request. Those before it were answered by net/http itself.
func (w *watched) take(r *http.Request) (h head, follows bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, h := range w.heads {
		if h.method == r.Method && h.target == r.RequestURI {
			w.heads = w.heads[i+1:]
			return h, !w.lost
		}
	}
	return head{}, !w.lost
}

type connKey struct{}

type headKey struct{}

// rememberConn is the server's ConnContext.
func rememberConn(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, conn)
}

// headOf gives the request's head as it came; an empty one where nobody watched.
func headOf(r *http.Request) (head, bool) {
	conn, ok := r.Context().Value(connKey{}).(*watched)
	if !ok {
		return head{}, true
	}
	return conn.take(r)
}

func withHead(ctx context.Context, h head) context.Context {
	return context.WithValue(ctx, headKey{}, h)
}

func headIn(ctx context.Context) head {
	h, _ := ctx.Value(headKey{}).(head) // an empty one has no headers, and is refused for that
	return h
}

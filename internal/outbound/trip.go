package outbound

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// trip is a request on its way, and whether it has got as far as a connection.
type trip struct {
	req       *http.Request
	connected atomic.Bool
}

func newTrip(ctx context.Context, req *http.Request) *trip {
	t := &trip{}
	// From here on bytes may leave. Later hooks would be nearer to the truth, but a request of which nothing is known
	// must count as sent.
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { t.connected.Store(true) },
	})
	t.req = req.Clone(ctx)
	t.req.Header.Set("Accept-Encoding", "gzip") // ours to undo: the transport's own undoing has no limit
	if t.req.Header.Get("User-Agent") == "" {
		t.req.Header.Set("User-Agent", "Mooring")
	}
	return t
}

// Once keeps net/http from repeating the request by itself. It does so for a GET when a kept connection breaks before
// the answer, and it cannot know that a GET may carry a code that works once.
func Once(req *http.Request) *http.Request {
	if req.Body == nil || req.Body == http.NoBody {
		req.Body = io.NopCloser(noBytes{}) // a body that cannot be read a second time; it sends nothing
	}
	req.GetBody = nil
	return req
}

// HTTP1 keeps a call on HTTP/1.1. HTTP/2 writes the names of headers in lower case, and a provider may look for them in
// the letters of its documents; those are kept when they are put into req.Header past its Set.
func HTTP1(req *http.Request) *http.Request {
	return req.WithContext(context.WithValue(req.Context(), http1{}, true))
}

// http1 marks a request; of a request's own context nothing else is looked at.
type http1 struct{}

func keepsHTTP1(req *http.Request) bool { return req.Context().Value(http1{}) != nil }

type noBytes struct{}

func (noBytes) Read([]byte) (int, error) { return 0, io.EOF }

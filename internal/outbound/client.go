// Package outbound owns the only way out to the providers: one Client per provider, which is a provider's oauth.Caller.
//
// A call passes these stations, in this order: the address is looked at (https, or plain http where the Allowlist says
// so), the breaker and the bulkhead let it through or refuse at once, the connection is dialled under a guard that
// judges the address actually dialled (so a name that resolves elsewhere the second time gains nothing), nothing is
// followed, and the answer is read within limits of time and size, the size after decompression. A call is made once:
// whether it may be repeated is known only to the caller.
//
// What goes wrong comes back as an *Error that has nothing in it but a word and two facts, so that it may be logged:
// secrets travel in query strings at three providers. Reading the answer belongs to the provider packages; DecodeJSON
// helps them. Which addresses are allowed is config's to load.
package outbound

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"mooring/internal/oauth"
)

// Limits that Options may change, and one that it may not.
const (
	defaultTimeout     = 10 * time.Second
	defaultMaxBody     = 1 << 20
	defaultMaxInFlight = 128
	maxHeaderBytes     = 64 << 10
)

// Options says how a Client behaves; only Name is needed.
type Options struct {
	Name        string // the provider, for errors and metrics
	Allow       Allowlist
	Timeout     time.Duration // for a whole call, waiting included; 10 s
	MaxBody     int64         // of an answer after decompression; 1 MiB
	MaxInFlight int           // calls at the same time; 128
	Now         func() time.Time
	Metrics     Observer

	resolver *net.Resolver  // tests: names that resolve as they please
	roots    *x509.CertPool // tests: an authority of their own
}

// Observer is told of every call when it has ended. The outcomes are a small fixed set, fit for a metric's label.
type Observer func(provider string, outcome Outcome, took time.Duration)

// Client makes calls to one provider. It implements oauth.Caller.
type Client struct {
	name    string
	timeout time.Duration
	maxBody int64
	now     func() time.Time
	observe Observer
	gate    *gate
	clocks  clocks
	secure  *http.Transport // https: to every public address, and to what is allowed
	classic *http.Transport // https without HTTP/2, see HTTP1
	plain   *http.Transport // http: to what is allowed and nowhere else
}

var _ oauth.Caller = (*Client)(nil)

// New makes a client.
func New(o Options) *Client {
	c := &Client{
		name:    o.Name,
		timeout: cmp.Or(o.Timeout, defaultTimeout),
		maxBody: cmp.Or(o.MaxBody, defaultMaxBody),
		now:     o.Now,
		observe: o.Metrics,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.observe == nil {
		c.observe = func(string, Outcome, time.Duration) {}
	}
	inFlight := cmp.Or(o.MaxInFlight, defaultMaxInFlight)
	c.gate = newGate(uint(max(inFlight, 1)), c.timeout)
	c.secure = newTransport(o, o.Allow.guardSecure(), inFlight, c.timeout)
	c.classic = newTransport(o, o.Allow.guardSecure(), inFlight, c.timeout)
	c.classic.ForceAttemptHTTP2, c.classic.Protocols = false, new(http.Protocols)
	c.classic.Protocols.SetHTTP1(true)
	c.plain = newTransport(o, o.Allow.guardPlain(), inFlight, c.timeout)
	return c
}

// Close lets go of idle connections.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.classic.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// Call implements oauth.Caller. The request's own context is not used. Any status but a redirect is an answer, and its
// verdict is the provider package's to read.
func (c *Client) Call(ctx context.Context, req *http.Request) (oauth.Answer, error) {
	began := time.Now()
	answer, err := c.call(ctx, req)
	c.observe(c.name, outcomeOf(answer, err), time.Since(began))
	if err != nil {
		return oauth.Answer{}, err
	}
	return answer, nil
}

// Probe makes a call only to see whether the other side is there. Any answer will do, a redirect too: the outcome is
// Answered then. It is not counted.
func (c *Client) Probe(ctx context.Context, req *http.Request) (oauth.Answer, Outcome) {
	answer, err := c.call(ctx, req)
	switch outcome := outcomeOf(answer, err); outcome {
	case ClientError, ServerError, Redirected:
		return answer, Answered
	default:
		return answer, outcome
	}
}

func (c *Client) call(ctx context.Context, req *http.Request) (oauth.Answer, error) {
	transport, err := c.transportFor(req)
	if err != nil {
		return oauth.Answer{}, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTooLong)
	defer cancel()
	leave, err := c.gate.enter(ctx)
	if err != nil {
		return oauth.Answer{}, c.fault(ctx, err, nil)
	}

	trip := newTrip(ctx, req)
	answer, err := c.exchange(transport, trip)
	if err != nil {
		err = c.fault(ctx, err, trip)
	}
	leave(verdictOf(answer, err))
	return answer, err
}

// exchange makes the round trip and reads the answer. RoundTrip follows nothing and knows no cookies.
func (c *Client) exchange(transport *http.Transport, trip *trip) (oauth.Answer, error) {
	resp, err := transport.RoundTrip(trip.req)
	if err != nil {
		return oauth.Answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // the answer is read or given up by then
	answer := oauth.Answer{Status: resp.StatusCode, Header: resp.Header}
	received := c.now()
	answer.RetryAfter = retryAfter(resp.Header, received)
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.Skew, answer.Dated = date.Sub(received).Round(time.Second), true
		c.clocks.add(answer.Skew)
	}
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return answer, errRedirected
	}
	answer.Body, err = readBody(resp, c.maxBody)
	return answer, err
}

// transportFor refuses an address before anything is looked up.
func (c *Client) transportFor(req *http.Request) (*http.Transport, error) {
	u := req.URL
	if u == nil || u.Host == "" || u.Hostname() == "" || u.User != nil {
		return nil, &Error{Provider: c.name, Reason: Refused}
	}
	switch u.Scheme {
	case "https":
		if keepsHTTP1(req) {
			return c.classic, nil
		}
		return c.secure, nil
	case "http":
		return c.plain, nil
	default:
		return nil, &Error{Provider: c.name, Reason: Refused}
	}
}

// fault makes of any error the one that may leave this package. Nothing of the original is kept.
func (c *Client) fault(ctx context.Context, err error, trip *trip) *Error {
	fault := &Error{Provider: c.name, Reason: reasonOf(ctx, err)}
	if trip != nil {
		fault.sent = trip.connected.Load()
	}
	if busy, ok := errors.AsType[*turnedAway](err); ok {
		fault.retryAfter = busy.retryAfter
	}
	return fault
}

package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mooring/internal/oauth"
)

// Outcome says how a call ended, in a word fit for a metric.
type Outcome string

// The outcomes of calls that were answered.
const (
	Answered    Outcome = "ok"           // 1xx and 2xx
	ClientError Outcome = "client_error" // 4xx
	ServerError Outcome = "server_error" // 5xx
)

// The outcomes of calls that gave no usable answer. Each is an Error's Reason.
const (
	Refused     Outcome = "refused"      // the address is not one that may be called
	Unreachable Outcome = "unreachable"  // no connection came about
	Untrusted   Outcome = "untrusted"    // the other side could not prove who it is
	TooLong     Outcome = "timeout"      // not answered in time
	Cancelled   Outcome = "cancelled"    // the caller gave up
	Redirected  Outcome = "redirected"   // the answer was to go elsewhere
	TooLarge    Outcome = "too_large"    // the answer is larger than any honest one
	Unreadable  Outcome = "unreadable"   // a content encoding that was not asked for, or a broken one
	Broken      Outcome = "broken"       // the connection ended before the answer did
	BreakerOpen Outcome = "breaker_open" // too many failures lately; not even tried
	Busy        Outcome = "busy"         // too many calls at once; not even tried
)

// Error is why a call gave no answer. It implements oauth.CallError and keeps no part of what it describes: neither
// address nor header nor body, and no cause but a context's.
type Error struct {
	Provider string
	Reason   Outcome

	sent       bool
	retryAfter time.Duration
}

var _ oauth.CallError = (*Error)(nil)

// Error implements error.
func (e *Error) Error() string { return "outbound: " + e.Provider + ": " + string(e.Reason) }

// LogValue implements slog.LogValuer.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// Timeout implements oauth.CallError.
func (e *Error) Timeout() bool { return e.Reason == TooLong }

// RetryAfter implements oauth.CallError.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// Sent implements oauth.CallError.
func (e *Error) Sent() bool { return e.sent }

// Answered says that there was an answer, only not one that can be accepted: whatever was asked for is not in doubt,
// the answer is.
func (e *Error) Answered() bool {
	return e.Reason == Redirected || e.Reason == TooLarge || e.Reason == Unreadable
}

// Unwrap lets errors.Is find out that a context ended the call.
func (e *Error) Unwrap() error {
	switch e.Reason {
	case Cancelled:
		return context.Canceled
	case TooLong:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// What goes wrong inside, before it is turned into an Error.
var (
	errTooLong    = errors.New("outbound: time limit")
	errRedirected = errors.New("outbound: redirected")
	errTooLarge   = errors.New("outbound: body limit")
	errUnreadable = errors.New("outbound: content encoding")
)

// reasonOf sorts an error of this package, the transport, the dialer or TLS.
func reasonOf(ctx context.Context, err error) Outcome {
	if busy, ok := errors.AsType[*turnedAway](err); ok {
		return busy.reason
	}
	switch {
	case errors.Is(err, errRedirected):
		return Redirected
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, errUnreadable):
		return Unreadable
	case errors.Is(err, errRefused):
		return Refused
	case errors.Is(ctx.Err(), context.Canceled):
		return Cancelled
	case ctx.Err() != nil || isTimeout(err):
		return TooLong
	case isUntrusted(err):
		return Untrusted
	case isDial(err):
		return Unreachable
	default:
		return Broken
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

func isDial(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

func isUntrusted(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.HostnameError](err)
	return ok
}

// outcomeOf names the end of a call for the metrics.
func outcomeOf(answer oauth.Answer, err error) Outcome {
	if fault, ok := errors.AsType[*Error](err); ok {
		return fault.Reason
	}
	switch {
	case answer.Status >= http.StatusInternalServerError:
		return ServerError
	case answer.Status >= http.StatusBadRequest:
		return ClientError
	default:
		return Answered
	}
}

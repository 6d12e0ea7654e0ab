package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Caller makes one call to the provider; outbound.Client is the real one. It follows no redirect, bounds time and
// size, and its errors carry no URL, header or body.
type Caller interface {
	Call(ctx context.Context, req *http.Request) (Answer, error)
}

// Answer is a provider's whole answer, already within the size limit.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	Skew   time.Duration // provider's clock minus ours, from its Date header
	Dated  bool          // whether there was a Date header to measure by

	RetryAfter time.Duration // from its Retry-After header, capped; 0: it did not say
}

// CallError says what went wrong before there was an answer to read.
type CallError interface {
	error
	Timeout() bool             // the answer did not come in time: the call may have been carried out
	RetryAfter() time.Duration // 0: unknown
	Sent() bool                // whether any byte of the request may have reached the provider
}

// answered is fulfilled by a CallError that was answered after all, with something that cannot be accepted: a redirect,
// a body without end, an encoding that nobody asked for.
type answered interface {
	CallError
	Answered() bool
}

// Unanswered makes the provider error of a call that gave no answer. A call that may have been carried out is
// Ambiguous; one that never left is Upstream; one answered with something unacceptable is BadResponse.
func Unanswered(slug string, err error) error {
	e := &Error{Provider: slug, Kind: Upstream, Cause: err}
	if ce, ok := errors.AsType[CallError](err); ok {
		e.RetryAfter = ce.RetryAfter()
		if ce.Sent() {
			e.Kind = Ambiguous
		}
	}
	if a, ok := errors.AsType[answered](err); ok && a.Answered() {
		e.Kind = BadResponse
	}
	return e
}

// UnansweredRead is Unanswered for a call that only reads: whether it was carried out does not matter, it may be
// repeated, so nothing about it is Ambiguous.
func UnansweredRead(slug string, err error) error {
	made := Unanswered(slug, err)
	if e, ok := errors.AsType[*Error](made); ok && e.Kind == Ambiguous {
		e.Kind = Upstream
	}
	return made
}

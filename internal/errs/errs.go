// Package errs owns the one error type that carries two messages: a code and a message key for the person in front of
// the page, and a wrapped cause for the operator's log.
//
// An error that is not of this type is Internal: the person sees "something went wrong on our side" and a reference,
// the operator sees the chain. Words in both languages belong to i18n; turning a code into a status and a page belongs
// to handlers.
package errs

import "errors"

// Code is the machine's half of an error. It decides status, log level and page.
type Code string

// The codes, and the HTTP status that handlers answer with.
const (
	Invalid         Code = "invalid"         // 422: the person can correct the input
	Unauthenticated Code = "unauthenticated" // 303 to the sign-in page
	Forbidden       Code = "forbidden"       // 403: signed in, but not allowed
	NotFound        Code = "not_found"       // 404: does not exist, or is not yours
	Conflict        Code = "conflict"        // 409: the state has moved on
	TooMany         Code = "too_many"        // 429: a limit was reached
	Upstream        Code = "upstream"        // 502: the provider said no
	Unavailable     Code = "unavailable"     // 503: a part of ours is down for the moment
	Internal        Code = "internal"        // 500: ours to fix
)

// Error is what a person may be told (Key, with Args for its placeholders) and what an operator needs (Cause).
type Error struct {
	Code  Code
	Key   string         // i18n message key, for example "error.email_invalid"
	Args  map[string]any // values of the message's placeholders; never a secret
	Field string         // form field the message belongs to, if any
	Cause error
}

// New makes an error with a message for a person.
func New(code Code, key string) *Error { return &Error{Code: code, Key: key} }

// Wrap makes an error with a message for a person and a cause for the log.
func Wrap(code Code, key string, cause error) *Error {
	return &Error{Code: code, Key: key, Cause: cause}
}

// On names the form field the message belongs to.
func (e *Error) On(field string) *Error { e.Field = field; return e }

// With sets one placeholder of the message.
func (e *Error) With(name string, value any) *Error {
	if e.Args == nil {
		e.Args = map[string]any{}
	}
	e.Args[name] = value
	return e
}

// Error implements error for the operator.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Key
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf gives the code of the outermost Error in the chain; anything unknown is Internal, nil is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}

// As gives the outermost Error in the chain, or an Internal one that wraps err.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Wrap(Internal, "error.internal", err)
}

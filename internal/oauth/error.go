package oauth

import (
	"errors"
	"fmt"
	"time"
)

// Kind is a provider's refusal in our words. The page of a failure is chosen by it.
type Kind string

// The kinds, with who must act.
const (
	AuthConfig      Kind = "auth_config"      // us: our client, key or address is wrong
	AuthExpired     Kind = "auth_expired"     // nobody: refresh and repeat
	NeedsReauth     Kind = "needs_reauth"     // the merchant: connect again
	Permission      Kind = "permission"       // the merchant: grant what is missing
	ClockSkew       Kind = "clock_skew"       // us: our clock or our zone
	Replay          Kind = "replay"           // us: a number was used twice
	Signature       Kind = "signature"        // us: keys do not match
	BadRequest      Kind = "bad_request"      // us: the provider does not understand
	NotFound        Kind = "not_found"        // nobody: there is nothing
	RateLimited     Kind = "rate_limited"     // nobody: wait
	Upstream        Kind = "upstream"         // the provider: it is failing
	Ambiguous       Kind = "ambiguous"        // nobody knows whether it happened: never repeat blindly
	BadResponse     Kind = "bad_response"     // the provider: its answer makes no sense
	AccountMismatch Kind = "account_mismatch" // the merchant: the token belongs to another account than announced
)

// Error is a provider's refusal. Its text names provider, kind and code; never a secret, never the provider's prose.
type Error struct {
	Provider   string
	Kind       Kind
	Code       string        // the provider's own code, as sent; "" if it sent none
	RetryAfter time.Duration // 0: the provider did not say
	Cause      error         // ours, already scrubbed
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Provider + ": " + string(e.Kind)
	if e.Code != "" {
		text += fmt.Sprintf(" (code %.32q)", e.Code)
	}
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Explanation is what a person should know of a refusal that is special to one provider.
type Explanation struct {
	Kind  Kind
	Code  string // the provider's own code; "" explains every other code of the kind
	Cause Text   // what happened
	Actor Text   // who must act
	Next  Text   // what to do
}

// Definite says whether the provider answered for certain that the credential no longer opens the account. Everything
// else is tried again.
func (e *Error) Definite() bool { return e.Kind == NeedsReauth || e.Kind == AccountMismatch }

// KindOf gives the kind of the provider error in the chain, "" if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ""
}

package oauth

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
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
	Facts      []Fact        // what was sent and measured, for whoever must mend it; never a secret, never a value of the merchant's
}

// Fact is one thing that an operator compares with the provider when it refuses our clock or our signature.
type Fact struct {
	Name  FactName `json:"name"`
	Value string   `json:"value"`
}

// FactName says what a fact is about; the admins' page has a label for each.
type FactName string

// The facts.
const (
	SentTime  FactName = "sent_time" // as it stood in the request
	SentZone  FactName = "sent_zone" // the IANA zone that it was written in, or its unit
	Clocks    FactName = "clocks"    // the provider's clock minus ours, measured by this very answer
	Algorithm FactName = "algorithm" // that the request was signed by
	OurKey    FactName = "our_key"   // fingerprint of the public half
	TheirKey  FactName = "their_key" // fingerprint of the provider's public key
	Length    FactName = "length"    // of what was signed, in bytes
)

// SkewFact tells what the answer's own date says of the clocks.
func SkewFact(a Answer) Fact {
	if !a.Dated {
		return Fact{Clocks, "?"}
	}
	return Fact{Clocks, a.Skew.String()}
}

// Fingerprint names an RSA public key in a few letters, so that two operators can compare by telephone: the first eight
// bytes of the SHA-256 of its SubjectPublicKeyInfo.
func Fingerprint(key *rsa.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "?"
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:8])
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
	for _, f := range e.Facts {
		text += fmt.Sprintf(" %s=%.64q", f.Name, f.Value)
	}
	return text
}

// ShortCode is the provider's code, cut and cleaned of everything that no code has: fit for a column that outlives the
// answer. Prose in the place of a code does not survive it.
func (e *Error) ShortCode() string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || (!unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_.:-", r)) {
			return '?'
		}
		return r
	}, shorten(e.Code))
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

// Explains says whether any entry is about this very code, of whatever kind.
func (d Descriptor) Explains(code string) bool {
	return slices.ContainsFunc(d.Errors, func(e Explanation) bool { return e.Code == code })
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

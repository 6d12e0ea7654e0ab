// Package secret owns one type: a string that cannot be printed by accident.
//
// Formatting, logging and marshalling a String all give "[redacted]"; the only way to the value is Reveal, which is
// easy to find when reading a diff. What is done with the value afterwards belongs to vault (at rest) and outbound
// (on the wire).
package secret

import "log/slog"

const redacted = "[redacted]"

// String holds a secret value: a token, a code, a password, a key.
type String struct{ value string }

// New wraps a value.
func New(value string) String { return String{value: value} }

// Reveal gives the value. Every call is a place where the secret leaves its envelope.
func (s String) Reveal() string { return s.value }

// IsEmpty says whether there is nothing to hide.
func (s String) IsEmpty() bool { return s.value == "" }

// String implements fmt.Stringer without the value.
func (s String) String() string { return redacted }

// GoString implements fmt.GoStringer, so that %#v stays silent as well.
func (s String) GoString() string { return redacted }

// LogValue implements slog.LogValuer.
func (s String) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler; JSON, XML and text encoders all go through it.
func (s String) MarshalText() ([]byte, error) { return []byte(redacted), nil }

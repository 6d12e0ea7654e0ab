package outbound

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Text is a value that may come as a string, a number or a truth value; a number keeps its digits. Null leaves it as it
// was. A list or an object is refused; a provider that writes those where nothing is meant has a type of its own.
type Text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || Container(b):
		return ErrJSON
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return ErrJSON
		}
		*t = Text(strings.TrimSpace(s))
	case string(b) != "null":
		*t = Text(b)
	}
	return nil
}

// Container says whether a JSON value without space before it is a list or an object.
func Container(value []byte) bool { return len(value) > 0 && (value[0] == '{' || value[0] == '[') }

// Object is an object whose fields are looked for one by one: an odd one among those that nobody needs does no harm.
type Object map[string]json.RawMessage

// Text gives the first of the named fields that holds a Text which is not empty.
func (o Object) Text(names ...string) string {
	for _, name := range names {
		var t Text
		if err := t.UnmarshalJSON(bytes.TrimSpace(o[name])); err == nil && t != "" {
			return string(t)
		}
	}
	return ""
}

// Inside gives the object under the first of the names that holds one, or o itself.
func (o Object) Inside(names ...string) Object {
	for _, name := range names {
		var inner Object
		if json.Unmarshal(o[name], &inner) == nil && inner != nil {
			return inner
		}
	}
	return o
}

// Exact reads an amount of at most 40 characters and 30 places. It says no where value is none.
func Exact(value string) (decimal.Decimal, bool) { return ExactWithin(value, 40, 30) }

// ExactWithin reads an amount of at most so many characters and places, before the point or behind it. A few characters
// can name a number of a billion digits, and the first sum would write them out: such a one is refused unseen.
func ExactWithin(value string, characters int, places int32) (decimal.Decimal, bool) {
	if len(value) > characters {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(value)
	if err != nil || d.Exponent() > places || d.Exponent() < -places {
		return decimal.Decimal{}, false
	}
	return d, true
}

// Instant reads a date, with a time or without; where it tells no zone, it is in the one given. What cannot be read is
// no time. Numbers are not read: what they count differs from provider to provider.
func Instant(value string, zone *time.Location) time.Time {
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", time.RFC3339Nano, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, zone); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// Visible says whether a value can stand in a header without a doubt: visible ASCII, in one piece, not empty and not
// longer than longest.
func Visible(value string, longest int) bool {
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return value != "" && len(value) <= longest
}

package chainup

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"mooring/internal/oauth"
)

var errAmount = errors.New("an amount is missing or not a number")

// text is a value that may come as a string, a number or a truth value; a number keeps its digits.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return errAnswer
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return errAnswer
		}
		*t = text(strings.TrimSpace(s))
	case string(b) != "null":
		*t = text(b)
	}
	return nil
}

// row is an object whose fields are looked for one by one: an odd one among those that nobody needs does no harm.
type row map[string]json.RawMessage

// text gives the first of the named fields that holds something.
func (r row) text(names ...string) string {
	for _, name := range names {
		var t text
		if err := t.UnmarshalJSON(bytes.TrimSpace(r[name])); err == nil && t != "" {
			return string(t)
		}
	}
	return ""
}

// inside gives the object under the first of the names that holds one, or r itself.
func (r row) inside(names ...string) row {
	for _, name := range names {
		var inner row
		if json.Unmarshal(r[name], &inner) == nil && inner != nil {
			return inner
		}
	}
	return r
}

// amount reads a field exactly; told says whether it was there.
func (r row) amount(name, currency string) (m oauth.Money, told bool, err error) {
	value := r.text(name)
	if value == "" {
		return oauth.Money{Currency: currency}, false, nil
	}
	d, err := exact(value)
	return oauth.Money{Amount: d, Currency: currency}, true, err
}

// exact reads an amount. A few characters can name a number of a billion digits, and the first sum would write them
// out: such a one is refused unseen.
func exact(value string) (decimal.Decimal, error) {
	if len(value) > 60 {
		return decimal.Decimal{}, errAmount
	}
	d, err := decimal.NewFromString(value)
	if err != nil || d.Exponent() > 40 || d.Exponent() < -40 {
		return decimal.Decimal{}, errAmount
	}
	return d, nil
}

// instant reads a moment: milliseconds, seconds, or a date in the exchange's zone. One that cannot be read is none.
func instant(value string, zone *time.Location) time.Time {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		switch {
		case n >= 1e12 && n < 1e14:
			return time.UnixMilli(n).UTC()
		case n >= 1e9 && n < 1e11:
			return time.Unix(n, 0).UTC()
		}
		return time.Time{}
	}
	for _, layout := range []string{time.DateTime, time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, value, zone); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// visible says whether a token or an id is one that can be used: visible ASCII, and not without end.
func visible(value text) bool {
	for _, c := range []byte(value) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return value != "" && len(value) <= 8<<10
}

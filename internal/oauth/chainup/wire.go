package chainup

import (
	"errors"
	"strconv"
	"time"

	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

var errAmount = errors.New("an amount is missing or not a number")

// amount reads a field exactly; told says whether it was there.
func amount(r outbound.Object, name, currency string) (m oauth.Money, told bool, err error) {
	value := r.Text(name)
	if value == "" {
		return oauth.Money{Currency: currency}, false, nil
	}
	d, ok := outbound.ExactWithin(value, 60, 40)
	if !ok {
		return oauth.Money{Currency: currency}, true, errAmount
	}
	return oauth.Money{Amount: d, Currency: currency}, true, nil
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
	return outbound.Instant(value, zone)
}

// visible says whether a token or an id is one that can be used.
func visible(value outbound.Text) bool { return outbound.Visible(string(value), 8<<10) }

package oauth

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// What follows are checks that the settings of several providers share; see Setting.Check. None repeats the value.

// CheckURL takes an absolute address without anything behind its path. Whether plain http may be called is outbound's.
func CheckURL(value string) error {
	u, err := url.Parse(value)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be an https address without user, query or fragment")
	}
	return nil
}

// CheckBool takes a truth value.
func CheckBool(value string) error {
	if _, err := strconv.ParseBool(value); err != nil {
		return errors.New("must be true or false")
	}
	return nil
}

// CheckOneOf makes a check that takes the given words and no other.
func CheckOneOf(allowed ...string) func(string) error {
	return func(value string) error {
		if !slices.Contains(allowed, value) {
			return errors.New("must be one of " + strings.Join(allowed, ", "))
		}
		return nil
	}
}

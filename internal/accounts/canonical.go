package accounts

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"mooring/internal/errs"
)

// What is kept of a person's input at most.
const (
	maxEmail    = 254 // bytes, as RFC 5321 has it
	maxBusiness = 200 // characters
)

// Canonical gives the one form of an address under which it is stored and found, so that "A@Example.com " and its
// full-width twin are one account. An error names what can be corrected.
func Canonical(address string) (string, error) {
	invalid := errs.New(errs.Invalid, "account.email_invalid").On("email")
	if len(address) > 4*maxEmail || !utf8.ValidString(address) {
		return "", invalid
	}
	email := norm.NFKC.String(strings.ToLower(norm.NFKC.String(strings.TrimSpace(address))))
	if email == "" {
		return "", errs.New(errs.Invalid, "account.email_required").On("email")
	}
	if len(email) > maxEmail || strings.Count(email, "@") != 1 || strings.ContainsFunc(email, unseen) {
		return "", invalid
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email || parsed.Name != "" {
		return "", invalid
	}
	return email, nil
}

// canonicalBusiness tidies a business's name: one line, no runs of blanks, nothing invisible.
func canonicalBusiness(name string) (string, error) {
	if len(name) > 8*maxBusiness || !utf8.ValidString(name) {
		return "", errs.New(errs.Invalid, "account.business_long").On("business_name").With("max", maxBusiness)
	}
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	switch {
	case name == "":
		return "", errs.New(errs.Invalid, "account.business_required").On("business_name")
	case utf8.RuneCountInString(name) > maxBusiness:
		return "", errs.New(errs.Invalid, "account.business_long").On("business_name").With("max", maxBusiness)
	case strings.ContainsFunc(name, func(r rune) bool { return r != ' ' && unseen(r) }):
		return "", errs.New(errs.Invalid, "account.business_invalid").On("business_name")
	}
	return name, nil
}

// unseen says whether a character shows nothing: controls, blanks, and the format characters that reorder or hide text.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

// shorten keeps a header that a browser sent small and storable.
func shorten(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, s)
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "")
}

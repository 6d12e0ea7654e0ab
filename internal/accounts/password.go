package accounts

import (
	_ "embed" // the list below
	"strings"
	"unicode/utf8"

	"mooring/internal/errs"
	"mooring/internal/secret"
)

// Length is what makes a password hard to guess, so length is what is asked for: no rules about classes of
// characters. The upper limit only keeps the work small; nothing is ever cut off, and every byte counts as typed.
const (
	MinPassword = 10  // characters
	MaxPassword = 256 // bytes
)

// The commonest passwords that are long enough to pass, one a line, lower case.
//
//go:embed common_passwords.txt
var commonPasswords string

// checkNewPassword says whether a password may be chosen by this person; field names the form's field.
func checkNewPassword(password secret.String, field, email, business string) error {
	value := password.Reveal()
	if len(value) > MaxPassword {
		return errs.New(errs.Invalid, "account.password_long").On(field).With("max", MaxPassword)
	}
	if !utf8.ValidString(value) {
		return errs.New(errs.Invalid, "account.password_unreadable").On(field)
	}
	if utf8.RuneCountInString(value) < MinPassword {
		return errs.New(errs.Invalid, "account.password_short").On(field).With("min", MinPassword)
	}
	lower := strings.ToLower(value)
	local, _, _ := strings.Cut(email, "@")
	for _, own := range []string{email, local, local + local, business, "mooring"} {
		if own != "" && strings.Trim(lower, " 0123456789!.") == strings.Trim(strings.ToLower(own), " 0123456789!.") {
			return errs.New(errs.Invalid, "account.password_own").On(field)
		}
	}
	if isCommon(lower) {
		return errs.New(errs.Invalid, "account.password_common").On(field)
	}
	return nil
}

// isCommon finds the password in the list, or made of one or two characters only.
func isCommon(lower string) bool {
	different := map[rune]bool{}
	for _, r := range lower {
		different[r] = true
	}
	return len(different) <= 2 || strings.Contains("\n"+commonPasswords, "\n"+lower+"\n")
}

// tooLong answers over-long input before any work is done for it. No password of that length exists, so it tells
// nothing about an account.
func tooLong(password secret.String) bool { return len(password.Reveal()) > MaxPassword }

// Package mail owns what we write to people: composing a letter in their language and handing it to a mail server.
//
// A letter is composed when it is sent, from a note that says what it is about; the link in it is minted in the same
// moment by accounts, and when that moment comes is up to jobs. The words live in i18n's catalogue "mail". In the demo
// and in tests the mail server is a Capture: the letters take the whole way through SMTP and end in memory.
package mail

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind is what a letter is about.
type Kind string

// The kinds of letter.
const (
	SignUp Kind = "signup" // press to finish your sign-up
	Reset  Kind = "reset"  // press to set a new password
	Closed Kind = "closed" // an owner has closed the business that you own too
	Alarm  Kind = "alarm"  // one of the staff did alone what wants two; to the others
	Known  Kind = "known"  // somebody signed up with your address, which has an account
	Invite Kind = "invite" // somebody asks you into their team
	Step   Kind = "step"   // somebody asks you to connect an account

	NeedsYou  Kind = "needs_you" // a connection works no more until its merchant acts
	Recovered Kind = "recovered" // it works again
	Expiring  Kind = "expiring"  // its access ends soon
	Changed   Kind = "changed"   // a provider tells other company or merchant data than before

	Revealed       Kind = "revealed"        // the staff looked at personal values
	ReviewStarted  Kind = "review_started"  // the platform looks at the business
	ReviewApproved Kind = "review_approved" // it is approved
	ReviewMore     Kind = "review_more"     // it is asked for more
	ReviewRejected Kind = "review_rejected" // it was not accepted
	LinkAsked      Kind = "link_asked"      // somebody came too late for a link

	Digest Kind = "digest" // to the staff: what is new since the last one
)

// Note is what a letter says. What begins with a form that anybody can fill in names neither the business nor anything else
// that a stranger may have typed: it must not become a way to write to anybody.
type Note struct {
	Kind      Kind
	To        string
	Language  string
	TimeZone  string        // in which its times are told; "" is that of the language
	URL       string        // the one thing to press
	SignInURL string        // of a Known letter
	From      string        // of an Invite and a Step: the address of whoever asks, which was proved by mail
	Life      time.Duration // of URL; zero: for ever
	About     About         // of a letter about a connection or the business, to somebody who works with it
	Lines     []Line        // of a Digest, and the steps of a ReviewMore
}

// Line is a sentence with the page that it is about.
type Line struct{ Text, URL string }

// About is what a letter about a connection or the business tells. Names that others chose are made inert when they are written.
type About struct {
	Business    string
	Provider    string
	Account     string    // masked
	Who         string    // who asks for a link, masked
	Why         string    // a sentence of ours or the provider's package
	Next        string    // what to do, likewise
	Block       string    // the kind of data that changed, as the page calls it
	Days        int       // until At
	At          time.Time // when access or a deadline ends, or since when it had not worked
	Until       time.Time // of a Digest, which begins At
	SettingsURL string    // where to choose which letters come
}

// Letter is a mail ready to be sent.
type Letter struct {
	To      string
	Subject string
	Text    string
	HTML    string
}

// ErrRefused says that a mail server has refused a letter for good: trying again brings nothing.
var ErrRefused = errors.New("the server refused for good")

// ErrBusy says that a mail server answered, but does not take the letter now.
var ErrBusy = errors.New("the server does not take it now")

// Fault names in a word why sending did not work: refused, busy, unreachable (the server, or it does not let us in), or
// other.
func Fault(err error) string {
	var network net.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrBusy):
		return "busy"
	case errors.As(err, &network):
		return "unreachable"
	}
	return "other"
}

// Sender hands letters to a mail server. An error means: not accepted. Unless it is ErrRefused, try again later.
type Sender interface {
	Send(ctx context.Context, letter Letter) error
}

// MaskAddress shortens an address for logs: enough to recognise one's own, not enough to write to it.
func MaskAddress(address string) string {
	local, domain, found := strings.Cut(address, "@")
	if !found {
		return "***"
	}
	_, size := utf8.DecodeRuneInString(local)
	_, host := utf8.DecodeRuneInString(domain)
	return local[:size] + "***@" + domain[:host] + "***"
}

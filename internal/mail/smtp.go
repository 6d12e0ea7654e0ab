package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"mooring/internal/secret"
)

// sendTimeout is for a whole letter: dial, greet, encrypt, hand over.
const sendTimeout = 30 * time.Second

// SMTP sends letters through one mail server. A connection per letter: mails are few, and a kept one dies unnoticed.
type SMTP struct {
	host    string
	from    string
	options []gomail.Option
}

// NewSMTP reads SMTP_URL and MAIL_FROM. No error shows the URL, which may hold a password.
//
//	smtps://user:password@host          TLS from the first byte, port 465
//	smtp://user:password@host           STARTTLS demanded, port 587
//	smtp://host:25?starttls=optional    STARTTLS if offered; for a relay on a network of one's own, no password
//	smtp://127.0.0.1:1025               a loopback address needs no encryption
func NewSMTP(smtpURL secret.String, from string) (*SMTP, error) {
	u, err := url.Parse(smtpURL.Reveal())
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") {
		return nil, errors.New("mail: SMTP_URL is not of the form smtps://user:password@host:port or smtp://…")
	}
	if _, err := netmail.ParseAddress(from); err != nil {
		return nil, errors.New("mail: MAIL_FROM is not an address such as Mooring <no-reply@example.com>")
	}
	options, err := transport(u)
	if err != nil {
		return nil, err
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return &SMTP{host: u.Hostname(), from: from, options: append(options, gomail.WithTimeout(sendTimeout))}, nil
}

// transport decides port and encryption.
func transport(u *url.URL) ([]gomail.Option, error) {
	port := map[string]int{"smtp": gomail.DefaultPortTLS, "smtps": gomail.DefaultPortSSL}[u.Scheme]
	if u.Port() != "" {
		given, err := strconv.Atoi(u.Port())
		if err != nil || given < 1 || given > 65535 {
			return nil, errors.New("mail: SMTP_URL has a port that is none")
		}
		port = given
	}
	options := []gomail.Option{
		gomail.WithPort(port),
		gomail.WithTLSConfig(&tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}),
	}
	optional := u.Query().Get("starttls") == "optional"
	switch {
	case u.Scheme == "smtps":
		return append(options, gomail.WithSSL()), nil
	case u.Scheme != "smtp":
		return nil, errors.New("mail: SMTP_URL must begin with smtp:// or smtps://")
	case optional && u.User != nil:
		return nil, errors.New("mail: SMTP_URL with starttls=optional must not hold a password: it could travel in the clear")
	case optional:
		return append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic)), nil
	case isLoopback(u.Hostname()):
		return append(options, gomail.WithTLSPolicy(gomail.NoTLS)), nil
	}
	return append(options, gomail.WithTLSPolicy(gomail.TLSMandatory)), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, letter Letter) error {
	msg := gomail.NewMsg()
	if err := msg.From(s.from); err != nil {
		return errors.New("mail: the sender's address is not one")
	}
	if err := msg.To(letter.To); err != nil {
		return fmt.Errorf("mail: the address %s cannot be written to: %w", MaskAddress(letter.To), ErrRefused)
	}
	msg.Subject(letter.Subject)
	msg.SetMessageID()
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no holiday replies
	msg.SetBodyString(gomail.TypeTextPlain, letter.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, letter.HTML)

	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail: preparing to send: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("mail: sending to %s: %w", MaskAddress(letter.To), scrubbed(err))
	}
	return nil
}

// scrubbed keeps what the operator needs of a delivery error and drops the addressee, whom the library and the server
// both repeat in their texts.
func scrubbed(err error) error {
	sent, ok := errors.AsType[*gomail.SendError](err)
	if !ok {
		return err // dialling and greeting know no addressee
	}
	if forGood(sent) {
		return fmt.Errorf("%w, with code %d", ErrRefused, sent.ErrorCode())
	}
	return fmt.Errorf("%w, with code %d (temporary: %t)", ErrBusy, sent.ErrorCode(), sent.IsTemp())
}

// forGood says whether the addressee or the letter was refused, not we: what a server has against us or our settings
// somebody mends, and the letter goes out then.
func forGood(sent *gomail.SendError) bool {
	switch sent.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		return sent.ErrorCode() >= 500 && sent.ErrorCode() < 600 && sent.ErrorCode() != 530 // 530: sign in first
	}
	return false
}

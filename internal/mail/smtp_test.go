package mail_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"mooring/internal/mail"
	"mooring/internal/secret"
)

func TestSMTP_DeliversBothPartsToTheCapture(t *testing.T) {
	capture, url, err := mail.StartCapture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSMTP(secret.New(url), "Mooring 停泊 <no-reply@example.com>")
	if err != nil {
		t.Fatal(err)
	}
	letter := mail.Letter{
		To: "li@例え.example", Subject: "重置密码，请在一小时内完成：这是一个很长的主题，需要折行才能放进邮件头",
		Text: "您好\n\nhttp://localhost/reset/" + strings.Repeat("x", 60) + "=\n",
		HTML: "<p>您好 &amp; = " + strings.Repeat("长", 100) + "</p>\n",
	}
	if err := sender.Send(t.Context(), letter); err != nil {
		t.Fatal(err)
	}
	letters := capture.Letters()
	if len(letters) != 1 {
		t.Fatalf("%d letters captured, want 1", len(letters))
	}
	got := letters[0]
	if time.Since(got.At) > time.Minute || got.From != "no-reply@example.com" {
		t.Errorf("At %v, From %q", got.At, got.From)
	}
	if got.To != letter.To || got.Subject != letter.Subject || got.Text != letter.Text || got.HTML != letter.HTML {
		t.Errorf("captured %+v\nwant %+v", got, letter)
	}
}

func TestCapture_KeepsTheLastHundredNewestFirst(t *testing.T) {
	capture, url, err := mail.StartCapture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSMTP(secret.New(url), "no-reply@example.com")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 102 {
		if err := sender.Send(t.Context(), mail.Letter{To: "a@example.com", Subject: strings.Repeat("i", i+1), Text: "t", HTML: "h"}); err != nil {
			t.Fatal(err)
		}
	}
	letters := capture.Letters()
	if len(letters) != 100 || len(letters[0].Subject) != 102 || len(letters[99].Subject) != 3 {
		t.Errorf("%d letters kept, newest %q", len(letters), letters[0].Subject)
	}
}

func TestSMTP_ErrorNamesNoAddressee(t *testing.T) {
	capture, url, err := mail.StartCapture(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sender, err := mail.NewSMTP(secret.New(url), "no-reply@example.com")
	if err != nil {
		t.Fatal(err)
	}
	huge := mail.Letter{To: "somebody@example.com", Subject: "s", Text: strings.Repeat("long line of text\n", 100_000), HTML: "h"}
	err = sender.Send(t.Context(), huge)
	if err == nil || strings.Contains(err.Error(), "somebody") {
		t.Errorf("Send = %v, want an error without the address", err)
	}
	if err := capture.Close(); err != nil {
		t.Fatal(err)
	}
	err = sender.Send(t.Context(), mail.Letter{To: "somebody@example.com", Subject: "s", Text: "t", HTML: "h"})
	if err == nil || strings.Contains(err.Error(), "somebody") {
		t.Errorf("Send to a dead server = %v, want an error without the address", err)
	}
}

func TestNewSMTP_RefusesWithoutShowingThePassword(t *testing.T) {
	for _, tc := range []struct{ name, url, from string }{
		{"other scheme", "http://user:canary@mail.example.com", "a@example.com"},
		{"no host", "smtp://", "a@example.com"},
		{"bad port", "smtp://user:canary@mail.example.com:99999", "a@example.com"},
		{"unparsable", "smtp://user:canary@mail example.com:%zz", "a@example.com"},
		{"password without encryption", "smtp://user:canary@mail.example.com?starttls=optional", "a@example.com"},
		{"path", "smtp://user:canary@mail.example.com/x", "a@example.com"},
		{"sender", "smtps://user:canary@mail.example.com", "nobody"},
	} {
		_, err := mail.NewSMTP(secret.New(tc.url), tc.from)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want a refusal without the password", tc.name, err)
		}
	}
	for _, url := range []string{"smtp://u:p@mail.example.com", "smtps://mail.example.com:4465", "smtp://mail?starttls=optional", "smtp://127.0.0.1:1025"} {
		if _, err := mail.NewSMTP(secret.New(url), "Mooring <a@example.com>"); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestSMTP_DemandsEncryptionBeyondLoopback(t *testing.T) {
	_, url, err := mail.StartCapture(t.Context()) // speaks no TLS
	if err != nil {
		t.Fatal(err)
	}
	// The same server under a name that is not a loopback address to us, but resolves to one.
	for _, u := range []string{strings.Replace(url, "127.0.0.1", "localhost.", 1), strings.Replace(url, "smtp:", "smtps:", 1)} {
		sender, err := mail.NewSMTP(secret.New(u), "a@example.com")
		if err != nil {
			t.Fatal(err)
		}
		if err := sender.Send(t.Context(), mail.Letter{To: "b@example.com", Subject: "s", Text: "t", HTML: "h"}); err == nil {
			t.Errorf("%s: a letter went out in the clear", u)
		}
	}
}

// grumbler is a mail server that answers every addressee with a code.
type grumbler struct{ code int }

func (g grumbler) NewSession(*smtp.Conn) (smtp.Session, error) { return g, nil }
func (grumbler) Mail(string, *smtp.MailOptions) error          { return nil }
func (grumbler) Data(io.Reader) error                          { return nil }
func (grumbler) Reset()                                        {}
func (grumbler) Logout() error                                 { return nil }
func (g grumbler) Rcpt(to string, _ *smtp.RcptOptions) error {
	return &smtp.SMTPError{Code: g.code, EnhancedCode: smtp.EnhancedCode{g.code / 100, 1, 1}, Message: "no mailbox " + to}
}

// TestSMTP_TellsForGoodFromForNow is what decides whether a letter's job ends or is tried again.
func TestSMTP_TellsForGoodFromForNow(t *testing.T) {
	for code, want := range map[int]string{550: "refused", 553: "refused", 450: "busy", 451: "busy", 530: "busy"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := smtp.NewServer(grumbler{code})
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { _ = server.Close() })
		sender, err := mail.NewSMTP(secret.New("smtp://"+l.Addr().String()), "no-reply@example.com")
		if err != nil {
			t.Fatal(err)
		}
		err = sender.Send(t.Context(), mail.Letter{To: "somebody@example.com", Subject: "s", Text: "t", HTML: "h"})
		if mail.Fault(err) != want || errors.Is(err, mail.ErrRefused) != (want == "refused") || strings.Contains(err.Error(), "somebody") {
			t.Errorf("%d: %v, which is %q; want %q and no address", code, err, mail.Fault(err), want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close() // nobody is there any more
	sender, err := mail.NewSMTP(secret.New("smtp://"+l.Addr().String()), "no-reply@example.com")
	if err != nil {
		t.Fatal(err)
	}
	err = sender.Send(t.Context(), mail.Letter{To: "somebody@example.com", Subject: "s", Text: "t", HTML: "h"})
	if mail.Fault(err) != "unreachable" {
		t.Errorf("nobody there: %v, which is %q", err, mail.Fault(err))
	}
}

func TestMaskAddress(t *testing.T) {
	for address, want := range map[string]string{
		"somebody@example.com": "s***@e***", "李四@例子.cn": "李***@例***", "": "***", "x": "***", "@": "***@***",
	} {
		if got := mail.MaskAddress(address); got != want {
			t.Errorf("MaskAddress(%q) = %q, want %q", address, got, want)
		}
	}
}

package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	gomail "github.com/wneessen/go-mail"
)

// captureKept is how many letters a Capture remembers.
const captureKept = 100

// Captured is a letter as it arrived.
type Captured struct {
	At      time.Time
	From    string
	To      string
	Subject string
	Text    string
	HTML    string
}

// Capture is a mail server on a loopback port that delivers nowhere: it remembers the last 100 letters for the demo's
// admin page and for tests.
type Capture struct {
	server *smtp.Server

	mu      sync.Mutex
	letters []Captured // oldest first
}

// StartCapture starts a Capture and gives the SMTP_URL that leads to it. It stops when ctx ends or at Close.
func StartCapture(ctx context.Context) (*Capture, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("mail: listening for captured mail: %w", err)
	}
	c := &Capture{}
	c.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &captureSession{to: c}, nil }))
	c.server.Domain = "localhost"
	c.server.MaxMessageBytes = 1 << 20
	c.server.MaxRecipients = 1
	c.server.ReadTimeout, c.server.WriteTimeout = 10*time.Second, 10*time.Second
	c.server.EnableSMTPUTF8 = true
	go func() { _ = c.server.Serve(listener) }() // ends with ErrServerClosed at Close
	context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, "smtp://" + listener.Addr().String(), nil
}

// Close stops the server; what it captured stays readable.
func (c *Capture) Close() error {
	if err := c.server.Close(); err != nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("mail: closing the capture: %w", err)
	}
	return nil
}

// Letters gives what was captured, newest first.
func (c *Capture) Letters() []Captured {
	c.mu.Lock()
	defer c.mu.Unlock()
	letters := slices.Clone(c.letters)
	slices.Reverse(letters)
	return letters
}

func (c *Capture) keep(letter Captured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.letters = append(c.letters, letter)
	if extra := len(c.letters) - captureKept; extra > 0 {
		c.letters = slices.Delete(c.letters, 0, extra)
	}
}

// captureSession is one conversation.
type captureSession struct {
	to     *Capture
	letter Captured
}

// Reset implements smtp.Session.
func (s *captureSession) Reset() { s.letter = Captured{} }

// Logout implements smtp.Session.
func (s *captureSession) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *captureSession) Mail(from string, _ *smtp.MailOptions) error {
	s.letter.From = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *captureSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.letter.To = to
	return nil
}

// Data implements smtp.Session.
func (s *captureSession) Data(r io.Reader) error {
	msg, err := gomail.EMLToMsgFromReader(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "the letter cannot be read"}
	}
	s.letter.At = time.Now()
	s.letter.Subject = subject(msg)
	for _, part := range msg.GetParts() {
		content, err := part.GetContent()
		if err != nil {
			return fmt.Errorf("mail: reading a part: %w", err)
		}
		switch part.GetContentType() {
		case gomail.TypeTextPlain:
			s.letter.Text = unix(content)
		case gomail.TypeTextHTML:
			s.letter.HTML = unix(content)
		}
	}
	s.to.keep(s.letter)
	return nil
}

func subject(msg *gomail.Msg) string {
	encoded := strings.Join(msg.GetGenHeader(gomail.HeaderSubject), "")
	decoded, err := new(mime.WordDecoder).DecodeHeader(encoded)
	if err != nil {
		return encoded
	}
	return decoded
}

// unix undoes the line ends of the wire.
func unix(content []byte) string { return strings.ReplaceAll(string(content), "\r\n", "\n") }

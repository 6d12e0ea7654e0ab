package oauthtest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"mooring/internal/oauth"
)

// LinkFakeMode is the form name of the choice among RichFields.
const LinkFakeMode = "sign_type"

// RichFields is a form with every shape of field: KeyFake's two, the secret of several lines, and a choice.
func RichFields() []oauth.Field {
	fields := (&KeyFake{}).Fields()
	fields[1].Long = true
	text := func(en string) oauth.Text { return oauth.Text{ZH: "测试：" + en, EN: en} }
	return append(fields, oauth.Field{
		Name: LinkFakeMode, Label: text("Algorithm"), Help: text("The one that you chose there."), Choices: []string{"HMAC", "NONE"},
	})
}

// Call is what the provider's server sends.
type Call struct {
	Address string
	Body    []byte
	Header  http.Header
}

// Path is the address without scheme and host.
func (c Call) Path() string {
	_, rest, _ := strings.Cut(c.Address, "://")
	_, path, _ := strings.Cut(rest, "/")
	return "/" + path
}

// Token is the last part of the address.
func (c Call) Token() string { return c.Address[strings.LastIndex(c.Address, "/")+1:] }

// Call is Agree by the link's URL, as one value.
func (l *LinkFake) Call(link, account string) (c Call) {
	c.Address, c.Body, c.Header = l.Agree(l.SerialOf(link), account)
	return c
}

// Say signs whatever the server is to say about a link.
func (l *LinkFake) Say(link string, says map[string]string) Call {
	sent := l.linkOf(link)
	body, err := json.Marshal(says)
	if err != nil {
		panic("oauthtest: words do not encode")
	}
	return Call{Address: sent.address, Body: body, Header: http.Header{linkFakeSign: {linkFakeHMAC(body, sent.key)}}}
}

// SerialOf gives the number that a link goes by.
func (l *LinkFake) SerialOf(link string) string {
	u, err := url.Parse(link)
	if err != nil {
		panic("oauthtest: the link does not parse")
	}
	return u.Query().Get("serial")
}

// SubjectOf gives the name under which somebody asked for a link.
func (l *LinkFake) SubjectOf(link string) string { return l.linkOf(link).subject }

// Links lists every link that was asked for, in no order.
func (l *LinkFake) Links() (all []string) {
	l.Set(func(f *Fake) {
		for serial := range l.sent {
			all = append(all, f.origin()+"/agree?"+url.Values{"serial": {serial}}.Encode())
		}
	})
	return all
}

func (l *LinkFake) linkOf(link string) (sent sentLink) {
	serial := l.SerialOf(link)
	l.Set(func(*Fake) { sent = l.sent[serial] })
	if sent.address == "" {
		panic("oauthtest: nobody asked for this link")
	}
	return sent
}

package oauthtest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"

	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// What LinkFake's methods count as.
const (
	OpLink    Op = "link"
	OpReceive Op = "receive"
)

// LinkFakeAnswer is what LinkFake takes for "received".
const LinkFakeAnswer = "SUCCESS"

// linkFakeSign is the header that holds the HMAC of a callback's body under the merchant's secret.
const linkFakeSign = "X-Fake-Sign"

// LinkFake is the Fake whose way in is a link. It has the same fields, fetchers and counters, and KeyFake's form; the zero
// value works. Agree, Call and Say play the provider's server. Hold and Entered belong to Link. Use it by pointer:
// &LinkFake{Fake: Fake{Slug: "linked"}}.
type LinkFake struct {
	Fake
	NoRedirect

	FormFields []oauth.Field // two: KeyFakeID and KeyFakeSecret

	OnLink    func(context.Context, oauth.Departure, oauth.Values) (oauth.Link, error)
	OnReceive func(context.Context, oauth.Callback) (oauth.Received, error)

	sent map[string]sentLink // by serial
}

// sentLink is what the provider remembers of a link.
type sentLink struct{ address, key, subject string }

var (
	_ oauth.LinkFlow          = (*LinkFake)(nil)
	_ oauth.MerchantFetcher   = (*LinkFake)(nil)
	_ oauth.CompanyFetcher    = (*LinkFake)(nil)
	_ oauth.UserFetcher       = (*LinkFake)(nil)
	_ oauth.WalletFetcher     = (*LinkFake)(nil)
	_ oauth.WalletFlowFetcher = (*LinkFake)(nil)
)

// Descriptor implements oauth.Provider.
func (l *LinkFake) Descriptor() oauth.Descriptor {
	d := l.Fake.Descriptor()
	d.Flow, d.StatePolicy, d.FormOrigin = oauth.FlowLink, "", ""
	return d
}

// Fields implements oauth.LinkFlow.
func (l *LinkFake) Fields() []oauth.Field { return (&KeyFake{FormFields: l.FormFields}).Fields() }

// Link implements oauth.LinkFlow.
func (l *LinkFake) Link(ctx context.Context, d oauth.Departure, values oauth.Values) (oauth.Link, error) {
	var on func(context.Context, oauth.Departure, oauth.Values) (oauth.Link, error)
	var hold <-chan struct{}
	id, key := values[KeyFakeID].Reveal(), values[KeyFakeSecret].Reveal()
	l.enter(OpLink, func() {
		if key != "" {
			l.issued = append(l.issued, key)
		}
		on, hold = l.OnLink, l.Hold
		select {
		case l.Entered <- struct{}{}:
		default:
		}
	})
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return oauth.Link{}, l.refuse(oauth.Ambiguous, "", ctx.Err())
		}
	}
	switch {
	case on != nil:
		return on(ctx, d, values)
	case id == "" || key == "":
		return oauth.Link{}, l.refuse(oauth.BadRequest, "", nil)
	case key == KeyFakeWrong:
		return oauth.Link{}, l.refuse(oauth.Signature, "2", nil)
	}
	serial := l.issue("serial")
	address := ""
	l.Set(func(f *Fake) {
		if l.sent == nil {
			l.sent = map[string]sentLink{}
		}
		l.sent[serial] = sentLink{d.RedirectURI, key, d.Subject}
		address = f.origin() + "/agree?" + url.Values{"serial": {serial}}.Encode()
	})
	return oauth.Link{URL: address, Serial: serial, Kept: oauth.Values{
		KeyFakeID: values[KeyFakeID], KeyFakeSecret: values[KeyFakeSecret], "serial": secret.New(serial),
	}}, nil
}

// linkFakeBody is what a callback says.
type linkFakeBody struct {
	Serial  string `json:"serial"`
	Account string `json:"account"`
}

// Agree plays the person who opens a link and agrees with an account: it gives the callback that follows, and the address
// that it goes to. Each time it is called the provider repeats itself.
func (l *LinkFake) Agree(serial, account string) (address string, body []byte, header http.Header) {
	var link sentLink
	l.Set(func(*Fake) { link = l.sent[serial] })
	body, err := json.Marshal(linkFakeBody{serial, account})
	if err != nil {
		panic("oauthtest: two strings do not encode")
	}
	return link.address, body, http.Header{linkFakeSign: {linkFakeHMAC(body, link.key)}}
}

// Receive implements oauth.Receiver.
func (l *LinkFake) Receive(ctx context.Context, c oauth.Callback) (oauth.Received, error) {
	var on func(context.Context, oauth.Callback) (oauth.Received, error)
	l.enter(OpReceive, func() { on = l.OnReceive })
	if on != nil {
		return on(ctx, c)
	}
	var said linkFakeBody
	key := c.Kept[KeyFakeSecret].Reveal()
	if key == "" || !hmac.Equal([]byte(c.Header.Get(linkFakeSign)), []byte(linkFakeHMAC(c.Body, key))) {
		return oauth.Received{}, l.refuse(oauth.Signature, "", nil)
	}
	if json.Unmarshal(c.Body, &said) != nil || said.Account == "" || said.Serial != c.Kept["serial"].Reveal() {
		return oauth.Received{}, l.refuse(oauth.BadResponse, "", nil)
	}
	cred := l.Credential(said.Account)
	cred.AccessToken, cred.RefreshToken = secret.String{}, secret.String{}
	cred.Extra[KeyFakeSecret] = c.Kept[KeyFakeSecret]
	return oauth.Received{Verified: true, Serial: said.Serial, Credential: cred, Answer: []byte(LinkFakeAnswer)}, ctx.Err()
}

func linkFakeHMAC(body []byte, key string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write(body) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

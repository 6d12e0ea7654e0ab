package oauthtest

import (
	"context"

	"mooring/internal/oauth"
)

// NewsFakeAnswer is what NewsFake takes for "received".
const NewsFakeAnswer = "success"

// NewsFake is the KeyFake whose server sends news that nobody signs. Use it by pointer:
// &NewsFake{KeyFake: KeyFake{Fake: Fake{Slug: "newsy"}}}.
type NewsFake struct{ KeyFake }

var (
	_ oauth.KeyFlow  = (*NewsFake)(nil)
	_ oauth.Receiver = (*NewsFake)(nil)
)

// Descriptor implements oauth.Provider.
func (n *NewsFake) Descriptor() oauth.Descriptor {
	d := n.KeyFake.Descriptor()
	d.News = oauth.Text{ZH: "测试：请登记这个地址", EN: "Register this address there."}
	return d
}

// Receive implements oauth.Receiver.
func (n *NewsFake) Receive(ctx context.Context, c oauth.Callback) (oauth.Received, error) {
	n.enter(OpReceive, func() {})
	if len(c.Body) == 0 {
		return oauth.Received{}, n.refuse(oauth.BadResponse, "", nil)
	}
	return oauth.Received{Answer: []byte(NewsFakeAnswer)}, ctx.Err()
}

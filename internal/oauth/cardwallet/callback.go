package cardwallet

import (
	"bytes"
	"context"
	"errors"

	"mooring/internal/oauth"
)

// ack is what the service is assumed to take for "received"; its documents do not say.
const ack = "success"

var errEmpty = errors.New("the callback says nothing")

var _ oauth.Receiver = (*Provider)(nil)

// Receive implements oauth.Receiver. What a callback holds is not public, nor how it is signed, so that nothing of it is
// read: whoever knows the address of a connection may say that something has changed.
func (p *Provider) Receive(_ context.Context, c oauth.Callback) (oauth.Received, error) {
	if len(bytes.TrimSpace(c.Body)) == 0 {
		return oauth.Received{}, p.refusal(oauth.BadResponse, "", errEmpty)
	}
	return oauth.Received{Answer: p.ack}, nil
}

package oauth

import (
	"context"
	"net/http"
)

// Link is what a LinkFlow made of one attempt.
//
// connect seals URL and Kept with the attempt, keeps Serial beside them, and shows URL as a button and as a QR code until
// the attempt ends. Nothing comes back through the browser: the end arrives at Departure.RedirectURI, an address with a
// token that only this attempt has, and goes to Receive.
type Link struct {
	URL    string // what the person opens; its scheme and host are among those that the operator allows
	Serial string // the provider's name for this attempt, never used before; no secret
	Kept   Values // what Receive must be given to know the answer when it comes, keys included
}

// Receiver understands what a provider's server sends to us of its own accord: the end of a LinkFlow, or news of an
// account. It is given nothing to call with and asks nobody: whoever sent the callback waits for an answer.
//
// connect finds by the token in the address what the callback is bound to, opens what was kept there, and calls Receive.
// An error ends it: every one gets the same refusal, whose cause goes to our log and a counter alone, and nothing changes.
// Without an error connect stores the callback in its inbox, under the binding and Received.Serial, and only then sends
// Received.Answer with status 200. Then it acts, once:
//
//   - Verified, bound to an attempt that waits: Identify tells whose Received.Credential is, and the account is parked,
//     masked, until the person who began confirms it. A link can be forwarded: that it was opened says nothing of whom.
//   - Verified, bound to an attempt that is over: nothing. The first one counted, and a repeat gets the same answer. One
//     that brings another account under the same Serial is an alarm.
//   - Bound to a connection, Verified or not: nothing in it is believed. The connection is read again through the
//     provider's own API, soon and once for all that comes until then. Every connection of a Receiver that is no LinkFlow
//     has an address of its own, which the merchant registers there.
type Receiver interface {
	Receive(ctx context.Context, c Callback) (Received, error)
}

// Callback is a server's call as it came, before anybody has believed a word of it.
type Callback struct {
	Body   []byte      // the very bytes: signatures are over them, and decoding loses the order of fields
	Header http.Header // as net/http received it; a name that came twice has two values
	Kept   Values      // of what it is bound to: Link.Kept of the attempt, or Credential.Extra of the connection, empty once disconnected
}

// Received is what a callback says.
type Received struct {
	// Verified says that the provider's signature over the raw bytes holds, by the keys and the algorithm that were
	// fixed when the binding was made.
	Verified bool

	Serial     string     // the provider's number of the event: the same for a repeat; "" if it has none
	Credential Credential // Verified end of a LinkFlow only: what opens the account
	Answer     []byte     // what the provider takes for "received", the whole body of it
}

package connect

import (
	"context"
	"crypto/subtle"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

const (
	// addressKept is how long the old address for news is answered after a renewal: time to register the new one.
	addressKept = 24 * time.Hour
	// newsEvery is the shortest time between a reading and the next one that news brings about.
	newsEvery = time.Minute
)

// receiveNews takes news of a connection. Nothing in it is believed: all it can do is have the connection read again
// through the provider's own API. What waits already stands for what comes until it is acted on.
func (s *Service) receiveNews(ctx context.Context, st *models.TenantStore, receiver oauth.Receiver, b models.Binding, in Incoming) ([]byte, error) {
	got, err := receiver.Receive(ctx, oauth.Callback{Body: in.Body, Header: in.Header, Kept: s.keptOf(b)})
	if err != nil {
		s.Log.WarnContext(ctx, "a callback was refused", "provider", in.Provider, "connection", b.News.ID, "error", err)
		return nil, models.NotFound()
	}
	if b.News.Waiting != uuid.Nil {
		return got.Answer, st.CountNews(ctx, b.News.Waiting)
	}
	n := models.NewNews{ID: uuid.Must(uuid.NewV7()), Connection: b.News.ID, Provider: b.News.Provider, Verified: got.Verified}
	if n.ContentHash, err = s.Vault.Hash("callback", b.Tenant.String(), b.News.ID.String(), string(in.Body)); err != nil {
		return nil, err
	}
	if n.Body, err = s.Vault.Seal(b.Key, inboxPlace(b.Tenant, n.ID, n.Provider, "callback_body"), in.Body); err != nil {
		return nil, err
	}
	return got.Answer, st.StoreNews(ctx, n, s.Queue.CallbackJob(b.Tenant, n.ID))
}

// keptOf is what the connection's callbacks are known by: nothing, once it is disconnected. A credential that does not
// open is no reason to lose news; the reading that follows says what is wrong.
func (s *Service) keptOf(b models.Binding) oauth.Values {
	if len(b.News.Credential) == 0 {
		return oauth.Values{}
	}
	cred, err := s.openCredential(b.Key, b.News.Connection, b.News.Credential)
	if err != nil {
		return oauth.Values{}
	}
	return cred.Extra
}

// sendsNews says whether a provider calls us of its own accord about a connection, at an address of the connection's own.
// The callback that ends a link flow has its attempt's.
func sendsNews(p oauth.Provider) bool {
	_, receives := p.(oauth.Receiver)
	_, links := p.(oauth.LinkFlow)
	return receives && !links
}

// NewsView is where news of a connection goes.
type NewsView struct {
	ID       uuid.UUID // of the current address; zero: there is none yet
	URL      string    // to register at the provider; "" if there is none, or it does not open
	Since    time.Time
	OldUntil time.Time // until when the address of before is answered as well; zero: there is none
}

// newsView opens the addresses of a connection; nil where its provider sends no news, or there is nothing to send of.
func (s *Service) newsView(d models.Detail) *NewsView {
	if d.State == models.Disconnected || !sendsNews(s.Providers.offered[d.Connection.Provider]) {
		return nil
	}
	view := &NewsView{}
	for _, a := range d.Addresses {
		if a.EndsAt != nil {
			view.OldUntil = *a.EndsAt
			continue
		}
		view.ID, view.Since = a.ID, a.CreatedAt
		token, err := s.Vault.Open(d.Key, addressPlace(d.TenantID, a.ID, d.Connection.Provider), a.Token)
		if err == nil && subtle.ConstantTimeCompare(hashOf(string(token)), a.TokenHash) == 1 {
			view.URL = s.callbackURI(d.Connection.Provider, secret.New(string(token)))
		}
	}
	return view
}

// newAddress makes an address for news of a connection; nil where its provider sends none.
func (s *Service) newAddress(key vault.WrappedKey, tenant uuid.UUID, provider string) (*models.Address, error) {
	if !sendsNews(s.Providers.offered[provider]) {
		return nil, nil
	}
	token, id := random(), uuid.Must(uuid.NewV7())
	sealed, err := s.Vault.Seal(key, addressPlace(tenant, id, provider), []byte(token.Reveal()))
	if err != nil {
		return nil, err
	}
	return &models.Address{ID: id, TokenHash: hashOf(token.Reveal()), Token: sealed}, nil
}

// RenewAddress gives a connection a new address for news; before is the current one that the person has seen. The old
// one is answered for a day. Pressing twice renews once.
func (s *Service) RenewAddress(ctx context.Context, st *models.TenantStore, connection, before uuid.UUID) error {
	d, err := st.Connection(ctx, connection)
	if err != nil {
		return err
	}
	if d.State == models.Disconnected {
		return errs.New(errs.Conflict, "error.disconnected")
	}
	address, err := s.newAddress(d.Key, st.Tenant(), d.Connection.Provider)
	if err != nil {
		return err
	}
	if address == nil {
		return models.NotFound()
	}
	err = st.RenewAddress(ctx, connection, before, *address, addressKept, addressEvent(d.Connection, "callback.address_renewed"))
	return ignore(err, errs.Conflict)
}

// EndAddress ends the old address for news at once, instead of at the end of its day.
func (s *Service) EndAddress(ctx context.Context, st *models.TenantStore, connection uuid.UUID) error {
	d, err := st.Connection(ctx, connection)
	if err != nil {
		return err
	}
	return ignore(st.EndAddress(ctx, connection, addressEvent(d.Connection, "callback.address_ended")), errs.Conflict)
}

func addressEvent(c models.Connection, kind string) models.NewEvent {
	return models.NewEvent{Kind: kind, Connection: c.ID, Detail: map[string]any{"provider": c.Provider, "account": c.AccountMasked}}
}

func addressPlace(tenant, address uuid.UUID, provider string) vault.Place {
	return place(tenant, address, provider, "callback_token", 0)
}

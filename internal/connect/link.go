package connect

import (
	"context"
	"encoding/hex"
	"errors"
	"net/url"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// BeginLink asks a provider for a link by the values of a form. The attempt that it gives waits for the link to be
// opened, or has ended with the provider's reason; an Invalid error names the field to correct, and nothing was sent then.
func (s *Service) BeginLink(ctx context.Context, st *models.TenantStore, r SubmitRequest) (models.Attempt, error) {
	flow, d, err := flowOf[oauth.LinkFlow](s, r.Provider)
	if err == nil {
		err = s.mayBegin(r.Provider)
	}
	if err != nil {
		return models.Attempt{}, err
	}
	values, err := filledIn(flow, r.Values)
	if err != nil {
		return models.Attempt{}, err
	}
	subject, err := s.subject(st.Tenant(), r)
	if err != nil {
		return models.Attempt{}, err
	}
	// The row comes first: a link whose attempt could not be written would be a door that leads nowhere.
	token := random()
	attempt, err := s.spent(ctx, st, r, d, hashOf(token.Reveal()), linkLife)
	if err != nil {
		return attempt, err
	}

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	link, err := flow.Link(ctx, oauth.Departure{RedirectURI: s.callbackURI(r.Provider, token), Subject: subject}, values)
	if err == nil {
		err = s.keepLink(ctx, st, &attempt, link)
	}
	if err != nil {
		return s.fail(ctx, st, attempt, err)
	}
	return attempt, nil
}

// callbackURI is the address that a provider's server calls for one attempt. Its token is all that leads there.
func (s *Service) callbackURI(slug string, token secret.String) string {
	return s.PublicURL + "/webhooks/" + slug + "/" + token.Reveal()
}

// subject names who leaves: the same person at the same provider always alike, and nobody can tell who it is.
func (s *Service) subject(tenant uuid.UUID, r SubmitRequest) (string, error) {
	sum, err := s.Vault.Hash("subject", r.Provider, tenant.String(), r.UserID.String())
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:16]), nil
}

var errLink = errors.New("the provider's link is no web address, or came without what its callback is known by")

// keepLink seals a link with its attempt, which waits for it to be opened from now on.
func (s *Service) keepLink(ctx context.Context, st *models.TenantStore, a *models.Attempt, link oauth.Link) error {
	u, err := url.Parse(link.URL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || link.Serial == "" || len(link.Kept) == 0 {
		return &oauth.Error{Provider: a.Provider, Kind: oauth.BadResponse, Cause: errLink}
	}
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	address, err := s.Vault.Seal(key, linkPlace(st.Tenant(), *a), []byte(link.URL))
	if err != nil {
		return err
	}
	kept, err := s.seal(key, keptPlace(st.Tenant(), *a), writeValues(link.Kept))
	if err != nil {
		return err
	}
	if err := st.SaveLink(ctx, a.ID, link.Serial, address, kept); err != nil {
		return err
	}
	a.Status, a.ConsumedAt, a.Link = models.Pending, nil, address
	return nil
}

// OpenLink gives what the person is to open, "" if the attempt has no link or no longer waits. The attempt is one that
// Attempt gave: only to the person who began. One whose link does not open has ended, and says so.
func (s *Service) OpenLink(ctx context.Context, st *models.TenantStore, a models.Attempt) (models.Attempt, string, error) {
	if a.Status != models.Pending || len(a.Link) == 0 {
		return a, "", nil
	}
	key, err := st.Key(ctx)
	if err != nil {
		return a, "", err
	}
	address, err := s.Vault.Open(key, linkPlace(st.Tenant(), a), a.Link)
	if err != nil {
		a, err = s.fail(ctx, st, a, err)
		return a, "", err
	}
	return a, string(address), nil
}

func linkPlace(tenant uuid.UUID, a models.Attempt) vault.Place {
	return place(tenant, a.ID, a.Provider, "link", 0)
}

func keptPlace(tenant uuid.UUID, a models.Attempt) vault.Place {
	return place(tenant, a.ID, a.Provider, "kept", 0)
}

func writeValues(values oauth.Values) map[string]string {
	text := map[string]string{}
	for name, value := range values {
		text[name] = value.Reveal()
	}
	return text
}

func readValues(text map[string]string) oauth.Values {
	values := oauth.Values{}
	for name, value := range text {
		values[name] = secret.New(value)
	}
	return values
}

package connect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// BeginRequest is a press of Connect, or of Reconnect.
type BeginRequest struct {
	Provider  string
	UserID    uuid.UUID
	SessionID uuid.UUID
	Reconnect *uuid.UUID // the connection to give a new credential; nil: a new account
}

// Begun is where the browser goes next, and what it must bring back.
type Begun struct {
	Attempt   uuid.UUID
	Cookie    secret.String // value of the flow cookie
	Location  string        // the provider's address
	ExpiresAt time.Time
}

// Begin writes an attempt and gives the address to leave for. NotFound for a provider nobody has, Conflict for one that
// is not offered here.
func (s *Service) Begin(ctx context.Context, st *models.TenantStore, r BeginRequest) (Begun, error) {
	flow, d, err := s.redirectFlow(r.Provider)
	if err == nil {
		err = s.mayBegin(r.Provider)
	}
	if err != nil {
		return Begun{}, err
	}
	key, err := st.Key(ctx)
	if err != nil {
		return Begun{}, err
	}
	id := uuid.Must(uuid.NewV7())
	state, browser, verifier := random(), random(), random()
	location, err := flow.AuthURL(oauth.Departure{
		RedirectURI: s.RedirectURI(r.Provider), State: state, Challenge: challenge(verifier),
	})
	if err != nil {
		return Begun{}, fmt.Errorf("connect: %s: making the address: %w", r.Provider, err)
	}
	sealed, err := s.Vault.Seal(key, verifierPlace(st.Tenant(), id, r.Provider), []byte(verifier.Reveal()))
	if err != nil {
		return Begun{}, err
	}
	begun := Begun{Attempt: id, Cookie: browser, Location: location, ExpiresAt: s.Now().Add(redirectLife)}
	return begun, st.CreateAttempt(ctx, models.NewAttempt{
		ID: id, UserID: r.UserID, SessionID: r.SessionID, Provider: r.Provider, Environment: d.Environment,
		ConnectionID: r.Reconnect, StateHash: hashOf(state.Reveal()), BrowserHash: hashOf(browser.Reveal()),
		Verifier: sealed, ExpiresAt: begun.ExpiresAt,
	})
}

// redirectFlow finds a provider that browsers are sent to.
func (s *Service) redirectFlow(slug string) (oauth.RedirectFlow, oauth.Descriptor, error) {
	return flowOf[oauth.RedirectFlow](s, slug)
}

// flowOf finds an offered provider by its way in. NotFound for a slug nobody has or another way in, Conflict for a
// provider that is not offered here.
func flowOf[F oauth.Provider](s *Service, slug string) (flow F, d oauth.Descriptor, err error) {
	d, offered, known := s.Providers.Describe(slug)
	if !known {
		return flow, d, models.NotFound()
	}
	if !offered {
		return flow, d, errs.New(errs.Conflict, "error.not_offered")
	}
	flow, ok := s.Providers.offered[slug].(F)
	if !ok {
		return flow, d, models.NotFound()
	}
	return flow, d, nil
}

// tokenLength is that of what random gives.
const tokenLength = 43

// random gives 256 bits in URL-safe letters.
func random() secret.String {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails: the program stops instead
	return secret.New(base64.RawURLEncoding.EncodeToString(raw[:]))
}

func hashOf(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// challenge is PKCE's S256 (RFC 7636 §4.2).
func challenge(verifier secret.String) string {
	return base64.RawURLEncoding.EncodeToString(hashOf(verifier.Reveal()))
}

func verifierPlace(tenant, attempt uuid.UUID, provider string) vault.Place {
	return place(tenant, attempt, provider, "verifier", 0)
}

// Return is what a browser brings back to a provider's callback address.
type Return struct {
	Provider  string // from the route, nothing else
	Query     url.Values
	UserID    uuid.UUID
	SessionID uuid.UUID
	Cookies   map[uuid.UUID]secret.String // flow cookies, by attempt
}

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
)

// samplePerson is somebody whom the demo signs up. The passwords are printed at every start: they guard sample data on
// this machine alone.
type samplePerson struct {
	business string // empty: staff of the platform
	email    string
	password string
	language string
	account  int // which of the simulators' sample merchants they are
}

func samplePeople() []samplePerson {
	return []samplePerson{
		{email: "admin@mooring.example", password: "harbour-master-2026"},
		{business: "蓝鲸跨境", email: "lin@bluewhale.example", password: "blue-whale-2026", language: "zh-CN"},
		{business: "Harbour & Finch", email: "finch@harbour.example", password: "harbour-finch-2026", language: "en", account: 1},
	}
}

// signUpSamples makes the sample people and connects the merchants' accounts, each once; what a killed start left undone
// is done by the next. It goes the ways that people go: it signs up, presses connect, consents or pastes a key.
func (s *stage) signUpSamples(ctx context.Context, h *house) error {
	for _, person := range samplePeople() {
		var err error
		if person.business == "" {
			err = h.ensureAdmin(ctx, person)
		} else {
			err = s.ensureMerchant(ctx, h, person)
		}
		if err != nil {
			return fmt.Errorf("making the sample data: %w", err)
		}
	}
	return nil
}

func (h *house) ensureAdmin(ctx context.Context, person samplePerson) error {
	_, err := h.store.PersonForSignIn(ctx, person.email)
	if errs.CodeOf(err) == errs.NotFound {
		return h.createAdmin(ctx, person.email, secret.New(person.password))
	}
	return err
}

// ensureMerchant leaves a merchant alone who has ever connected an account: disconnecting it was somebody's wish.
func (s *stage) ensureMerchant(ctx context.Context, h *house, person samplePerson) error {
	staff := h.store.Platform(models.Actor{Kind: models.System})
	found, err := staff.Tenants(ctx, models.TenantQuery{Search: person.email, Limit: 1})
	if err != nil {
		return err
	}
	begin := h.signUpSample
	if len(found.Rows) > 0 {
		tenant, err := staff.Tenant(ctx, found.Rows[0].ID, uuid.Nil)
		if err != nil || len(tenant.Links) > 0 {
			return err
		}
		begin = h.signInSample
	}
	signedIn, err := begin(ctx, person)
	if err != nil {
		return err
	}
	session, err := h.accounts.Open(ctx, signedIn.Token)
	if err != nil {
		return err
	}
	for _, provider := range h.connect.Providers.Offered() {
		if err := s.connectSample(ctx, h, session, provider, person.account); err != nil {
			return err
		}
	}
	return h.accounts.SignOut(ctx, signedIn.Token)
}

func sampleBrowser() accounts.Browser {
	return accounts.Browser{Address: "127.0.0.1", UserAgent: "Mooring demo"}
}

func (h *house) signUpSample(ctx context.Context, person samplePerson) (accounts.SignedIn, error) {
	// With mail a sign-up is finished by a link; nobody would press it here.
	deps := h.accounts.Deps
	deps.MailConfigured = false
	signedUp, err := accounts.New(deps).SignUp(ctx, accounts.SignUpRequest{
		BusinessName: person.business, Email: person.email, Password: secret.New(person.password),
		Language: person.language, Browser: sampleBrowser(),
	})
	if err != nil {
		return accounts.SignedIn{}, err
	}
	return *signedUp.Session, nil
}

func (h *house) signInSample(ctx context.Context, person samplePerson) (accounts.SignedIn, error) {
	return h.accounts.SignIn(ctx, accounts.SignInRequest{
		Email: person.email, Password: secret.New(person.password), Browser: sampleBrowser(),
	})
}

// connectSample connects one account as the person's browser would.
func (s *stage) connectSample(ctx context.Context, h *house, session accounts.Session, provider oauth.Descriptor, account int) error {
	st := h.store.ForTenant(session.TenantID, models.Actor{Kind: models.Person, ID: session.UserID})
	var attempt models.Attempt
	var err error
	switch provider.Flow {
	case oauth.FlowRedirect:
		attempt, err = s.consentSample(ctx, h, st, session, provider.Slug, account)
	case oauth.FlowKey:
		attempt, err = s.pasteSample(ctx, h, st, session, provider.Slug, account)
	case oauth.FlowLink:
		attempt, err = s.openSample(ctx, h, st, session, provider.Slug, account)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", provider.Slug, err)
	}
	if attempt.Status != models.Stored { // a fault left on in the simulator, an account that somebody connected: no reason not to start
		h.log.Warn("a sample account was not connected", "provider", provider.Slug, "status", string(attempt.Status), "reason", attempt.Reason)
		return nil
	}
	return s.registerSample(ctx, h, st, *attempt.ResultConnection, provider.Slug, account)
}

// registerSample gives the provider the address for news of a connection, where it sends any.
func (s *stage) registerSample(ctx context.Context, h *house, st *models.TenantStore, connection uuid.UUID, slug string, account int) error {
	view, err := h.connect.Show(ctx, st, connection)
	if err != nil || view.News == nil {
		return err
	}
	return s.simulator.SendNews(slug, account, view.News.URL)
}

// consentSample goes by the browser's way, as far as the simulator's pages, where somebody consents at once.
func (s *stage) consentSample(ctx context.Context, h *house, st *models.TenantStore, session accounts.Session, slug string, account int) (models.Attempt, error) {
	begun, err := h.connect.Begin(ctx, st, connect.BeginRequest{Provider: slug, UserID: session.UserID, SessionID: session.ID})
	if err != nil {
		return models.Attempt{}, err
	}
	back, err := s.simulator.Consent(slug, account, begun.Location)
	if err != nil {
		return models.Attempt{}, err
	}
	return h.connect.Finish(ctx, st, connect.Return{
		Provider: slug, Query: back, UserID: session.UserID, SessionID: session.ID,
		Cookies: map[uuid.UUID]secret.String{begun.Attempt: begun.Cookie},
	})
}

// pasteSample fills in the form.
func (s *stage) pasteSample(ctx context.Context, h *house, st *models.TenantStore, session accounts.Session, slug string, account int) (models.Attempt, error) {
	form, err := s.fillInSample(session, slug, account)
	if err != nil {
		return models.Attempt{}, err
	}
	return h.connect.Submit(ctx, st, form)
}

func (s *stage) fillInSample(session accounts.Session, slug string, account int) (connect.SubmitRequest, error) {
	keys, err := s.simulator.Keys(slug, account)
	values := oauth.Values{}
	for name, value := range keys {
		values[name] = secret.New(value)
	}
	return connect.SubmitRequest{Provider: slug, UserID: session.UserID, SessionID: session.ID, Values: values}, err
}

// linkPatience is how long a start waits for the provider's call. It comes at once, unless PUBLIC_URL leads elsewhere.
const linkPatience = 3 * time.Second

// openSample fills in the form, opens the link that comes of it, agrees there, and confirms what the provider's server
// has then told.
func (s *stage) openSample(ctx context.Context, h *house, st *models.TenantStore, session accounts.Session, slug string, account int) (models.Attempt, error) {
	form, err := s.fillInSample(session, slug, account)
	if err != nil {
		return models.Attempt{}, err
	}
	attempt, err := h.connect.BeginLink(ctx, st, form)
	if err != nil {
		return attempt, err
	}
	woken, cancel := h.listener.Subscribe(attempt.ID)
	defer cancel()
	attempt, link, err := h.connect.OpenLink(ctx, st, attempt)
	if err != nil || link == "" {
		return attempt, err
	}
	if err := s.simulator.Agree(slug, account, link); err != nil {
		return attempt, err
	}
	late := time.After(linkPatience)
	for {
		attempt, err = h.connect.Attempt(ctx, st, attempt.ID, session.UserID)
		switch {
		case err != nil:
			return attempt, err
		case attempt.Status == models.Returned:
			return h.connect.Confirm(ctx, st, attempt.ID, session.UserID, session.ID)
		}
		select {
		case <-woken:
		case <-late:
			return attempt, nil
		case <-ctx.Done():
			return attempt, ctx.Err()
		}
	}
}

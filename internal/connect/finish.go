package connect

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// Finish takes what came back and brings the attempt to its end, or to where the person must confirm it. The attempt it
// gives says what to show. An error means that nothing matched this person in this session and browser: nothing was sent
// to the provider then.
func (s *Service) Finish(ctx context.Context, st *models.TenantStore, r Return) (models.Attempt, error) {
	flow, d, err := s.redirectFlow(r.Provider)
	if err != nil {
		return models.Attempt{}, err
	}
	landing := oauth.Land(r.Query)
	if landing.Outcome == oauth.Malformed || (landing.State == "" && d.StatePolicy != oauth.StateCookieFallback) {
		return models.Attempt{}, s.refuse(ctx, st, r.Provider)
	}
	taken, won, err := st.ConsumeAttempt(ctx, presented(r, landing))
	switch {
	case errs.CodeOf(err) == errs.NotFound:
		return models.Attempt{}, s.refuse(ctx, st, r.Provider)
	case err != nil:
		return models.Attempt{}, err
	case !won:
		return s.await(ctx, st, taken.Attempt)
	}

	// The attempt is spent, and only this call may go on with it: a browser that hangs up must not leave it half done.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	switch landing.Outcome {
	case oauth.SaidNo:
		return s.end(ctx, st, taken.Attempt, models.Ending{Status: models.Denied, Reason: ReasonDenied})
	case oauth.WentWrong:
		return s.end(ctx, st, taken.Attempt, models.Ending{Status: models.Failed, Reason: ReasonNoCode, ProviderCode: landing.Code})
	}
	account, cred, err := s.exchange(ctx, st, flow, taken, landing.Arrival)
	if err != nil {
		return s.fail(ctx, st, taken.Attempt, err)
	}
	if landing.State == "" {
		return s.park(ctx, st, taken.Attempt, account, cred)
	}
	return s.bind(ctx, st, taken.Attempt, account, cred)
}

func presented(r Return, landing oauth.Landing) models.Presented {
	p := models.Presented{
		Provider: r.Provider, UserID: r.UserID, SessionID: r.SessionID, Browsers: map[uuid.UUID][]byte{},
		ArrivalHash: hashOf(string(landing.Outcome) + " " + landing.Arrival.Code.Reveal()),
	}
	if landing.State != "" {
		p.StateHash = hashOf(landing.State)
	}
	for attempt, cookie := range r.Cookies {
		p.Browsers[attempt] = hashOf(cookie.Reveal())
	}
	return p
}

// refuse records that something arrived which nobody here had begun.
func (s *Service) refuse(ctx context.Context, st *models.TenantStore, provider string) error {
	if err := st.Record(ctx, models.NewEvent{Kind: "attempt.refused", Detail: map[string]any{"provider": provider}}); err != nil {
		return err
	}
	return errs.New(errs.Forbidden, "error.attempt_foreign")
}

// exchange asks the provider: a credential for the code, and whose it is.
func (s *Service) exchange(ctx context.Context, st *models.TenantStore, flow oauth.RedirectFlow, taken models.Consumed, a oauth.Arrival,
) (account oauth.Account, cred oauth.Credential, err error) {
	key, err := st.Key(ctx)
	if err != nil {
		return account, cred, err
	}
	verifier, err := s.Vault.Open(key, verifierPlace(st.Tenant(), taken.ID, taken.Provider), taken.Verifier)
	if err != nil {
		return account, cred, err
	}
	a.RedirectURI, a.Verifier = s.RedirectURI(taken.Provider), secret.New(string(verifier))
	if cred, err = flow.Exchange(ctx, a); err != nil {
		return account, cred, err
	}
	account, err = flow.Identify(ctx, cred)
	return account, cred, err
}

// await gives the duplicate of a callback what the first one achieves. It holds no connection to the database while it
// waits; when the wait is over, the attempt's page follows the rest.
func (s *Service) await(ctx context.Context, st *models.TenantStore, a models.Attempt) (models.Attempt, error) {
	changed, cancel := s.Wakes.Subscribe(a.ID)
	defer cancel()
	timer := time.NewTimer(duplicateWait)
	defer timer.Stop()
	for {
		now, err := s.Attempt(ctx, st, a.ID, a.UserID)
		if err != nil || now.Status != models.Exchanging {
			return now, err
		}
		select {
		case <-changed:
		case <-timer.C:
			return now, nil
		case <-ctx.Done():
			return now, ctx.Err()
		}
	}
}

// park keeps an account that came back without our state until the person who began confirms it.
func (s *Service) park(ctx context.Context, st *models.TenantStore, a models.Attempt, account oauth.Account, cred oauth.Credential) (models.Attempt, error) {
	if err := s.keepReturned(ctx, st, &a, account, cred); err != nil {
		return s.orphan(ctx, st, a, cred, err)
	}
	return a, nil
}

// keepReturned seals what came back with its attempt, which waits to be confirmed from now on.
func (s *Service) keepReturned(ctx context.Context, st *models.TenantStore, a *models.Attempt, account oauth.Account, cred oauth.Credential) error {
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	sealed, err := s.seal(key, returnedPlace(st.Tenant(), *a), returnedText{
		Account:    accountText(account),
		Credential: writeCredential(cred),
	})
	if err != nil {
		return err
	}
	masked := oauth.Mask(account.ExternalID)
	err = st.ParkAttempt(ctx, a.ID, sealed, masked, event(*a, "attempt.returned", map[string]any{"account": masked}))
	if err != nil {
		return err
	}
	a.Status, a.AccountMasked = models.Returned, masked
	return nil
}

func returnedPlace(tenant uuid.UUID, a models.Attempt) vault.Place {
	return place(tenant, a.ID, a.Provider, "returned", 0)
}

// fail ends an attempt for what the provider, or our own vault, said.
func (s *Service) fail(ctx context.Context, st *models.TenantStore, a models.Attempt, cause error) (models.Attempt, error) {
	end := models.Ending{Status: models.Failed, Reason: ReasonInternal, Also: s.observed(a.Provider, cause)}
	if e, ok := errors.AsType[*oauth.Error](cause); ok {
		end.Reason, end.ProviderCode = string(e.Kind), e.Code
	} else if errors.Is(cause, vault.ErrSealed) {
		end.Reason = ReasonSealedBroken
	}
	s.Log.WarnContext(ctx, "connecting failed", "provider", a.Provider, "attempt", a.ID, "reason", end.Reason, "error", cause)
	return s.end(ctx, st, a, end)
}

// end closes an attempt without a connection and tells it in the history.
func (s *Service) end(ctx context.Context, st *models.TenantStore, a models.Attempt, end models.Ending) (models.Attempt, error) {
	kind := "attempt." + string(end.Status)
	detail := map[string]any{"reason": end.Reason}
	if end.ProviderCode != "" {
		detail["code"] = end.ProviderCode
	}
	if end.AccountMasked != "" {
		detail["account"] = end.AccountMasked
	}
	if err := st.EndAttempt(ctx, a.ID, end, event(a, kind, detail)); err != nil {
		return a, err
	}
	finished := s.Now()
	a.Status, a.Reason, a.ProviderCode, a.FinishedAt = end.Status, end.Reason, end.ProviderCode, &finished
	if end.AccountMasked != "" {
		a.AccountMasked = end.AccountMasked
	}
	return a, nil
}

func event(a models.Attempt, kind string, detail map[string]any) models.NewEvent {
	detail["provider"] = a.Provider
	e := models.NewEvent{Kind: kind, Detail: detail}
	if a.ConnectionID != nil {
		e.Connection = *a.ConnectionID
	}
	return e
}

package connect

import (
	"context"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// Attempt gives one of the person's own attempts, as it stands now: what was left open too long has ended.
func (s *Service) Attempt(ctx context.Context, st *models.TenantStore, id, user uuid.UUID) (models.Attempt, error) {
	a, err := st.Attempt(ctx, id, user)
	return settled(a, s.Now()), err
}

// settled reads the clock into an attempt. Nothing needs to sweep: an exchange that never ended and an account that was
// never confirmed are seen as ended by whoever looks.
func settled(a models.Attempt, now time.Time) models.Attempt {
	waiting := a.Status == models.Pending || a.Status == models.Returned
	switch {
	case waiting && now.After(a.ExpiresAt):
		a.Status, a.Reason = models.Failed, ReasonExpired
	case a.Status == models.Exchanging && a.ConsumedAt != nil && now.Sub(*a.ConsumedAt) > interruptedAfter:
		a.Status, a.Reason = models.Failed, ReasonInterrupted
	}
	return a
}

// Confirm binds the account that came back without our state. Only the person who began may, in the session that began.
// Pressing twice gives the same result twice.
func (s *Service) Confirm(ctx context.Context, st *models.TenantStore, id, user, session uuid.UUID) (models.Attempt, error) {
	a, sealed, err := st.TakeReturned(ctx, id, user, session)
	if errs.CodeOf(err) == errs.NotFound {
		return s.confirmed(ctx, st, id, user)
	}
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	key, err := st.Key(ctx)
	if err != nil {
		return a, err
	}
	var back returnedText
	if err := s.open(key, returnedPlace(st.Tenant(), a), sealed, &back); err != nil {
		return s.fail(ctx, st, a, err)
	}
	return s.bind(ctx, st, a, back.Account.account(), readCredential(back.Credential))
}

// confirmed tells apart why there was nothing to take: it was taken a moment ago, it has ended, or it never was theirs.
func (s *Service) confirmed(ctx context.Context, st *models.TenantStore, id, user uuid.UUID) (models.Attempt, error) {
	a, err := s.Attempt(ctx, st, id, user)
	switch {
	case err != nil:
		return a, err
	case a.Status == models.Exchanging:
		return s.await(ctx, st, a)
	case a.Status == models.Returned: // begun in another session
		return a, errs.New(errs.Forbidden, "error.attempt_foreign")
	}
	return a, nil
}

// Cancel ends an attempt that the person no longer wants; of one that failed, they want to see no more. One that has ended
// otherwise is given as it is.
func (s *Service) Cancel(ctx context.Context, st *models.TenantStore, id, user uuid.UUID) (models.Attempt, error) {
	a, err := s.Attempt(ctx, st, id, user)
	if err != nil {
		return a, err
	}
	switch a.Status {
	case models.Pending, models.Returned, models.Failed:
		return s.end(ctx, st, a, models.Ending{Status: models.Cancelled})
	case models.Exchanging:
		return s.await(ctx, st, a)
	}
	return a, nil
}

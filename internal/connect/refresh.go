package connect

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

const (
	// refreshTime bounds the asking for new tokens, all of its calls together.
	refreshTime = 20 * time.Second
	// refreshLease is how long whoever renews is believed in: longer than refreshTime, and short enough that what a killed
	// program has left open is settled within a minute.
	refreshLease = 30 * time.Second
	// saveTime bounds the keeping of new tokens, repeated tries included.
	saveTime = 8 * time.Second

	firstRetry  = 5 * time.Second
	longestRest = 5 * time.Minute // between two tries, unless the provider asks for more
	longestAsk  = time.Hour       // a provider's Retry-After is honoured up to this
)

// Outcomes of a renewal, for Deps.Refreshed.
const (
	RefreshRenewed   = "renewed"
	RefreshRecovered = "recovered" // after failures, or by the marked recovery
	RefreshFailed    = "failed"    // it will be tried again
	RefreshRefused   = "refused"   // for certain; a person must act
	RefreshOvertaken = "overtaken" // the lease had passed on, or the connection was ended meanwhile
)

// Refresh looks at a credential that is due by the clock: it renews it, or settles what a killed program left open.
// jobs calls it. A failure has its own next time in the row, so that only our own failing is an error.
func (s *Service) Refresh(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	a := s.access(st, id)
	err := a.load(ctx)
	switch {
	case errs.CodeOf(err) == errs.NotFound:
		return nil // disconnected meanwhile
	case a.held.ID == uuid.Nil:
		return err
	case err != nil || a.refresher == nil: // what does not open is the next sync's to tell; what is not offered is not renewed
		return errors.Join(err, st.ScheduleRefresh(ctx, a.held, time.Time{}))
	}
	if step, _ := a.next(0, true); step != renewIt {
		return st.ScheduleRefresh(ctx, a.held, a.lookAt())
	}
	err = a.renew(ctx)
	if _, theirs := errors.AsType[*oauth.Error](err); theirs || errs.CodeOf(err) == errs.Conflict {
		return nil
	}
	return err
}

// lookAt is when to look at the credential again if nothing happens before.
func (a *access) lookAt() time.Time {
	switch {
	case a.held.Refresh == models.RefreshRefused:
		return time.Time{}
	case a.held.LeaseUntil != nil && a.held.LeaseUntil.After(a.Now()):
		return *a.held.LeaseUntil
	case a.held.RetryAt != nil && a.held.RetryAt.After(a.Now()):
		return *a.held.RetryAt
	}
	return a.timedAt(a.id, a.held.CredentialVersion, a.cred)
}

// renew asks the provider for the next credential, under a lease, and keeps it before anybody uses it. Once it has begun
// it goes on although whoever wanted it may have left. Conflict when somebody else is or was at it.
func (a *access) renew(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	noted := !a.cred.RefreshToken.IsEmpty() // without one, asking twice costs nothing
	held, err := a.st.LeaseCredential(ctx, a.held, a.Now().Add(refreshLease), noted)
	if err != nil {
		return err
	}
	a.held = held
	old := a.cred
	fresh, no := a.ask(ctx, old)
	if no != nil && no.Definite() && held.Previous != nil {
		if previous, opened := a.openPrevious(); opened {
			if err := a.st.RecoverPrevious(ctx, held, a.Now().Add(refreshLease)); err != nil {
				return err
			}
			a.held.Refresh, old = models.RefreshRecovering, previous
			fresh, no = a.ask(ctx, old)
		}
	}
	if no != nil {
		return a.refreshFailed(ctx, no)
	}
	return a.keep(ctx, old, fresh)
}

// ask makes the call. What is not an answer of the contract is as good as none.
func (a *access) ask(ctx context.Context, old oauth.Credential) (oauth.Credential, *oauth.Error) {
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	fresh, err := a.refresher.Refresh(ctx, old)
	if err == nil {
		return fresh, nil
	}
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		return fresh, e
	}
	return fresh, &oauth.Error{Provider: a.held.Provider, Kind: oauth.Ambiguous, Cause: err}
}

// openPrevious gives the credential before one that has never worked: the provider may not have meant the new one.
func (a *access) openPrevious() (oauth.Credential, bool) {
	before := a.held.Connection
	before.CredentialVersion = a.held.PreviousVersion
	cred, err := a.openCredential(a.held.Key, before, a.held.Previous)
	return cred, err == nil
}

// keep stores the new credential, with what the answer left out taken over from the old one. Only then is it used.
func (a *access) keep(ctx context.Context, old, fresh oauth.Credential) error {
	if fresh.RefreshToken.IsEmpty() {
		fresh.RefreshToken, fresh.RefreshExpires = old.RefreshToken, old.RefreshExpires
	}
	if fresh.Extra == nil {
		fresh.Extra = old.Extra
	}
	conn, version := a.held.Connection, a.held.CredentialVersion+1
	sealed, err := a.seal(a.held.Key, credentialPlace(conn.TenantID, conn.ID, conn.Provider, version), writeCredential(fresh))
	if err != nil {
		return err
	}
	n := models.Renewed{
		Sealed: sealed, ExpiresAt: fresh.RefreshExpires, NextAt: a.timedAt(conn.ID, version, fresh),
		KeepOld: !old.RefreshToken.IsEmpty(),
	}
	outcome := RefreshRenewed
	if a.held.Failures > 0 || a.held.Refresh == models.RefreshRecovering {
		outcome = RefreshRecovered
		n.Event = a.refreshEvent("connection.refresh_recovered", nil)
	}
	if err := a.save(ctx, n); err != nil {
		if errs.CodeOf(err) == errs.Conflict {
			a.overtaken(ctx, fresh)
		}
		return err
	}
	a.Refreshed(conn.Provider, outcome)
	a.held.CredentialVersion, a.held.Refresh, a.held.Failures, a.held.LeaseUntil, a.held.RetryAt = version, models.RefreshIdle, 0, nil, nil
	a.held.Previous, a.held.PreviousVersion = nil, version-1
	if n.KeepOld {
		a.held.Previous = a.held.Sealed
	}
	a.held.Sealed, a.cred = sealed, fresh
	return nil
}

// save tries for a while: what is lost here is lost for good.
func (a *access) save(ctx context.Context, n models.Renewed) error {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	for rest := 100 * time.Millisecond; ; rest *= 2 {
		err := a.st.SaveRefreshed(ctx, a.held, n)
		if err == nil || errs.CodeOf(err) == errs.Conflict {
			return err
		}
		a.Log.ErrorContext(ctx, "new tokens could not be stored yet", "provider", a.held.Provider, "connection", a.id, "error", err)
		select {
		case <-time.After(rest):
		case <-ctx.Done():
			return err
		}
	}
}

// overtaken is for tokens that nobody may keep: the lease had passed to somebody else, or the connection was ended. An
// ended one's are given back where the provider can be told.
func (a *access) overtaken(ctx context.Context, fresh oauth.Credential) {
	a.Refreshed(a.held.Provider, RefreshOvertaken)
	err := a.revokeLate(ctx, a.st, a.held.Key, a.held.Connection, fresh)
	a.Log.WarnContext(ctx, "a renewal came too late to be kept", "provider", a.held.Provider, "connection", a.id, "error", err)
}

// refreshFailed writes how a renewal failed. A refusal for certain is the person's to mend, everything else is tried
// again; the write insists that nobody has renewed meanwhile, so that no refusal of an old token is believed.
func (a *access) refreshFailed(ctx context.Context, cause *oauth.Error) error {
	conn := a.held.Connection
	f := models.RefreshFailure{State: models.RefreshRefused, Needs: string(cause.Kind), Code: cause.Code}
	outcome := RefreshRefused
	if !cause.Definite() {
		outcome, f = RefreshFailed, a.again(cause)
		if a.held.Failures == 0 {
			f.Event = a.refreshEvent("connection.refresh_failed", map[string]any{"reason": string(cause.Kind), "code": cause.Code})
		}
	}
	if err := a.st.FailRefresh(ctx, a.held, f); err != nil {
		return err
	}
	a.Refreshed(conn.Provider, outcome)
	a.Log.WarnContext(ctx, "a renewal failed", "provider", conn.Provider, "connection", a.id, "outcome", outcome,
		"recovery", a.held.Refresh == models.RefreshRecovering, "error", cause)
	return cause
}

// again says when a failed renewal is tried once more. Where the provider may have changed the tokens all the same, the
// note stays, and with it the mark of the next try; that one is not left to the next reader.
func (a *access) again(e *oauth.Error) models.RefreshFailure {
	rest := min(firstRetry<<min(a.held.Failures, 10), longestRest)
	if e.RetryAfter > rest {
		rest = min(e.RetryAfter, longestAsk)
	}
	f := models.RefreshFailure{State: a.held.Refresh, RetryAt: a.Now().Add(rest)}
	unknown := e.Kind == oauth.Ambiguous || e.Kind == oauth.BadResponse
	if a.held.Refresh == models.RefreshAsked && !unknown {
		f.State = models.RefreshIdle
	}
	if f.State != models.RefreshIdle || !a.timedAt(a.id, a.held.CredentialVersion, a.cred).IsZero() {
		f.NextAt = f.RetryAt
	}
	return f
}

// refreshEvent words an event about the renewal of a credential.
func (a *access) refreshEvent(kind string, detail map[string]any) *models.NewEvent {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["provider"], detail["account"] = a.held.Provider, a.held.AccountMasked
	return &models.NewEvent{Kind: kind, Connection: a.id, Detail: detail}
}

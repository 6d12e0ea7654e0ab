package connect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

const (
	// refreshAhead is how long before its end a token is renewed, unless a third of its life is less.
	refreshAhead = 5 * time.Minute
	// timedLife is the shortest life of a token that is renewed by the clock. A shorter one is renewed when somebody
	// reads with it, and is let go where nobody does.
	timedLife = 10 * time.Minute
	// holderWait is how long somebody waits for those who renew; longer than a lease, so that its end is seen.
	holderWait = refreshLease + 15*time.Second
	// lookAgain is how often who waits looks without having been woken, should the wake-up have been lost.
	lookAgain = 5 * time.Second
)

// access is the one way to read with a connection's credential: it gives one that is good now, renewed by whoever comes
// first over all replicas. It belongs to one goroutine.
type access struct {
	*Service
	st        *models.TenantStore
	id        uuid.UUID
	refresher oauth.Refresher // nil: the provider renews nothing; known once held is
	held      models.Held
	cred      oauth.Credential
}

func (s *Service) access(st *models.TenantStore, id uuid.UUID) *access {
	return &access{Service: s, st: st, id: id}
}

// Use reads with a connection's credential, once or, should the provider find it over, twice. NotFound when there is none.
func (s *Service) Use(ctx context.Context, st *models.TenantStore, id uuid.UUID, do func(context.Context, oauth.Credential) error) error {
	return s.access(st, id).read(ctx, do)
}

// read reads with a credential that is good by our clock. Should the provider think otherwise, that very version is
// renewed and the reading repeated, once. Where a renewal failed without the provider having said no for certain, the
// old token is tried all the same: it may still open the account.
func (a *access) read(ctx context.Context, do func(context.Context, oauth.Credential) error) error {
	soft := a.ready(ctx, 0)
	if soft != nil && !passing(soft) {
		return soft
	}
	err := do(ctx, a.cred)
	if oauth.KindOf(err) == oauth.AuthExpired && a.refresher != nil {
		if soft != nil {
			return soft
		}
		if err := a.ready(ctx, a.held.CredentialVersion); err != nil {
			return err
		}
		err = do(ctx, a.cred)
	}
	if err == nil && a.held.Previous != nil {
		a.worked(ctx)
	}
	return err
}

// passing says whether a renewal failed in a way that leaves the old token to be tried.
func passing(err error) bool {
	e, ok := errors.AsType[*oauth.Error](err)
	return ok && !e.Definite()
}

// worked lets go of the credential before this one. It is a courtesy to the next reader, and nothing if it fails.
func (a *access) worked(ctx context.Context) {
	if err := a.st.CredentialWorked(context.WithoutCancel(ctx), a.id, a.held.CredentialVersion); err != nil {
		a.Log.WarnContext(ctx, "the credential before this one is still kept", "connection", a.id, "error", err)
		return
	}
	a.held.Previous = nil
}

// ready leaves a credential at hand that is good by our clock and not of the version that the provider has just refused
// (0: none). An error that is passing leaves the old one. Who meets somebody else renewing waits to be woken, and holds no
// connection to the database meanwhile.
func (a *access) ready(ctx context.Context, refused int64) error {
	if a.held.ID != uuid.Nil && a.good(refused) && !a.due() {
		return nil // looked at a moment ago
	}
	woken, cancel := a.Wakes.Subscribe(a.id)
	defer cancel()
	ctx, stop := context.WithTimeoutCause(ctx, holderWait, errHolders)
	defer stop()
	for waited := false; ; {
		if err := a.load(ctx); err != nil {
			return err
		}
		step, err := a.next(refused, waited)
		switch step {
		case useIt:
			return err
		case waitForIt:
			if err := a.wait(ctx, woken); err != nil {
				return err
			}
			waited = true
			continue
		}
		if err = a.renew(ctx); errs.CodeOf(err) == errs.Conflict {
			continue // the row has moved on: look again
		}
		if err != nil && passing(err) && a.good(refused) {
			return nil
		}
		return err
	}
}

// errHolders says that the renewing took longer than anybody waits.
var errHolders = errors.New("connect: somebody else renews the credential, and does not end")

// load reads the credential as it stands.
func (a *access) load(ctx context.Context) error {
	held, err := a.st.Credential(ctx, a.id)
	if err != nil {
		return err
	}
	return a.take(held)
}

// take opens a credential that was read just now.
func (a *access) take(held models.Held) (err error) {
	a.held = held
	a.refresher, _ = a.Providers.offered[a.held.Provider].(oauth.Refresher)
	a.cred, err = a.openCredential(a.held.Key, a.held.Connection, a.held.Sealed)
	return err
}

// step is what is to be done about a credential.
type step int

const (
	useIt step = iota
	waitForIt
	renewIt
)

// next says what is to be done; an error beside useIt says why the credential cannot be counted on.
func (a *access) next(refused int64, waited bool) (step, error) {
	now, good := a.Now(), a.good(refused)
	switch {
	case a.refresher == nil || good && !a.due():
		return useIt, nil
	case a.held.Refresh == models.RefreshRefused:
		if good {
			return useIt, nil
		}
		return useIt, &oauth.Error{Provider: a.held.Provider, Kind: oauth.NeedsReauth}
	case a.held.LeaseUntil != nil && a.held.LeaseUntil.After(now):
		if good {
			return useIt, nil
		}
		return waitForIt, nil
	case a.held.RetryAt != nil && a.held.RetryAt.After(now) && good:
		return useIt, nil
	case a.held.RetryAt != nil && a.held.RetryAt.After(now) && waited: // who renewed for us has failed just now
		return useIt, &oauth.Error{Provider: a.held.Provider, Kind: oauth.Upstream, RetryAfter: a.held.RetryAt.Sub(now)}
	}
	return renewIt, nil
}

// good says whether the credential is worth using: within its life by our clock, and not the one just refused.
func (a *access) good(refused int64) bool {
	return a.held.CredentialVersion != refused && (a.cred.ExpiresAt.IsZero() || a.Now().Before(a.cred.ExpiresAt))
}

// due says whether the credential is to be renewed: its end is near, or nobody knows what came of the last try.
func (a *access) due() bool {
	if a.refresher == nil {
		return false
	}
	if a.held.Refresh == models.RefreshAsked || a.held.Refresh == models.RefreshRecovering {
		return true
	}
	at := a.renewAt(a.id, a.held.CredentialVersion, a.cred)
	return !at.IsZero() && !a.Now().Before(at)
}

// renewAt is the moment from which on a token is renewed when somebody reads with it; zero: never. It lies ahead of the
// token's end, and not at the same distance for everybody, so that what was connected together is not renewed together.
// A token that is got by the merchant's own values, without a refresh token, serves to its end: there is none to lose.
func (s *Service) renewAt(id uuid.UUID, version int64, cred oauth.Credential) time.Time {
	switch {
	case cred.ExpiresAt.IsZero():
		return time.Time{}
	case cred.RefreshToken.IsEmpty():
		return cred.ExpiresAt
	}
	ahead := min(s.RefreshAhead, cred.ExpiresAt.Sub(cred.ObtainedAt)/3)
	at := cred.ExpiresAt.Add(-ahead + ahead/5*time.Duration(jitter(id, version))/100)
	return at.Truncate(time.Millisecond) // as the database keeps it, or what is due there would not be due here
}

// jitter is a number below 100 that is the same for this version on every replica.
func jitter(id uuid.UUID, version int64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(binary.BigEndian.AppendUint64(id[:], uint64(version)))
	return h.Sum64() % 100
}

// timedAt is when a token is renewed though nobody reads; zero: never.
func (s *Service) timedAt(id uuid.UUID, version int64, cred oauth.Credential) time.Time {
	if cred.RefreshToken.IsEmpty() || cred.ExpiresAt.Sub(cred.ObtainedAt) < timedLife {
		return time.Time{}
	}
	return s.renewAt(id, version, cred)
}

// firstRefresh is when a credential that was just got is renewed though nobody reads; zero: never.
func (s *Service) firstRefresh(n models.NewConnection, cred oauth.Credential) time.Time {
	if _, renews := s.Providers.offered[n.Provider].(oauth.Refresher); !renews {
		return time.Time{}
	}
	return s.timedAt(n.ID, n.Version, cred)
}

// personEnd is when access ends unless a person acts.
func personEnd(p oauth.Provider, cred oauth.Credential) time.Time {
	if _, renews := p.(oauth.Refresher); renews {
		return cred.RefreshExpires
	}
	return cred.ExpiresAt
}

// wait rests until something about the connection has changed, or until the lease of whoever renews is over.
func (a *access) wait(ctx context.Context, woken <-chan struct{}) error {
	patience := time.NewTimer(min(max(a.held.LeaseUntil.Sub(a.Now()), time.Millisecond), lookAgain))
	defer patience.Stop()
	select {
	case <-woken:
	case <-patience.C:
	case <-ctx.Done():
		return &oauth.Error{Provider: a.held.Provider, Kind: oauth.Upstream, Cause: fmt.Errorf("waiting: %w", context.Cause(ctx))}
	}
	return nil
}

package connect

import (
	"context"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

const (
	// revokeLife is how long a provider is told again and again before it is given up.
	revokeLife = 3 * 24 * time.Hour
	// EraseGrace is how long erasing a connection's data can be undone.
	EraseGrace = 30 * 24 * time.Hour
	// leaveTries is how often a connection is looked at anew because its credential was renewed between two looks.
	leaveTries = 5
)

// RequestSync asks for a sync soon; one that is on its way already is enough.
func (s *Service) RequestSync(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	return st.QueueSync(ctx, id, func(provider string) models.Statement { return s.Queue.SyncJob(st.Tenant(), id, provider) })
}

// Disconnect ends a connection, and has its data erased if the person wants it so. The credential is destroyed at once
// for our use; what the provider is told with is sealed apart, and Revoke tells it in the background. One that is
// disconnected already stays as it is.
func (s *Service) Disconnect(ctx context.Context, st *models.TenantStore, id uuid.UUID, erase bool) (err error) {
	for range leaveTries {
		var p models.Parting
		if p, err = s.parting(ctx, st, id); err != nil || p.State == models.Disconnected {
			return err
		}
		if erase {
			p.EraseAt = s.Now().Add(EraseGrace)
		}
		if err = st.Disconnect(ctx, p); errs.CodeOf(err) != errs.Conflict {
			return err
		}
	}
	return err
}

// Withdraw destroys a connection's credential because it may be in wrong hands: the provider is told as when it is
// disconnected, but the connection stays, and asks its merchant to reconnect. One whose access has ended already stays as it is:
// ended says whether there was something to end.
func (s *Service) Withdraw(ctx context.Context, st *models.TenantStore, id uuid.UUID) (ended bool, err error) {
	for range leaveTries {
		var p models.Parting
		if p, err = s.parting(ctx, st, id); err != nil || p.State == models.Disconnected || withdrawn(p.Connection) {
			return false, err
		}
		if err = st.Withdraw(ctx, p); errs.CodeOf(err) != errs.Conflict {
			return err == nil, err
		}
	}
	return false, err
}

func withdrawn(c models.Connection) bool {
	return c.State == models.NeedsYou && c.Reason == models.Withdrawn
}

// parting reads what is to be disconnected and says how the provider is told.
func (s *Service) parting(ctx context.Context, st *models.TenantStore, id uuid.UUID) (p models.Parting, err error) {
	c, sealed, err := st.Leaving(ctx, id)
	p.Connection = c
	if err != nil || c.State == models.Disconnected {
		return p, err
	}
	key, err := st.Key(ctx)
	if err != nil {
		return p, err
	}
	cred, err := s.openCredential(key, c, sealed)
	if err != nil {
		p.Revocation = s.untold(models.RevocationUnreadable)
	} else if p.Revocation, err = s.revocation(key, c, cred); err != nil {
		return p, err
	}
	if !s.tellable(c.Provider) {
		p.Revocation = s.untold(models.RevocationNoWay)
	}
	return p, nil
}

// tellable says whether a provider can be told that access has ended.
func (s *Service) tellable(provider string) bool {
	_, can := s.Providers.offered[provider].(oauth.Revoker)
	return can
}

func (s *Service) untold(state models.RevocationState) models.NewRevocation {
	return models.NewRevocation{ID: uuid.Must(uuid.NewV7()), State: state, Until: s.Now()}
}

// revocation seals a credential for being revoked, and for nothing else: at its new place no sync can open it.
func (s *Service) revocation(key vault.WrappedKey, c models.Connection, cred oauth.Credential) (n models.NewRevocation, err error) {
	n = models.NewRevocation{ID: uuid.Must(uuid.NewV7()), State: models.RevocationWaiting, Until: s.Now().Add(revokeLife)}
	n.Sealed, err = s.seal(key, revocationPlace(c.TenantID, n.ID, c.Provider), writeCredential(cred))
	return n, err
}

func revocationPlace(tenant, revocation uuid.UUID, provider string) vault.Place {
	return place(tenant, revocation, provider, "revocation", 0)
}

// Revoke tells the provider, once, that a connection has ended; jobs calls it until that is confirmed or the time is
// over. An error is ours alone: what the provider does not confirm is put off.
func (s *Service) Revoke(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	r, sealed, err := st.Revocation(ctx, id)
	if err != nil {
		return ignore(err, errs.NotFound) // it has ended
	}
	key, err := st.RevocationKey(ctx)
	if err != nil {
		return err
	}
	var text credentialText
	if s.open(key, revocationPlace(st.Tenant(), r.ID, r.Provider), sealed, &text) != nil {
		return s.endRevocation(ctx, st, r, models.RevocationUnreadable, ReasonSealedBroken)
	}
	reason := ReasonNotOffered
	if revoker, can := s.Providers.offered[r.Provider].(oauth.Revoker); can {
		err = revoker.Revoke(ctx, readCredential(text))
		if err == nil || oauth.KindOf(err) == oauth.NeedsReauth { // what it does not accept any more is revoked
			return s.endRevocation(context.WithoutCancel(ctx), st, r, models.RevocationConfirmed, "")
		}
		_, reason = verdict(err, oauth.Descriptor{})
		s.Log.WarnContext(ctx, "revoking failed", "provider", r.Provider, "revocation", r.ID, "try", r.Tries+1, "error", err)
	}
	ctx = context.WithoutCancel(ctx)
	next := s.Now().Add(revokeRest(r.Tries))
	if next.After(r.UntilAt) {
		return s.endRevocation(ctx, st, r, models.RevocationGivenUp, reason)
	}
	return ignore(st.PutOffRevocation(ctx, r, reason, next), errs.Conflict)
}

func (s *Service) endRevocation(ctx context.Context, st *models.TenantStore, r models.Revocation, state models.RevocationState, reason string) error {
	kind := "connection.revoked"
	if state != models.RevocationConfirmed {
		kind = "connection.revoke_failed"
	}
	detail := map[string]any{"provider": r.Provider}
	if reason != "" {
		detail["reason"] = reason
	}
	err := st.EndRevocation(ctx, r, state, reason, models.NewEvent{Kind: kind, Connection: r.ConnectionID, Detail: detail})
	return ignore(err, errs.Conflict)
}

// revokeRest is how long to wait after so many tries.
func revokeRest(tries int) time.Duration {
	steps := []time.Duration{time.Minute, 5 * time.Minute, 20 * time.Minute, time.Hour, 3 * time.Hour}
	return steps[min(tries, len(steps)-1)]
}

// revokeLate has what a refresh brought back revoked when its connection was disconnected meanwhile: a token that nobody
// here keeps must not live on at the provider. Nothing happens to a connection that stands.
func (s *Service) revokeLate(ctx context.Context, st *models.TenantStore, key vault.WrappedKey, c models.Connection, cred oauth.Credential) error {
	if !s.tellable(c.Provider) {
		return nil
	}
	n, err := s.revocation(key, c, cred)
	if err != nil {
		return err
	}
	return st.AddRevocation(ctx, c, n)
}

// PlanErasure has the data of a disconnected connection erased after EraseGrace.
func (s *Service) PlanErasure(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	c, _, err := st.Outline(ctx, id)
	if err != nil {
		return err
	}
	at := s.Now().Add(EraseGrace)
	return st.PlanErasure(ctx, id, at, aboutErasure(c, "connection.erase_planned", map[string]any{"until": at}))
}

// UndoErasure keeps the data after all.
func (s *Service) UndoErasure(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	c, _, err := st.Outline(ctx, id)
	if err != nil {
		return err
	}
	return st.UndoErasure(ctx, id, aboutErasure(c, "connection.erase_undone", map[string]any{}))
}

// Erase deletes what a disconnected connection holds, when its time has come; jobs calls it.
func (s *Service) Erase(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	c, _, err := st.Outline(ctx, id)
	if err != nil {
		return ignore(err, errs.NotFound) // the tenant is gone, and all its data
	}
	return ignore(st.Erase(ctx, id, aboutErasure(c, "connection.erased", map[string]any{})), errs.Conflict)
}

func aboutErasure(c models.Connection, kind string, detail map[string]any) models.NewEvent {
	detail["provider"], detail["account"] = c.Provider, c.AccountMasked
	return models.NewEvent{Kind: kind, Connection: c.ID, Detail: detail}
}

package connect

import (
	"context"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// RequestSync asks for a sync soon; one that is on its way already is enough.
func (s *Service) RequestSync(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	return st.QueueSync(ctx, id, func(provider string) models.Statement { return s.Queue.SyncJob(st.Tenant(), id, provider) })
}

// Disconnect ends a connection. Our copy of the credential is destroyed first, then the provider is told if it can be:
// a provider that fails must not keep the credential alive here.
func (s *Service) Disconnect(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	before, last, err := st.Disconnect(ctx, id)
	if err != nil {
		return err
	}
	before.CredentialVersion--                                        // the row has moved on, the credential in hand has not
	if cred, err := s.openCredential(key, before, last); err == nil { // one that does not open cannot be revoked either
		s.revoke(context.WithoutCancel(ctx), before.Provider, cred)
	}
	return nil
}

package connect

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// bind makes the connection: a new one, or a new credential for the one that this account already has here.
func (s *Service) bind(ctx context.Context, st *models.TenantStore, a models.Attempt, account oauth.Account, cred oauth.Credential) (models.Attempt, error) {
	key, err := st.Key(ctx)
	if err != nil {
		return s.orphan(ctx, st, a, cred, err)
	}
	hash, err := s.accountHash(st.Tenant(), a, account)
	if err != nil {
		return s.orphan(ctx, st, a, cred, err)
	}
	n := models.NewConnection{
		Attempt: a.ID, Provider: a.Provider, Environment: a.Environment, AccountHash: hash,
		Masked: oauth.Mask(account.ExternalID), ExpiresAt: personEnd(s.Providers.offered[a.Provider], cred),
	}
	known, err := s.reconnecting(ctx, st, a)
	switch {
	case err != nil:
		return s.orphan(ctx, st, a, cred, err)
	case known != nil && !bytes.Equal(known.AccountHash, hash):
		s.revoke(ctx, a.Provider, cred)
		return s.end(ctx, st, a, models.Ending{Status: models.Failed, Reason: ReasonAccountDiffers, AccountMasked: n.Masked})
	case known == nil:
		err = s.bindNew(ctx, st, key, &n, account, cred)
		if e, ok := errors.AsType[*models.KnownError](err); ok {
			known = &e.Connection
		}
	}
	if known != nil {
		err = s.rebind(ctx, st, key, &n, *known, account, cred)
	}
	switch {
	case errors.Is(err, models.ErrClaimed):
		s.revoke(ctx, a.Provider, cred)
		return s.end(ctx, st, a, models.Ending{Status: models.Failed, Reason: ReasonClaimed, AccountMasked: n.Masked})
	case err != nil:
		return s.orphan(ctx, st, a, cred, err)
	}
	finished := s.Now()
	a.Status, a.AccountMasked, a.ResultConnection, a.FinishedAt = models.Stored, n.Masked, &n.ID, &finished
	return a, nil
}

func (s *Service) bindNew(ctx context.Context, st *models.TenantStore, key vault.WrappedKey, n *models.NewConnection,
	account oauth.Account, cred oauth.Credential,
) (err error) {
	n.ID, n.Version = uuid.Must(uuid.NewV7()), 1
	n.RefreshAt = s.firstRefresh(*n, cred)
	text := accountText(account)
	if n.Account, err = s.seal(key, accountPlace(st.Tenant(), n.ID, n.Provider), text); err != nil {
		return err
	}
	if n.Credential, err = s.sealCredential(key, st.Tenant(), *n, cred); err != nil {
		return err
	}
	if n.Address, err = s.newAddress(key, st.Tenant(), n.Provider); err != nil {
		return err
	}
	return st.Connect(ctx, *n, s.Queue.SyncJob(st.Tenant(), n.ID, n.Provider))
}

func (s *Service) rebind(ctx context.Context, st *models.TenantStore, key vault.WrappedKey, n *models.NewConnection,
	known models.Connection, account oauth.Account, cred oauth.Credential,
) (err error) {
	n.ID, n.Version = known.ID, known.CredentialVersion+1
	n.RefreshAt = s.firstRefresh(*n, cred)
	if n.Account, err = s.seal(key, accountPlace(st.Tenant(), n.ID, n.Provider), accountText(account)); err != nil {
		return err
	}
	if n.Credential, err = s.sealCredential(key, st.Tenant(), *n, cred); err != nil {
		return err
	}
	if n.Address, err = s.newAddress(key, st.Tenant(), n.Provider); err != nil { // kept if there is one
		return err
	}
	return st.Reconnect(ctx, *n, s.Queue.SyncJob(st.Tenant(), n.ID, n.Provider))
}

func (s *Service) sealCredential(key vault.WrappedKey, tenant uuid.UUID, n models.NewConnection, cred oauth.Credential) (vault.Sealed, error) {
	return s.seal(key, credentialPlace(tenant, n.ID, n.Provider, n.Version), writeCredential(cred))
}

// reconnecting gives the connection that the attempt was begun for, nil if it was begun for a new account.
func (s *Service) reconnecting(ctx context.Context, st *models.TenantStore, a models.Attempt) (*models.Connection, error) {
	if a.ConnectionID == nil {
		return nil, nil
	}
	c, _, err := st.Outline(ctx, *a.ConnectionID)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// accountHash finds the same account again, over all tenants, without telling which it is. An id that the provider masks
// may be several accounts': it counts within its tenant, and claims nothing from the others.
func (s *Service) accountHash(tenant uuid.UUID, a models.Attempt, account oauth.Account) ([]byte, error) {
	parts := []string{a.Provider, string(a.Environment), account.ExternalID}
	if account.TenantOnly {
		parts = append(parts, tenant.String())
	}
	return s.Vault.Hash("account", parts...)
}

// AccountKeys gives what an external account of this id is found by, one key for each provider and environment that it
// could be of. Ids that a provider masks are never found: they count within their tenants.
func (s *Service) AccountKeys(id string) (keys []models.AccountKey, err error) {
	for _, d := range s.Providers.All() {
		for _, environment := range []oauth.Environment{oauth.Live, oauth.Test} {
			hash, err := s.Vault.Hash("account", d.Slug, string(environment), id)
			if err != nil {
				return nil, err
			}
			keys = append(keys, models.AccountKey{Provider: d.Slug, Environment: environment, Hash: hash})
		}
	}
	return keys, nil
}

// orphan is for the worst moment: the provider has issued a credential, and we could not keep it. The person is told,
// the provider too if it can be, and what cannot be undone is recorded.
func (s *Service) orphan(ctx context.Context, st *models.TenantStore, a models.Attempt, cred oauth.Credential, cause error) (models.Attempt, error) {
	revoked := s.revoke(ctx, a.Provider, cred)
	s.Log.ErrorContext(ctx, "a credential was issued and could not be stored", "provider", a.Provider, "attempt", a.ID,
		"revoked", revoked, "error", cause)
	end := models.Ending{Status: models.Failed, Reason: ReasonStoreFailed}
	err := st.EndAttempt(ctx, a.ID, end, event(a, "connection.orphaned", map[string]any{"revoked": revoked}))
	if err != nil && errs.CodeOf(err) != errs.Conflict {
		return a, errs.Wrap(errs.Unavailable, "error.store_failed", errors.Join(cause, err))
	}
	a.Status, a.Reason = end.Status, end.Reason
	return a, nil
}

// revoke tells the provider that a credential is no longer wanted, where it can be told; it says whether that worked.
func (s *Service) revoke(ctx context.Context, provider string, cred oauth.Credential) bool {
	r, can := s.Providers.offered[provider].(oauth.Revoker)
	if !can {
		return false
	}
	if err := r.Revoke(ctx, cred); err != nil {
		s.Log.WarnContext(ctx, "revoking failed", "provider", provider, "error", err)
		return false
	}
	return true
}

package models

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/vault"
)

// RefreshState is what is known of the renewal of one version of a credential.
type RefreshState string

// The states of a renewal. Asked and Recovering without a lease mean that the outcome is not known.
const (
	RefreshIdle       RefreshState = ""
	RefreshAsked      RefreshState = "asked"      // the provider was, or is being, asked
	RefreshRecovering RefreshState = "recovering" // asked again with the same token, because nobody knows what came of it
	RefreshRefused    RefreshState = "refused"    // the provider said no for certain: this version is not renewed any more
)

// Held is a connection's credential as it is stored, and how its renewal stands.
type Held struct {
	Connection
	Key             vault.WrappedKey
	Sealed          vault.Sealed // at CredentialVersion
	Previous        vault.Sealed // the one before, until this one has worked; nil: none is kept
	PreviousVersion int64
	Refresh         RefreshState
	Fence           int64
	Failures        int        // in a row
	LeaseUntil      *time.Time // nil: nobody renews it
	RetryAt         *time.Time // nil: at any time
}

// Credential gives a connection's credential. NotFound when it has none: it is not the tenant's, or disconnected. One
// round trip.
func (t *TenantStore) Credential(ctx context.Context, id uuid.UUID) (h Held, err error) {
	defer explain("Credential", &err)
	err = t.batch(ctx, func(b *pgx.Batch) { t.queueHeld(b, id, &h) })
	if err == nil && h.ID == uuid.Nil {
		err = pgx.ErrNoRows
	}
	return h, err
}

// queueHeld reads the credential and what opens it. Without one h stays empty.
func (t *TenantStore) queueHeld(b *pgx.Batch, id uuid.UUID, h *Held) {
	b.Queue(`
		SELECT `+connectionColumns+`, k.sealed, k.previous_sealed, coalesce(k.previous_version, 0), k.refresh_state,
		       k.fence, k.refresh_failures, k.lease_until, k.retry_at
		  FROM connections c JOIN credentials k ON k.tenant_id = c.tenant_id AND k.connection_id = c.id
		 WHERE c.tenant_id = $1 AND c.id = $2 AND c.state <> 'disconnected'`, t.tenant, id).QueryRow(func(row pgx.Row) (err error) {
		h.Connection, err = scanConnectionAnd(row, (*[]byte)(&h.Sealed), (*[]byte)(&h.Previous), &h.PreviousVersion,
			&h.Refresh, &h.Fence, &h.Failures, &h.LeaseUntil, &h.RetryAt)
		return ignoreNoRows(err)
	})
	t.queueKey(b, &h.Key)
}

// LeaseCredential makes the caller the one who renews this version, until then, and notes beforehand that the provider
// is asked: a second note for the same version is the marked recovery. noted is false where asking twice does no harm.
// Conflict when somebody else holds it or the row has moved on: look again.
func (t *TenantStore) LeaseCredential(ctx context.Context, h Held, until time.Time, noted bool) (_ Held, err error) {
	defer explain("LeaseCredential", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			UPDATE credentials
			   SET fence = fence + 1, lease_until = $5,
			       refresh_state = CASE WHEN NOT $6 THEN '' WHEN refresh_state = '' THEN 'asked' ELSE 'recovering' END,
			       next_refresh_at = CASE WHEN $6 THEN $5 ELSE next_refresh_at END
			 WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND fence = $4
			   AND (lease_until IS NULL OR lease_until <= $7) AND refresh_state <> 'refused'
			RETURNING fence, refresh_state`,
			t.tenant, h.ID, h.CredentialVersion, h.Fence, until, noted, t.now()).QueryRow(func(row pgx.Row) error {
			return row.Scan(&h.Fence, &h.Refresh)
		})
		if noted {
			wakeDue(b, t.now(), until)
		}
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return h, errs.New(errs.Conflict, "error.conflict")
	}
	h.LeaseUntil = &until
	return h, err
}

// RecoverPrevious notes, under the lease that the caller holds, that the provider is asked once more: with the
// credential before this one. Conflict when the lease has passed to somebody else.
func (t *TenantStore) RecoverPrevious(ctx context.Context, h Held, until time.Time) (err error) {
	defer explain("RecoverPrevious", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE credentials SET refresh_state = 'recovering', lease_until = $5, next_refresh_at = $5
			WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND fence = $4`,
			t.tenant, h.ID, h.CredentialVersion, h.Fence, until)
	})
}

// Renewed is a credential about to replace the one it was made from.
type Renewed struct {
	Sealed    vault.Sealed // at the version after the one held
	ExpiresAt time.Time    // when access ends unless a person acts; zero: not known
	NextAt    time.Time    // when to look without being asked; zero: never
	KeepOld   bool         // until the new one has worked
	Event     *NewEvent    // nil: it is routine
}

// SaveRefreshed replaces the credential of the version that is held by the next one, and gives up the lease. Conflict
// when it is no longer that version or the lease has passed on: the connection was reconnected, disconnected, or renewed
// by somebody else.
func (t *TenantStore) SaveRefreshed(ctx context.Context, h Held, n Renewed) (err error) {
	defer explain("SaveRefreshed", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE connections SET credential_version = $4
			WHERE tenant_id = $1 AND id = $2 AND credential_version = $3 AND state <> 'disconnected'`,
			t.tenant, h.ID, h.CredentialVersion, h.CredentialVersion+1)
		queueOne(b, `
			UPDATE credentials
			   SET version = $4, sealed = $5, expires_at = $6, updated_at = $7, next_refresh_at = $8,
			       previous_version = CASE WHEN $10 THEN version END, previous_sealed = CASE WHEN $10 THEN sealed END,
			       lease_until = NULL, refresh_state = '', refresh_failures = 0, retry_at = NULL
			 WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND fence = $9`,
			t.tenant, h.ID, h.CredentialVersion, h.CredentialVersion+1, []byte(n.Sealed), timeOrNull(n.ExpiresAt), t.now(),
			timeOrNull(n.NextAt), h.Fence, n.KeepOld)
		if n.Event != nil {
			t.queueEvent(b, *n.Event)
		}
		if !n.NextAt.IsZero() {
			wakeDue(b, t.now(), n.NextAt)
		}
		wake(b, h.ID)
	})
}

// RefreshFailure is how a renewal failed.
type RefreshFailure struct {
	State   RefreshState
	RetryAt time.Time // not before this, while the token at hand is good; zero: at any time
	NextAt  time.Time // when to look without being asked; zero: never
	Needs   string    // the connection turns to "needs you" for this reason; "": it stays as it is
	Code    string    // the provider's own, for Needs
	Event   *NewEvent // nil: it was told before, or Needs tells it
}

// FailRefresh gives up the lease and says how it went; the credential stays as it is. Conflict when the lease has
// passed on: whoever has it now is to be believed.
func (t *TenantStore) FailRefresh(ctx context.Context, h Held, f RefreshFailure) (err error) {
	defer explain("FailRefresh", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `
			UPDATE credentials SET lease_until = NULL, refresh_state = $5, refresh_failures = refresh_failures + 1,
			       retry_at = $6, next_refresh_at = $7
			 WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND fence = $4`,
			t.tenant, h.ID, h.CredentialVersion, h.Fence, f.State, timeOrNull(f.RetryAt), timeOrNull(f.NextAt))
		if f.Needs != "" {
			t.queueTurn(b, turn{connection: h.ID, state: NeedsYou, reason: f.Needs, code: f.Code, where: `AND c.state <> 'disconnected'`})
		}
		if f.Event != nil {
			t.queueEvent(b, *f.Event)
		}
		if !f.NextAt.IsZero() {
			wakeDue(b, t.now(), f.NextAt)
		}
		wake(b, h.ID)
	})
}

// CredentialWorked forgets the credential before this version: this one has opened the account.
func (t *TenantStore) CredentialWorked(ctx context.Context, id uuid.UUID, version int64) (err error) {
	defer explain("CredentialWorked", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE credentials SET previous_sealed = NULL, previous_version = NULL
			WHERE tenant_id = $1 AND connection_id = $2 AND version = $3`, t.tenant, id, version)
	})
}

// ScheduleRefresh says when to look at the credential again without being asked; zero: never. It gives way to whoever
// has moved the row on.
func (t *TenantStore) ScheduleRefresh(ctx context.Context, h Held, at time.Time) (err error) {
	defer explain("ScheduleRefresh", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE credentials SET next_refresh_at = $5
			WHERE tenant_id = $1 AND connection_id = $2 AND version = $3 AND fence = $4`,
			t.tenant, h.ID, h.CredentialVersion, h.Fence, timeOrNull(at))
		if !at.IsZero() {
			wakeDue(b, t.now(), at)
		}
	})
}

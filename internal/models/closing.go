package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/vault"
)

// Closing is how far closing a tenant has come.
type Closing struct {
	Tenant        uuid.UUID
	ClosedAt      time.Time
	DestroyAt     time.Time  // when its data key is destroyed; until then closing can be undone
	DestroyedAt   *time.Time // nil: the key is still there
	Connections   int        // that there were to end
	MasterVersion int64      // of the master keyset, which wrapped the data key
	AuditSeq      int64      // the newest entry of the history at the last step
	AuditHash     []byte
}

const closingColumns = `x.tenant_id, x.closed_at, x.destroy_at, x.destroyed_at, x.connections, x.master_version, x.audit_seq, x.audit_hash`

func scanClosing(row pgx.Row) (c Closing, err error) {
	err = row.Scan(&c.Tenant, &c.ClosedAt, &c.DestroyAt, &c.DestroyedAt, &c.Connections, &c.MasterVersion, &c.AuditSeq, &c.AuditHash)
	return c, err
}

// Close closes the tenant: everybody's session in it ends, and attempts on the way do. mail puts the letter to an owner on
// its way. Conflict when it is closed already.
func (t *TenantStore) Close(ctx context.Context, destroy time.Time, version int64, e NewEvent, mail func(tx *Tx, letter uuid.UUID) error) (err error) {
	defer explain("Close", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		rows, err := tx.pgx.Query(ctx, `SELECT close_tenant($1, $2, $3, $4)`, t.now(), t.actor.ID, destroy, version)
		if err != nil {
			return err
		}
		letters, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		for _, letter := range letters {
			if err := mail(tx, letter); err != nil {
				return err
			}
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			t.queueEvent(b, e)
			wakeDue(b, t.now(), t.now())
		})
	})
}

// Closing says how far closing the tenant has come. NotFound when it is not closed.
func (t *TenantStore) Closing(ctx context.Context) (c Closing, err error) {
	defer explain("Closing", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+closingColumns+` FROM closings x WHERE x.tenant_id = $1`, t.tenant).QueryRow(func(row pgx.Row) (err error) {
			c, err = scanClosing(row)
			return err
		})
	})
	return c, err
}

// Reopen undoes closing the tenant. Conflict when its key has been destroyed, or it is not closed.
func (t *TenantStore) Reopen(ctx context.Context, e NewEvent) (err error) {
	defer explain("Reopen", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT insist(reopen_tenant($1))`, t.now())
		t.queueEvent(b, e)
	})
}

// Destroy deletes the tenant's data key and everything that it sealed. What providers are still told with is given sealed
// anew, with the key that opens it from now on; a revocation that is not among it can be told no more. Conflict when the
// time has not come, or something is still connected.
func (t *TenantStore) Destroy(ctx context.Context, version int64, parting vault.WrappedKey, resealed map[uuid.UUID]vault.Sealed, e NewEvent) (err error) {
	defer explain("Destroy", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT insist(destroy_tenant($1, $2, $3))`, t.now(), sealedOrNull(vault.Sealed(parting)), version)
		var kept []uuid.UUID
		for id, sealed := range resealed {
			b.Queue(`UPDATE revocations SET sealed = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`, t.tenant, id, []byte(sealed))
			kept = append(kept, id)
		}
		b.Queue(`UPDATE revocations SET state = 'unreadable', sealed = NULL, next_at = NULL, ended_at = $2
			WHERE tenant_id = $1 AND state = 'waiting' AND NOT id = ANY (coalesce($3::uuid[], '{}'))`, t.tenant, t.now(), kept)
		t.queueEvent(b, e)
	})
}

// RestClosing notes that a step of closing is done: the next one has its time.
func (t *TenantStore) RestClosing(ctx context.Context) (err error) {
	defer explain("RestClosing", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT rest_closing($1)`, t.now())
		wakeDue(b, t.now(), t.now())
	})
}

// SealedRevocation is a revocation that is open, with what it is told with.
type SealedRevocation struct {
	ID       uuid.UUID
	Provider string
	Sealed   vault.Sealed
}

// Standing gives the connections that are not disconnected, and the revocations that are open: what closing has to end.
func (t *TenantStore) Standing(ctx context.Context) (connections []uuid.UUID, open []SealedRevocation, err error) {
	defer explain("Standing", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT id FROM connections WHERE tenant_id = $1 AND state <> 'disconnected'`, t.tenant).Query(func(rows pgx.Rows) (err error) {
			connections, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			return err
		})
		b.Queue(`SELECT id, provider, sealed FROM revocations WHERE tenant_id = $1 AND state = 'waiting'`, t.tenant).Query(func(rows pgx.Rows) (err error) {
			open, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r SealedRevocation, err error) {
				err = row.Scan(&r.ID, &r.Provider, (*[]byte)(&r.Sealed))
				return r, err
			})
			return err
		})
	})
	return connections, open, err
}

// RevocationKey opens what providers are told with: the tenant's data key or, after that was destroyed, the one that it left.
func (t *TenantStore) RevocationKey(ctx context.Context) (key vault.WrappedKey, err error) {
	defer explain("RevocationKey", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT coalesce((SELECT wrapped FROM tenant_keys WHERE tenant_id = $1), (SELECT parting_key FROM closings WHERE tenant_id = $1))`, t.tenant).
			QueryRow(func(row pgx.Row) error { return row.Scan((*[]byte)(&key)) })
	})
	if err == nil && len(key) == 0 {
		return nil, errs.New(errs.NotFound, "error.not_found")
	}
	return key, err
}

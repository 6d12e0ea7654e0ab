package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// KeyTurn is the turning of a tenant's data key, from the key before to the one after.
type KeyTurn struct {
	From, To    vault.KeyID
	BegunAt     time.Time
	SealingAt   *time.Time // nil: the new key only opens yet
	RewrittenAt *time.Time // nil: rows are being rewritten
	Rewritten   int        // values
	Stuck       int        // values that name the old key and do not open at their place
}

// BeginKeyTurn stores the data keyset with a key more, if it still is the one that was read. Conflict when a turn is under
// way already, or the keyset has changed.
func (t *TenantStore) BeginKeyTurn(ctx context.Context, was, with vault.WrappedKey, turn KeyTurn, due time.Time, by string) (err error) {
	defer explain("BeginKeyTurn", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		t.queueKeySwap(b, was, with)
		b.Queue(`INSERT INTO key_turns (tenant_id, from_key, to_key, begun_at, due_at) VALUES ($1, $2, $3, $4, $5)`,
			t.tenant, int64(turn.From), int64(turn.To), t.now(), due)
		t.queueEvent(b, NewEvent{Kind: "tenant.key_turning", Detail: map[string]any{"by": by}})
	})
}

// queueKeySwap puts another data keyset in the place of the one that was read.
func (t *TenantStore) queueKeySwap(b *pgx.Batch, was, with vault.WrappedKey) {
	queueOne(b, `UPDATE tenant_keys SET wrapped = $3 WHERE tenant_id = $1 AND wrapped = $2`, t.tenant, []byte(was), []byte(with))
}

// KeyTurn gives the turn that is under way, and the data keyset as it is now. NotFound when there is none.
func (t *TenantStore) KeyTurn(ctx context.Context) (turn KeyTurn, key vault.WrappedKey, err error) {
	defer explain("KeyTurn", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT x.from_key, x.to_key, x.begun_at, x.sealing_at, x.rewritten_at, x.rewritten, x.stuck, k.wrapped
			FROM key_turns x JOIN tenant_keys k USING (tenant_id) WHERE x.tenant_id = $1 AND x.ended_at IS NULL`, t.tenant).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(&turn.From, &turn.To, &turn.BegunAt, &turn.SealingAt, &turn.RewrittenAt, &turn.Rewritten, &turn.Stuck, (*[]byte)(&key))
			})
	})
	return turn, key, err
}

// SealAnew stores the data keyset in which the new key seals.
func (t *TenantStore) SealAnew(ctx context.Context, was, with vault.WrappedKey) (err error) {
	defer explain("SealAnew", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		t.queueKeySwap(b, was, with)
		queueOne(b, `UPDATE key_turns SET sealing_at = $2, due_at = $2 WHERE tenant_id = $1 AND ended_at IS NULL AND sealing_at IS NULL`, t.tenant, t.now())
	})
}

// RestKeyTurn says when the turn goes on. With rewritten, its rows have been rewritten.
func (t *TenantStore) RestKeyTurn(ctx context.Context, rewritten bool, stuck int, due time.Time) (err error) {
	defer explain("RestKeyTurn", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE key_turns SET rewritten_at = CASE WHEN $2 THEN coalesce(rewritten_at, $3) END, stuck = $4, due_at = $5
			WHERE tenant_id = $1 AND ended_at IS NULL`, t.tenant, rewritten, t.now(), stuck, due)
	})
}

// EndKeyTurn stores the data keyset without the old key, if no row needs it; else it gives how many values do. Whoever is
// writing one with the old key is waited for, and whoever comes later is refused.
func (t *TenantStore) EndKeyTurn(ctx context.Context, turn KeyTurn, was, with vault.WrappedKey) (left int, err error) {
	defer explain("EndKeyTurn", &err)
	err = t.inTx(ctx, func(tx *Tx) error {
		// In the order in which destroying the tenant takes them.
		if err := tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`SELECT FROM tenant_keys WHERE tenant_id = $1 FOR NO KEY UPDATE`, t.tenant)
			b.Queue(`SELECT FROM key_turns WHERE tenant_id = $1 AND from_key = $2 FOR UPDATE`, t.tenant, int64(turn.From))
		}); err != nil {
			return err
		}
		if left, err = t.countSealed(ctx, tx, turn.From); err != nil || left > 0 {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			t.queueKeySwap(b, was, with)
			queueOne(b, `UPDATE key_turns SET ended_at = $3, stuck = 0, due_at = NULL WHERE tenant_id = $1 AND from_key = $2 AND ended_at IS NULL`,
				t.tenant, int64(turn.From), t.now())
			t.queueEvent(b, NewEvent{Kind: "tenant.key_turned"})
		})
	})
	return left, err
}

// countSealed counts the values that need a data key, in every column.
func (t *TenantStore) countSealed(ctx context.Context, tx *Tx, key vault.KeyID) (left int, err error) {
	err = tx.batch(ctx, func(b *pgx.Batch) {
		for _, c := range sealedBy(ByTenant) {
			b.Queue(`SELECT count(*) FROM `+c.Table+` x WHERE x.tenant_id = $1 AND sealing_key(x.`+c.Column+`) = $2`, t.tenant, int64(key)).
				QueryRow(func(row pgx.Row) error {
					var n int
					err := row.Scan(&n)
					left += n
					return err
				})
		}
	})
	return left, err
}

// ClaimKeyTurns gives tenants whose turn is due. If its step is not done until then, it falls due again.
func (s *Store) ClaimKeyTurns(ctx context.Context, until time.Time, most int) (tenants []uuid.UUID, err error) {
	defer explain("ClaimKeyTurns", &err)
	return s.tenants(ctx, `SELECT claim_key_turns($1, $2, $3)`, s.now(), until, most)
}

// TenantsToTurn gives the tenants whose data key is older than before and is not being turned, by id.
func (s *Store) TenantsToTurn(ctx context.Context, before time.Time, after uuid.UUID, most int) (tenants []uuid.UUID, err error) {
	defer explain("TenantsToTurn", &err)
	return s.tenants(ctx, `SELECT tenants_to_turn($1, $2, $3)`, before, after, most)
}

func (s *Store) tenants(ctx context.Context, sql string, args ...any) ([]uuid.UUID, error) {
	rows, err := s.app.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

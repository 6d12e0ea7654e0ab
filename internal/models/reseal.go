package models

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// Resealing is one look at all of a tenant's columns that the old data key sealed; the next one goes on behind it.
type Resealing struct {
	Seen, Done int // Done are those that now need the new key
	Stuck      int // did not open, and were left as they are
	after      []string
}

// sealedValue is one value, where it lies and to what it is bound.
type sealedValue struct {
	column SealedColumn
	row    string // its place in the table, until the row is written
	at     vault.Place
	sealed vault.Sealed
}

// Reseal rewrites the next values of every column that name the old key, at most that many of each, in one transaction, which has
// time until then. It waits for nobody: a row that somebody else is writing, or that was just written for another column, is
// passed by, and the next walk from the start finds it. A value that does not open is left as it is. NotFound when there is no turn
// (any more).
func (t *TenantStore) Reseal(ctx context.Context, old vault.KeyID, last Resealing, most int, until time.Time,
	reseal func(at vault.Place, sealed vault.Sealed) (vault.Sealed, error),
) (r Resealing, err error) {
	defer explain("Reseal", &err)
	err = t.inTx(ctx, func(tx *Tx) error {
		// Before the values, as destroying the tenant does: the two would wait for each other.
		if err := tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`SELECT FROM key_turns WHERE tenant_id = $1 AND ended_at IS NULL FOR NO KEY UPDATE`, t.tenant).
				QueryRow(func(row pgx.Row) error { return row.Scan() })
		}); err != nil {
			return err
		}
		values, after, err := t.sealedValues(ctx, tx, old, last.after, most)
		if err != nil {
			return err
		}
		r.after, r.Seen = after, len(values)
		err = tx.batch(ctx, func(b *pgx.Batch) {
			for _, v := range values {
				if fresh, err := reseal(v.at, v.sealed); err == nil {
					t.queueReseal(b, v, fresh, &r.Done)
				} else {
					r.Stuck++
				}
			}
		})
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`UPDATE key_turns SET rewritten = rewritten + $2, due_at = $3 WHERE tenant_id = $1 AND ended_at IS NULL`, t.tenant, r.Done, until)
		})
	})
	return r, err
}

// sealedValues reads and locks what each column still has, from a row on.
func (t *TenantStore) sealedValues(ctx context.Context, tx *Tx, old vault.KeyID, after []string, most int) (values []sealedValue, next []string, err error) {
	columns := sealedBy(ByTenant)
	if after == nil {
		after = slices.Repeat([]string{"(0,0)"}, len(columns))
	}
	next = slices.Clone(after)
	err = tx.batch(ctx, func(b *pgx.Batch) {
		for i, c := range columns {
			b.Queue(`SELECT x.ctid::text, x.`+c.Column+`, `+c.owner+`, `+c.provider+`, `+c.field+`, `+c.version+` FROM `+c.Table+` x
				WHERE x.tenant_id = $1 AND sealing_key(x.`+c.Column+`) = $2 AND x.ctid > $3::text::tid ORDER BY x.ctid LIMIT $4
				FOR NO KEY UPDATE OF x SKIP LOCKED`,
				t.tenant, int64(old), after[i], most).Query(func(rows pgx.Rows) error {
				for rows.Next() {
					v := sealedValue{column: c, at: vault.Place{Tenant: t.tenant}}
					if err := rows.Scan(&v.row, (*[]byte)(&v.sealed), &v.at.Owner, &v.at.Provider, &v.at.Field, &v.at.Version); err != nil {
						return err
					}
					values, next[i] = append(values, v), v.row
				}
				return rows.Err()
			})
		}
	})
	return values, next, err
}

// queueReseal writes a value if it is still the one that was read.
func (t *TenantStore) queueReseal(b *pgx.Batch, v sealedValue, fresh vault.Sealed, done *int) {
	b.Queue(`WITH hit AS (UPDATE `+v.column.Table+` x SET `+v.column.Column+` = $3
		WHERE x.ctid = $2::text::tid AND x.tenant_id = $1 AND x.`+v.column.Column+` = $4 RETURNING 1) SELECT count(*) FROM hit`,
		t.tenant, v.row, []byte(fresh), []byte(v.sealed)).QueryRow(func(row pgx.Row) error {
		var hit int
		err := row.Scan(&hit)
		*done += hit
		return err
	})
}

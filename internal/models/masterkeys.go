package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

const (
	// HolderLife is how long a serving program that says nothing still counts as living.
	HolderLife = 2 * time.Minute
	// rewrapLock keeps two from rewrapping the same rows: a number that nobody else locks.
	rewrapLock = 0x6d6f6f72
)

// Rewrapped is what came of one batch.
type Rewrapped struct {
	Busy       bool      // somebody else is at it
	Last       uuid.UUID // the last tenant looked at: where the next batch goes on
	Seen, Done int       // Done are those that now need the newest key
}

// AnnounceKeys says which master keys this program has loaded, and notes those that nobody has seen before. The first
// keyset that a database is served with needs no rotation: its primary key seals already.
func (s *Store) AnnounceKeys(ctx context.Context, replica string, keys vault.Keys) (err error) {
	defer explain("AnnounceKeys", &err)
	return s.app.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM key_holders WHERE seen_at < $1`, s.now().Add(-24*time.Hour))
		b.Queue(`INSERT INTO key_holders (replica, keys, main, seen_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (replica) DO UPDATE SET keys = excluded.keys, main = excluded.main, seen_at = excluded.seen_at`,
			replica, keyNumbers(keys.All), int64(keys.Primary), s.now())
		b.Queue(`INSERT INTO master_keys (id, added_at, promoted_at)
			SELECT k, $3, CASE WHEN k = $2 AND NOT EXISTS (SELECT FROM master_keys) THEN $3::timestamptz END FROM unnest($1::bigint[]) AS k
			ON CONFLICT (id) DO NOTHING`, keyNumbers(keys.All), int64(keys.Primary), s.now())
	})
}

// LeaveKeys says that this program has ended.
func (s *Store) LeaveKeys(ctx context.Context, replica string) (err error) {
	defer explain("LeaveKeys", &err)
	_, err = s.app.pool.Exec(ctx, `DELETE FROM key_holders WHERE replica = $1`, replica)
	return err
}

// MissingKeys gives the master keys that are needed and not among the known ones, and the one that is to seal.
func (s *Store) MissingKeys(ctx context.Context, known []vault.KeyID) (missing []vault.KeyID, newest vault.KeyID, err error) {
	defer explain("MissingKeys", &err)
	err = s.app.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT k FROM master_keys_needed() AS k WHERE k <> ALL ($1::bigint[]) ORDER BY k`, keyNumbers(known)).
			Query(func(rows pgx.Rows) (err error) {
				missing, err = pgx.CollectRows(rows, pgx.RowTo[vault.KeyID])
				return err
			})
		b.Queue(newestKey).QueryRow(func(row pgx.Row) error { return ignoreNoRows(row.Scan(&newest)) })
	})
	return missing, newest, err
}

const newestKey = `SELECT id FROM master_keys WHERE promoted_at IS NOT NULL AND retired_at IS NULL ORDER BY promoted_at DESC LIMIT 1`

// KeyRows counts the rows that need each master key; those that name none stand under 0.
func (s *Store) KeyRows(ctx context.Context) (rows map[vault.KeyID]int64, err error) {
	defer explain("KeyRows", &err)
	err = s.app.batch(ctx, scope{}, func(b *pgx.Batch) { queueKeyRows(b, &rows) })
	return rows, err
}

func queueKeyRows(b *pgx.Batch, into *map[vault.KeyID]int64) {
	b.Queue(`SELECT key, n FROM master_key_rows()`).Query(func(rows pgx.Rows) error {
		*into = map[vault.KeyID]int64{}
		var key vault.KeyID
		var n int64
		_, err := pgx.ForEachRow(rows, []any{&key, &n}, func() error { (*into)[key] = n; return nil })
		return err
	})
}

// RewrapTenants wraps the next tenants' keysets anew, data keys and parting keys, that are not wrapped by the newest key, in one transaction. What does not open
// is left as it is. Each is read and written in its own tenant's scope, and only if nobody has changed it meanwhile.
func (s *Store) RewrapTenants(ctx context.Context, newest vault.KeyID, after uuid.UUID, most int,
	rewrap func(tenant uuid.UUID, key vault.WrappedKey) (vault.WrappedKey, error),
) (r Rewrapped, err error) {
	defer explain("RewrapTenants", &err)
	err = s.app.inTx(ctx, scope{}, func(tx *Tx) error {
		var free bool
		if err := tx.pgx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(rewrapLock)).Scan(&free); err != nil || !free {
			r.Busy = !free
			return err
		}
		rows, err := tx.pgx.Query(ctx, `SELECT t FROM tenants_to_rewrap($1, $2, $3) AS t`, int64(newest), after, most)
		if err != nil {
			return err
		}
		tenants, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil || len(tenants) == 0 {
			return err
		}
		r.Seen, r.Last = len(tenants), tenants[len(tenants)-1]
		r.Done, err = rewrapAll(ctx, tx, tenants, rewrap)
		return err
	})
	return r, err
}

// wrappedKey is a tenant's keyset that the master key wraps, and where it lies.
type wrappedKey struct {
	column SealedColumn
	tenant uuid.UUID
	key    vault.WrappedKey
}

func rewrapAll(ctx context.Context, tx *Tx, tenants []uuid.UUID, rewrap func(uuid.UUID, vault.WrappedKey) (vault.WrappedKey, error)) (done int, err error) {
	const enter = `SELECT set_config('app.tenant_id', $1, true)`
	var found []wrappedKey
	err = tx.batch(ctx, func(b *pgx.Batch) {
		for _, tenant := range tenants {
			b.Queue(enter, tenant.String())
			for _, c := range tenantsWrapped() {
				b.Queue(`SELECT `+c.Column+` FROM `+c.Table+` WHERE tenant_id = $1 AND `+c.Column+` IS NOT NULL`, tenant).QueryRow(func(row pgx.Row) error {
					w := wrappedKey{column: c, tenant: tenant}
					err := row.Scan((*[]byte)(&w.key))
					if err == nil {
						found = append(found, w)
					}
					return ignoreNoRows(err)
				})
			}
		}
	})
	if err != nil {
		return 0, err
	}
	err = tx.batch(ctx, func(b *pgx.Batch) {
		for _, w := range found {
			turned, err := rewrap(w.tenant, w.key)
			if err != nil {
				continue
			}
			done++
			b.Queue(enter, w.tenant.String())
			b.Queue(`UPDATE `+w.column.Table+` SET `+w.column.Column+` = $2 WHERE tenant_id = $1 AND `+w.column.Column+` = $3`,
				w.tenant, []byte(turned), []byte(w.key))
		}
	})
	return done, err
}

// RewrapOwn wraps the platform's own data keysets anew and seals the canary anew, if they are not by the newest key yet.
func (s *Store) RewrapOwn(ctx context.Context, newest vault.KeyID, v *vault.Vault) (err error) {
	defer explain("RewrapOwn", &err)
	return s.app.inTx(ctx, scope{}, func(tx *Tx) error {
		rows, err := tx.pgx.Query(ctx, `SELECT name, wrapped FROM platform_keys WHERE master_key <> $1`, int64(newest))
		if err != nil {
			return err
		}
		own := map[string][]byte{}
		var name string
		var wrapped []byte
		if _, err := pgx.ForEachRow(rows, []any{&name, &wrapped}, func() error { own[name] = append([]byte(nil), wrapped...); return nil }); err != nil {
			return err
		}
		canary, err := v.SealCanary()
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			for name, was := range own {
				if turned, err := v.Rewrap(was, uuid.Nil); err == nil { // what does not open is left, and counted
					b.Queue(`UPDATE platform_keys SET wrapped = $2 WHERE name = $1 AND wrapped = $3`, name, []byte(turned), was)
				}
			}
			b.Queue(`UPDATE vault_canaries SET sealed = $1 WHERE name = 'master' AND master_key <> $2`, []byte(canary), int64(newest))
		})
	})
}

func keyNumbers(ids []vault.KeyID) []int64 {
	numbers := make([]int64, len(ids))
	for i, id := range ids {
		numbers[i] = int64(id)
	}
	return numbers
}

package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// Address is where a provider's server sends news of a connection.
type Address struct {
	ID        uuid.UUID
	TokenHash []byte
	Token     vault.Sealed
	CreatedAt time.Time
	EndsAt    *time.Time // nil: the current one
}

const addressColumns = `id, token_hash, token_sealed, created_at, ends_at`

func scanAddress(row pgx.CollectableRow) (a Address, err error) {
	err = row.Scan(&a.ID, &a.TokenHash, (*[]byte)(&a.Token), &a.CreatedAt, &a.EndsAt)
	return a, err
}

// queueAddresses reads the addresses of a connection that are answered, the current one first.
func (t *TenantStore) queueAddresses(b *pgx.Batch, into *[]Address, connection uuid.UUID) {
	b.Queue(`SELECT `+addressColumns+` FROM callback_addresses
		WHERE tenant_id = $1 AND connection_id = $2 AND (ends_at IS NULL OR ends_at > $3) ORDER BY ends_at DESC NULLS FIRST`,
		t.tenant, connection, t.now()).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanAddress)
		return err
	})
}

// queueAddress gives a connection its first address, unless it has one: a reconnection keeps it.
func (t *TenantStore) queueAddress(b *pgx.Batch, connection uuid.UUID, a *Address) {
	if a == nil {
		return
	}
	b.Queue(`INSERT INTO callback_addresses (tenant_id, id, connection_id, token_hash, token_sealed, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant_id, connection_id) WHERE ends_at IS NULL DO NOTHING`,
		t.tenant, a.ID, connection, a.TokenHash, []byte(a.Token), t.now())
}

// RenewAddress gives a connection a new address; the one of before is answered for a while yet. Conflict when that is
// not the current one any more, or an older one is still answered: at most two are. before is zero if there is none.
func (t *TenantStore) RenewAddress(ctx context.Context, connection, before uuid.UUID, a Address, keep time.Duration, e NewEvent) (err error) {
	defer explain("RenewAddress", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		if before != uuid.Nil {
			queueOne(b, `UPDATE callback_addresses SET ends_at = $5
				WHERE tenant_id = $1 AND connection_id = $2 AND id = $3 AND ends_at IS NULL AND NOT EXISTS (
				    SELECT FROM callback_addresses o WHERE o.tenant_id = $1 AND o.connection_id = $2 AND o.ends_at > $4)`,
				t.tenant, connection, before, t.now(), t.now().Add(keep))
		}
		queueOne(b, `INSERT INTO callback_addresses (tenant_id, id, connection_id, token_hash, token_sealed, created_at)
			SELECT $1, $2, id, $4, $5, $6 FROM connections WHERE tenant_id = $1 AND id = $3 AND state <> 'disconnected'`,
			t.tenant, a.ID, connection, a.TokenHash, []byte(a.Token), t.now())
		t.queueEvent(b, e)
	})
}

// EndAddress ends at once what a renewal left open. Conflict when nothing is.
func (t *TenantStore) EndAddress(ctx context.Context, connection uuid.UUID, e NewEvent) (err error) {
	defer explain("EndAddress", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE callback_addresses SET ends_at = $3 WHERE tenant_id = $1 AND connection_id = $2 AND ends_at > $3`,
			t.tenant, connection, t.now())
		t.queueEvent(b, e)
	})
}

// queueNews looks for the connection that an address belongs to, and for news of it that waits.
func (f *Binding) queueNews(b *pgx.Batch, provider string, tokenHash []byte, now time.Time) {
	b.Queue(`
		SELECT `+connectionColumns+`, s.sealed, k.wrapped, i.id
		  FROM callback_addresses a
		  JOIN connections c ON c.tenant_id = a.tenant_id AND c.id = a.connection_id
		  JOIN tenant_keys k ON k.tenant_id = c.tenant_id
		  LEFT JOIN credentials s ON s.tenant_id = c.tenant_id AND s.connection_id = c.id
		  LEFT JOIN inbox i ON i.tenant_id = c.tenant_id AND i.connection_id = c.id AND i.state IN ('waiting', 'parked')
		 WHERE a.token_hash = $1 AND c.provider = $2 AND (a.ends_at IS NULL OR a.ends_at > $3)`, tokenHash, provider, now).
		QueryRow(func(row pgx.Row) (err error) {
			var n NewsBinding
			var key []byte
			var waiting *uuid.UUID
			n.Connection, err = scanConnectionAnd(row, (*[]byte)(&n.Credential), &key, &waiting)
			if err != nil {
				return ignoreNoRows(err)
			}
			if waiting != nil {
				n.Waiting = *waiting
			}
			f.News, f.Key = &n, key
			return nil
		})
}

// NewNews is news of a connection about to be stored.
type NewNews struct {
	ID          uuid.UUID
	Connection  uuid.UUID
	Provider    string
	Verified    bool
	ContentHash []byte
	Body        vault.Sealed
}

// StoreNews keeps news of a connection and asks for the work; that of a disconnected one is parked, and the work finds
// nothing to do. Conflict when other news of it waits already.
func (t *TenantStore) StoreNews(ctx context.Context, n NewNews, job Statement) (err error) {
	defer explain("StoreNews", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `
			INSERT INTO inbox (tenant_id, id, connection_id, provider, serial, verified, content_hash, body_sealed, received_at, parked_at)
			SELECT $1, $2, c.id, $4, $5, $6, $7, $8, $9, CASE WHEN c.state = 'disconnected' THEN $9::timestamptz END
			  FROM connections c WHERE c.tenant_id = $1 AND c.id = $3 FOR SHARE`,
			t.tenant, n.ID, n.Connection, n.Provider, n.ID.String(), n.Verified, n.ContentHash, []byte(n.Body), t.now())
		b.Queue(job.SQL, job.Args...)
	})
}

// CountNews adds a call to news that waits. Conflict when it waits no longer.
func (t *TenantStore) CountNews(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("CountNews", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE inbox SET calls = calls + 1 WHERE tenant_id = $1 AND id = $2 AND state IN ('waiting', 'parked')`, t.tenant, id)
	})
}

// newsWait is how long news rests while the connection is being read: that reading may have begun before.
const newsWait = 15 * time.Second

// TakeNews turns news into a reading of its connection that begins after it came: one that is on its way, or a new one,
// at most every so often, and none while the merchant wants none by itself. It says how long to wait if the time has not come. One transaction: the news is done when
// the reading is sure. NotFound when it waits no longer.
func (t *TenantStore) TakeNews(ctx context.Context, id uuid.UUID, every time.Duration, job func(connection uuid.UUID, provider string) Statement) (wait time.Duration, err error) {
	defer explain("TakeNews", &err)
	err = t.inTx(ctx, func(tx *Tx) error {
		var n taken
		var sync SyncState
		var since, paused *time.Time
		err := tx.pgx.QueryRow(ctx, `SELECT c.id, c.provider, c.state, c.sync_state, c.sync_since, c.sync_paused_at
			  FROM connections c JOIN inbox i ON i.tenant_id = c.tenant_id AND i.connection_id = c.id
			 WHERE i.tenant_id = $1 AND i.id = $2 AND i.state = 'waiting' FOR UPDATE OF c, i`, t.tenant, id).
			Scan(&n.connection, &n.provider, &n.state, &sync, &since, &paused)
		if err != nil {
			return err
		}
		n.read = n.state != Disconnected && paused == nil && (sync == SyncIdle || t.lost(since))
		switch {
		case n.state == Disconnected:
		case !n.read && paused == nil && sync == SyncRunning:
			wait = newsWait
		case n.read && sync == SyncIdle && since != nil:
			wait = max(0, since.Add(every).Sub(t.now()))
		}
		if wait > 0 {
			return nil
		}
		return tx.batch(ctx, func(b *pgx.Batch) { t.queueTaken(b, id, n, job) })
	})
	return wait, err
}

// lost says whether a sync that was last heard of then is believed in no longer.
func (t *TenantStore) lost(since *time.Time) bool {
	return since == nil || since.Before(t.now().Add(-syncLease))
}

// taken is the connection that news is of, and whether a reading has to be asked for.
type taken struct {
	connection uuid.UUID
	provider   string
	state      State
	read       bool
}

func (t *TenantStore) queueTaken(b *pgx.Batch, id uuid.UUID, n taken, job func(connection uuid.UUID, provider string) Statement) {
	if n.state == Disconnected {
		b.Queue(`UPDATE inbox SET parked_at = $3 WHERE tenant_id = $1 AND id = $2`, t.tenant, id, t.now())
		return
	}
	b.Queue(`UPDATE inbox SET processed_at = $3 WHERE tenant_id = $1 AND id = $2`, t.tenant, id, t.now())
	if n.read {
		t.queueSync(b, n.connection, job(n.connection, n.provider))
	}
}

// queueJoined lets news that was parked join a reconnection, whose first sync reads what it was about.
func (t *TenantStore) queueJoined(b *pgx.Batch, connection uuid.UUID) {
	b.Queue(`UPDATE inbox SET processed_at = $3 WHERE tenant_id = $1 AND connection_id = $2 AND state = 'parked'`,
		t.tenant, connection, t.now())
}

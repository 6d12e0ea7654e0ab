package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// SaveLink keeps what the provider made of a link attempt, which waits for its callback from now on. Conflict when it
// has ended meanwhile.
func (t *TenantStore) SaveLink(ctx context.Context, attempt uuid.UUID, serial string, link, kept vault.Sealed) (err error) {
	defer explain("SaveLink", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE attempts SET status = 'pending', consumed_at = NULL, serial = $3, link_sealed = $4, kept_sealed = $5
			WHERE tenant_id = $1 AND id = $2 AND status = 'exchanging' AND kept_sealed IS NULL`,
			t.tenant, attempt, serial, []byte(link), []byte(kept))
		wake(b, attempt)
	})
}

// Binding is what the address of a callback belongs to: a link attempt or a connection.
type Binding struct {
	Tenant uuid.UUID
	Key    vault.WrappedKey
	Link   *LinkBinding // nil: the address is a connection's
	News   *NewsBinding // nil: it is an attempt's
}

// LinkBinding is the attempt that a callback ends.
type LinkBinding struct {
	Attempt
	Serial string
	Kept   vault.Sealed // nil: the link is still being asked for

	Seen         bool   // a callback under this serial is stored
	SeenHash     []byte // of what it said
	Contradicted bool   // another content under the same serial has been recorded
}

// NewsBinding is the connection that a callback brings news of.
type NewsBinding struct {
	Connection
	Credential vault.Sealed // nil: there is none any more
	Waiting    uuid.UUID    // the news that waits, or is parked, already; zero: none
}

// OpenCallback finds what a callback is bound to, by the hash of the token in its address: a SECURITY DEFINER function
// opens the batch's implicit transaction for the tenant, and the rest is read under its policies. One round trip.
// NotFound when nobody waits there.
func (s *Store) OpenCallback(ctx context.Context, provider string, tokenHash []byte) (f Binding, err error) {
	defer explain("OpenCallback", &err)
	b := &pgx.Batch{}
	b.Queue(`SELECT tenant_id FROM open_callback($1)`, tokenHash).QueryRow(func(row pgx.Row) error { return row.Scan(&f.Tenant) })
	b.Queue(`
		SELECT `+attemptColumns+`, a.serial, a.kept_sealed, k.wrapped, i.id IS NOT NULL, i.content_hash, i.contradicted_at IS NOT NULL
		  FROM attempts a
		  JOIN tenant_keys k ON k.tenant_id = a.tenant_id
		  LEFT JOIN inbox i ON i.tenant_id = a.tenant_id AND i.provider = a.provider AND i.binding = a.id AND i.serial = a.serial
		 WHERE a.callback_hash = $1 AND a.provider = $2 AND (a.kept_sealed IS NOT NULL OR a.status = 'exchanging')`, tokenHash, provider).
		QueryRow(func(row pgx.Row) (err error) {
			var l LinkBinding
			l.Attempt, err = scanAttempt(row, &l.Serial, (*[]byte)(&l.Kept), (*[]byte)(&f.Key), &l.Seen, &l.SeenHash, &l.Contradicted)
			if err == nil {
				f.Link = &l
			}
			return ignoreNoRows(err)
		})
	f.queueNews(b, provider, tokenHash, s.now())
	err = s.app.pool.SendBatch(ctx, b).Close()
	if err == nil && f.Link == nil && f.News == nil {
		err = pgx.ErrNoRows
	}
	return f, err
}

// NewCallback is a callback about to be stored.
type NewCallback struct {
	ID          uuid.UUID
	Attempt     uuid.UUID
	Provider    string
	Serial      string
	Verified    bool
	ContentHash []byte
	Body        vault.Sealed
	Credential  vault.Sealed // nil: there is nothing left to do with it
}

// StoreCallback keeps a verified callback and, with what it brought, spends the attempt that waits for it and asks for
// the work. All or nothing, in one round trip. Conflict when the callback is stored already, or the attempt no longer
// waits.
func (t *TenantStore) StoreCallback(ctx context.Context, n NewCallback, job Statement) (err error) {
	defer explain("StoreCallback", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		var processed *time.Time
		now := t.now()
		if n.Credential == nil {
			processed = &now
		}
		b.Queue(`
			INSERT INTO inbox (tenant_id, id, attempt_id, provider, serial, verified, content_hash, body_sealed, credential_sealed,
			    received_at, processed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			t.tenant, n.ID, n.Attempt, n.Provider, n.Serial, n.Verified, n.ContentHash, []byte(n.Body), []byte(n.Credential), now, processed)
		if n.Credential == nil {
			return
		}
		queueOne(b, `UPDATE attempts SET status = 'exchanging', consumed_at = $3
			WHERE tenant_id = $1 AND id = $2 AND status = 'pending' AND expires_at > $3`, t.tenant, n.Attempt, now)
		wake(b, n.Attempt)
		b.Queue(job.SQL, job.Args...)
	})
}

// ContradictCallback records, once, that another content came under the serial of a stored callback.
func (t *TenantStore) ContradictCallback(ctx context.Context, attempt uuid.UUID, e NewEvent) (err error) {
	defer explain("ContradictCallback", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE inbox SET contradicted_at = $3 WHERE tenant_id = $1 AND binding = $2 AND contradicted_at IS NULL`,
			t.tenant, attempt, t.now())
		t.queueEvent(b, e)
	})
}

// StoredCallback is a callback that has not been acted on.
type StoredCallback struct {
	Provider   string
	Attempt    *Attempt     // that it ends; nil: it brings news
	Connection uuid.UUID    // of which it brings news; zero: it ends an attempt
	Credential vault.Sealed // what the end of an attempt brought
}

// Callback gives a stored callback that has not been acted on. NotFound when it has.
func (t *TenantStore) Callback(ctx context.Context, id uuid.UUID) (c StoredCallback, err error) {
	defer explain("Callback", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT provider, connection_id, credential_sealed FROM inbox WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`, t.tenant, id).
			QueryRow(func(row pgx.Row) error {
				var connection *uuid.UUID
				err := row.Scan(&c.Provider, &connection, (*[]byte)(&c.Credential))
				if connection != nil {
					c.Connection = *connection
				}
				return err
			})
		b.Queue(`SELECT `+attemptColumns+` FROM inbox i JOIN attempts a ON a.tenant_id = i.tenant_id AND a.id = i.attempt_id
			WHERE i.tenant_id = $1 AND i.id = $2`, t.tenant, id).QueryRow(func(row pgx.Row) error {
			a, err := scanAttempt(row)
			if err == nil {
				c.Attempt = &a
			}
			return ignoreNoRows(err)
		})
	})
	return c, err
}

// FailCallback notes that acting on a callback has failed. A dead one is not tried again; the event says so.
func (t *TenantStore) FailCallback(ctx context.Context, id uuid.UUID, reason string, dead bool, e NewEvent) (err error) {
	defer explain("FailCallback", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE inbox SET tries = tries + 1, reason = $3, dead_at = CASE WHEN $4 THEN $5::timestamptz END
			WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`, t.tenant, id, reason, dead, t.now())
		if dead {
			t.queueEvent(b, e)
		}
	})
}

// queueSettled notes that what the inbox holds for an attempt has been acted on, and destroys what it brought. It goes
// along with every change that ends or parks an attempt.
func (t *TenantStore) queueSettled(b *pgx.Batch, attempt uuid.UUID) {
	b.Queue(`UPDATE inbox SET processed_at = $3, credential_sealed = NULL
		WHERE tenant_id = $1 AND attempt_id = $2 AND processed_at IS NULL`, t.tenant, attempt, t.now())
}

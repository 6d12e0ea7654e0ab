package models

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// outgoingKey names the data key that endpoints' secrets are sealed with.
const outgoingKey = "outgoing"

// OutgoingKey gives the data key of endpoints' secrets; the first call leaves a fresh one behind.
func (s *Store) OutgoingKey(ctx context.Context, fresh func() (vault.WrappedKey, error)) (vault.WrappedKey, error) {
	return s.platformKey(ctx, outgoingKey, fresh)
}

// SealedSecret is one of an endpoint's live secrets.
type SealedSecret struct {
	Version int64
	Sealed  vault.Sealed
}

// Target is an endpoint with what a delivery to it is signed with.
type Target struct {
	Endpoint
	Secrets []SealedSecret // newest first
	Key     vault.WrappedKey
}

// Target gives an endpoint as the serving role may see it, for a test of it. NotFound when there is none.
func (s *Store) Target(ctx context.Context, id uuid.UUID) (t Target, err error) {
	defer explain("Target", &err)
	err = s.app.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+endpointColumns+` FROM endpoints e WHERE e.id = $1`, id).QueryRow(func(row pgx.Row) error { return row.Scan(t.fields()...) })
		queueSigning(b, &t, `$1`, s.now(), id)
	})
	return t, err
}

// queueSigning reads what an endpoint's deliveries are signed with; which names the endpoint in SQL, by the arguments.
func queueSigning(b *pgx.Batch, into *Target, which string, now time.Time, args ...any) {
	live := fmt.Sprintf(`SELECT s.version, s.sealed FROM endpoint_secrets s
		WHERE s.endpoint_id = %s AND (s.ends_at IS NULL OR s.ends_at > $%d) ORDER BY s.version DESC`, which, len(args)+1)
	b.Queue(live, append(args, now)...).Query(func(rows pgx.Rows) (err error) {
		into.Secrets, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s SealedSecret, err error) {
			err = row.Scan(&s.Version, (*[]byte)(&s.Sealed))
			return s, err
		})
		return err
	})
	b.Queue(`SELECT wrapped FROM platform_keys WHERE name = $1`, outgoingKey).QueryRow(func(row pgx.Row) error {
		return row.Scan((*[]byte)(&into.Key))
	})
}

// Announcement is an event with what an endpoint is told beside it.
type Announcement struct {
	Event
	Tenant string // the merchant's name
	Wanted bool   // some endpoint wants to be told
}

// Announcement gives an event for telling. NotFound when it is not the tenant's. One round trip.
func (t *TenantStore) Announcement(ctx context.Context, event uuid.UUID) (a Announcement, err error) {
	defer explain("Announcement", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			SELECT e.id, e.connection_id, e.kind, e.detail, e.created_at, t.name,
			       EXISTS (SELECT FROM endpoints p WHERE p.enabled AND e.kind = ANY (p.kinds))
			  FROM events e JOIN tenants t ON t.id = e.tenant_id
			 WHERE e.tenant_id = $1 AND e.id = $2`, t.tenant, event).QueryRow(func(row pgx.Row) error {
			return row.Scan(&a.ID, &a.ConnectionID, &a.Kind, &a.Detail, &a.CreatedAt, &a.Tenant, &a.Wanted)
		})
	})
	return a, err
}

// QueueDeliveries makes a delivery of an event for each enabled endpoint that wants it, with the job that job words.
// What an endpoint has a delivery of already is left alone, so telling twice is harmless.
func (t *TenantStore) QueueDeliveries(ctx context.Context, a Announcement, body string, job func(delivery uuid.UUID) Statement) (err error) {
	defer explain("QueueDeliveries", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		rows, err := tx.pgx.Query(ctx, `SELECT id FROM endpoints WHERE enabled AND $1 = ANY (kinds)`, a.Kind)
		if err != nil {
			return err
		}
		endpoints, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
		if err != nil {
			return err
		}
		var made []uuid.UUID
		err = tx.batch(ctx, func(b *pgx.Batch) {
			for _, endpoint := range endpoints {
				b.Queue(`INSERT INTO deliveries (tenant_id, id, endpoint_id, event_id, kind, body, next_at, created_at)
					VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (tenant_id, endpoint_id, event_id) DO NOTHING RETURNING id`,
					t.tenant, newID(), endpoint, a.ID, a.Kind, body, t.now()).Query(func(rows pgx.Rows) error {
					ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
					made = append(made, ids...)
					return err
				})
			}
		})
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			for _, id := range made {
				statement := job(id)
				b.Queue(statement.SQL, statement.Args...)
			}
		})
	})
}

// Dispatch is a delivery that waits, with where it goes.
type Dispatch struct {
	Delivery
	To Target
}

// Dispatch gives a delivery whose time may have come. NotFound when it waits no longer: delivered, given up, or its
// endpoint was deleted. One round trip.
func (t *TenantStore) Dispatch(ctx context.Context, id uuid.UUID) (d Dispatch, err error) {
	defer explain("Dispatch", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT d.id, d.event_id, d.tenant_id, d.kind, d.body, d.state, d.tries, d.next_at, d.created_at, `+endpointColumns+`
			  FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id
			 WHERE d.tenant_id = $1 AND d.id = $2 AND d.state = 'waiting'`, t.tenant, id).QueryRow(func(row pgx.Row) error {
			return row.Scan(append([]any{&d.ID, &d.EventID, &d.TenantID, &d.Kind, &d.Body, &d.State, &d.Tries, &d.NextAt, &d.CreatedAt},
				d.To.fields()...)...)
		})
		queueSigning(b, &d.To, `(SELECT d.endpoint_id FROM deliveries d WHERE d.tenant_id = $1 AND d.id = $2)`, t.now(), t.tenant, id)
	})
	return d, err
}

// Tried is what came of a try, and what follows.
type Tried struct {
	DeliveryTry
	State  DeliveryState
	NextAt time.Time // of a delivery that goes on waiting
	Gone   bool      // the endpoint asked never to be told again
	Host   string    // for the event of that
}

// SaveTry keeps a try. An endpoint that is gone is switched off in the same transaction. Conflict when the delivery no
// longer waits.
func (t *TenantStore) SaveTry(ctx context.Context, d Dispatch, r Tried) (err error) {
	defer explain("SaveTry", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		var ended *time.Time
		if r.State != DeliveryWaiting {
			ended = timeOrNull(r.At)
		}
		queueOne(b, `UPDATE deliveries SET state = $3, tries = tries + 1, next_at = $4, last_status = $5, last_error = $6, ended_at = $7
			WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`,
			t.tenant, d.ID, r.State, timeOrNull(r.NextAt), r.Status, r.Error, ended)
		b.Queue(`INSERT INTO delivery_tries (tenant_id, delivery_id, id, status, error, took_ms, tried_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			t.tenant, d.ID, newID(), r.Status, r.Error, r.TookMS, r.At)
		if !r.Gone {
			return
		}
		b.Queue(`
			WITH off AS (
			    UPDATE endpoints SET enabled = false, disabled_reason = 'gone', disabled_at = $2 WHERE id = $1 AND enabled RETURNING id)
			INSERT INTO platform_events (id, kind, detail, created_at) SELECT $3, 'endpoint.gone', $4, $2 FROM off`,
			d.To.ID, r.At, newID(), map[string]any{"endpoint": d.To.ID.String(), "host": r.Host})
	})
}

package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// TenantStore is everything a merchant's pages and jobs may do, for one tenant. None of its methods takes a tenant id.
type TenantStore struct {
	door
	tenant uuid.UUID
	actor  Actor
	now    func() time.Time
	looks  bool             // it changes nothing
	key    vault.WrappedKey // read a moment ago, or handed over by whoever did
	keyAt  time.Time
}

// keyLife is how long a data keyset that was read is used before it is read again. It is far less than a turn of the key waits
// for those who hold the keyset as it was, so that work of any length meets no key that it does not know.
const keyLife = time.Minute

// ForTenant gives the store of one tenant; events name the actor.
func (s *Store) ForTenant(tenant uuid.UUID, actor Actor) *TenantStore {
	return &TenantStore{door: s.app, tenant: tenant, actor: actor, now: s.now}
}

// WithKey spares the round trip for the tenant's data key when it is at hand.
func (t *TenantStore) WithKey(key vault.WrappedKey) *TenantStore {
	t.key, t.keyAt = key, t.now()
	return t
}

// Looking gives the same store for somebody who only looks: whatever would change something fails in the database.
func (t *TenantStore) Looking() *TenantStore {
	looking := *t
	looking.looks = true
	return &looking
}

// Tenant says whose store it is.
func (t *TenantStore) Tenant() uuid.UUID { return t.tenant }

// Key gives the tenant's wrapped data key. NotFound when the tenant does not exist or its key was destroyed.
func (t *TenantStore) Key(ctx context.Context) (_ vault.WrappedKey, err error) {
	defer explain("Key", &err)
	if t.key != nil && t.now().Sub(t.keyAt) < keyLife {
		return t.key, nil
	}
	asked := t.now()
	var key vault.WrappedKey
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT wrapped FROM tenant_keys WHERE tenant_id = $1`, t.tenant).QueryRow(func(row pgx.Row) error {
			return row.Scan(&key)
		})
	})
	if err != nil {
		return nil, err
	}
	t.key, t.keyAt = key, asked
	return key, nil
}

// Events gives the tenant's history, newest first, from the one before the given event on (zero: from the newest).
func (t *TenantStore) Events(ctx context.Context, before uuid.UUID, limit int) (events []Event, err error) {
	defer explain("Events", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		queueHistory(b, &events, byID, `SELECT `+eventColumns+` FROM events
			WHERE tenant_id = $1 AND ($2 = '00000000-0000-0000-0000-000000000000'::uuid OR id < $2)
			ORDER BY id DESC LIMIT $3`, t.tenant, before, limit)
	})
	return events, err
}

func (t *TenantStore) batch(ctx context.Context, fill func(b *pgx.Batch)) error {
	return t.door.batch(ctx, scope{tenant: t.tenant, looking: t.looks}, fill)
}

func (t *TenantStore) inTx(ctx context.Context, fn func(tx *Tx) error) error {
	return t.door.inTx(ctx, scope{tenant: t.tenant, looking: t.looks}, fn)
}

const eventColumns = `id, connection_id, actor_kind, actor_id, kind, detail, created_at`

func queueEvents(b *pgx.Batch, into *[]Event, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Event, err error) {
			err = row.Scan(&e.ID, &e.ConnectionID, &e.ActorKind, &e.ActorID, &e.Kind, &e.Detail, &e.CreatedAt)
			return e, err
		})
		return err
	})
}

// The orders of a history. By the id it can be read page by page: what is told late (the end of a view that nobody came back
// to) has an earlier time, and would hide a line where one page ends. With the letters among it, which have no place of their
// own in the history, only the time is left.
const (
	byID   = "e.id DESC"
	byTime = "e.created_at DESC, e.id DESC"
)

// queueHistory reads events for a member of the tenant, newest first, who is told which colleague each is of.
func queueHistory(b *pgx.Batch, into *[]Event, order, sql string, args ...any) {
	b.Queue(`SELECT e.*, coalesce(c.email, '') FROM (`+sql+`) e LEFT JOIN colleagues() c ON c.user_id = e.actor_id
		ORDER BY `+order, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Event, err error) {
			err = row.Scan(&e.ID, &e.ConnectionID, &e.ActorKind, &e.ActorID, &e.Kind, &e.Detail, &e.CreatedAt, &e.ActorEmail)
			return e, err
		})
		return err
	})
}

// NewEvent is an event about to be written with the change it tells of.
type NewEvent struct {
	Kind       string
	Connection uuid.UUID // zero: none
	Detail     map[string]any
}

// Record writes an event that stands for itself: something was refused, nothing changed.
func (t *TenantStore) Record(ctx context.Context, e NewEvent) (err error) {
	defer explain("Record", &err)
	return t.batch(ctx, func(b *pgx.Batch) { t.queueEvent(b, e) })
}

func (t *TenantStore) queueEvent(b *pgx.Batch, e NewEvent) {
	id := newID()
	detail, err := json.Marshal(e.Detail)
	if err != nil || e.Detail == nil {
		detail = []byte("{}") // details are strings and numbers of ours; nothing else gets here
	}
	b.Queue(`INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.tenant, id, orNull(e.Connection), t.actor.Kind, orNull(t.actor.ID), e.Kind, detail, t.now())
	t.telling.queue(b, t.tenant, id, e.Kind)
}

// queue puts in the job that tells of an event, if somebody is told of its kind.
func (t Telling) queue(b *pgx.Batch, tenant, event uuid.UUID, kind string) {
	if slices.Contains(t.Kinds, kind) {
		job := t.Job(tenant, event)
		b.Queue(job.SQL, job.Args...)
	}
}

// orNull keeps the zero id out of the database.
func orNull(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}

// wake tells every replica's listeners that something about the id has changed. It is a wake-up, not data.
func wake(b *pgx.Batch, id uuid.UUID) {
	b.Queue(`SELECT pg_notify('mooring', $1)`, id.String())
}

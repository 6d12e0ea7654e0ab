package models

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Sight is what somebody looks at on purpose: the newest version of one block, as it is sealed.
type Sight struct {
	Connection
	Account    vault.Sealed
	Key        vault.WrappedKey
	Snapshot   Snapshot
	Raw        vault.Sealed // only of Answer
	Credential vault.Sealed // only of Answer: what must not be found in it; nil: there is none any more
}

// Reveal reads a block and writes who looked at it, in one transaction: open opens the sight and words the event, and what
// cannot be written was not looked at. NotFound for a connection that is not the tenant's and for a block that was never
// fetched, or was erased.
func (t *TenantStore) Reveal(ctx context.Context, connection uuid.UUID, block oauth.Block, open func(Sight) (NewEvent, error)) (err error) {
	defer explain("Reveal", &err)
	return t.look(ctx, open, func(b *pgx.Batch, s *Sight) { t.queueSight(b, s, connection, block) })
}

// Answer is Reveal for what the provider answered, word by word, with the credential that it may repeat.
func (t *TenantStore) Answer(ctx context.Context, connection uuid.UUID, block oauth.Block, open func(Sight) (NewEvent, error)) (err error) {
	defer explain("Answer", &err)
	return t.look(ctx, open, func(b *pgx.Batch, s *Sight) {
		t.queueSight(b, s, connection, block)
		b.Queue(`SELECT s.raw_sealed, k.sealed FROM snapshots s
			LEFT JOIN credentials k ON k.tenant_id = s.tenant_id AND k.connection_id = s.connection_id
			WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.block = $3 ORDER BY s.version DESC LIMIT 1`,
			t.tenant, connection, block).QueryRow(func(row pgx.Row) error {
			return row.Scan((*[]byte)(&s.Raw), (*[]byte)(&s.Credential))
		})
	})
}

func (t *TenantStore) look(ctx context.Context, open func(Sight) (NewEvent, error), read func(b *pgx.Batch, s *Sight)) error {
	return t.inTx(ctx, func(tx *Tx) error {
		var s Sight
		if err := tx.batch(ctx, func(b *pgx.Batch) { read(b, &s) }); err != nil {
			return err
		}
		event, err := open(s)
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) { t.queueEvent(b, event) })
	})
}

func (t *TenantStore) queueSight(b *pgx.Batch, s *Sight, connection uuid.UUID, block oauth.Block) {
	t.queueOutline(b, connection, &s.Connection, &s.Account)
	t.queueKey(b, &s.Key)
	b.Queue(`SELECT `+snapshotColumns+` FROM snapshots s
		WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.block = $3 ORDER BY s.version DESC LIMIT 1`,
		t.tenant, connection, block).QueryRow(func(row pgx.Row) (err error) {
		s.Snapshot, err = scanSnapshotAnd(row)
		return err
	})
}

// Reveal is a tenant's Reveal for the platform's staff: it is written into the tenant's own history, where its people find it.
func (p *PlatformStore) Reveal(ctx context.Context, tenant, connection uuid.UUID, block oauth.Block, open func(Sight) (NewEvent, error)) error {
	return p.within(tenant).Reveal(ctx, connection, block, open)
}

// Label gives a connection the name that its tenant wants to see. NotFound for one that is not theirs.
func (t *TenantStore) Label(ctx context.Context, connection uuid.UUID, label string) (err error) {
	defer explain("Label", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			WITH hit AS (
			    UPDATE connections SET label = $3 WHERE tenant_id = $1 AND id = $2 RETURNING provider, account_masked),
			     told AS (
			    INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
			    SELECT $1, $4, $2, $5, $6, $7, jsonb_build_object('provider', provider, 'account', account_masked, 'label', $3::text), $8 FROM hit)
			SELECT insist(count(*)) FROM hit`,
			t.tenant, connection, label, newID(), t.actor.Kind, orNull(t.actor.ID), "connection.labelled", t.now())
	})
	if violates(err, movedOn) {
		return NotFound()
	}
	return err
}

// within gives the staff's way into one tenant, under the role that serves it. It stays inside this package, because it could
// do anything there.
func (p *PlatformStore) within(tenant uuid.UUID) *TenantStore {
	return &TenantStore{door: p.app, tenant: tenant, actor: p.actor, now: p.now}
}

// NoteView writes into a tenant's history that somebody of the staff has looked at its data, once a day for each of them.
func (p *PlatformStore) NoteView(ctx context.Context, tenant uuid.UUID, e NewEvent) (err error) {
	defer explain("NoteView", &err)
	detail, err := json.Marshal(e.Detail)
	if err != nil || e.Detail == nil {
		detail = []byte("{}")
	}
	return p.within(tenant).batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT pg_advisory_xact_lock(hashtextextended($1 || $2, 0))`, tenant.String(), p.actor.ID.String()) // two windows at once
		b.Queue(`
			INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, detail, created_at)
			SELECT $1, $2, $3, $4, $5::text, $6, $7
			 WHERE NOT EXISTS (SELECT FROM events WHERE tenant_id = $1 AND actor_id = $4 AND kind = $5 AND created_at > $7::timestamptz - interval '24 hours')`,
			tenant, newID(), p.actor.Kind, p.actor.ID, e.Kind, detail, p.now())
	})
}

// OutlineOf gives one connection of a tenant with its account and the tenant's key, and none of its data.
func (p *PlatformStore) OutlineOf(ctx context.Context, tenant, connection uuid.UUID) (c Connection, account vault.Sealed, key vault.WrappedKey, err error) {
	defer explain("OutlineOf", &err)
	t := p.within(tenant)
	err = t.batch(ctx, func(b *pgx.Batch) {
		t.queueOutline(b, connection, &c, &account)
		t.queueKey(b, &key)
	})
	return c, account, key, err
}

package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// AuditEntry is one place of an audit chain: the link, and the event it names as PostgreSQL writes its fields. A nil field
// is a NULL; if the event is gone, Fields is nil.
type AuditEntry struct {
	Chain  uuid.UUID
	Seq    int64
	Event  uuid.UUID
	Hash   []byte
	Fields []*string // connection, kind of actor, actor, kind, detail, microseconds since 1970
}

// AuditHead is the newest link of a chain.
type AuditHead struct {
	Chain   uuid.UUID
	Seq     int64
	Hash    []byte
	MovedAt time.Time
}

// AuditView reads the chains as they were at one moment, however long that takes.
type AuditView struct{ tx pgx.Tx }

// Audit gives a view of the chains that no writer disturbs.
func (p *PlatformStore) Audit(ctx context.Context, read func(v AuditView) error) (err error) {
	defer explain("Audit", &err)
	tx, err := p.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	return read(AuditView{tx: tx})
}

// Entries gives the next entries after a place, chain by chain. only restricts them to one chain; nil: all.
func (v AuditView) Entries(ctx context.Context, only *uuid.UUID, afterChain uuid.UUID, afterSeq int64, limit int) ([]AuditEntry, error) {
	rows, err := v.tx.Query(ctx, `
		SELECT l.chain, l.seq, l.event_id, l.hash, e.id IS NOT NULL OR p.id IS NOT NULL,
		       e.connection_id::text, e.actor_kind, coalesce(e.actor_id, p.actor_id)::text, coalesce(e.kind, p.kind),
		       coalesce(e.detail, p.detail)::text,
		       ((extract(epoch FROM coalesce(e.created_at, p.created_at)) * 1000000)::bigint)::text
		  FROM (SELECT * FROM audit_links WHERE (chain, seq) > ($1, $2) AND ($3::uuid IS NULL OR chain = $3)
		         ORDER BY chain, seq LIMIT $4) l
		  LEFT JOIN events e ON e.tenant_id = l.chain AND e.id = l.event_id
		  LEFT JOIN platform_events p ON l.chain = '00000000-0000-0000-0000-000000000000' AND p.id = l.event_id
		 ORDER BY l.chain, l.seq`, afterChain, afterSeq, only, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e AuditEntry, err error) {
		var there bool
		fields := make([]*string, 6)
		err = row.Scan(&e.Chain, &e.Seq, &e.Event, &e.Hash, &there,
			&fields[0], &fields[1], &fields[2], &fields[3], &fields[4], &fields[5])
		if there {
			e.Fields = fields
		}
		return e, err
	})
}

// Unlinked gives events that no chain knows: somebody put them in past the triggers.
func (v AuditView) Unlinked(ctx context.Context, only *uuid.UUID, limit int) ([]AuditEntry, error) {
	rows, err := v.tx.Query(ctx, `
		SELECT e.tenant_id, e.id FROM events e
		 WHERE ($1::uuid IS NULL OR e.tenant_id = $1)
		   AND NOT EXISTS (SELECT FROM audit_links l WHERE l.chain = e.tenant_id AND l.event_id = e.id)
		 UNION ALL
		SELECT '00000000-0000-0000-0000-000000000000', p.id FROM platform_events p
		 WHERE ($1::uuid IS NULL OR $1 = '00000000-0000-0000-0000-000000000000')
		   AND NOT EXISTS (SELECT FROM audit_links l WHERE l.chain = '00000000-0000-0000-0000-000000000000' AND l.event_id = p.id)
		 LIMIT $2`, only, limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e AuditEntry, err error) {
		err = row.Scan(&e.Chain, &e.Event)
		return e, err
	})
}

// Heads gives the newest link of every chain, or of one.
func (v AuditView) Heads(ctx context.Context, only *uuid.UUID) ([]AuditHead, error) {
	rows, err := v.tx.Query(ctx, `SELECT chain, seq, hash, moved_at FROM audit_heads WHERE $1::uuid IS NULL OR chain = $1`, only)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AuditHead])
}

// CredentialVersions sums up the credentials' versions by tenant. Versions only grow: a smaller sum than before says that
// something was put back from the past.
func (p *PlatformStore) CredentialVersions(ctx context.Context) (sums map[uuid.UUID]int64, err error) {
	defer explain("CredentialVersions", &err)
	rows, err := p.pool.Query(ctx, `SELECT tenant_id, sum(credential_version)::bigint FROM connections GROUP BY tenant_id`)
	if err != nil {
		return nil, err
	}
	sums = map[uuid.UUID]int64{}
	var tenant uuid.UUID
	var sum int64
	_, err = pgx.ForEachRow(rows, []any{&tenant, &sum}, func() error { sums[tenant] = sum; return nil })
	return sums, err
}

// MovedHeads gives the chains that have moved since a moment, oldest move first, for a checkpoint.
func (p *PlatformStore) MovedHeads(ctx context.Context, since time.Time) (heads []AuditHead, err error) {
	defer explain("MovedHeads", &err)
	rows, err := p.pool.Query(ctx, `SELECT chain, seq, hash, moved_at FROM audit_heads WHERE moved_at > $1 ORDER BY moved_at`, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[AuditHead])
}

// TrailQuery asks for a page of the history of everybody.
type TrailQuery struct {
	Tenant *uuid.UUID // one tenant's events alone; the zero id: the platform's own; nil: all
	Person string     // what this address did alone; empty: all
	Before uuid.UUID  // the last event of the page before; zero: the newest
	Limit  int
}

// TrailRow is an event with the names of those it is about.
type TrailRow struct {
	Event
	Tenant     uuid.UUID // zero: the platform's own
	TenantName string
	ActorEmail string // "" for the program, and for a person who is gone
}

// Trail gives the history of everybody, newest first. One round trip; the page is cut before names are looked up.
func (p *PlatformStore) Trail(ctx context.Context, q TrailQuery) (rows []TrailRow, err error) {
	defer explain("Trail", &err)
	before := q.Before
	if before == uuid.Nil {
		before = uuid.Max
	}
	theirs := ""
	if q.Person != "" { // by the index of it, which a condition that may be none cannot use
		theirs = ` AND actor_id = (SELECT id FROM who)`
	}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH who AS MATERIALIZED (SELECT id FROM users WHERE email = $2),
			page AS MATERIALIZED (
			    (SELECT e.tenant_id, e.id, e.connection_id, e.actor_kind, e.actor_id, e.kind, e.detail, e.created_at FROM events e
			      WHERE e.id < $3 AND ($1::uuid IS NULL OR e.tenant_id = $1)`+theirs+`
			      ORDER BY e.id DESC LIMIT $4)
			    UNION ALL
			    (SELECT '00000000-0000-0000-0000-000000000000', o.id, NULL, CASE WHEN o.actor_id IS NULL THEN 'system' ELSE 'staff' END,
			            o.actor_id, o.kind, o.detail, o.created_at FROM platform_events o
			      WHERE o.id < $3 AND ($1::uuid IS NULL OR $1 = '00000000-0000-0000-0000-000000000000')`+theirs+`
			      ORDER BY o.id DESC LIMIT $4)
			    ORDER BY id DESC LIMIT $4)
			SELECT g.id, g.connection_id, g.actor_kind, g.actor_id, g.kind, g.detail, g.created_at, g.tenant_id,
			       coalesce((SELECT name FROM tenants t WHERE t.id = g.tenant_id), ''),
			       coalesce((SELECT email FROM users u WHERE u.id = g.actor_id), '')
			  FROM page g ORDER BY g.id DESC`, q.Tenant, q.Person, before, q.Limit).Query(func(r pgx.Rows) (err error) {
			rows, err = pgx.CollectRows(r, func(row pgx.CollectableRow) (t TrailRow, err error) {
				err = row.Scan(&t.ID, &t.ConnectionID, &t.ActorKind, &t.ActorID, &t.Kind, &t.Detail, &t.CreatedAt,
					&t.Tenant, &t.TenantName, &t.ActorEmail)
				return t, err
			})
			return err
		})
	})
	return rows, err
}

package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// KeyTurns is how the turns of tenants' data keys stand.
type KeyTurns struct {
	Waiting   int // the new key opens, and does not seal yet
	Rewriting int
	Resting   int // rewritten; the old key stays for whoever may still seal with it
	Kept      int // the old key cannot go: values that need it do not open
	Ended     int
	Rewritten int64 // values, by all of them, those that have ended too
	Open      []OpenKeyTurn
}

// Underway counts the turns that go on by themselves.
func (k KeyTurns) Underway() int { return k.Waiting + k.Rewriting + k.Resting }

// OpenKeyTurn is a turn that is under way.
type OpenKeyTurn struct {
	KeyTurn
	Tenant uuid.UUID
	Name   string
	DueAt  time.Time // when its next step is tried
}

// openKeyTurnsShown is how many turns are named; the others are counted.
const openKeyTurnsShown = 20

// KeyTurns says how turning the data keys stands, of one tenant or, with the zero id, of all.
func (p *PlatformStore) KeyTurns(ctx context.Context, tenant uuid.UUID) (k KeyTurns, err error) {
	defer explain("KeyTurns", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) { queueKeyTurns(b, &k, tenant) })
	return k, err
}

func queueKeyTurns(b *pgx.Batch, into *KeyTurns, tenant uuid.UUID) {
	b.Queue(`SELECT count(*) FILTER (WHERE due_at IS NOT NULL AND sealing_at IS NULL),
			count(*) FILTER (WHERE due_at IS NOT NULL AND sealing_at IS NOT NULL AND rewritten_at IS NULL),
			count(*) FILTER (WHERE due_at IS NOT NULL AND rewritten_at IS NOT NULL AND stuck = 0),
			count(*) FILTER (WHERE due_at IS NOT NULL AND rewritten_at IS NOT NULL AND stuck > 0),
			count(*) FILTER (WHERE ended_at IS NOT NULL), coalesce(sum(rewritten), 0)
		FROM key_turns WHERE $1::uuid IS NULL OR tenant_id = $1`, orNull(tenant)).QueryRow(func(row pgx.Row) error {
		return row.Scan(&into.Waiting, &into.Rewriting, &into.Resting, &into.Kept, &into.Ended, &into.Rewritten)
	})
	b.Queue(`SELECT k.from_key, k.to_key, k.begun_at, k.sealing_at, k.rewritten_at, k.rewritten, k.stuck, k.tenant_id, t.name, k.due_at
		FROM key_turns k JOIN tenants t ON t.id = k.tenant_id
		WHERE k.due_at IS NOT NULL AND ($1::uuid IS NULL OR k.tenant_id = $1) ORDER BY k.stuck DESC, k.begun_at, k.tenant_id LIMIT $2`,
		orNull(tenant), openKeyTurnsShown).Query(func(rows pgx.Rows) (err error) {
		into.Open, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o OpenKeyTurn, err error) {
			err = row.Scan(&o.From, &o.To, &o.BegunAt, &o.SealingAt, &o.RewrittenAt, &o.Rewritten, &o.Stuck, &o.Tenant, &o.Name, &o.DueAt)
			return o, err
		})
		return err
	})
}

// TellKeyTurns writes down that somebody began to turn tenants' data keys; each of them has it in its own history.
func (p *PlatformStore) TellKeyTurns(ctx context.Context, count int, by string) (err error) {
	defer explain("TellKeyTurns", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		p.queuePlatformEvent(b, "keys.tenants_turning", map[string]any{"count": count, "by": by})
	})
}

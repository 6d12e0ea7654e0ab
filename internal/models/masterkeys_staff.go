package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// MasterKey is what is known of a master key.
type MasterKey struct {
	ID         vault.KeyID
	AddedAt    time.Time
	PromotedAt *time.Time // nil: it has never sealed
	RetiredAt  *time.Time
	Rows       int64 // that need it
}

// KeyHolder is a living program with the master keys that it has loaded.
type KeyHolder struct {
	Replica string
	Keys    []vault.KeyID
	Main    vault.KeyID // seals
	SeenAt  time.Time
}

// Names gives its keys as they are shown.
func (h KeyHolder) Names() []string {
	names := make([]string, len(h.Keys))
	for i, id := range h.Keys {
		names[i] = id.String()
	}
	return names
}

// KeyStatus is how the master keys stand.
type KeyStatus struct {
	Newest   vault.KeyID // the one that is to seal; 0: nothing has been served yet
	Keys     []MasterKey // newest first
	Nameless int64       // rows that name no key
	Holders  []KeyHolder
	Turns    KeyTurns // of the tenants' data keys
	Acts     []Event  // what was done with keys, newest first
}

// Key gives one of them.
func (s KeyStatus) Key(id vault.KeyID) (MasterKey, bool) {
	for _, k := range s.Keys {
		if k.ID == id {
			return k, true
		}
	}
	return MasterKey{}, false
}

// Behind counts the rows that need another key than the newest.
func (s KeyStatus) Behind() (behind, all int64) {
	for _, k := range s.Keys {
		all += k.Rows
		if k.ID != s.Newest {
			behind += k.Rows
		}
	}
	return behind, all
}

// Lacking gives the living programs that have not loaded a key.
func (s KeyStatus) Lacking(id vault.KeyID) (replicas []string) {
	for _, h := range s.Holders {
		if !(vault.Keys{All: h.Keys}).Has(id) {
			replicas = append(replicas, h.Replica)
		}
	}
	return replicas
}

// Sealing gives the living programs that seal with a key.
func (s KeyStatus) Sealing(id vault.KeyID) (replicas []string) {
	for _, h := range s.Holders {
		if h.Main == id {
			replicas = append(replicas, h.Replica)
		}
	}
	return replicas
}

// MasterKeys says how the master keys stand. One round trip.
func (p *PlatformStore) MasterKeys(ctx context.Context) (s KeyStatus, err error) {
	defer explain("MasterKeys", &err)
	var rows map[vault.KeyID]int64
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueKeyRows(b, &rows)
		b.Queue(newestKey).QueryRow(func(row pgx.Row) error { return ignoreNoRows(row.Scan(&s.Newest)) })
		b.Queue(`SELECT id, added_at, promoted_at, retired_at, 0::bigint FROM master_keys ORDER BY promoted_at DESC NULLS FIRST, added_at DESC, id`).
			Query(func(r pgx.Rows) (err error) {
				s.Keys, err = pgx.CollectRows(r, pgx.RowToStructByPos[MasterKey])
				return err
			})
		b.Queue(`SELECT replica, keys, main, seen_at FROM key_holders WHERE seen_at > $1 ORDER BY replica`, p.now().Add(-HolderLife)).
			Query(func(r pgx.Rows) (err error) {
				s.Holders, err = pgx.CollectRows(r, pgx.RowToStructByPos[KeyHolder])
				return err
			})
		queueKeyTurns(b, &s.Turns, uuid.Nil)
		queueEvents(b, &s.Acts, `SELECT id, NULL::uuid, CASE WHEN actor_id IS NULL THEN 'system' ELSE 'staff' END, actor_id, kind, detail, created_at
			FROM platform_events WHERE kind LIKE 'keys.%' ORDER BY id DESC LIMIT 20`)
	})
	for i := range s.Keys {
		s.Keys[i].Rows = rows[s.Keys[i].ID]
		delete(rows, s.Keys[i].ID)
	}
	s.Nameless = rows[0]
	delete(rows, 0)
	for id, n := range rows { // rows need a key of which nobody has ever heard
		s.Keys = append(s.Keys, MasterKey{ID: id, Rows: n})
	}
	return s, err
}

// PromoteKey lets a master key seal from now on, if every living program has it; gives how many have not. by names who does it,
// whom no session knows: an operator on the server.
func (p *PlatformStore) PromoteKey(ctx context.Context, id vault.KeyID, by string) (without int64, err error) {
	defer explain("PromoteKey", &err)
	now := p.now()
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT promote_master_key($1, $2, $3)`, int64(id), now, now.Add(-HolderLife)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&without) })
		p.queueKeyEvent(b, "keys.promoted", "promoted_at", id, by, now)
	})
	return without, err
}

// RetireKey ends a master key, if no row needs it and no living program seals with it; gives how many do.
func (p *PlatformStore) RetireKey(ctx context.Context, id vault.KeyID, by string) (rows, sealing int64, err error) {
	defer explain("RetireKey", &err)
	now := p.now()
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT rows_left, sealing FROM retire_master_key($1, $2, $3)`, int64(id), now, now.Add(-HolderLife)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&rows, &sealing) })
		p.queueKeyEvent(b, "keys.retired", "retired_at", id, by, now)
	})
	return rows, sealing, err
}

// queueKeyEvent writes an event if the statement before it did something: column says when it last was.
func (p *PlatformStore) queueKeyEvent(b *pgx.Batch, kind, column string, id vault.KeyID, by string, now time.Time) {
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
		SELECT $1, $2, $3, jsonb_build_object('key', $4::text, 'by', $7::text), $5 FROM master_keys WHERE id = $6 AND `+column+` = $5`,
		newID(), orNull(p.actor.ID), kind, id.String(), now, int64(id), by)
}

// TellKeys writes down what was done with a master key where nothing else in the database changes.
func (p *PlatformStore) TellKeys(ctx context.Context, kind string, id vault.KeyID, by string) (err error) {
	defer explain("TellKeys", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) { p.queuePlatformEvent(b, kind, map[string]any{"key": id.String(), "by": by}) })
}

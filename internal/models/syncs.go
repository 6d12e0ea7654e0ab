package models

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// syncLease is how long a running sync is believed in without a sign of life; longer than all its calls' time limits.
const syncLease = 3 * time.Minute

// lostAfter is when a sync that was asked for, and of which nothing was heard, falls due by itself; claim_due_syncs has
// the same for those that fell due.
const lostAfter = 10 * time.Minute

const snapshotColumns = `s.connection_id, s.block, s.version, s.data_sealed, s.content_hash, s.provider_as_of, s.source_zone,
	s.partial, s.changed_at, s.fetched_at, s.changed_fields`

// queueNewest reads the newest version of each block, and when its first was seen; the raw answers stay where they are.
func queueNewest(b *pgx.Batch, into *[]Snapshot, where string, args ...any) {
	b.Queue(`SELECT `+snapshotColumns+`, f.changed_at
		FROM (SELECT DISTINCT ON (s.connection_id, s.block) s.tenant_id, `+snapshotColumns+` FROM snapshots s
		       WHERE `+where+` ORDER BY s.connection_id, s.block, s.version DESC) s
		JOIN snapshots f ON f.tenant_id = s.tenant_id AND f.connection_id = s.connection_id AND f.block = s.block AND f.version = 1`,
		args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Snapshot, err error) {
			var first time.Time
			s, err = scanSnapshotAnd(row, &first)
			s.FirstAt = first
			return s, err
		})
		return err
	})
}

func scanSnapshotAnd(row pgx.Row, more ...any) (s Snapshot, err error) {
	err = row.Scan(append([]any{
		&s.ConnectionID, &s.Block, &s.Version, (*[]byte)(&s.Data), &s.ContentHash, &s.ProviderAsOf,
		&s.SourceZone, &s.Partial, &s.ChangedAt, &s.FetchedAt, &s.Fields,
	}, more...)...)
	return s, err
}

// QueueSync marks that a sync is wanted and enqueues it, unless one is already on its way: pressing twice is harmless.
// NotFound for a connection that is not the tenant's, Conflict for one that is disconnected, TooMany for one that was
// asked for too often: see AskAgainAt.
func (t *TenantStore) QueueSync(ctx context.Context, id uuid.UUID, job func(provider string) Statement) (err error) {
	defer explain("QueueSync", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		var c Connection
		var free bool
		now := t.now()
		err := tx.pgx.QueryRow(ctx, `SELECT provider, state, reason, sync_asked_till, sync_state = 'idle' OR sync_since < $3 FROM connections
			WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, t.tenant, id, now.Add(-syncLease)).Scan(&c.Provider, &c.State, &c.Reason, &c.syncAskedTill, &free)
		switch {
		case err != nil:
			return err
		case c.State == Disconnected:
			return errs.New(errs.Conflict, "error.disconnected")
		case c.State == NeedsYou && c.Reason == Withdrawn:
			return errs.New(errs.Conflict, "error.withdrawn")
		case !free:
			return nil
		case c.AskAgainAt().After(now):
			return errs.New(errs.TooMany, "error.fetch_limit")
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			t.queueSync(b, id, job(c.Provider))
			b.Queue(`UPDATE connections SET sync_asked_till = greatest(sync_asked_till, $3) + $4::interval WHERE tenant_id = $1 AND id = $2`,
				t.tenant, id, now, AskEvery)
		})
	})
}

func (t *TenantStore) queueSync(b *pgx.Batch, id uuid.UUID, job Statement) {
	b.Queue(`UPDATE connections SET sync_state = 'queued', sync_since = $3, sync_done = 0,
		    next_sync_at = CASE WHEN next_sync_at < $4 THEN $4 ELSE next_sync_at END
		WHERE tenant_id = $1 AND id = $2`, t.tenant, id, t.now(), t.now().Add(lostAfter))
	wake(b, id)
	b.Queue(job.SQL, job.Args...)
}

// Work is what a sync starts from.
type Work struct {
	Connection
	Sealing         // the newest version of each block, to tell what has changed
	Credential Held // empty: taken out by hand
	Asked      bool // somebody waits for it; else it fell due
}

// BeginSync takes the connection for one sync; blocks says how many each provider has. Conflict when another sync runs
// or the connection was disconnected. One round trip, with all that the sync needs.
func (t *TenantStore) BeginSync(ctx context.Context, id uuid.UUID, blocks map[string]int) (w Work, err error) {
	defer explain("BeginSync", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			UPDATE connections c SET sync_state = 'running', sync_since = $3, sync_done = 0,
			       sync_total = coalesce(($4::jsonb ->> c.provider)::int, 0)
			  FROM (SELECT tenant_id, id, sync_state FROM connections WHERE tenant_id = $1 AND id = $2 FOR UPDATE) was
			 WHERE c.tenant_id = was.tenant_id AND c.id = was.id AND c.state <> 'disconnected' AND NOT (c.state = 'needs_you' AND c.reason = 'security')
			   AND (c.sync_state <> 'running' OR c.sync_since < $5)
			RETURNING `+connectionColumns+`, was.sync_state = 'queued'`,
			t.tenant, id, t.now(), blocks, t.now().Add(-syncLease)).QueryRow(func(row pgx.Row) (err error) {
			w.Connection, err = scanConnectionAnd(row, &w.Asked)
			return err
		})
		t.queueHeld(b, id, &w.Credential) // after the row is locked, so that value and version belong together
		queueNewest(b, &w.Snapshots, `s.tenant_id = $1 AND s.connection_id = $2`, t.tenant, id)
		wake(b, id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return w, errs.New(errs.Conflict, "error.sync_running")
	}
	w.Key = w.Credential.Key
	t.WithKey(w.Key)
	return w, err
}

// NewSnapshot is a version of a block about to be stored.
type NewSnapshot struct {
	Connection   uuid.UUID
	Block        oauth.Block
	Version      int64
	Data, Raw    vault.Sealed
	ContentHash  []byte
	ProviderAsOf time.Time
	SourceZone   string
	Partial      bool
	Fields       []string  // names of those that differ from the version before
	Event        *NewEvent // that it differs, where somebody wants to know; nil: nothing to tell
}

// SaveSnapshot adds a version, tells of the change and moves the sync's progress on. Conflict when somebody added that version before.
func (t *TenantStore) SaveSnapshot(ctx context.Context, n NewSnapshot) (err error) {
	defer explain("SaveSnapshot", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			INSERT INTO snapshots (tenant_id, connection_id, block, version, data_sealed, raw_sealed, content_hash,
			    provider_as_of, source_zone, partial, changed_at, fetched_at, changed_fields)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, coalesce($12::text[], '{}'))`,
			t.tenant, n.Connection, n.Block, n.Version, []byte(n.Data), []byte(n.Raw), n.ContentHash,
			timeOrNull(n.ProviderAsOf), n.SourceZone, n.Partial, t.now(), n.Fields)
		if n.Event != nil {
			t.queueEvent(b, *n.Event)
		}
		t.queueProgress(b, n.Connection)
	})
}

// TouchSnapshot notes that the newest version was seen again, unchanged, and moves the sync's progress on.
func (t *TenantStore) TouchSnapshot(ctx context.Context, s Snapshot, asOf time.Time) (err error) {
	defer explain("TouchSnapshot", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE snapshots SET fetched_at = $5, provider_as_of = $6
			WHERE tenant_id = $1 AND connection_id = $2 AND block = $3 AND version = $4`,
			t.tenant, s.ConnectionID, s.Block, s.Version, t.now(), timeOrNull(asOf))
		t.queueProgress(b, s.ConnectionID)
	})
}

func (t *TenantStore) queueProgress(b *pgx.Batch, id uuid.UUID) {
	b.Queue(`UPDATE connections SET sync_done = sync_done + 1, sync_since = $3 WHERE tenant_id = $1 AND id = $2`,
		t.tenant, id, t.now())
	wake(b, id)
}

// SyncResult is how a sync ended.
type SyncResult struct {
	State    State
	Reason   string
	Code     string        // the provider's own, already shortened
	Complete bool          // everything was read
	Refused  []oauth.Block // for want of permission; nil: this reading cannot tell
	Passing  bool          // a failure that trying again may mend
	Next     time.Time     // when it is tried again by itself; zero: not before somebody has acted
	Event    NewEvent      // its kind is empty when there is nothing to tell
	Also     []Statement   // what the platform notes of the failure
}

// EndSync frees the connection and says in what state it is now; where that is news, the history tells it besides. A
// connection that was disconnected or withdrawn meanwhile stays so.
func (t *TenantStore) EndSync(ctx context.Context, id uuid.UUID, r SyncResult) (err error) {
	defer explain("EndSync", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		if r.Event.Kind != "" {
			t.queueEvent(b, r.Event)
		}
		t.queueTurn(b, turn{
			connection: id, state: r.State, reason: r.Reason, code: r.Code,
			set: `, sync_state = 'idle', synced_at = CASE WHEN $10 THEN $5 ELSE c.synced_at END,
				next_sync_at = $11, sync_failures = CASE WHEN $12 THEN c.sync_failures + 1 ELSE 0 END,
				refused = coalesce($13::text[], c.refused)`,
			where: `AND c.state <> 'disconnected' AND NOT (c.state = 'needs_you' AND c.reason = 'security')`,
			args:  []any{r.Complete, timeOrNull(r.Next), r.Passing, r.Refused},
		})
		if r.Complete {
			t.queueDeed(b, "fetched", id)
		}
		wake(b, id)
		if !r.Next.IsZero() {
			wakeDue(b, t.now(), r.Next)
		}
		queueAlso(b, r.Also)
	})
	if violates(err, movedOn) {
		return nil
	}
	return err
}

// LeaveSync gives a connection back whose sync cannot go on, through nobody's failure; it falls due again at the given
// time.
func (t *TenantStore) LeaveSync(ctx context.Context, id uuid.UUID, at time.Time) (err error) {
	defer explain("LeaveSync", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE connections SET sync_state = 'idle', next_sync_at = $3
			WHERE tenant_id = $1 AND id = $2 AND sync_state = 'running' AND state <> 'disconnected'`, t.tenant, id, at)
		wakeDue(b, t.now(), at)
		wake(b, id)
	})
}

package models

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// ErrClaimed says that another tenant holds the external account; it does not say which.
var ErrClaimed = errors.New("models: another tenant holds this account")

// KnownError says that the tenant has a connection to this account already: seal again, for that one.
type KnownError struct{ Connection Connection }

// Error implements error.
func (e *KnownError) Error() string { return "models: the tenant knows this account already" }

const connectionColumns = `c.id, c.tenant_id, c.provider, c.environment, c.account_hash, c.account_masked, c.state, c.reason,
	c.state_since, c.credential_version, c.sync_state, c.sync_done, c.sync_total, c.sync_since, c.synced_at, c.created_at,
	c.next_sync_at, c.sync_paused_at, c.sync_failures, c.sync_asked_till, c.ends_at, c.erase_at, c.erased_at, c.label, c.refused`

func scanConnection(row pgx.CollectableRow) (Connection, error) { return scanConnectionAnd(row) }

func scanConnectionAnd(row pgx.Row, more ...any) (c Connection, err error) {
	err = row.Scan(append([]any{
		&c.ID, &c.TenantID, &c.Provider, &c.Environment, &c.AccountHash, &c.AccountMasked, &c.State, &c.Reason,
		&c.StateSince, &c.CredentialVersion, &c.SyncState, &c.SyncDone, &c.SyncTotal, &c.SyncSince, &c.SyncedAt, &c.CreatedAt,
		&c.NextSyncAt, &c.SyncPausedAt, &c.SyncFailures, &c.syncAskedTill, &c.EndsAt, &c.EraseAt, &c.ErasedAt, &c.Label, &c.Refused,
	}, more...)...)
	return c, err
}

// Connections gives the tenant's connections, newest first, and what the person has not finished. One round trip.
func (t *TenantStore) Connections(ctx context.Context) (conns []Connection, open []Attempt, err error) {
	defer explain("Connections", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		t.queueConnections(b, &conns)
		t.queueUnfinished(b, &open)
	})
	return conns, open, err
}

func (t *TenantStore) queueConnections(b *pgx.Batch, into *[]Connection) {
	b.Queue(`SELECT `+connectionColumns+` FROM connections c WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC`,
		t.tenant).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanConnection)
		return err
	})
}

// Sealing is everything of a tenant that a page opens: the key and the newest snapshots.
type Sealing struct {
	Key       vault.WrappedKey
	Snapshots []Snapshot
}

// Berths is all that a tenant's overview shows.
type Berths struct {
	Sealing
	Links    []Connection
	Review   Review
	Open     []Attempt  // see queueUnfinished
	Balances []Snapshot // the last versions of each connection's balances, newest first
}

// Overview gives the tenant's connections with the newest version of each block, where its review stands, and what the
// person has not finished. One round trip.
func (t *TenantStore) Overview(ctx context.Context) (o Berths, err error) {
	defer explain("Overview", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		t.queueConnections(b, &o.Links)
		t.queueKey(b, &o.Key)
		queueNewest(b, &o.Snapshots, `s.tenant_id = $1`, t.tenant)
		t.queueCourses(b, &o.Balances)
		queueReview(b, &o.Review, t.tenant)
		t.queueUnfinished(b, &o.Open)
	})
	return o, err
}

// Detail is one connection with what its page shows.
type Detail struct {
	Connection
	Sealing
	Account     vault.Sealed
	Credential  vault.Sealed // nil when there is none; the page only looks whether it opens
	Addresses   []Address    // where news of it is taken, the current one first
	Events      []Event
	Revocations []Revocation // newest first
	Review      Review       // of the tenant
}

// Connection gives one connection with its newest blocks and its history. One round trip.
func (t *TenantStore) Connection(ctx context.Context, id uuid.UUID) (d Detail, err error) {
	defer explain("Connection", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+connectionColumns+`, c.account_sealed, k.sealed FROM connections c
			LEFT JOIN credentials k ON k.tenant_id = c.tenant_id AND k.connection_id = c.id
			WHERE c.tenant_id = $1 AND c.id = $2`, t.tenant, id).QueryRow(func(row pgx.Row) (err error) {
			d.Connection, err = scanConnectionAnd(row, (*[]byte)(&d.Account), (*[]byte)(&d.Credential))
			return err
		})
		t.queueKey(b, &d.Key)
		t.queueAddresses(b, &d.Addresses, id)
		queueNewest(b, &d.Snapshots, `s.tenant_id = $1 AND s.connection_id = $2`, t.tenant, id)
		t.queueTimeline(b, &d.Events, id)
		queueRevocations(b, &d.Revocations, `r.tenant_id = $1 AND r.connection_id = $2`, t.tenant, id)
		queueReview(b, &d.Review, t.tenant)
	})
	return d, err
}

// queueTimeline reads what happened to a connection: its own events, looks of the staff at the tenant's data, and the letters that
// were sent about it.
func (t *TenantStore) queueTimeline(b *pgx.Batch, into *[]Event, id uuid.UUID) {
	queueHistory(b, into, byTime, `
		(SELECT `+eventColumns+` FROM events WHERE tenant_id = $1 AND connection_id = $2 ORDER BY id DESC LIMIT 50)
		UNION ALL
		(SELECT `+eventColumns+` FROM events WHERE tenant_id = $1 AND connection_id IS NULL AND kind = 'tenant.viewed'
		  AND created_at >= (SELECT created_at FROM connections WHERE tenant_id = $1 AND id = $2) ORDER BY id DESC LIMIT 20)
		UNION ALL
		(SELECT (array_agg(id))[1], connection_id, 'system', NULL, 'connection.mailed', jsonb_build_object('about', kind, 'count', count(*)), max(finished_at)
		   FROM notice_letters WHERE tenant_id = $1 AND connection_id = $2 AND status = 'sent'
		  GROUP BY event_id, connection_id, kind ORDER BY max(finished_at) DESC LIMIT 20)
		ORDER BY created_at DESC, id DESC LIMIT 50`, t.tenant, id)
}

// Outline gives one connection with its account, and none of its data. One round trip.
func (t *TenantStore) Outline(ctx context.Context, id uuid.UUID) (c Connection, account vault.Sealed, err error) {
	defer explain("Outline", &err)
	err = t.batch(ctx, func(b *pgx.Batch) { t.queueOutline(b, id, &c, &account) })
	return c, account, err
}

func (t *TenantStore) queueOutline(b *pgx.Batch, id uuid.UUID, c *Connection, account *vault.Sealed) {
	b.Queue(`SELECT `+connectionColumns+`, c.account_sealed FROM connections c WHERE c.tenant_id = $1 AND c.id = $2`, t.tenant, id).
		QueryRow(func(row pgx.Row) (err error) {
			*c, err = scanConnectionAnd(row, (*[]byte)(account))
			return err
		})
}

func (t *TenantStore) queueKey(b *pgx.Batch, into *vault.WrappedKey) {
	b.Queue(`SELECT wrapped FROM tenant_keys WHERE tenant_id = $1`, t.tenant).QueryRow(func(row pgx.Row) error {
		return row.Scan((*[]byte)(into))
	})
}

// NewConnection is an account about to be connected.
type NewConnection struct {
	ID          uuid.UUID
	Version     int64 // 1 for a new connection, one more than the last for a known one
	Attempt     uuid.UUID
	Provider    string
	Environment oauth.Environment
	AccountHash []byte
	Masked      string
	Account     vault.Sealed // sealed at version 0: an account never changes
	Credential  vault.Sealed // sealed at Version
	ExpiresAt   time.Time    // when access ends unless a person acts; zero: no known expiry
	RefreshAt   time.Time    // when to renew it without being asked; zero: never
	Address     *Address     // for news, unless the connection has one; nil: its provider sends none
}

// Connect stores a new connection: claim, connection, credential, event, first sync and the attempt's end, all or
// nothing, in one round trip. ErrClaimed when another tenant holds the account, *KnownError when this tenant has a
// connection to it, Conflict when the attempt has ended meanwhile.
func (t *TenantStore) Connect(ctx context.Context, n NewConnection, job Statement) (err error) {
	defer explain("Connect", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT claim_account($1, $2, $3, $4)`, n.Provider, n.Environment, n.AccountHash, n.ID)
		b.Queue(`
			INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed,
			    state, state_since, credential_version, sync_state, sync_since, next_sync_at, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 'connected', $8, $9, 'queued', $8, $10, $8)`,
			t.tenant, n.ID, n.Provider, n.Environment, n.AccountHash, n.Masked, []byte(n.Account), t.now(), n.Version,
			t.now().Add(lostAfter))
		t.queueBound(b, n, "connection.connected", job)
	})
	switch {
	case violates(err, claimedAlready):
		return ErrClaimed
	case violates(err, uniqueViolation):
		known, lookErr := t.byAccount(ctx, n)
		if lookErr != nil {
			return errors.Join(err, lookErr)
		}
		return &KnownError{Connection: known}
	}
	return err
}

func (t *TenantStore) byAccount(ctx context.Context, n NewConnection) (c Connection, err error) {
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+connectionColumns+` FROM connections c
			WHERE tenant_id = $1 AND provider = $2 AND environment = $3 AND account_hash = $4`,
			t.tenant, n.Provider, n.Environment, n.AccountHash).QueryRow(func(row pgx.Row) (err error) {
			c, err = scanConnectionAnd(row)
			return err
		})
	})
	return c, err
}

// Reconnect gives a known connection a new credential; it keeps its id and history, and its data too, unless that was
// erased before. ErrClaimed when another tenant
// holds the account by now; Conflict when Version does not follow the one in the row, or the attempt has ended.
func (t *TenantStore) Reconnect(ctx context.Context, n NewConnection, job Statement) (err error) {
	defer explain("Reconnect", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT claim_account($1, $2, $3, $4)`, n.Provider, n.Environment, n.AccountHash, n.ID)
		t.queueBound(b, n, "connection.reconnected", job)
		t.queueTurn(b, turn{
			connection: n.ID, state: Connected,
			set: `, credential_version = $11, sync_state = 'queued', sync_since = $5, sync_done = 0, next_sync_at = $12, sync_failures = 0,
			       erase_at = NULL, erase_due_at = NULL, erased_at = NULL, refused = '{}',
			       account_sealed = CASE WHEN c.erased_at IS NULL THEN c.account_sealed ELSE $13 END`,
			where: `AND c.account_hash = $10 AND c.credential_version = $11::bigint - 1`,
			args:  []any{n.AccountHash, n.Version, t.now().Add(lostAfter), []byte(n.Account)},
		})
	})
	if violates(err, claimedAlready) {
		return ErrClaimed
	}
	return err
}

// queueBound writes what connecting and reconnecting have in common: credential, attempt's end, event, first sync.
func (t *TenantStore) queueBound(b *pgx.Batch, n NewConnection, event string, job Statement) {
	b.Queue(`
		INSERT INTO credentials (tenant_id, connection_id, version, sealed, expires_at, updated_at, next_refresh_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant_id, connection_id)
		DO UPDATE SET version = excluded.version, sealed = excluded.sealed, expires_at = excluded.expires_at, updated_at = excluded.updated_at,
		    next_refresh_at = excluded.next_refresh_at, fence = credentials.fence + 1, lease_until = NULL, refresh_state = '',
		    refresh_failures = 0, retry_at = NULL, previous_version = NULL, previous_sealed = NULL`,
		t.tenant, n.ID, n.Version, []byte(n.Credential), timeOrNull(n.ExpiresAt), t.now(), timeOrNull(n.RefreshAt))
	queueOne(b, `
		UPDATE attempts SET status = 'stored', finished_at = $4, result_connection = $3, account_masked = $5, verifier_sealed = '', link_sealed = NULL
		 WHERE tenant_id = $1 AND id = $2 AND status = 'exchanging'`, t.tenant, n.Attempt, n.ID, t.now(), n.Masked)
	t.queueAddress(b, n.ID, n.Address)
	t.queueJoined(b, n.ID)
	t.queueDeed(b, "connected", n.ID)
	t.queueEvent(b, NewEvent{Kind: event, Connection: n.ID, Detail: map[string]any{"provider": n.Provider, "account": n.Masked}})
	wake(b, n.Attempt)
	wake(b, n.ID)
	b.Queue(job.SQL, job.Args...)
}

func timeOrNull(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

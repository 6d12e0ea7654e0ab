package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// RevocationState is how far telling a provider has come.
type RevocationState string

// The states. Only RevocationWaiting is open.
const (
	RevocationWaiting    RevocationState = "waiting"    // not confirmed yet
	RevocationConfirmed  RevocationState = "confirmed"  // by the provider
	RevocationGivenUp    RevocationState = "given_up"   // the time is over
	RevocationNoWay      RevocationState = "no_way"     // this provider cannot be told
	RevocationUnreadable RevocationState = "unreadable" // there was nothing left to tell it with
)

// Revocation is telling a provider that access has ended.
type Revocation struct {
	ID           uuid.UUID
	ConnectionID uuid.UUID
	Provider     string
	State        RevocationState
	Tries        int
	Reason       string     // why the last try failed: the kind of a provider error; "" if none has
	NextAt       *time.Time // of the next try; nil: it has ended
	UntilAt      time.Time  // after this nobody tries any more
	CreatedAt    time.Time
	EndedAt      *time.Time
}

const revocationColumns = `r.id, r.connection_id, r.provider, r.state, r.tries, r.reason, r.next_at, r.until_at, r.created_at, r.ended_at`

func scanRevocation(row pgx.Row, more ...any) (r Revocation, err error) {
	err = row.Scan(append([]any{
		&r.ID, &r.ConnectionID, &r.Provider, &r.State, &r.Tries, &r.Reason, &r.NextAt, &r.UntilAt, &r.CreatedAt, &r.EndedAt,
	}, more...)...)
	return r, err
}

// queueRevocations reads the newest revocations, which a page shows.
func queueRevocations(b *pgx.Batch, into *[]Revocation, where string, args ...any) {
	b.Queue(`SELECT `+revocationColumns+` FROM revocations r WHERE `+where+` ORDER BY r.id DESC LIMIT 100`, args...).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Revocation, error) { return scanRevocation(row) })
			return err
		})
}

// NewRevocation is a revocation about to be stored.
type NewRevocation struct {
	ID     uuid.UUID
	State  RevocationState
	Sealed vault.Sealed // the credential, while State is RevocationWaiting
	Until  time.Time
}

// Parting is how a connection is to be disconnected.
type Parting struct {
	Connection               // as Leaving gave it
	Revocation NewRevocation // what is to become of the access at the provider
	EraseAt    time.Time     // when the data is erased; zero: it is kept
}

// Leaving gives a connection that is about to be disconnected, with its credential; nil if there is none.
func (t *TenantStore) Leaving(ctx context.Context, id uuid.UUID) (c Connection, credential vault.Sealed, err error) {
	defer explain("Leaving", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+connectionColumns+`, k.sealed FROM connections c
			LEFT JOIN credentials k ON k.tenant_id = c.tenant_id AND k.connection_id = c.id
			WHERE c.tenant_id = $1 AND c.id = $2`, t.tenant, id).QueryRow(func(row pgx.Row) (err error) {
			c, err = scanConnectionAnd(row, (*[]byte)(&credential))
			return err
		})
	})
	return c, credential, err
}

// Disconnect ends a connection, in one round trip: the credential is destroyed, the account given free, and what the
// provider is told with put apart. Conflict when the credential is no longer the one that Leaving gave, or somebody else
// has disconnected it.
func (t *TenantStore) Disconnect(ctx context.Context, p Parting) (err error) {
	defer explain("Disconnect", &err)
	now := t.now()
	detail := map[string]any{"provider": p.Provider, "account": p.AccountMasked}
	if !p.EraseAt.IsZero() {
		detail["until"] = p.EraseAt
	}
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `
			UPDATE connections
			   SET state = 'disconnected', reason = '', state_since = $3, sync_state = 'idle', erase_at = $5, erase_due_at = $5,
			       credential_version = credential_version + 1
			 WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected' AND credential_version = $4`,
			t.tenant, p.ID, now, p.CredentialVersion, timeOrNull(p.EraseAt))
		b.Queue(`DELETE FROM credentials WHERE tenant_id = $1 AND connection_id = $2`, t.tenant, p.ID)
		b.Queue(`SELECT release_account($1, $2, $3)`, p.Provider, p.Environment, p.AccountHash)
		t.queueRevocation(b, p.Connection, p.Revocation)
		t.queueEvent(b, NewEvent{Kind: "connection.disconnected", Connection: p.ID, Detail: detail})
		wake(b, p.ID)
		wakeDue(b, now, now)
	})
}

func (t *TenantStore) queueRevocation(b *pgx.Batch, c Connection, n NewRevocation) {
	now := t.now()
	next, ended := &now, (*time.Time)(nil)
	if n.State != RevocationWaiting {
		next, ended = nil, &now
	}
	b.Queue(`
		INSERT INTO revocations (tenant_id, id, connection_id, provider, state, sealed, next_at, until_at, created_at, ended_at)
		SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM connections
		 WHERE tenant_id = $1 AND id = $3 AND (state = 'disconnected' OR state = 'needs_you' AND reason = 'security')`,
		t.tenant, n.ID, c.ID, c.Provider, n.State, sealedOrNull(n.Sealed), next, n.Until, now, ended)
}

// AddRevocation keeps what a refresh brought back after its connection was disconnected or withdrawn, to be revoked too. A
// connection that stands takes none: its token has been replaced by a newer one.
func (t *TenantStore) AddRevocation(ctx context.Context, c Connection, n NewRevocation) (err error) {
	defer explain("AddRevocation", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		t.queueRevocation(b, c, n)
		wake(b, c.ID)
		wakeDue(b, t.now(), t.now())
	})
}

// Revocation gives one that is still open, with the credential that is to be revoked. NotFound when it has ended.
func (t *TenantStore) Revocation(ctx context.Context, id uuid.UUID) (r Revocation, sealed vault.Sealed, err error) {
	defer explain("Revocation", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+revocationColumns+`, r.sealed FROM revocations r
			WHERE r.tenant_id = $1 AND r.id = $2 AND r.state = 'waiting'`, t.tenant, id).QueryRow(func(row pgx.Row) (err error) {
			r, err = scanRevocation(row, (*[]byte)(&sealed))
			return err
		})
	})
	return r, sealed, err
}

// PutOffRevocation notes that a try has failed, and when the next one is due. Conflict when it has ended meanwhile.
func (t *TenantStore) PutOffRevocation(ctx context.Context, r Revocation, reason string, next time.Time) (err error) {
	defer explain("PutOffRevocation", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE revocations SET tries = tries + 1, reason = $3, next_at = $4
			WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`, t.tenant, r.ID, reason, next)
		wake(b, r.ConnectionID)
		wakeDue(b, t.now(), next)
	})
}

// EndRevocation ends one and destroys what was kept for it. Conflict when it has ended already.
func (t *TenantStore) EndRevocation(ctx context.Context, r Revocation, state RevocationState, reason string, e NewEvent) (err error) {
	defer explain("EndRevocation", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE revocations SET state = $3, reason = $4, sealed = NULL, next_at = NULL, ended_at = $5, tries = tries + 1
			WHERE tenant_id = $1 AND id = $2 AND state = 'waiting'`, t.tenant, r.ID, state, reason, t.now())
		t.queueEvent(b, e)
		wake(b, r.ConnectionID)
	})
}

// PlanErasure has the data of a disconnected connection erased at a time. Conflict when there is none to erase, or it is
// planned already.
func (t *TenantStore) PlanErasure(ctx context.Context, id uuid.UUID, at time.Time, e NewEvent) (err error) {
	defer explain("PlanErasure", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE connections SET erase_at = $3, erase_due_at = $3
			WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected' AND erase_at IS NULL AND erased_at IS NULL`, t.tenant, id, at)
		t.queueEvent(b, e)
		wake(b, id)
	})
}

// UndoErasure keeps the data after all. Conflict when it was not to be erased, or the time is over.
func (t *TenantStore) UndoErasure(ctx context.Context, id uuid.UUID, e NewEvent) (err error) {
	defer explain("UndoErasure", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE connections SET erase_at = NULL, erase_due_at = NULL
			WHERE tenant_id = $1 AND id = $2 AND state = 'disconnected' AND erase_at > $3`, t.tenant, id, t.now())
		t.queueEvent(b, e)
		wake(b, id)
	})
}

// Erase deletes what a disconnected connection holds, when its time has come. Conflict when it has not: it was undone,
// reconnected, or erased before.
func (t *TenantStore) Erase(ctx context.Context, id uuid.UUID, e NewEvent) (err error) {
	defer explain("Erase", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT insist(erase_connection($1, $2))`, id, t.now())
		t.queueEvent(b, e)
		wake(b, id)
	})
}

func sealedOrNull(s vault.Sealed) []byte {
	if len(s) == 0 {
		return nil
	}
	return s
}

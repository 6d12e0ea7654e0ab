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

// NewAttempt is what Begin knows of a try.
type NewAttempt struct {
	ID           uuid.UUID
	UserID       uuid.UUID
	SessionID    uuid.UUID
	Provider     string
	Environment  oauth.Environment
	ConnectionID *uuid.UUID
	StateHash    []byte
	BrowserHash  []byte
	Verifier     vault.Sealed
	Spent        bool   // no browser is to come back: the provider is asked at once
	CallbackHash []byte // of the token in the address that the provider's server calls; nil: it calls nobody
	ExpiresAt    time.Time
}

// CreateAttempt stores a try before the browser leaves, or before the provider is asked. One round trip. NotFound when
// the connection to reconnect is not the tenant's.
func (t *TenantStore) CreateAttempt(ctx context.Context, a NewAttempt) (err error) {
	defer explain("CreateAttempt", &err)
	now := t.now()
	status, consumed := Pending, (*time.Time)(nil)
	if a.Spent {
		status, consumed = Exchanging, &now
	}
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			INSERT INTO attempts (tenant_id, id, user_id, session_id, provider, environment, connection_id, state_hash,
			    browser_hash, verifier_sealed, status, created_at, consumed_at, expires_at, callback_hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
			t.tenant, a.ID, a.UserID, a.SessionID, a.Provider, a.Environment, a.ConnectionID, a.StateHash,
			a.BrowserHash, []byte(a.Verifier), status, now, consumed, a.ExpiresAt, a.CallbackHash)
		event := NewEvent{Kind: "attempt.begun", Detail: map[string]any{"provider": a.Provider}}
		if a.ConnectionID != nil {
			event.Connection = *a.ConnectionID
		}
		t.queueEvent(b, event)
	})
	if violates(err, foreignKeyViolation) {
		return NotFound()
	}
	return err
}

const attemptColumns = `a.id, a.user_id, a.session_id, a.provider, a.environment, a.connection_id, a.status, a.reason,
	a.provider_code, a.account_masked, a.result_connection, a.created_at, a.consumed_at, a.finished_at, a.expires_at`

func scanAttempt(row pgx.Row, more ...any) (a Attempt, err error) {
	err = row.Scan(append([]any{
		&a.ID, &a.UserID, &a.SessionID, &a.Provider, &a.Environment, &a.ConnectionID, &a.Status, &a.Reason,
		&a.ProviderCode, &a.AccountMasked, &a.ResultConnection, &a.CreatedAt, &a.ConsumedAt, &a.FinishedAt, &a.ExpiresAt,
	}, more...)...)
	return a, err
}

// Presented is what a browser brings back to the callback.
type Presented struct {
	Provider    string
	UserID      uuid.UUID
	SessionID   uuid.UUID
	StateHash   []byte               // nil: no state came back, and the provider's policy allows that
	ArrivalHash []byte               // of the code, or of the refusal
	Browsers    map[uuid.UUID][]byte // hashes of the flow cookies, by attempt
}

// Consumed is an attempt with what is needed to go on with it.
type Consumed struct {
	Attempt
	Verifier vault.Sealed
}

// ConsumeAttempt spends the attempt that the browser brought back, in one statement, before anything is sent. Won says
// whether this very call spent it; if not, the attempt is given as a former call left it. Either way it belongs to this
// person, session, provider and browser; NotFound when none does. One round trip.
func (t *TenantStore) ConsumeAttempt(ctx context.Context, p Presented) (c Consumed, won bool, err error) {
	defer explain("ConsumeAttempt", &err)
	ids, hashes := flatten(p.Browsers)
	err = t.batch(ctx, func(b *pgx.Batch) {
		// Without state, exactly one attempt may be open in this browser, and a code seen before is a reload.
		b.Queue(`
			WITH mine AS (
			    SELECT id, state_hash, arrival_hash, status, expires_at FROM attempts
			     WHERE tenant_id = $1 AND provider = $2 AND user_id = $3 AND session_id = $4
			       AND (id, browser_hash) IN (SELECT * FROM unnest($5::uuid[], $6::bytea[]))),
			     open AS (SELECT id, state_hash FROM mine WHERE status = 'pending' AND expires_at > $9),
			     chosen AS (
			    SELECT id FROM open WHERE state_hash = $7
			     UNION ALL
			    SELECT min(id::text)::uuid FROM open
			     WHERE $7::bytea IS NULL AND NOT EXISTS (SELECT FROM mine WHERE arrival_hash = $8)
			    HAVING count(*) = 1)
			UPDATE attempts a SET status = 'exchanging', consumed_at = $9, arrival_hash = $8
			  FROM chosen
			 WHERE a.tenant_id = $1 AND a.id = chosen.id AND a.status = 'pending'
			RETURNING `+attemptColumns+`, a.verifier_sealed`,
			t.tenant, p.Provider, p.UserID, p.SessionID, ids, hashes, p.StateHash, p.ArrivalHash, t.now(),
		).QueryRow(func(row pgx.Row) (err error) {
			c.Attempt, err = scanAttempt(row, (*[]byte)(&c.Verifier))
			won = err == nil
			return ignoreNoRows(err)
		})
		b.Queue(`
			SELECT `+attemptColumns+` FROM attempts a
			 WHERE tenant_id = $1 AND provider = $2 AND user_id = $3 AND session_id = $4
			   AND (id, browser_hash) IN (SELECT * FROM unnest($5::uuid[], $6::bytea[]))
			   AND (state_hash = $7 OR $7::bytea IS NULL)
			 ORDER BY (arrival_hash = $8) DESC NULLS LAST, created_at DESC LIMIT 1`,
			t.tenant, p.Provider, p.UserID, p.SessionID, ids, hashes, p.StateHash, p.ArrivalHash,
		).QueryRow(func(row pgx.Row) error {
			seen, err := scanAttempt(row)
			if err == nil && !won {
				c.Attempt = seen
			}
			return ignoreNoRows(err)
		})
	})
	if err == nil && c.ID == uuid.Nil {
		err = pgx.ErrNoRows
	}
	return c, won, err
}

// Attempt gives one of the person's own attempts, with its link if it has one.
func (t *TenantStore) Attempt(ctx context.Context, id, user uuid.UUID) (a Attempt, err error) {
	defer explain("Attempt", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		var link []byte
		var wanted string
		b.Queue(`SELECT `+attemptColumns+`, a.link_sealed, coalesce(c.account_masked, '') FROM attempts a
			  LEFT JOIN connections c ON c.tenant_id = a.tenant_id AND c.id = a.connection_id
			 WHERE a.tenant_id = $1 AND a.id = $2 AND a.user_id = $3`,
			t.tenant, id, user).QueryRow(func(row pgx.Row) (err error) {
			a, err = scanAttempt(row, &link, &wanted)
			a.Link, a.WantedMasked = link, wanted
			return err
		})
	})
	return a, err
}

// queueOpenAttempts reads the person's open tries, newest first, one per provider: nobody else can go on with them.
func (t *TenantStore) queueOpenAttempts(b *pgx.Batch, into *[]Attempt) {
	queueAttempts(b, into, `SELECT DISTINCT ON (a.provider) `+attemptColumns+` FROM attempts a
		WHERE tenant_id = $1 AND user_id = $2 AND status IN ('pending', 'exchanging', 'returned') AND expires_at > $3
		ORDER BY a.provider, a.created_at DESC`, t.tenant, t.actor.ID, t.now())
}

// unfinishedFor is how long a try that came to nothing is held out to its person.
const unfinishedFor = 7 * 24 * time.Hour

// queueUnfinished reads what the person began and did not bring to an end of their own choice, newest first: what is open, what
// was left until its time was over, and what failed. Of the tries at one thing the last one counts.
func (t *TenantStore) queueUnfinished(b *pgx.Batch, into *[]Attempt) {
	queueAttempts(b, into, `SELECT `+attemptColumns+` FROM (
		    SELECT DISTINCT ON (provider, connection_id) * FROM attempts
		     WHERE tenant_id = $1 AND user_id = $2 AND created_at > $3 ORDER BY provider, connection_id, created_at DESC, id DESC) a
		WHERE a.status IN ('pending', 'exchanging', 'returned', 'failed') ORDER BY a.created_at DESC, a.id DESC`,
		t.tenant, t.actor.ID, t.now().Add(-unfinishedFor))
}

func queueAttempts(b *pgx.Batch, into *[]Attempt, query string, args ...any) {
	b.Queue(query, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Attempt, error) { return scanAttempt(row) })
		return err
	})
}

// ParkAttempt keeps what came back until the person who began confirms it.
func (t *TenantStore) ParkAttempt(ctx context.Context, id uuid.UUID, returned vault.Sealed, masked string, e NewEvent) (err error) {
	defer explain("ParkAttempt", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE attempts SET status = 'returned', returned_sealed = $3, account_masked = $4
			WHERE tenant_id = $1 AND id = $2 AND status = 'exchanging'`, t.tenant, id, []byte(returned), masked)
		t.queueSettled(b, id)
		t.queueEvent(b, e)
		wake(b, id)
	})
}

// TakeReturned spends a parked attempt: the person who began, in the session that began, confirms it. NotFound when
// there is none, or it was taken before.
func (t *TenantStore) TakeReturned(ctx context.Context, id, user, session uuid.UUID) (a Attempt, returned vault.Sealed, err error) {
	defer explain("TakeReturned", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			WITH old AS (SELECT returned_sealed FROM attempts WHERE tenant_id = $1 AND id = $2)
			UPDATE attempts a SET status = 'exchanging', consumed_at = $5, returned_sealed = NULL
			  FROM old
			 WHERE a.tenant_id = $1 AND a.id = $2 AND a.user_id = $3 AND a.session_id = $4
			   AND a.status = 'returned' AND a.expires_at > $5
			RETURNING `+attemptColumns+`, old.returned_sealed`,
			t.tenant, id, user, session, t.now()).QueryRow(func(row pgx.Row) (err error) {
			a, err = scanAttempt(row, (*[]byte)(&returned))
			return err
		})
	})
	return a, returned, err
}

// Ending is how an attempt ends without a connection.
type Ending struct {
	Status        AttemptStatus
	Reason        string
	ProviderCode  string
	AccountMasked string
	Also          []Statement // what the platform notes of the failure
}

// EndAttempt closes an open attempt and destroys what it kept sealed. One that has failed can still be cancelled, which puts it
// out of its person's sight. Conflict when it has ended already.
func (t *TenantStore) EndAttempt(ctx context.Context, id uuid.UUID, end Ending, e NewEvent) (err error) {
	defer explain("EndAttempt", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `UPDATE attempts
			SET status = $3, reason = $4, provider_code = $5, finished_at = $7, returned_sealed = NULL, verifier_sealed = '', link_sealed = NULL,
			    account_masked = CASE WHEN $6 = '' THEN account_masked ELSE $6 END
			WHERE tenant_id = $1 AND id = $2 AND (status IN ('pending', 'exchanging', 'returned') OR status = 'failed' AND $3 = 'cancelled')`,
			t.tenant, id, end.Status, end.Reason, end.ProviderCode, end.AccountMasked, t.now())
		t.queueSettled(b, id)
		t.queueEvent(b, e)
		wake(b, id)
		queueAlso(b, end.Also)
	})
}

// queueAlso comes last: what all tenants share is locked for the shortest time.
func queueAlso(b *pgx.Batch, also []Statement) {
	for _, s := range also {
		b.Queue(s.SQL, s.Args...)
	}
}

func flatten(m map[uuid.UUID][]byte) (ids []uuid.UUID, hashes [][]byte) {
	for id, hash := range m {
		ids, hashes = append(ids, id), append(hashes, hash)
	}
	return ids, hashes
}

func ignoreNoRows(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

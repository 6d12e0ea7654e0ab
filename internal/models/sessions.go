package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// Session is a signed-in browser with everything that every page knows of its person. The life of sessions is measured
// by the database's clock alone, so that replicas with different clocks agree.
type Session struct {
	ID         uuid.UUID // stays when the token rotates: attempts are bound to it
	UserID     uuid.UUID
	Email      string
	Language   string    // "" follows the browser
	TimeZone   string    // "" is that of the language
	TenantID   uuid.UUID // uuid.Nil for staff
	TenantName string
	Closed     bool // the tenant is closed: nobody works in it
	Role       Role
	IsAdmin    bool
	StaffRoles []StaffRole // staff only
	Waiting    []int       // staff only: how many acts wait for a decision, and how many were done alone and for their review
	CreatedAt  time.Time
	ExpiresAt  time.Time
	Recent     bool             // the person has proved who they are within the last recentProof
	Factors    int              // ways to prove themselves besides the password
	Workplaces []Workplace      // where the person works, the tenant they were in last first
	Troubles   []Trouble        // the broken connections that come first, at most troublesShown; of the viewed tenant for staff
	Attention  int              // how many there are
	Notices    int              // unread ones, counted up to 100
	Key        vault.WrappedKey // the data key of the tenant, or of the one that is viewed, so that what follows need not ask for it
	View       View             // staff only
}

// Workplace is a tenant in which a person works.
type Workplace struct {
	ID   uuid.UUID
	Name string
	Role Role
}

// Trouble is a broken connection as every page tells of it.
type Trouble struct {
	ID            uuid.UUID
	Provider      string
	AccountMasked string
	Label         string // what the tenant calls the account
	State         State
	StateSince    time.Time
}

// troublesShown is how many broken connections a page names; it counts the rest.
const troublesShown = 3

// NewSession is a browser that has just proved who it is.
type NewSession struct {
	ID        uuid.UUID
	TokenHash []byte
	UserID    uuid.UUID
	UserAgent string
	Address   string
	Life      time.Duration // absolute
	Replaces  []byte        // hash of the token the browser held before, whoever's it was; it ends
}

// SessionRow is a session in its person's list.
type SessionRow struct {
	ID        uuid.UUID
	UserAgent string
	Address   string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// recentProof is how long a proof counts as recent; what is sensitive wants a recent one.
const recentProof = 15 * time.Minute

// sessionsKept is how many browsers one person may have signed in; the oldest end when there are more.
const sessionsKept = 50

// OpenSession finds the session behind a token in one round trip: a SECURITY DEFINER function opens the batch's
// implicit transaction for the person and the tenant, and everything else is read under their policies. NotFound if the
// token is unknown, idle for too long or past its end.
func (s *Store) OpenSession(ctx context.Context, tokenHash []byte, idle time.Duration) (f Session, err error) {
	defer explain("OpenSession", &err)
	b := &pgx.Batch{}
	b.Queue(`SELECT session_id FROM open_session($1, $2)`, tokenHash, idle)
	b.Queue(`
		SELECT s.id, u.id, u.email, u.language, u.time_zone, coalesce(s.tenant_id, '00000000-0000-0000-0000-000000000000'),
		       coalesce(t.name, ''), x.tenant_id IS NOT NULL, coalesce(m.role, ''), a.user_id IS NOT NULL, a.roles,
		       CASE WHEN a.user_id IS NOT NULL THEN waiting_approvals() END, s.created_at, s.expires_at,
		       s.proved_at > now() - $2::interval, (SELECT count(*) FROM factors f WHERE f.user_id = u.id),
		       (SELECT count(*) FROM (SELECT FROM notices n
		         WHERE n.tenant_id = s.tenant_id AND n.user_id = s.user_id AND n.read_at IS NULL LIMIT 100) unread),
		       k.wrapped, coalesce(v.id, '00000000-0000-0000-0000-000000000000'), coalesce(v.name, ''), coalesce(s.viewing_until, '0001-01-01 00:00:00+00')
		  FROM sessions s
		  JOIN users u ON u.id = s.user_id
		  LEFT JOIN tenants t ON t.id = s.tenant_id
		  LEFT JOIN closings x ON x.tenant_id = s.tenant_id
		  LEFT JOIN memberships m ON m.tenant_id = s.tenant_id AND m.user_id = s.user_id
		  LEFT JOIN tenants v ON v.id = s.viewing
		  LEFT JOIN tenant_keys k ON k.tenant_id = coalesce(s.tenant_id, s.viewing)
		  LEFT JOIN platform_admins a ON a.user_id = u.id
		 WHERE s.token_hash = $1`, tokenHash, recentProof).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&f.ID, &f.UserID, &f.Email, &f.Language, &f.TimeZone, &f.TenantID, &f.TenantName, &f.Closed, &f.Role, &f.IsAdmin, &f.StaffRoles, &f.Waiting,
				&f.CreatedAt, &f.ExpiresAt, &f.Recent, &f.Factors, &f.Notices, (*[]byte)(&f.Key),
				&f.View.Tenant, &f.View.Name, &f.View.Until)
		})
	b.Queue(`SELECT tenant_id, name, role FROM workplaces()`).Query(func(rows pgx.Rows) (err error) {
		f.Workplaces, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Workplace])
		return err
	})
	f.queueTroubles(b)
	err = s.app.pool.SendBatch(ctx, b).Close()
	return f, err
}

// queueTroubles reads what is broken in the session's tenant: what the merchant must mend first, then what has been broken
// for longest.
func (f *Session) queueTroubles(b *pgx.Batch) {
	b.Queue(`
		SELECT id, provider, account_masked, label, state, state_since, count(*) OVER () FROM connections
		 WHERE tenant_id = (SELECT current_tenant()) AND state NOT IN ('connected', 'disconnected')
		 ORDER BY state <> 'needs_you', state_since, id LIMIT $1`, troublesShown).Query(func(rows pgx.Rows) (err error) {
		f.Troubles, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t Trouble, err error) {
			err = row.Scan(&t.ID, &t.Provider, &t.AccountMasked, &t.Label, &t.State, &t.StateSince, &f.Attention)
			return t, err
		})
		return err
	})
}

// StartSession signs a browser in, in the tenant where the person was in last (a closed one after the others), and ends the session the browser
// had before: a token known from before the sign-in is worth nothing after it.
func (s *Store) StartSession(ctx context.Context, n NewSession) (expires time.Time, err error) {
	defer explain("StartSession", &err)
	err = s.app.batch(ctx, scope{}, func(b *pgx.Batch) {
		if len(n.Replaces) > 0 {
			queueEnd(b, n.Replaces)
		}
		b.Queue(`SELECT set_config('app.tenant_id', '', true), set_config('app.user_id', $1, true)`, n.UserID.String())
		b.Queue(`
			INSERT INTO sessions (id, token_hash, user_id, tenant_id, created_at, seen_at, expires_at, user_agent, address)
			VALUES ($1, $2, $3, (SELECT t FROM workplaces() WITH ORDINALITY o (t, name, role, n) ORDER BY is_closed(t), n LIMIT 1), now(), now(), now() + $4::interval, $5, $6)
			RETURNING expires_at`, n.ID, n.TokenHash, n.UserID, n.Life, n.UserAgent, n.Address).
			QueryRow(func(row pgx.Row) error { return row.Scan(&expires) })
		b.Queue(`
			DELETE FROM sessions WHERE id IN (
			    SELECT id FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, id DESC OFFSET $2)`, n.UserID, sessionsKept)
	})
	return expires, err
}

// EndSessionByToken signs a browser out. A token that opens nothing is no error: the browser is signed out.
func (s *Store) EndSessionByToken(ctx context.Context, tokenHash []byte) (err error) {
	defer explain("EndSessionByToken", &err)
	return s.app.batch(ctx, scope{}, func(b *pgx.Batch) { queueEnd(b, tokenHash) })
}

// queueEnd opens the batch for the session's own person and deletes it under their policy. A session idle for too long
// ends as well, hence the wide interval.
func queueEnd(b *pgx.Batch, tokenHash []byte) {
	b.Queue(`SELECT session_id FROM open_session($1, '1000 years')`, tokenHash)
	b.Queue(`DELETE FROM sessions WHERE token_hash = $1`, tokenHash)
}

// EndSession ends one of a person's sessions. NotFound if it is not theirs.
func (s *Store) EndSession(ctx context.Context, person, id uuid.UUID) (err error) {
	defer explain("EndSession", &err)
	var ended int64
	err = s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`WITH gone AS (DELETE FROM sessions WHERE user_id = $1 AND id = $2 RETURNING 1) SELECT count(*) FROM gone`, person, id).
			QueryRow(func(row pgx.Row) error { return row.Scan(&ended) })
	})
	if err == nil && ended == 0 {
		return NotFound()
	}
	return err
}

// EndOtherSessions ends all of a person's sessions but one.
func (s *Store) EndOtherSessions(ctx context.Context, person, keep uuid.UUID) (err error) {
	defer explain("EndOtherSessions", &err)
	return s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM sessions WHERE user_id = $1 AND id <> $2`, person, keep)
	})
}

// Sessions lists a person's live sessions, last used first.
func (s *Store) Sessions(ctx context.Context, person uuid.UUID, idle time.Duration) (list []SessionRow, err error) {
	defer explain("Sessions", &err)
	err = s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`
			SELECT id, user_agent, address, created_at, seen_at, expires_at
			  FROM sessions
			 WHERE user_id = $1 AND expires_at > now() AND seen_at > now() - $2::interval
			 ORDER BY seen_at DESC, id DESC`, person, idle).
			Query(func(rows pgx.Rows) (err error) {
				list, err = pgx.CollectRows(rows, pgx.RowToStructByPos[SessionRow])
				return err
			})
	})
	return list, err
}

// SwitchTenant takes a session to another tenant of its person, under a new token. What was begun stays with the tenant
// that it was begun in. NotFound if the person does not work there or the session has ended.
func (s *Store) SwitchTenant(ctx context.Context, person, session, tenant uuid.UUID, tokenHash []byte) (err error) {
	defer explain("SwitchTenant", &err)
	return s.app.inTx(ctx, scope{person: person}, func(tx *Tx) error { return tx.moveSession(ctx, session, tenant, tokenHash) })
}

// moveSession needs a transaction of the session's person.
func (t *Tx) moveSession(ctx context.Context, session, tenant uuid.UUID, tokenHash []byte) error {
	done, err := t.pgx.Exec(ctx, `UPDATE sessions SET tenant_id = $2, token_hash = $3 WHERE id = $1`, session, tenant, tokenHash)
	if violates(err, foreignKeyViolation) || err == nil && done.RowsAffected() != 1 {
		return NotFound()
	}
	return err
}

// rotateSession gives a session a new token; false if the session has ended meanwhile.
func (t *Tx) rotateSession(ctx context.Context, id uuid.UUID, tokenHash []byte) (bool, error) {
	done, err := t.pgx.Exec(ctx, `UPDATE sessions SET token_hash = $2 WHERE id = $1`, id, tokenHash)
	return done.RowsAffected() == 1, err
}

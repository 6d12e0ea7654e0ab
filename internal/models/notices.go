package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Listener is a member whom an event may be told.
type Listener struct {
	UserID uuid.UUID
	Role   Role
	Wants  *bool // mail of this kind; nil: they have not chosen
}

// Listeners gives an event with the members of its tenant. NotFound if there is no such event.
func (t *TenantStore) Listeners(ctx context.Context, event uuid.UUID) (e Event, members []Listener, err error) {
	defer explain("Listeners", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+eventColumns+` FROM events WHERE tenant_id = $1 AND id = $2`, t.tenant, event).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(&e.ID, &e.ConnectionID, &e.ActorKind, &e.ActorID, &e.Kind, &e.Detail, &e.CreatedAt)
			})
		b.Queue(`
			SELECT m.user_id, m.role, c.mail
			  FROM memberships m
			  LEFT JOIN notice_choices c ON c.tenant_id = m.tenant_id AND c.user_id = m.user_id
			       AND c.kind = (SELECT kind FROM events WHERE tenant_id = $1 AND id = $2)
			 WHERE m.tenant_id = $1 ORDER BY m.user_id`, t.tenant, event).Query(func(rows pgx.Rows) (err error) {
			members, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Listener])
			return err
		})
	})
	return e, members, err
}

// Spacing says what there is one letter of.
type Spacing string

// The spacings.
const (
	Spaced  Spacing = "spaced"  // of its kind about its connection in a quiet time; what comes too soon waits until it is over
	PerKey  Spacing = "key"     // of Notice.Key
	Answers Spacing = "answers" // for each letter of the kind Notice.Key that it answers; none where that one was not written
)

// Notice is what one member is told of an event.
type Notice struct {
	User    uuid.UUID
	Mail    bool
	Spacing Spacing
	Key     string
	Quiet   time.Duration
}

// Notify leaves the notices of an event and puts their letters on the way; what is there already stays as it is. job words
// the letter's job and must put none in where there is no such letter.
func (t *TenantStore) Notify(ctx context.Context, e Event, notices []Notice, job func(user, letter uuid.UUID) Statement) (err error) {
	defer explain("Notify", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		for _, n := range notices {
			b.Queue(`
				INSERT INTO notices (tenant_id, user_id, id, event_id, connection_id, kind, detail, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
				t.tenant, n.User, newID(), e.ID, e.ConnectionID, e.Kind, e.Detail, e.CreatedAt)
			if !n.Mail {
				continue
			}
			letter := newID()
			t.queueLetter(b, letter, e, n)
			put := job(n.User, letter)
			b.Queue(put.SQL, put.Args...)
		}
	})
}

// queueLetter leaves a letter unless there is one. The unique key decides where two do this at once.
func (t *TenantStore) queueLetter(b *pgx.Batch, letter uuid.UUID, e Event, n Notice) {
	const insert = `INSERT INTO notice_letters (tenant_id, user_id, id, event_id, connection_id, kind, key, due_at) `
	const before = ` FROM notice_letters WHERE tenant_id = $1 AND user_id = $2 AND connection_id = $5 AND kind = `
	args := []any{t.tenant, n.User, letter, e.ID, e.ConnectionID, e.Kind, e.CreatedAt}
	switch n.Spacing {
	case PerKey:
		b.Queue(insert+`VALUES ($1, $2, $3, $4, $5, $6, $6 || ':' || $8::text, $7) ON CONFLICT DO NOTHING`, append(args, n.Key)...)
	case Answers:
		b.Queue(insert+`
			SELECT $1, $2, $3, $4, $5, $6::text, $6 || ':' || asked.id, $7 FROM (
			    SELECT id, status, due_at`+before+`$8 ORDER BY due_at DESC LIMIT 1) asked
			 WHERE asked.status IN ('waiting', 'sent') AND asked.due_at <= $7 ON CONFLICT DO NOTHING`, append(args, n.Key)...)
	default:
		b.Queue(insert+`
			SELECT $1, $2, $3, $4, $5, $6::text, $6 || ':' || $5 || ':' || to_char(due AT TIME ZONE 'UTC', 'YYYY-MM-DD'), due FROM (
			    SELECT greatest($7::timestamptz, max(due_at) + $8::interval) AS due, max(due_at) AS latest`+before+`$6 AND status <> 'moot') spaced
			 WHERE latest IS NULL OR latest <= $7 ON CONFLICT DO NOTHING`, append(args, n.Quiet)...)
	}
}

// NoticeLetter is a letter about to be sent, with what decides whether it still should be.
type NoticeLetter struct {
	Event
	Status   string // waiting until it is finished
	Email    string
	Language string
	TimeZone string
	Business string
	Role     Role
	Wants    *bool
	Label    string      // what the tenant calls the connection's account
	State    State       // of the connection, now; "" where it is about none
	Review   ReviewState // of the tenant, now
	Answered bool        // the letter it answers was sent
}

// The ends of a letter.
const (
	LetterWaiting = "waiting"
	LetterSent    = "sent"
	LetterMoot    = "moot"
	LetterRefused = "refused"
	LetterNotSent = "not_sent"
)

// NoticeLetter gives a letter to one of the tenant's members. asked is the kind of letter that it may answer. NotFound if the
// member has left.
func (t *TenantStore) NoticeLetter(ctx context.Context, user, letter uuid.UUID, asked string) (l NoticeLetter, err error) {
	defer explain("NoticeLetter", &err)
	err = t.door.batch(ctx, scope{tenant: t.tenant, person: user}, func(b *pgx.Batch) {
		b.Queue(`
			SELECT l.status, l.kind, e.id, e.connection_id, e.detail, e.created_at, u.email, u.language, u.time_zone, t.name, m.role, c.mail, coalesce(n.label, ''), coalesce(n.state, ''), coalesce(r.state, ''),
			       coalesce((SELECT a.status = 'sent' FROM notice_letters a
			                  WHERE a.tenant_id = l.tenant_id AND a.user_id = l.user_id AND l.key = l.kind || ':' || a.id AND a.kind = $4), false)
			  FROM notice_letters l
			  JOIN events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id
			  JOIN users u ON u.id = l.user_id
			  JOIN tenants t ON t.id = l.tenant_id
			  JOIN memberships m ON m.tenant_id = l.tenant_id AND m.user_id = l.user_id
			  LEFT JOIN reviews r ON r.tenant_id = l.tenant_id
			  LEFT JOIN connections n ON n.tenant_id = l.tenant_id AND n.id = l.connection_id
			  LEFT JOIN notice_choices c ON c.tenant_id = l.tenant_id AND c.user_id = l.user_id AND c.kind = l.kind
			 WHERE l.tenant_id = $1 AND l.user_id = $2 AND l.id = $3`, t.tenant, user, letter, asked).
			QueryRow(func(row pgx.Row) error {
				return row.Scan(&l.Status, &l.Kind, &l.ID, &l.ConnectionID, &l.Detail, &l.CreatedAt, &l.Email, &l.Language, &l.TimeZone, &l.Business,
					&l.Role, &l.Wants, &l.Label, &l.State, &l.Review, &l.Answered)
			})
	})
	return l, err
}

// FinishLetter says how a letter ended. One that has ended already stays as it is.
func (t *TenantStore) FinishLetter(ctx context.Context, user, letter uuid.UUID, status string) (err error) {
	defer explain("FinishLetter", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`UPDATE notice_letters SET status = $4::text, finished_at = $5, key = CASE WHEN $4 = 'moot' THEN key || ':' || id ELSE key END
			WHERE tenant_id = $1 AND user_id = $2 AND id = $3 AND status = 'waiting'`, t.tenant, user, letter, status, t.now())
	})
}

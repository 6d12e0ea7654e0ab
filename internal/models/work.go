package models

import (
	"context"
	"encoding/json"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// NoteMail says how a try to send a mail ended, for the staff's list: ids are its job's arguments, ending is LetterWaiting if
// it is tried again. why is a word.
func (s *Store) NoteMail(ctx context.Context, job int64, ids []byte, ending, why string) (err error) {
	defer explain("NoteMail", &err)
	_, err = s.app.pool.Exec(ctx, `SELECT note_mail($1, $2, $3, $4)`, job, json.RawMessage(ids), ending, why)
	return err
}

// Ends of a mail beside those of a letter.
const (
	MailFailed    = "failed"    // every try has
	MailCancelled = "cancelled" // by the staff
)

// MailRow is a mail as the staff see it.
type MailRow struct {
	Job        int64
	Kind       string
	Tenant     *uuid.UUID
	TenantName string
	Address    string // masked
	State      string
	Fault      string // a word; "" if there is nothing to say
	Tries      int
	CreatedAt  time.Time
	TriedAt    *time.Time
	EndedAt    *time.Time
	DueAt      *time.Time // when it is tried next; nil if it is over
	JobThere   bool       // its job can be looked at; those that are done are forgotten soon
}

// MailQuery asks for a page of the list.
type MailQuery struct {
	States []string // nil: all
	Below  int64    // the last row of the page before; 0: the newest
	Limit  int
}

// MailsPage is a page of the list, newest first.
type MailsPage struct {
	Rows   []MailRow
	More   bool
	Counts map[string]int // by state, of what waits or was lost; see Capped
}

// newest words what the page is cut from: of each state the newest, because an index gives those of one state alone.
func (q MailQuery) newest() (sql string, args []any) {
	below := q.Below
	if below == 0 {
		below = math.MaxInt64
	}
	if args = []any{below, q.Limit + 1}; q.States == nil {
		return `SELECT * FROM mails WHERE job < $1`, args
	}
	return `SELECT m.* FROM unnest($3::text[]) s (state),
		LATERAL (SELECT * FROM mails WHERE state = s.state AND job < $1 ORDER BY job DESC LIMIT $2) m`, append(args, q.States)
}

// Mails lists what was sent to people, or was to be. One round trip.
func (p *PlatformStore) Mails(ctx context.Context, q MailQuery) (page MailsPage, err error) {
	defer explain("Mails", &err)
	page.Counts = map[string]int{}
	sql, args := q.newest()
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH page AS MATERIALIZED (`+sql+` ORDER BY job DESC LIMIT $2)
			SELECT m.job, m.kind, m.tenant, coalesce(t.name, ''), m.address, m.state, m.fault, m.tries, m.created_at, m.tried_at, m.ended_at,
			       CASE WHEN m.state = 'waiting' THEN j.next_at END, j.id IS NOT NULL
			  FROM page m LEFT JOIN tenants t ON t.id = m.tenant LEFT JOIN jobs_next((SELECT array_agg(job) FROM page)) j ON j.id = m.job
			 ORDER BY m.job DESC`, args...).
			Query(func(rows pgx.Rows) (err error) {
				page.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[MailRow])
				return err
			})
		for _, state := range []string{LetterWaiting, LetterRefused, MailFailed} {
			b.Queue(`SELECT count(*) FROM (SELECT FROM mails WHERE state = $1 LIMIT $2) counted`, state, countCap+1).
				QueryRow(func(row pgx.Row) error {
					var n int
					err := row.Scan(&n)
					page.Counts[state] = n
					return err
				})
		}
	})
	if page.More = len(page.Rows) > q.Limit; page.More {
		page.Rows = page.Rows[:q.Limit]
	}
	return page, err
}

// JobRow is a background job as the staff see it: ids and times, never what it carries.
type JobRow struct {
	ID         int64
	Kind       string
	Queue      string
	State      string // as river calls it
	Tries      int
	MostTries  int
	CreatedAt  time.Time
	NextAt     time.Time // when it is, or was, to run
	TriedAt    *time.Time
	EndedAt    *time.Time
	Tenant     *uuid.UUID
	About      *uuid.UUID // of whatever its kind works on
	Fault      string     // of the last try that failed, without values
	FailedAt   *time.Time
	TenantName string
}

// JobCount is how many jobs of a kind are in a state.
type JobCount struct {
	Kind   string
	State  string
	Count  int
	Oldest time.Time
	Capped bool // there may be more
}

// JobQuery asks for a page of jobs.
type JobQuery struct {
	Kind   string   // empty: all
	States []string // nil: all
	Below  int64    // the last row of the page before; 0: the newest
	Limit  int
}

// JobsPage is a page of jobs, newest first.
type JobsPage struct {
	Rows   []JobRow
	More   bool
	Counts []JobCount
}

const listJobs = `SELECT j.*, coalesce(t.name, '')
	FROM (SELECT * FROM list_jobs($1, $2, $3, $4, $5) ORDER BY id DESC LIMIT $5) j LEFT JOIN tenants t ON t.id = j.tenant ORDER BY j.id DESC`

// jobsCounted is how many jobs of each state are looked at for the numbers above the list. There are eight states, whose
// newest lie far apart among many.
const jobsCounted = 100

// Jobs lists background jobs. One round trip.
func (p *PlatformStore) Jobs(ctx context.Context, q JobQuery) (page JobsPage, err error) {
	defer explain("Jobs", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(listJobs, nil, q.Kind, q.States, q.Below, q.Limit+1).Query(func(rows pgx.Rows) (err error) {
			page.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[JobRow])
			return err
		})
		b.Queue(`SELECT * FROM count_jobs($1) ORDER BY kind, state`, jobsCounted).Query(func(rows pgx.Rows) (err error) {
			page.Counts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[JobCount])
			return err
		})
	})
	if page.More = len(page.Rows) > q.Limit; page.More {
		page.Rows = page.Rows[:q.Limit]
	}
	return page, err
}

// Job gives one job. NotFound if it was done a while ago: those are forgotten.
func (p *PlatformStore) Job(ctx context.Context, id int64) (r JobRow, err error) {
	defer explain("Job", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(listJobs, id, "", nil, 0, 1).Query(func(rows pgx.Rows) (err error) {
			r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[JobRow])
			return err
		})
	})
	return r, err
}

// RetryJob lets a job that rests or has ended run at once; done says whether it did.
func (p *PlatformStore) RetryJob(ctx context.Context, id int64) (done bool, err error) {
	defer explain("RetryJob", &err)
	return p.settleJob(ctx, id, "job.retried", `SELECT kind, tenant, done FROM retry_job($1)`, id)
}

// CancelJob ends a job that waits; done says whether it did. One that runs is left alone.
func (p *PlatformStore) CancelJob(ctx context.Context, id int64) (done bool, err error) {
	defer explain("CancelJob", &err)
	return p.settleJob(ctx, id, "job.cancelled", `SELECT kind, tenant, done FROM cancel_job($1, $2)`, id, p.now())
}

// settleJob calls one of the two functions that the platform's role is granted for jobs, and records it.
func (p *PlatformStore) settleJob(ctx context.Context, id int64, event, sql string, args ...any) (done bool, err error) {
	err = p.inTx(ctx, scope{}, func(tx *Tx) error {
		var kind string
		var tenant *uuid.UUID
		if err := tx.pgx.QueryRow(ctx, sql, args...).Scan(&kind, &tenant, &done); err != nil || !done {
			return err
		}
		_, err := tx.pgx.Exec(ctx, `
			INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
			VALUES ($1, $2, $3, jsonb_strip_nulls(jsonb_build_object('job', $4::bigint, 'work', $5::text, 'tenant', $6::uuid)), $7)`,
			newID(), p.actor.ID, event, id, kind, tenant, p.now())
		return err
	})
	return done, err
}

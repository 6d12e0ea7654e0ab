package models

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// WorkQuery asks for a page of the reviews, longest in their state first.
type WorkQuery struct {
	Queue  string     // "us": what waits for the staff, else a ReviewState
	Owned  bool       // narrow it to one assignee
	Owner  *uuid.UUID // that assignee; nil: nobody has it
	Before string     // cursor of the page before; empty: the first
	Limit  int
}

// WorkQueues are the values of WorkQuery.Queue, in the order of the tabs.
func WorkQueues() []string {
	return []string{"us", string(ReviewLinked), string(ReviewOpen), string(ReviewNeedsMore), string(ReviewApproved), string(ReviewRejected)}
}

// WorkRow is a review in the list.
type WorkRow struct {
	Tenant    uuid.UUID
	Name      string
	State     ReviewState
	Since     time.Time
	LinkedAt  time.Time
	Deadline  *time.Time
	Assignee  string // address; "" if nobody has it
	Accounts  int    // not disconnected
	Attention int    // of them, not in state connected
}

// WorkCounts is what lies where; see Capped.
type WorkCounts map[string]int

// WorkPage is a page of the list, with what lies elsewhere.
type WorkPage struct {
	Rows    []WorkRow
	Next    string // cursor of the next page; empty: this is the last
	Counts  WorkCounts
	Filters []SavedFilter // the actor's, of this list
}

// where words the conditions. What decides which index is used stands in it as it is; the caller's Queue is one of WorkQueues.
func (q WorkQuery) where(at time.Time, id uuid.UUID) (condition, order string, args []any) {
	args = []any{at, id, q.Limit + 1, q.Queue}
	condition, order = `r.state = $4`, `r.since, r.tenant_id`
	if q.Queue == "us" {
		condition = `r.waits_on = $4`
	}
	switch {
	case q.Owned && q.Owner == nil:
		condition, order = condition+` AND r.assignee IS NULL`, `r.assignee, `+order
	case q.Owned:
		condition += ` AND r.assignee = $5`
		args = append(args, *q.Owner)
	}
	return condition, order, args
}

// Work lists reviews by keyset: the page is cut first, names and counts are looked up for its rows alone. One round trip.
// Invalid for a queue that is none, and a cursor that was not made by this list.
func (p *PlatformStore) Work(ctx context.Context, q WorkQuery) (page WorkPage, err error) {
	defer explain("Work", &err)
	at, id := time.Time{}, uuid.Nil
	if q.Before != "" {
		at, id, err = parseCursor(q.Before)
	}
	if err == nil && !slices.Contains(WorkQueues(), q.Queue) {
		err = errs.New(errs.Invalid, "error.bad_cursor")
	}
	if err != nil {
		return page, err
	}
	condition, order, args := q.where(at, id)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH page AS MATERIALIZED (
			    SELECT r.tenant_id, r.state, r.since, r.linked_at, r.deadline, r.assignee FROM reviews r
			     WHERE `+condition+` AND (r.since, r.tenant_id) > ($1, $2) ORDER BY `+order+` LIMIT $3)
			SELECT p.tenant_id, (SELECT name FROM tenants t WHERE t.id = p.tenant_id), p.state, p.since, p.linked_at, p.deadline,
			       coalesce((SELECT email FROM users u WHERE u.id = p.assignee), ''), n.live, n.broken
			  FROM page p, LATERAL (
			       SELECT count(*) FILTER (WHERE c.state <> 'disconnected') AS live,
			              count(*) FILTER (WHERE c.state NOT IN ('disconnected', 'connected')) AS broken
			         FROM connections c WHERE c.tenant_id = p.tenant_id) n
			 ORDER BY p.since, p.tenant_id`, args...).Query(func(rows pgx.Rows) (err error) {
			page.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[WorkRow])
			return err
		})
		p.queueCounts(b, &page.Counts)
		p.queueFilters(b, WorkList, &page.Filters)
	})
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		last := page.Rows[q.Limit-1]
		page.Next = cursor(last.Since, last.Tenant)
	}
	return page, err
}

// endingSoon is how near the end of an access must be to be counted.
const endingSoon = 14 * 24 * time.Hour

// queueCounts counts what lies where, no further than the cap.
func (p *PlatformStore) queueCounts(b *pgx.Batch, into *WorkCounts) {
	*into = WorkCounts{}
	queue := func(name, from string, args ...any) {
		b.Queue(fmt.Sprintf(`SELECT count(*) FROM (SELECT FROM %s LIMIT %d) counted`, from, countCap+1), args...).QueryRow(func(row pgx.Row) error {
			var n int
			err := row.Scan(&n)
			(*into)[name] = n
			return err
		})
	}
	queue("us", `reviews WHERE waits_on = 'us'`)
	for _, state := range []ReviewState{ReviewLinked, ReviewOpen, ReviewNeedsMore, ReviewApproved, ReviewRejected} {
		queue(string(state), `reviews WHERE state = '`+string(state)+`'`)
	}
	for _, state := range []State{NeedsYou, Provider, Ours} {
		queue(string(state), `connections WHERE state = '`+string(state)+`'`)
	}
	queue("ending", `connections WHERE ends_at BETWEEN $1 AND $2`, p.now(), p.now().Add(endingSoon))
	queue("parked", `inbox WHERE state = 'parked'`)
	queue("dead", `inbox WHERE state = 'dead'`)
}

// LinkQuery asks for a page of everybody's connections, newest turn first.
type LinkQuery struct {
	Provider string // empty: all
	State    State  // empty: all
	Before   string // cursor of the page before; empty: the newest
	Limit    int
}

// LinkRow is a connection in the admins' list.
type LinkRow struct {
	Connection
	TenantName string
}

// LinksPage is a page of connections.
type LinksPage struct {
	Rows    []LinkRow
	Next    string        // cursor of the next page; empty: this is the last
	Filters []SavedFilter // the actor's, of this list
}

// Links lists connections by keyset, the page first. One round trip. Invalid when the cursor was not made by this list.
func (p *PlatformStore) Links(ctx context.Context, q LinkQuery) (page LinksPage, err error) {
	defer explain("Links", &err)
	at, id, err := parseCursor(q.Before)
	if err != nil {
		return page, err
	}
	condition, args := `(c.state_since, c.id) < ($1, $2)`, []any{at, id, q.Limit + 1}
	narrow := func(column, value string) {
		if value != "" {
			args = append(args, value)
			condition += fmt.Sprintf(` AND c.%s = $%d`, column, len(args))
		}
	}
	narrow("provider", q.Provider)
	narrow("state", string(q.State))
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH page AS MATERIALIZED (
			    SELECT c.* FROM connections c WHERE `+condition+` ORDER BY c.state_since DESC, c.id DESC LIMIT $3)
			SELECT `+connectionColumns+`, (SELECT name FROM tenants t WHERE t.id = c.tenant_id)
			  FROM page c ORDER BY c.state_since DESC, c.id DESC`, args...).Query(func(rows pgx.Rows) (err error) {
			page.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r LinkRow, err error) {
				r.Connection, err = scanConnectionAnd(row, &r.TenantName)
				return r, err
			})
			return err
		})
		p.queueFilters(b, LinksList, &page.Filters)
	})
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		last := page.Rows[q.Limit-1]
		page.Next = cursor(last.StateSince, last.ID)
	}
	return page, err
}

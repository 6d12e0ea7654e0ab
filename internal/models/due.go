package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Due names a kind of work that falls due row by row. The schema has two functions for each: claim_due_<kind>(before,
// most) gives (tenant_id, id, lane) of rows that are due and moves each to its next time in the same statement, and
// next_due_<kind>() says when the next one falls due, NULL for never.
type Due string

// The kinds; the lane of each is the provider.
const (
	DueSyncs       Due = "syncs"       // connections to fetch
	DueRefreshes   Due = "refreshes"   // credentials to look at
	DueRevocations Due = "revocations" // providers to tell that access has ended
	DueErasures    Due = "erasures"    // disconnected connections whose data is to be erased
	DueClosings    Due = "closings"    // closed tenants whose next step is due; they have no lane
	DueApprovals   Due = "approvals"   // acts of the staff to be carried out; they have no lane and no tenant
	DueAlarms      Due = "alarms"      // letters to the staff about what one of them did alone; as those
)

// DueSource is a kind of due work with what its claimed rows become.
type DueSource struct {
	Due Due

	// Jobs says it as the rest of a statement that begins with the rows: "claimed" has tenant_id, id, lane, and place,
	// the row's number among those of its tenant. It goes on with a comma and more of WITH, ends in a SELECT whose one
	// value is how many were claimed, and its placeholders start at $3.
	Jobs Statement
}

// DueFound is what a look at a kind of due work found.
type DueFound struct {
	Claimed int
	Next    time.Time // when the next row falls due; zero: none will by itself
}

// ClaimDue claims rows that are due and turns them into jobs, in one transaction and one round trip. A row goes to one
// replica alone; what it costs does not grow with the rows that are not due.
func (s *Store) ClaimDue(ctx context.Context, source DueSource, most int) (found DueFound, err error) {
	defer explain("ClaimDue", &err)
	var next *time.Time
	b := &pgx.Batch{}
	b.Queue(`WITH claimed AS MATERIALIZED (
		    SELECT *, row_number() OVER (PARTITION BY tenant_id) AS place FROM claim_due_`+string(source.Due)+`($1, $2))`+
		source.Jobs.SQL, append([]any{s.now(), most}, source.Jobs.Args...)...).
		QueryRow(func(row pgx.Row) error { return row.Scan(&found.Claimed) })
	b.Queue(`SELECT next_due_` + string(source.Due) + `()`).QueryRow(func(row pgx.Row) error { return row.Scan(&next) })
	err = s.app.pool.SendBatch(ctx, b).Close()
	if next != nil {
		found.Next = *next
	}
	return found, err
}

// LongestSleep is how long a replica looks at no due work while nobody wakes it.
const LongestSleep = 5 * time.Minute

// dueTopic is what all replicas' due work listens to.
const dueTopic = "6d6f6f72-696e-8000-8000-647565000000"

// DueTopic is the topic that is woken when something falls due sooner than everybody may be sleeping.
func DueTopic() uuid.UUID { return uuid.MustParse(dueTopic) }

// wakeDue goes along with every change that gives a row a time of its own. Those further away than the longest sleep are
// found by looking, which spares everybody the news of the ordinary ones.
func wakeDue(b *pgx.Batch, now, at time.Time) {
	if at.Before(now.Add(LongestSleep)) {
		b.Queue(`SELECT pg_notify('mooring', $1)`, dueTopic)
	}
}

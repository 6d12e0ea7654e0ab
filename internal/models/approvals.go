package models

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// Act is what the staff do to many at once, or what leaves the house: it wants a second one of them.
type Act string

// The acts.
const (
	ActRemind   Act = "remind"   // tell merchants that access ends
	ActWithdraw Act = "withdraw" // end the access of connections
	ActExport   Act = "export"   // take a chain of the history along
	ActReveal   Act = "reveal"   // look at all personal values of a merchant
)

// Acts are all of them.
func Acts() []Act { return []Act{ActRemind, ActWithdraw, ActExport, ActReveal} }

// background says whether the act is carried out by a job. The others are a right that whoever asked has for some hours.
func (a Act) background() bool { return a == ActRemind || a == ActWithdraw }

const (
	// ApprovalLife is how long somebody else can decide.
	ApprovalLife = 24 * time.Hour
	// RightLife is how long what was allowed can be taken or looked at.
	RightLife = 4 * time.Hour
	// ApprovalMost is how many connections one act may concern.
	ApprovalMost = 1000
	// targetsShown is how many of them a page names.
	targetsShown = 10
)

// ApprovalState is where an act stands.
type ApprovalState string

// The states. What has run out is read from the clock.
const (
	ApprovalOpen      ApprovalState = "open"
	ApprovalApproved  ApprovalState = "approved" // being carried out, or a right that lasts
	ApprovalDone      ApprovalState = "done"
	ApprovalDeclined  ApprovalState = "declined"
	ApprovalCancelled ApprovalState = "cancelled" // by whoever had asked
	ApprovalExpired   ApprovalState = "expired"
)

// ActScope is what an act is narrowed to.
type ActScope struct {
	Act      Act
	Tenant   *uuid.UUID // nil: all; of an export, the platform's own chain
	Provider string     // "": all
	Within   int        // days until access ends; 0: whenever
}

// found words which connections the act concerns, in $1 to $4, and the first of them up to $5.
func (a ActScope) found(now time.Time, most int) (sql string, args []any) {
	which := map[Act]string{
		ActRemind: `c.state <> 'disconnected' AND c.ends_at IS NOT NULL AND (c.reminded_at IS NULL OR c.reminded_at <= $4::timestamptz - interval '24 hours')
			ORDER BY c.ends_at, c.id`,
		ActWithdraw: `c.state <> 'disconnected' AND NOT (c.state = 'needs_you' AND c.reason = 'security') ORDER BY c.tenant_id, c.id`,
		ActReveal: `c.erased_at IS NULL AND EXISTS (SELECT FROM snapshots s WHERE s.tenant_id = c.tenant_id AND s.connection_id = c.id)
			ORDER BY c.id`,
		ActExport: `false`, // it concerns no connection
	}[a.Act]
	return `SELECT c.tenant_id, c.id, c.provider, c.account_masked, c.ends_at FROM connections c
		WHERE ($1::text = '' OR c.provider = $1) AND ($2::uuid IS NULL OR c.tenant_id = $2)
		  AND ($3::int = 0 OR c.ends_at > $4::timestamptz - interval '30 days' AND c.ends_at <= $4::timestamptz + make_interval(days => $3::int))
		  AND ` + which + ` LIMIT $5`, []any{a.Provider, a.Tenant, a.Within, now, most}
}

// ActTarget is a connection that an act concerns.
type ActTarget struct {
	Tenant     uuid.UUID
	TenantName string
	Connection uuid.UUID
	Provider   string
	Masked     string
	EndsAt     *time.Time
	Outcome    string // "": not yet; done, skipped or failed
}

// ActReach is what an act would concern now.
type ActReach struct {
	TenantName string // of the scope's tenant
	Number     int    // connections, ApprovalMost at most, or entries of the chain
	More       bool   // there are more than one act may concern
	Targets    []ActTarget
}

// ActReach looks at what an act would concern. NotFound for a tenant that there is not. One round trip.
func (p *PlatformStore) ActReach(ctx context.Context, a ActScope) (r ActReach, err error) {
	defer explain("ActReach", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		if a.Tenant != nil {
			b.Queue(`SELECT name FROM tenants WHERE id = $1`, a.Tenant).QueryRow(func(row pgx.Row) error { return row.Scan(&r.TenantName) })
		}
		if a.Act == ActExport {
			b.Queue(`SELECT `+strings.ReplaceAll(chainLength, "$2", "$1"), a.Tenant).QueryRow(func(row pgx.Row) error { return row.Scan(&r.Number) })
			return
		}
		sql, args := a.found(p.now(), ApprovalMost+1)
		b.Queue(`WITH found AS MATERIALIZED (`+sql+`)
			SELECT f.tenant_id, t.name, f.id, f.provider, f.account_masked, f.ends_at, '', (SELECT count(*) FROM found)
			  FROM found f JOIN tenants t ON t.id = f.tenant_id LIMIT $6`, append(args, targetsShown)...).Query(func(rows pgx.Rows) (err error) {
			r.Targets, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t ActTarget, err error) {
				err = row.Scan(&t.Tenant, &t.TenantName, &t.Connection, &t.Provider, &t.Masked, &t.EndsAt, &t.Outcome, &r.Number)
				return t, err
			})
			return err
		})
	})
	if r.Number > ApprovalMost {
		r.Number, r.More = ApprovalMost, true
	}
	return r, err
}

// chainLength is how many entries the chain of $2 has.
const chainLength = `coalesce((SELECT seq FROM audit_heads WHERE chain = coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')), 0)`

// NewApproval is an act that somebody of the staff asks for, or does alone.
type NewApproval struct {
	ActScope
	Reason string
	Alone  bool // break-glass: at once, and loud
}

// Ask keeps what the actor asks for, with the list of what it concerns. Conflict when there is nothing that it concerns.
func (p *PlatformStore) Ask(ctx context.Context, n NewApproval) (id uuid.UUID, err error) {
	defer explain("Ask", &err)
	id = newID()
	now := p.now()
	state, kind := ApprovalOpen, "approval.asked"
	var alarm, until, due *time.Time
	if n.Alone {
		state, kind, alarm = ApprovalApproved, "approval.alone", &now
		until, due = n.Act.begins(now)
	}
	found, args := n.found(now, ApprovalMost)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH found AS MATERIALIZED (`+found+`),
			     made AS (
			    INSERT INTO approvals (id, act, state, tenant, provider, within_days, reason, asked_by, asked_at, expires_at, alone, alarm_at, until_at, due_at, number)
			    SELECT $6::uuid, $7::text, $8::text, $2::uuid, $1::text, $3::int, $9::text, $10::uuid, $4::timestamptz, $11::timestamptz, $12::boolean,
			           $13::timestamptz, $14::timestamptz, $15::timestamptz,
			           CASE WHEN $7::text = 'export' THEN `+chainLength+` ELSE (SELECT count(*) FROM found) END
			    RETURNING number),
			     listed AS (INSERT INTO approval_targets (approval, tenant, connection) SELECT $6::uuid, tenant_id, id FROM found)
			SELECT insist(least(number, 1)) FROM made`,
			append(args, id, n.Act, state, n.Reason, p.actor.ID, now.Add(ApprovalLife), n.Alone, alarm, until, due)...)
		p.queuePlatformEvent(b, kind, map[string]any{"approval": id, "act": n.Act})
		if n.Alone {
			wakeDue(b, now, now)
		}
	})
	if violates(err, movedOn) {
		return id, errs.New(errs.Conflict, "approval.nothing")
	}
	return id, err
}

// begins says how an act that is allowed now goes on: as a right until then, or by a job that is due.
func (a Act) begins(now time.Time) (until, due *time.Time) {
	if a.background() {
		return nil, &now
	}
	end := now.Add(RightLife)
	return &end, nil
}

// Approval is an act that was asked for, with what became of it.
type Approval struct {
	ID uuid.UUID
	ActScope
	State      ApprovalState
	TenantName string
	Reason     string
	Number     int // how many it concerned when it was asked for
	AskedBy    uuid.UUID
	Asker      string // address, as those that follow
	AskedAt    time.Time
	ExpiresAt  time.Time
	Alone      bool
	Decider    string
	DecidedAt  *time.Time
	Note       string // of whoever decided
	UntilAt    *time.Time
	DoneAt     *time.Time
	Reviewer   string // of what was done alone
	ReviewedAt *time.Time
	ReviewNote string
}

// approvalColumns wants the approvals as a, and the time as $1.
const approvalColumns = `a.id, a.act, a.tenant, a.provider, a.within_days,
	CASE WHEN a.state = 'open' AND a.expires_at <= $1 THEN 'expired' WHEN a.state = 'approved' AND a.until_at <= $1
	     THEN CASE a.act WHEN 'reveal' THEN 'done' ELSE 'expired' END ELSE a.state END,
	coalesce(t.name, ''), a.reason, a.number, a.asked_by, asker.email, a.asked_at, a.expires_at, a.alone, coalesce(decider.email, ''), a.decided_at, a.note,
	a.until_at, a.done_at, coalesce(reviewer.email, ''), a.reviewed_at, a.review_note`

const approvalJoins = ` LEFT JOIN tenants t ON t.id = a.tenant JOIN users asker ON asker.id = a.asked_by
	LEFT JOIN users decider ON decider.id = a.decided_by LEFT JOIN users reviewer ON reviewer.id = a.reviewed_by `

func scanApproval(row pgx.CollectableRow) (a Approval, err error) {
	err = row.Scan(&a.ID, &a.Act, &a.Tenant, &a.Provider, &a.Within, &a.State, &a.TenantName, &a.Reason, &a.Number, &a.AskedBy, &a.Asker,
		&a.AskedAt, &a.ExpiresAt, &a.Alone, &a.Decider, &a.DecidedAt, &a.Note, &a.UntilAt, &a.DoneAt, &a.Reviewer, &a.ReviewedAt, &a.ReviewNote)
	return a, err
}

// ApprovalQuery asks for a page of the acts, newest first.
type ApprovalQuery struct {
	Ended  bool      // those that nothing more is done about; else those that wait for somebody, or go on
	Before uuid.UUID // the last of the page before; uuid.Nil: the first page
	Limit  int
}

// Approvals lists what was asked for.
func (p *PlatformStore) Approvals(ctx context.Context, q ApprovalQuery) (all []Approval, err error) {
	defer explain("Approvals", &err)
	before := q.Before
	if before == uuid.Nil {
		before = uuid.Max
	}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+approvalColumns+` FROM approvals a`+approvalJoins+`
			WHERE a.id < $2 AND $3::boolean <> (a.state = 'open' AND a.expires_at > $1 OR a.state = 'approved' AND (a.until_at IS NULL OR a.until_at > $1)
			      OR a.alone AND a.reviewed_at IS NULL)
			ORDER BY a.id DESC LIMIT $4`, p.now(), before, q.Ended, q.Limit).Query(func(rows pgx.Rows) (err error) {
			all, err = pgx.CollectRows(rows, scanApproval)
			return err
		})
	})
	return all, err
}

// ApprovalFile is one act with what it concerns and what has come of it.
type ApprovalFile struct {
	Approval
	Targets  []ActTarget    // some of them, those that failed first
	Outcomes map[string]int // by outcome; "": not yet
}

// Approval gives one act. One round trip.
func (p *PlatformStore) Approval(ctx context.Context, id uuid.UUID) (f ApprovalFile, err error) {
	defer explain("Approval", &err)
	f.Outcomes = map[string]int{}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+approvalColumns+` FROM approvals a`+approvalJoins+`WHERE a.id = $2`, p.now(), id).Query(func(rows pgx.Rows) (err error) {
			f.Approval, err = pgx.CollectExactlyOneRow(rows, scanApproval)
			return err
		})
		b.Queue(`SELECT x.tenant, t.name, x.connection, c.provider, c.account_masked, c.ends_at, coalesce(x.outcome, '')
			  FROM approval_targets x JOIN tenants t ON t.id = x.tenant JOIN connections c ON c.tenant_id = x.tenant AND c.id = x.connection
			 WHERE x.approval = $1 ORDER BY x.outcome = 'failed' DESC NULLS LAST, c.ends_at, x.connection LIMIT $2`, id, targetsShown).
			Query(func(rows pgx.Rows) (err error) {
				f.Targets, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ActTarget])
				return err
			})
		b.Queue(`SELECT coalesce(outcome, ''), count(*)::int FROM approval_targets WHERE approval = $1 GROUP BY 1`, id).Query(func(rows pgx.Rows) error {
			var word string
			var n int
			_, err := pgx.ForEachRow(rows, []any{&word, &n}, func() error { f.Outcomes[word] = n; return nil })
			return err
		})
	})
	return f, err
}

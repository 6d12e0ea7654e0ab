package models

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// Decision is what a second member of the staff says to an act.
type Decision struct {
	Approval uuid.UUID
	Act      Act // as the decider was shown it: their role allows this one
	Approve  bool
	Askers   []StaffRole // who may ask for it: whoever asked and may no more counts for nobody
	Note     string
}

// Decide approves or declines, all or nothing. Conflict when the act does not wait for a decision any more, and for
// whoever asked for it; what was asked for by somebody who has lost the role since can only be declined.
func (p *PlatformStore) Decide(ctx context.Context, d Decision) (err error) {
	defer explain("Decide", &err)
	now := p.now()
	state, kind := ApprovalDeclined, "approval.declined"
	until, due := d.Act.begins(now)
	if d.Approve {
		state, kind = ApprovalApproved, "approval.approved"
	} else {
		until, due = nil, nil
	}
	return approvalMoved(p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE approvals SET state = $4, decided_by = $5, decided_at = $3, note = $6, until_at = $7, due_at = $8
			WHERE id = $1 AND act = $2 AND state = 'open' AND expires_at > $3 AND asked_by <> $5
			  AND (NOT $9 OR EXISTS (SELECT FROM platform_admins s WHERE s.user_id = asked_by AND s.roles && $10))`,
			d.Approval, d.Act, now, state, p.actor.ID, d.Note, until, due, d.Approve, d.Askers)
		p.queuePlatformEvent(b, kind, map[string]any{"approval": d.Approval, "act": d.Act})
		if due != nil {
			wakeDue(b, now, *due)
		}
	}))
}

// CancelApproval takes back what the actor had asked for. Conflict when it does not wait for a decision any more, or
// somebody else asked for it.
func (p *PlatformStore) CancelApproval(ctx context.Context, id uuid.UUID, act Act) (err error) {
	defer explain("CancelApproval", &err)
	return approvalMoved(p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE approvals SET state = 'cancelled', done_at = $3
			WHERE id = $1 AND act = $2 AND state = 'open' AND expires_at > $3 AND asked_by = $4`, id, act, p.now(), p.actor.ID)
		p.queuePlatformEvent(b, "approval.cancelled", map[string]any{"approval": id, "act": act})
	}))
}

// ReviewAlone notes that the actor has looked at what a colleague did alone; the alarm ends. Conflict when somebody has
// before, and for whoever did it.
func (p *PlatformStore) ReviewAlone(ctx context.Context, id uuid.UUID, note string) (err error) {
	defer explain("ReviewAlone", &err)
	return approvalMoved(p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE approvals SET reviewed_by = $2, reviewed_at = $3, review_note = $4
			WHERE id = $1 AND alone AND reviewed_at IS NULL AND asked_by <> $2`, id, p.actor.ID, p.now(), note)
		b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
			SELECT $1::uuid, $2::uuid, $3::text, jsonb_build_object('approval', id, 'act', act), $4::timestamptz FROM approvals WHERE id = $5`,
			newID(), p.actor.ID, "approval.reviewed", p.now(), id)
	}))
}

// TakeExport uses up the right to take a chain along: whose history leaves the house can read it there. Conflict when the
// actor has no such right, or has used it.
func (p *PlatformStore) TakeExport(ctx context.Context, a Approval) (err error) {
	defer explain("TakeExport", &err)
	return approvalMoved(p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE approvals SET state = 'done', done_at = $2
			WHERE id = $1 AND act = 'export' AND state = 'approved' AND until_at > $2 AND asked_by = $3`, a.ID, p.now(), p.actor.ID)
		p.queuePlatformEvent(b, "approval.done", map[string]any{"approval": a.ID, "act": a.Act, "count": a.Number})
		if a.Tenant != nil {
			b.Queue(`INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
				a.Tenant, newID(), p.actor.Kind, p.actor.ID, "tenant.history_taken", p.now())
		}
	}))
}

// Undertaking is an act to be carried out, with the connections that are left.
type Undertaking struct {
	Act     Act
	AskedBy uuid.UUID
	Left    []Standing
}

// Undertaking gives an act that was approved. NotFound when there is nothing more to be done.
func (p *PlatformStore) Undertaking(ctx context.Context, id uuid.UUID) (u Undertaking, err error) {
	defer explain("Undertaking", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT act, asked_by FROM approvals WHERE id = $1 AND state = 'approved' AND due_at IS NOT NULL`, id).
			QueryRow(func(row pgx.Row) error { return row.Scan(&u.Act, &u.AskedBy) })
		b.Queue(`SELECT x.tenant, x.connection, c.provider FROM approval_targets x JOIN connections c ON c.tenant_id = x.tenant AND c.id = x.connection
			WHERE x.approval = $1 AND x.outcome IS NULL ORDER BY x.tenant, x.connection`, id).Query(func(rows pgx.Rows) (err error) {
			u.Left, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Standing])
			return err
		})
	})
	return u, err
}

// NoteTarget keeps what came of one connection. What is noted already stays.
func (p *PlatformStore) NoteTarget(ctx context.Context, approval, connection uuid.UUID, outcome string) (err error) {
	defer explain("NoteTarget", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`UPDATE approval_targets SET outcome = $3, done_at = $4 WHERE approval = $1 AND connection = $2 AND outcome IS NULL`,
			approval, connection, outcome, p.now())
	})
}

// FinishApproval ends an act whose connections have all been seen to. Conflict when it has ended before, or some are left.
func (p *PlatformStore) FinishApproval(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("FinishApproval", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE approvals SET state = 'done', done_at = $2, due_at = NULL WHERE id = $1 AND state = 'approved'
			AND NOT EXISTS (SELECT FROM approval_targets x WHERE x.approval = $1 AND x.outcome IS NULL)`, id, p.now())
		b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
			SELECT $1::uuid, NULL::uuid, $2::text, jsonb_build_object('approval', id, 'act', act, 'count',
			       (SELECT count(*) FROM approval_targets x WHERE x.approval = a.id AND x.outcome = 'done')), $3::timestamptz FROM approvals a WHERE id = $4`,
			newID(), "approval.done", p.now(), id)
	})
}

// approvalMoved says in plain words that an act was not where the actor thought.
func approvalMoved(err error) error {
	if violates(err, movedOn) {
		return errs.New(errs.Conflict, "approval.moved_on")
	}
	return err
}

// TellRevealed writes into a tenant's history which personal values one of the staff is about to see, all or nothing.
func (p *PlatformStore) TellRevealed(ctx context.Context, tenant uuid.UUID, events []NewEvent) (err error) {
	defer explain("TellRevealed", &err)
	t := p.within(tenant)
	return t.batch(ctx, func(b *pgx.Batch) {
		for _, e := range events {
			t.queueEvent(b, e)
		}
	})
}

package models

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ReviewState is where the staff's review of a tenant stands. The legal steps are the rows of review_edges.
type ReviewState string

// The states of a review.
const (
	ReviewLinked    ReviewState = "linked"     // the first account is connected; nobody has begun
	ReviewOpen      ReviewState = "in_review"  // somebody of the staff is at it
	ReviewNeedsMore ReviewState = "needs_more" // the merchant was asked for more
	ReviewApproved  ReviewState = "approved"
	ReviewRejected  ReviewState = "rejected"
)

// ReviewAct is a step that the staff take.
type ReviewAct string

// The acts of the staff.
const (
	ReviewStart   ReviewAct = "start"
	ReviewApprove ReviewAct = "approve"
	ReviewMore    ReviewAct = "more"
	ReviewReject  ReviewAct = "reject"
	ReviewReopen  ReviewAct = "reopen"
)

// event is the kind of the event that tells of an act.
func (a ReviewAct) event() string {
	return map[ReviewAct]string{
		ReviewStart: "review.started", ReviewApprove: "review.approved", ReviewMore: "review.more",
		ReviewReject: "review.rejected", ReviewReopen: "review.reopened",
	}[a]
}

// Known says whether there is such an act.
func (a ReviewAct) Known() bool { return a.event() != "" }

// ItemKind is what a merchant can be asked to do: what the product can do.
type ItemKind string

// The kinds of items.
const (
	ItemConnect   ItemKind = "connect"   // an account at a provider
	ItemReconnect ItemKind = "reconnect" // a connection whose access must be renewed
	ItemRefresh   ItemKind = "refresh"   // a connection whose data must be fetched
)

// ReviewItem is one thing that a merchant is asked to do.
type ReviewItem struct {
	ID         uuid.UUID
	Kind       ItemKind
	Provider   string
	Connection *uuid.UUID // nil: an account to connect
	Account    string     // of the connection, masked
	DoneAt     *time.Time
}

// Review is where the review of a tenant stands, as the merchant may know it. The zero Review: nothing is connected yet.
type Review struct {
	State    ReviewState
	Since    time.Time
	LinkedAt time.Time
	Version  int64
	Reason   string // code; the pages have a sentence for each
	Message  string // what the staff wrote besides
	Deadline *time.Time
	Items    []ReviewItem
}

// Begun says whether there is a review at all.
func (r Review) Begun() bool { return r.State != "" }

// queueReview reads where a tenant's review stands, with what is asked.
func queueReview(b *pgx.Batch, into *Review, tenant uuid.UUID) {
	b.Queue(`SELECT state, since, linked_at, version, reason, message, deadline FROM reviews WHERE tenant_id = $1`, tenant).
		QueryRow(func(row pgx.Row) error {
			return ignoreNoRows(row.Scan(&into.State, &into.Since, &into.LinkedAt, &into.Version, &into.Reason, &into.Message, &into.Deadline))
		})
	b.Queue(`SELECT i.id, i.kind, i.provider, i.connection_id, coalesce(c.account_masked, ''), i.done_at FROM review_items i
		LEFT JOIN connections c ON c.tenant_id = i.tenant_id AND c.id = i.connection_id
		WHERE i.tenant_id = $1 ORDER BY i.id`, tenant).Query(func(rows pgx.Rows) (err error) {
		into.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ReviewItem])
		return err
	})
}

// queueDeed tells the review of a deed of the merchant's: deed is connected or fetched.
func (t *TenantStore) queueDeed(b *pgx.Batch, deed string, connection uuid.UUID) {
	b.Queue(`SELECT review_progress($1, $2, $3, $4, $5, $6)`, deed, connection, newID(), t.actor.Kind, orNull(t.actor.ID), t.now())
}

// Resubmit gives the review back to the staff. Conflict when nothing is asked of the merchant.
func (t *TenantStore) Resubmit(ctx context.Context) (err error) {
	defer explain("Resubmit", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT insist(CASE WHEN resubmit_review($1, $2, $3, $4) THEN 1 ELSE 0 END)`,
			newID(), t.actor.Kind, orNull(t.actor.ID), t.now())
	})
}

// ReviewStep is one step of the staff's.
type ReviewStep struct {
	Tenant   uuid.UUID
	Act      ReviewAct
	Version  int64  // of the review that its maker saw
	Reason   string // code
	Message  string
	Deadline *time.Time
	Items    []ReviewItem // of ReviewMore
}

// MoveReview takes a step, all or nothing. Conflict when the step is not legal from where the review is by now, when
// somebody took another one meanwhile, and for a tenant that the actor belongs to.
func (p *PlatformStore) MoveReview(ctx context.Context, s ReviewStep) (err error) {
	defer explain("MoveReview", &err)
	event, kind := newID(), s.Act.event()
	detail, err := s.detail()
	if err != nil {
		return err
	}
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `
			UPDATE reviews r SET state = e.to_state, since = $4, version = r.version + 1, reason = $5, message = $6, deadline = $7,
			       assignee = coalesce(r.assignee, $8)
			  FROM review_edges e
			 WHERE r.tenant_id = $1 AND r.version = $3 AND e.act = $2 AND e.actor_kind = 'staff' AND e.from_state = r.state
			   AND NOT EXISTS (SELECT FROM memberships m WHERE m.tenant_id = r.tenant_id AND m.user_id = $8)`,
			s.Tenant, s.Act, s.Version, p.now(), s.Reason, s.Message, s.Deadline, p.actor.ID)
		b.Queue(`DELETE FROM review_items WHERE tenant_id = $1`, s.Tenant)
		for _, item := range s.Items {
			b.Queue(`INSERT INTO review_items (tenant_id, id, kind, provider, connection_id) VALUES ($1, $2, $3, $4, $5)`,
				s.Tenant, newID(), item.Kind, item.Provider, item.Connection)
		}
		b.Queue(`INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.Tenant, event, p.actor.Kind, p.actor.ID, kind, detail, p.now())
		if slices.Contains(p.app.telling.Kinds, kind) { // the staff's role may put in no job but through its own door
			b.Queue(`SELECT tell_of($1, $2)`, s.Tenant, event)
		}
	})
}

// detail is what the step's event tells: who is told of it must learn from there what to do, since the items change.
func (s ReviewStep) detail() ([]byte, error) {
	items := make([]map[string]string, 0, len(s.Items))
	for _, item := range s.Items {
		told := map[string]string{"kind": string(item.Kind), "provider": item.Provider, "account": item.Account}
		if item.Connection != nil {
			told["connection"] = item.Connection.String()
		}
		items = append(items, told)
	}
	detail := map[string]any{"code": s.Reason, "until": stampOrNone(s.Deadline)}
	if len(items) > 0 {
		detail["items"] = items
	}
	return json.Marshal(detail)
}

func stampOrNone(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// Colleague is a member of the staff.
type Colleague struct {
	ID    uuid.UUID
	Email string
}

// ReviewNote is what one of the staff wrote about a tenant.
type ReviewNote struct {
	ID        uuid.UUID
	Author    string // address; "" if the person is gone
	Note      string
	CreatedAt time.Time
}

// ReviewFile is a tenant's review as the staff see it.
type ReviewFile struct {
	Review
	Assignee  *uuid.UUID
	Acts      []ReviewAct // what is legal now
	Notes     []ReviewNote
	Staff     []Colleague
	Languages []string // that the merchant's owners have chosen; empty strings follow the browser
}

// queueReviewFile reads all that the staff know of a tenant's review.
func queueReviewFile(b *pgx.Batch, into *ReviewFile, tenant uuid.UUID) {
	queueReview(b, &into.Review, tenant)
	b.Queue(`SELECT assignee FROM reviews WHERE tenant_id = $1`, tenant).QueryRow(func(row pgx.Row) error {
		return ignoreNoRows(row.Scan(&into.Assignee))
	})
	b.Queue(`SELECT e.act FROM reviews r JOIN review_edges e ON e.from_state = r.state AND e.actor_kind = 'staff' WHERE r.tenant_id = $1
		ORDER BY array_position(ARRAY['start', 'approve', 'more', 'reject', 'reopen'], e.act)`, tenant).Query(func(rows pgx.Rows) (err error) {
		into.Acts, err = pgx.CollectRows(rows, pgx.RowTo[ReviewAct])
		return err
	})
	b.Queue(`SELECT n.id, coalesce(u.email, ''), n.note, n.created_at FROM review_notes n LEFT JOIN users u ON u.id = n.author
		WHERE n.tenant_id = $1 ORDER BY n.id DESC LIMIT 50`, tenant).Query(func(rows pgx.Rows) (err error) {
		into.Notes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ReviewNote])
		return err
	})
	queueStaff(b, &into.Staff)
	b.Queue(`SELECT DISTINCT u.language FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = $1 AND m.role = 'owner'
		ORDER BY 1`, tenant).Query(func(rows pgx.Rows) (err error) {
		into.Languages, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
}

func queueStaff(b *pgx.Batch, into *[]Colleague) {
	b.Queue(`SELECT u.id, u.email FROM platform_admins a JOIN users u ON u.id = a.user_id ORDER BY u.email LIMIT 200`).
		Query(func(rows pgx.Rows) (err error) {
			*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Colleague])
			return err
		})
}

// AssignReview gives a review to one of the staff, or to nobody (nil).
func (p *PlatformStore) AssignReview(ctx context.Context, tenant uuid.UUID, to *uuid.UUID) (err error) {
	defer explain("AssignReview", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE reviews SET assignee = $2 WHERE tenant_id = $1`, tenant, to)
		p.queueOwnEvent(b, "review.assigned", tenant)
	})
	if violates(err, movedOn) || violates(err, foreignKeyViolation) {
		return NotFound()
	}
	return err
}

// AddReviewNote keeps a note of the staff's about a tenant.
func (p *PlatformStore) AddReviewNote(ctx context.Context, tenant uuid.UUID, note string) (err error) {
	defer explain("AddReviewNote", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO review_notes (tenant_id, id, author, note, created_at) VALUES ($1, $2, $3, $4, $5)`,
			tenant, newID(), p.actor.ID, note, p.now())
		p.queueOwnEvent(b, "review.noted", tenant)
	})
	if violates(err, foreignKeyViolation) {
		return NotFound()
	}
	return err
}

// queueOwnEvent records what is the platform's own affair and none of the merchant's.
func (p *PlatformStore) queueOwnEvent(b *pgx.Batch, kind string, tenant uuid.UUID) {
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at) VALUES ($1, $2, $3, jsonb_build_object('tenant', $4::text), $5)`,
		newID(), p.actor.ID, kind, tenant.String(), p.now())
}

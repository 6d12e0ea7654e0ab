package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// View is what a member of the staff looks at through a viewer's eyes; its zero: nothing.
type View struct {
	Tenant uuid.UUID
	Name   string
	Until  time.Time
}

// Open says whether anything is viewed.
func (v View) Open() bool { return v.Tenant != uuid.Nil }

// viewLife is how long a view lasts, whatever happens in it.
const viewLife = 15 * time.Minute

// NewView is a member of the staff about to look at a tenant's pages.
type NewView struct {
	Session      uuid.UUID
	TokenHash    []byte // of the session's new token
	Tenant       uuid.UUID
	Email        string // of whoever looks, for the tenant to know
	Reason, Note string
}

// BeginView opens a tenant's pages to the actor, in one of their sessions, and tells the tenant of it: who, why and until when. The view that
// the session had ends. Conflict if the actor may not: they belong to a tenant, have not the role, or the tenant is closed.
func (p *PlatformStore) BeginView(ctx context.Context, v NewView) (err error) {
	defer explain("BeginView", &err)
	err = p.app.batch(ctx, scope{tenant: v.Tenant, person: p.actor.ID}, func(b *pgx.Batch) {
		b.Queue(`
			WITH begun AS (SELECT begin_view($1, $2, $3, $4) AS until)
			INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, detail, created_at)
			SELECT $2, event_id(), $5, $6, $7,
			       jsonb_build_object('by', $8::text, 'reason', $9::text, 'note', $10::text,
			           'until', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')), now()
			  FROM begun`,
			v.Session, v.Tenant, viewLife, v.TokenHash, p.actor.Kind, p.actor.ID, "tenant.view_begun", v.Email, v.Reason, v.Note)
	})
	if violates(err, movedOn) {
		return errs.Wrap(errs.Conflict, "viewas.may_not", err)
	}
	return err
}

// EndView closes what one of the actor's sessions looks at. None is fine.
func (p *PlatformStore) EndView(ctx context.Context, session uuid.UUID) (err error) {
	defer explain("EndView", &err)
	return p.app.batch(ctx, scope{person: p.actor.ID}, func(b *pgx.Batch) {
		b.Queue(`UPDATE sessions SET viewing = NULL WHERE id = $1 AND viewing IS NOT NULL`, session)
	})
}

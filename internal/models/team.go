package models

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// TeamMember is a person in a tenant's team.
type TeamMember struct {
	ID       uuid.UUID
	Email    string
	Role     Role
	JoinedAt time.Time
	SeenAt   *time.Time // nil: not since presence is kept
}

const memberColumns = `m.user_id, c.email, m.role, m.created_at, m.seen_at`

// Team gives the tenant's members, the longest first, and its invitations, the newest first.
func (t *TenantStore) Team(ctx context.Context) (members []TeamMember, invitations []Invitation, err error) {
	defer explain("Team", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+memberColumns+` FROM memberships m JOIN colleagues() c ON c.user_id = m.user_id
			WHERE m.tenant_id = $1 ORDER BY m.created_at, m.user_id`, t.tenant).Query(func(rows pgx.Rows) (err error) {
			members, err = pgx.CollectRows(rows, pgx.RowToStructByPos[TeamMember])
			return err
		})
		t.queueInvitations(b, "", &invitations)
	})
	return members, invitations, err
}

// ChangeRole gives a colleague another role, from their next request on. What they have invited to as an owner ends with
// that. NotFound if there is no such colleague or the actor is no owner (any more); Conflict if no owner would be left.
func (t *TenantStore) ChangeRole(ctx context.Context, id uuid.UUID, role Role) (err error) {
	defer explain("ChangeRole", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		m, err := t.colleague(ctx, tx, id)
		if err != nil || m.Role == role {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			queueOne(b, `UPDATE memberships SET role = $3 WHERE tenant_id = $1 AND user_id = $2`, t.tenant, id, role)
			if role != Owner {
				t.queueRevokeOf(b, id)
			}
			t.queueEvent(b, NewEvent{Kind: "team.role_changed", Detail: map[string]any{
				"who": maskAddress(m.Email), "before": string(m.Role), "role": string(role)}})
		})
	})
}

// RemoveMember ends a colleague's membership, and with it their sessions and attempts in this tenant and what they have
// invited to. NotFound if there is no such colleague or the actor is no owner (any more); Conflict if no owner would be left.
func (t *TenantStore) RemoveMember(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("RemoveMember", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		m, err := t.colleague(ctx, tx, id)
		if err != nil {
			return err
		}
		return t.part(ctx, tx, id, NewEvent{Kind: "team.removed", Detail: map[string]any{"who": maskAddress(m.Email)}})
	})
}

// Leave ends the actor's own membership. Conflict if no owner would be left.
func (t *TenantStore) Leave(ctx context.Context) (err error) {
	defer explain("Leave", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		var email string
		if err := tx.pgx.QueryRow(ctx, `SELECT email FROM colleagues() WHERE user_id = $1`, t.actor.ID).Scan(&email); err != nil {
			return err
		}
		return t.part(ctx, tx, t.actor.ID, NewEvent{Kind: "team.left", Detail: map[string]any{"who": maskAddress(email)}})
	})
}

func (t *TenantStore) part(ctx context.Context, tx *Tx, id uuid.UUID, e NewEvent) error {
	return tx.batch(ctx, func(b *pgx.Batch) {
		queueOne(b, `DELETE FROM memberships WHERE tenant_id = $1 AND user_id = $2`, t.tenant, id)
		t.queueRevokeOf(b, id)
		t.queueEvent(b, e)
	})
}

// colleague finds and locks whom the actor may change: anybody but themselves, if they are an owner at this moment.
func (t *TenantStore) colleague(ctx context.Context, tx *Tx, id uuid.UUID) (m TeamMember, err error) {
	rows, err := tx.pgx.Query(ctx, `SELECT `+memberColumns+` FROM memberships m JOIN colleagues() c ON c.user_id = m.user_id
		WHERE m.tenant_id = $1 AND m.user_id = $2 AND m.user_id <> $3
		  AND EXISTS (SELECT FROM memberships o WHERE o.tenant_id = $1 AND o.user_id = $3 AND o.role = 'owner')
		FOR UPDATE OF m`, t.tenant, id, t.actor.ID)
	if err != nil {
		return m, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[TeamMember])
}

// queueRevokeOf ends what a person has invited to and nobody has accepted yet.
func (t *TenantStore) queueRevokeOf(b *pgx.Batch, person uuid.UUID) {
	b.Queue(`UPDATE invitations SET revoked_at = now()
		WHERE tenant_id = $1 AND invited_by = $2 AND accepted_at IS NULL AND revoked_at IS NULL`, t.tenant, person)
}

// rolesOf gives the actor's role as it is now, and that of whoever has an address, "" if they are no member.
func (t *TenantStore) rolesOf(ctx context.Context, tx *Tx, email string) (actor, other Role, err error) {
	err = tx.pgx.QueryRow(ctx, `
		SELECT coalesce((SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2), ''),
		       coalesce((SELECT m.role FROM colleagues() c JOIN memberships m ON m.user_id = c.user_id AND m.tenant_id = $1 WHERE c.email = $3), '')`,
		t.tenant, t.actor.ID, email).Scan(&actor, &other)
	if err == nil && actor == "" {
		return actor, other, errs.New(errs.Forbidden, "team.owners_only")
	}
	return actor, other, err
}

// maskAddress is an address as the history keeps it: colleagues recognise it, and nobody can write to it.
func maskAddress(email string) string {
	local, domain, _ := strings.Cut(email, "@")
	_, first := utf8.DecodeRuneInString(local)
	return local[:first] + "•••@" + domain
}

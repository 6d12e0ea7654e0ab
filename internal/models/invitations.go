package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// InvitationState is how an invitation stands.
type InvitationState string

// The states. A step is opened when its addressee has accepted it, and done when they have connected.
const (
	InvitationSent     InvitationState = "sent"
	InvitationAccepted InvitationState = "accepted"
	InvitationOpened   InvitationState = "opened"
	InvitationDone     InvitationState = "done"
	InvitationExpired  InvitationState = "expired"
	InvitationRevoked  InvitationState = "revoked"
)

const invitationState = `CASE WHEN i.revoked_at IS NOT NULL OR is_closed(i.tenant_id) THEN 'revoked' WHEN i.done_at IS NOT NULL THEN 'done'
	WHEN i.accepted_at IS NOT NULL AND i.provider <> '' THEN 'opened' WHEN i.accepted_at IS NOT NULL THEN 'accepted'
	WHEN i.expires_at <= now() THEN 'expired' ELSE 'sent' END`

// Invitation asks somebody to join a tenant, or to do one step in it.
type Invitation struct {
	ID        uuid.UUID
	Email     string // canonical; only its person can accept
	Role      Role
	Provider  string // the step; "" for a plain invitation
	Language  string
	State     InvitationState
	InvitedBy uuid.UUID
	Inviter   string // their address; "" if they are gone
	CreatedAt time.Time
	ExpiresAt time.Time
	AskedAt   *time.Time // when the addressee asked for a new link
}

const invitationColumns = `i.id, i.email, i.role, i.provider, i.language, ` + invitationState + `, i.invited_by,
	coalesce((SELECT c.email FROM colleagues() c WHERE c.user_id = i.invited_by), ''), i.created_at, i.expires_at, i.asked_at`

// invitationsShown is how many invitations a list has at most.
const invitationsShown = 100

func (t *TenantStore) queueInvitations(b *pgx.Batch, provider string, into *[]Invitation) {
	b.Queue(`SELECT `+invitationColumns+` FROM invitations i WHERE i.tenant_id = $1 AND ($2 = '' OR i.provider = $2)
		ORDER BY i.id DESC LIMIT $3`, t.tenant, provider, invitationsShown).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Invitation])
		return err
	})
}

// Steps gives what colleagues were asked to connect at a provider, the newest first.
func (t *TenantStore) Steps(ctx context.Context, provider string) (steps []Invitation, err error) {
	defer explain("Steps", &err)
	err = t.batch(ctx, func(b *pgx.Batch) { t.queueInvitations(b, provider, &steps) })
	return steps, err
}

// Invitation gives one invitation.
func (t *TenantStore) Invitation(ctx context.Context, id uuid.UUID) (i Invitation, err error) {
	defer explain("Invitation", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+invitationColumns+` FROM invitations i WHERE i.tenant_id = $1 AND i.id = $2`, t.tenant, id).
			Query(func(rows pgx.Rows) (err error) {
				i, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Invitation])
				return err
			})
	})
	return i, err
}

// NewInvitation is an invitation about to be sent.
type NewInvitation struct {
	Email    string // canonical
	Role     Role
	Provider string
	Language string
	Life     time.Duration
}

// linkAfter is how long a link outlives its invitation: whoever comes late can ask for another one.
const linkAfter = 30 * 24 * time.Hour

// Issue is the link that an invitation gets.
type Issue struct {
	LinkID    uuid.UUID
	TokenHash []byte             // nil: minted when the mail is sent
	Then      func(tx *Tx) error // puts the mail on its way
}

// Invite stores an invitation with a fresh link, in place of an open one for the same address and step. Who may ask whom is
// decided here, with the roles as they are at this moment: owners invite anybody, operators ask members for a step.
func (t *TenantStore) Invite(ctx context.Context, n NewInvitation, issue Issue) (err error) {
	defer explain("Invite", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		actor, other, err := t.rolesOf(ctx, tx, n.Email)
		if err == nil {
			err = mayInvite(n, actor, other)
		}
		if err != nil {
			return err
		}
		var id uuid.UUID
		err = tx.pgx.QueryRow(ctx, `
			INSERT INTO invitations (tenant_id, id, email, role, provider, joins, language, invited_by, life, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now(), now() + $9::interval)
			ON CONFLICT (tenant_id, email, provider) WHERE accepted_at IS NULL AND revoked_at IS NULL
			DO UPDATE SET role = excluded.role, joins = excluded.joins, language = excluded.language, invited_by = excluded.invited_by,
			   life = excluded.life, created_at = excluded.created_at, expires_at = excluded.expires_at, asked_at = NULL
			RETURNING id`, t.tenant, newID(), n.Email, n.Role, n.Provider, other == "", n.Language, t.actor.ID, n.Life).Scan(&id)
		if err != nil {
			return err
		}
		kind := "team.invited"
		if n.Provider != "" {
			kind = "team.step_sent"
		}
		return t.issue(ctx, tx, id, n.Email, n.Language, issue, n.event(kind))
	})
}

func (n NewInvitation) event(kind string) NewEvent {
	return NewEvent{Kind: kind, Detail: map[string]any{"who": maskAddress(n.Email), "role": string(n.Role), "provider": n.Provider}}
}

func mayInvite(n NewInvitation, actor, other Role) error {
	switch {
	case n.Provider == "" && actor != Owner:
		return errs.New(errs.Forbidden, "team.owners_only")
	case n.Provider == "" && other != "":
		return errs.New(errs.Conflict, "team.already_member").On("email")
	case !actor.MayOperate():
		return errs.New(errs.Forbidden, "error.viewers_look")
	case n.Provider != "" && other == "" && actor != Owner:
		return errs.New(errs.Invalid, "team.step_owners_only").On("email")
	case n.Provider != "" && other == Viewer:
		return errs.New(errs.Invalid, "team.step_viewer").On("email")
	}
	return nil
}

// issue gives an invitation a new link; the ones before are dead at once.
func (t *TenantStore) issue(ctx context.Context, tx *Tx, id uuid.UUID, email, language string, issue Issue, e NewEvent) error {
	err := tx.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM one_time_links WHERE invited_to = $1 AND invitation_id = $2`, t.tenant, id)
		b.Queue(`
			INSERT INTO one_time_links (id, purpose, email, language, invited_to, invitation_id, token_hash, created_at, expires_at)
			SELECT $3, 'invitation', $4, $5, $1, $2, $6, now(), expires_at + $7::interval FROM invitations WHERE tenant_id = $1 AND id = $2`,
			t.tenant, id, issue.LinkID, email, language, issue.TokenHash, linkAfter)
		t.queueEvent(b, e)
	})
	if err != nil || issue.Then == nil {
		return err
	}
	return issue.Then(tx)
}

// invitationMine is the condition of an invitation that the actor ($3) may send again or revoke: owners any, others their own.
const invitationMine = ` AND accepted_at IS NULL AND revoked_at IS NULL AND (invited_by = $3 OR EXISTS (
	SELECT FROM memberships m WHERE m.tenant_id = $1 AND m.user_id = $3 AND m.role = 'owner'))`

// SendInvitationAgain gives an invitation that nobody has accepted a new link and its whole life. NotFound if there is none
// that the actor may send.
func (t *TenantStore) SendInvitationAgain(ctx context.Context, id uuid.UUID, issue Issue) (err error) {
	defer explain("SendInvitationAgain", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		var n NewInvitation
		err := tx.pgx.QueryRow(ctx, `UPDATE invitations SET expires_at = now() + life, asked_at = NULL, invited_by = $3
			WHERE tenant_id = $1 AND id = $2`+invitationMine+` RETURNING email, role, provider, language`, t.tenant, id, t.actor.ID).
			Scan(&n.Email, &n.Role, &n.Provider, &n.Language)
		if err != nil {
			return err
		}
		return t.issue(ctx, tx, id, n.Email, n.Language, issue, n.event("team.invitation_renewed"))
	})
}

// RevokeInvitation ends an invitation that nobody has accepted; its link is dead at once. NotFound if there is none that the
// actor may end.
func (t *TenantStore) RevokeInvitation(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("RevokeInvitation", &err)
	return t.inTx(ctx, func(tx *Tx) error {
		var n NewInvitation
		err := tx.pgx.QueryRow(ctx, `UPDATE invitations SET revoked_at = now() WHERE tenant_id = $1 AND id = $2`+invitationMine+`
			RETURNING email, role, provider`, t.tenant, id, t.actor.ID).Scan(&n.Email, &n.Role, &n.Provider)
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) { t.queueEvent(b, n.event("team.invitation_revoked")) })
	})
}

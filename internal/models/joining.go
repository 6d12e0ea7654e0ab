package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// OpenInvitation is an invitation as whoever holds its link sees it.
type OpenInvitation struct {
	Invitation
	TenantID   uuid.UUID
	TenantName string
	Life       time.Duration
	Known      bool // the address has an account
	AcceptedBy *uuid.UUID
}

// OpenInvitation finds the invitation of a link, in whatever state, in one round trip: the link opens the batch's implicit
// transaction for its tenant. NotFound if the link is dead.
func (s *Store) OpenInvitation(ctx context.Context, tokenHash []byte) (o OpenInvitation, err error) {
	defer explain("OpenInvitation", &err)
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('app.tenant_id', coalesce((SELECT invited_to::text FROM one_time_links
		WHERE token_hash = $1 AND purpose = 'invitation' AND expires_at > now()), ''), true)`, tokenHash)
	b.Queue(`SELECT `+invitationColumns+`, t.id, t.name, i.life, person_by_email(i.email) IS NOT NULL, i.accepted_by
		  FROM one_time_links l
		  JOIN invitations i ON i.tenant_id = l.invited_to AND i.id = l.invitation_id
		  JOIN tenants t ON t.id = i.tenant_id
		 WHERE l.token_hash = $1`, tokenHash).QueryRow(o.scan)
	err = s.app.pool.SendBatch(ctx, b).Close()
	return o, err
}

// InvitationOfLink finds the invitation that a mail is about. NotFound if it can no longer be accepted.
func (s *Store) InvitationOfLink(ctx context.Context, l Link) (o OpenInvitation, err error) {
	defer explain("InvitationOfLink", &err)
	if l.InvitedTo == nil {
		return o, NotFound()
	}
	err = s.app.batch(ctx, scope{tenant: *l.InvitedTo}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+invitationColumns+`, t.id, t.name, i.life, person_by_email(i.email) IS NOT NULL, i.accepted_by
			  FROM invitations i JOIN tenants t ON t.id = i.tenant_id
			 WHERE i.tenant_id = $1 AND i.id = $2 AND `+invitationState+` = 'sent'`, l.InvitedTo, l.Invitation).
			QueryRow(o.scan)
	})
	return o, err
}

func (o *OpenInvitation) scan(row pgx.Row) error {
	return row.Scan(&o.ID, &o.Email, &o.Role, &o.Provider, &o.Language, &o.State, &o.InvitedBy, &o.Inviter, &o.CreatedAt, &o.ExpiresAt,
		&o.AskedAt, &o.TenantID, &o.TenantName, &o.Life, &o.Known, &o.AcceptedBy)
}

// Acceptance is a person's yes to an invitation.
type Acceptance struct {
	TokenHash []byte // of the link
	Person    uuid.UUID
	Session   uuid.UUID // goes to the tenant, under NewToken
	NewToken  []byte
}

// AcceptInvitation uses an invitation for a person who has an account: it makes them a member and takes their session to
// the tenant, or does nothing. NotFound if the invitation is dead or not theirs.
func (s *Store) AcceptInvitation(ctx context.Context, a Acceptance) (provider string, err error) {
	defer explain("AcceptInvitation", &err)
	err = s.app.inTx(ctx, scope{person: a.Person}, func(tx *Tx) error {
		tenant, id, err := tx.enter(ctx, a.TokenHash, a.Person)
		if err != nil {
			return err
		}
		if provider, err = s.join(ctx, tx, tenant, id, a.Person); err != nil {
			return err
		}
		return tx.moveSession(ctx, a.Session, tenant, a.NewToken)
	})
	return provider, err
}

// NewColleague is somebody who accepts an invitation and has no account yet.
type NewColleague struct {
	TokenHash    []byte // of the link
	UserID       uuid.UUID
	PasswordHash string
	Language     string
}

// JoinAsNew uses an invitation for an address without an account: it makes the account and the membership, or nothing.
// NotFound if the invitation is dead, Conflict if the address has got an account meanwhile.
func (s *Store) JoinAsNew(ctx context.Context, n NewColleague) (provider string, err error) {
	defer explain("JoinAsNew", &err)
	err = s.app.inTx(ctx, scope{person: n.UserID}, func(tx *Tx) error {
		tenant, id, err := tx.enter(ctx, n.TokenHash, n.UserID)
		if err != nil {
			return err
		}
		now := s.now()
		done, err := tx.pgx.Exec(ctx, `
			INSERT INTO users (id, kind, email, password_hash, language, created_at, password_changed_at)
			SELECT $3, 'merchant', email, $4, $5, $6, $6 FROM invitations i
			 WHERE tenant_id = $1 AND id = $2 AND joins AND `+invitationState+` = 'sent' FOR UPDATE`,
			tenant, id, n.UserID, n.PasswordHash, n.Language, now)
		if err != nil {
			return err
		}
		if done.RowsAffected() != 1 {
			return NotFound()
		}
		provider, err = s.join(ctx, tx, tenant, id, n.UserID)
		return err
	})
	return provider, err
}

// enter opens the transaction for the tenant of a link, beside its person.
func (t *Tx) enter(ctx context.Context, tokenHash []byte, person uuid.UUID) (tenant, id uuid.UUID, err error) {
	err = t.pgx.QueryRow(ctx, `SELECT invited_to, invitation_id FROM one_time_links
		WHERE token_hash = $1 AND purpose = 'invitation' AND expires_at > now()`, tokenHash).Scan(&tenant, &id)
	if err != nil {
		return tenant, id, err
	}
	return tenant, id, t.become(ctx, scope{tenant: tenant, person: person})
}

// join accepts for the person whose address the invitation bears, exactly once: of parallel tries one finds the row open.
func (s *Store) join(ctx context.Context, tx *Tx, tenant, id, person uuid.UUID) (provider string, err error) {
	var email string
	var role Role
	var joins bool
	err = tx.pgx.QueryRow(ctx, `
		UPDATE invitations i SET accepted_at = now(), accepted_by = u.id
		  FROM users u
		 WHERE i.tenant_id = $1 AND i.id = $2 AND u.id = $3 AND u.kind = 'merchant' AND u.email = i.email AND `+invitationState+` = 'sent'
		RETURNING i.email, i.role, i.provider, i.joins`, tenant, id, person).Scan(&email, &role, &provider, &joins)
	if err != nil {
		return "", err
	}
	joined, err := tx.pgx.Exec(ctx, `INSERT INTO memberships (tenant_id, user_id, role, created_at)
		SELECT $1, $2, $3, $4 WHERE $5 ON CONFLICT DO NOTHING`, tenant, person, role, s.now(), joins)
	if err != nil {
		return "", err
	}
	st := s.ForTenant(tenant, Actor{Kind: Person, ID: person})
	detail := map[string]any{"who": maskAddress(email), "role": string(role), "provider": provider}
	return provider, tx.batch(ctx, func(b *pgx.Batch) {
		if joined.RowsAffected() == 1 {
			st.queueEvent(b, NewEvent{Kind: "team.joined", Detail: detail})
		}
		if provider != "" {
			st.queueEvent(b, NewEvent{Kind: "team.step_opened", Detail: detail})
		}
	})
}

// askAgainAfter is how long an addressee waits before asking once more.
const askAgainAfter = time.Hour

// AskForLink tells the tenant that the addressee of an expired link would like a new one. NotFound if the link is dead for
// another reason, Conflict if it was told a moment ago.
func (s *Store) AskForLink(ctx context.Context, tokenHash []byte) (err error) {
	defer explain("AskForLink", &err)
	return s.app.inTx(ctx, scope{}, func(tx *Tx) error {
		tenant, id, err := tx.enter(ctx, tokenHash, uuid.Nil)
		if err != nil {
			return err
		}
		var email, provider string
		var sender uuid.UUID
		var told bool
		err = tx.pgx.QueryRow(ctx, `SELECT email, provider, invited_by, coalesce(asked_at > now() - $3::interval, false) FROM invitations i
			WHERE tenant_id = $1 AND id = $2 AND `+invitationState+` = 'expired' FOR UPDATE`, tenant, id, askAgainAfter).Scan(&email, &provider, &sender, &told)
		if err != nil {
			return err
		}
		if told {
			return errs.New(errs.Conflict, "team.asked_already")
		}
		st := s.ForTenant(tenant, Actor{Kind: System})
		return tx.batch(ctx, func(b *pgx.Batch) {
			queueOne(b, `UPDATE invitations SET asked_at = now() WHERE tenant_id = $1 AND id = $2`, tenant, id)
			st.queueEvent(b, NewEvent{Kind: "team.link_asked", Detail: map[string]any{
				"who": maskAddress(email), "provider": provider, "sender": sender.String(),
			}})
		})
	})
}

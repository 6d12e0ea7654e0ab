package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// LinkPurpose is what a mailed link is for.
type LinkPurpose string

// The purposes.
const (
	SignUpLink     LinkPurpose = "signup"     // finish a sign-up
	ResetLink      LinkPurpose = "reset"      // set a new password
	KnownLink      LinkPurpose = "known"      // no link: tells that the address has an account already
	ClosedLink     LinkPurpose = "closed"     // no link of its own: tells an owner that their tenant was closed
	AlarmLink      LinkPurpose = "alarm"      // no link of its own: tells one of the staff that a colleague went alone
	InvitationLink LinkPurpose = "invitation" // join a tenant, or do a step in it
)

// Link is a mail to be sent and what its token is good for, once.
type Link struct {
	ID           uuid.UUID
	Purpose      LinkPurpose
	Email        string     // canonical
	UserID       *uuid.UUID // whose password is reset; nil if nobody has the address, and then nothing is sent
	BusinessName string     // of a sign-up
	PasswordHash string     // of a sign-up
	Language     string     // of the mail
	InvitedTo    *uuid.UUID // of an invitation: its tenant
	Invitation   *uuid.UUID
}

const linkColumns = `id, purpose, email, user_id, business_name, password_hash, language, invited_to, invitation_id`

// linkAlive is the condition of a link that can still be used.
const linkAlive = `used_at IS NULL AND expires_at > now()`

// CreateLink stores a link without a token and calls then in the same transaction, for the mail job.
func (s *Store) CreateLink(ctx context.Context, l Link, life time.Duration, then func(tx *Tx) error) (err error) {
	defer explain("CreateLink", &err)
	return s.app.inTx(ctx, scope{}, func(tx *Tx) error {
		_, err := tx.pgx.Exec(ctx, `
			INSERT INTO one_time_links (`+linkColumns+`, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, NULL, now(), now() + $8::interval)`,
			l.ID, l.Purpose, l.Email, l.UserID, l.BusinessName, l.PasswordHash, l.Language, life)
		if err != nil {
			return err
		}
		return then(tx)
	})
}

// PendingLink gives a link whose mail is to be sent. NotFound if it has been used or has expired.
func (s *Store) PendingLink(ctx context.Context, id uuid.UUID) (l Link, err error) {
	defer explain("PendingLink", &err)
	return collectLink(s.app.pool.Query(ctx, `SELECT `+linkColumns+` FROM one_time_links WHERE id = $1 AND `+linkAlive, id))
}

// MintLink keeps the hash of the token that goes out now. A mail that is sent again carries a new token, and the one of
// the mail before is dead. NotFound if the link has been used or has expired.
func (s *Store) MintLink(ctx context.Context, id uuid.UUID, tokenHash []byte) (l Link, err error) {
	defer explain("MintLink", &err)
	return collectLink(s.app.pool.Query(ctx,
		`UPDATE one_time_links SET token_hash = $2 WHERE id = $1 AND `+linkAlive+` RETURNING `+linkColumns, id, tokenHash))
}

// LinkByToken looks at a link without using it: what a page shows before its button is pressed. NotFound if it is dead.
func (s *Store) LinkByToken(ctx context.Context, purpose LinkPurpose, tokenHash []byte) (l Link, err error) {
	defer explain("LinkByToken", &err)
	return collectLink(s.app.pool.Query(ctx,
		`SELECT `+linkColumns+` FROM one_time_links WHERE token_hash = $1 AND purpose = $2 AND `+linkAlive, tokenHash, purpose))
}

// CompleteSignUp uses a sign-up link and makes the tenant it asked for, or does neither. NotFound if the link is dead,
// Conflict if the address has got an account meanwhile.
func (s *Store) CompleteSignUp(ctx context.Context, tokenHash []byte, n NewTenant) (l Link, err error) {
	defer explain("CompleteSignUp", &err)
	err = s.app.inTx(ctx, scope{tenant: n.TenantID, person: n.UserID}, func(tx *Tx) error {
		if l, err = tx.useLink(ctx, SignUpLink, tokenHash); err != nil {
			return err
		}
		n.Name, n.Email, n.PasswordHash, n.Language = l.BusinessName, l.Email, l.PasswordHash, l.Language
		return tx.createTenant(ctx, n, s.now())
	})
	return l, err
}

// ResetPassword uses a reset link, sets the password and ends all of the person's sessions. NotFound if the link is
// dead.
func (s *Store) ResetPassword(ctx context.Context, tokenHash []byte, newHash string) (l Link, err error) {
	defer explain("ResetPassword", &err)
	err = s.app.inTx(ctx, scope{}, func(tx *Tx) error {
		if l, err = tx.useLink(ctx, ResetLink, tokenHash); err != nil {
			return err
		}
		if l.UserID == nil {
			return NotFound()
		}
		if err := tx.become(ctx, scope{person: *l.UserID}); err != nil {
			return err
		}
		if _, err := tx.pgx.Exec(ctx, `UPDATE users SET password_hash = $2, password_changed_at = $3 WHERE id = $1`,
			*l.UserID, newHash, s.now()); err != nil {
			return err
		}
		return tx.afterPasswordChange(ctx, *l.UserID, uuid.Nil, s.now())
	})
	return l, err
}

// useLink consumes a link exactly once: of parallel uses one finds the row, the others wait for it and then find
// nothing.
func (t *Tx) useLink(ctx context.Context, purpose LinkPurpose, tokenHash []byte) (Link, error) {
	return collectLink(t.pgx.Query(ctx, `
		UPDATE one_time_links SET used_at = now()
		 WHERE token_hash = $1 AND purpose = $2 AND `+linkAlive+` RETURNING `+linkColumns, tokenHash, purpose))
}

func collectLink(rows pgx.Rows, err error) (Link, error) {
	if err != nil {
		return Link{}, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Link])
}

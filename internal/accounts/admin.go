package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
)

// CreateAdmin makes a member of the platform's staff with these roles; none means all. It is a command's work, not the service's: it takes the pool of
// the database's owner, because the serving roles may not make admins. Conflict if the address has an account.
func CreateAdmin(ctx context.Context, owner *pgxpool.Pool, address string, password secret.String, now time.Time, roles ...models.StaffRole) error {
	email, badEmail := Canonical(address)
	if err := collect(badEmail, checkNewPassword(password, "password", email, "")); err != nil {
		return err
	}
	if len(roles) == 0 {
		roles = models.StaffRoles()
	}
	hash, err := newHasher(1).Create(ctx, password)
	if err != nil {
		return err
	}
	err = models.CreateAdmin(ctx, owner, models.NewAdmin{
		UserID: uuid.Must(uuid.NewV7()), Email: email, PasswordHash: hash, StaffRoles: roles, Now: now,
	})
	if isConflict(err) {
		return errs.Wrap(errs.Conflict, "account.email_taken", err).On("email")
	}
	return err
}

// ChangeStaffRoles gives a member of the staff other roles, as the database's owner. NotFound if the address is none of the
// staff's.
func ChangeStaffRoles(ctx context.Context, owner *pgxpool.Pool, address string, roles []models.StaffRole, now time.Time) error {
	email, err := Canonical(address)
	if err != nil {
		return err
	}
	return models.ChangeStaffRoles(ctx, owner, email, roles, now)
}

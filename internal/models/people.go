package models

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"gorm.io/gorm"

	"mooring/internal/errs"
	"mooring/internal/vault"
)

// Kind of a person: a merchant's or the platform's staff, never both.
type Kind string

// The kinds of people.
const (
	MerchantKind Kind = "merchant"
	StaffKind    Kind = "staff"
)

// SignInPerson is what signing in compares with.
type SignInPerson struct {
	ID           uuid.UUID
	Kind         Kind
	PasswordHash string
	Language     string
	Factors      int // ways to prove themselves besides the password
}

const signInColumns = `u.id, u.kind, u.password_hash, u.language, (SELECT count(*) FROM factors f WHERE f.user_id = u.id)`

func (p *SignInPerson) fields() []any {
	return []any{&p.ID, &p.Kind, &p.PasswordHash, &p.Language, &p.Factors}
}

// NewTenant is a business and its owner, who begin together.
type NewTenant struct {
	TenantID     uuid.UUID
	UserID       uuid.UUID
	Name         string
	Email        string // canonical
	PasswordHash string
	Language     string
	Key          vault.WrappedKey // the tenant's data key, bound to TenantID
}

// NewAdmin is a member of the platform's staff who may open the admin pages.
type NewAdmin struct {
	UserID       uuid.UUID
	Email        string // canonical
	PasswordHash string
	StaffRoles   []StaffRole
	Now          time.Time
}

// The rows as they are stored; the schema owns defaults and constraints.
type userRow struct {
	ID                uuid.UUID
	Kind              Kind
	Email             string
	PasswordHash      string
	Language          string
	CreatedAt         time.Time
	PasswordChangedAt time.Time
}

type tenantRow struct {
	ID        uuid.UUID
	Name      string
	CreatedAt time.Time
}

type membershipRow struct {
	TenantID  uuid.UUID
	UserID    uuid.UUID
	Role      Role
	CreatedAt time.Time
}

type tenantKeyRow struct {
	TenantID  uuid.UUID
	Wrapped   []byte
	CreatedAt time.Time
}

// TableName tells gorm the table.
func (userRow) TableName() string { return "users" }

// TableName tells gorm the table.
func (tenantRow) TableName() string { return "tenants" }

// TableName tells gorm the table.
func (membershipRow) TableName() string { return "memberships" }

// TableName tells gorm the table.
func (tenantKeyRow) TableName() string { return "tenant_keys" }

// CreateTenantWithOwner makes a tenant, its data key, its owner and the first event, or nothing. Conflict says that the
// address belongs to somebody already.
func (s *Store) CreateTenantWithOwner(ctx context.Context, n NewTenant) (err error) {
	defer explain("CreateTenantWithOwner", &err)
	return s.app.inTx(ctx, scope{tenant: n.TenantID, person: n.UserID}, func(tx *Tx) error {
		return tx.createTenant(ctx, n, s.now())
	})
}

// createTenant needs a transaction of the new tenant and its new owner.
func (t *Tx) createTenant(ctx context.Context, n NewTenant, now time.Time) error {
	owner := userRow{
		ID: n.UserID, Kind: MerchantKind, Email: n.Email, PasswordHash: n.PasswordHash, Language: n.Language,
		CreatedAt: now, PasswordChangedAt: now,
	}
	if err := gorm.G[userRow](t.gorm).Create(ctx, &owner); err != nil {
		return err
	}
	if err := gorm.G[tenantRow](t.gorm).Create(ctx, &tenantRow{n.TenantID, n.Name, now}); err != nil {
		return err
	}
	if err := gorm.G[membershipRow](t.gorm).Create(ctx, &membershipRow{n.TenantID, n.UserID, Owner, now}); err != nil {
		return err
	}
	if err := gorm.G[tenantKeyRow](t.gorm).Create(ctx, &tenantKeyRow{n.TenantID, n.Key, now}); err != nil {
		return err
	}
	return t.personEvent(ctx, n.TenantID, n.UserID, "tenant.created", now)
}

// CreateAdmin makes a member of the platform's staff. It needs the owner's pool: neither serving role may make admins,
// so that no fault of a page ever can. Conflict says that the address belongs to somebody already.
func CreateAdmin(ctx context.Context, owner *pgxpool.Pool, n NewAdmin) (err error) {
	defer explain("CreateAdmin", &err)
	b := &pgx.Batch{} // one implicit transaction
	b.Queue(`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
		VALUES ($1, 'staff', $2, $3, $4, $4)`, n.UserID, n.Email, n.PasswordHash, n.Now)
	b.Queue(`INSERT INTO platform_admins (user_id, created_at, roles) VALUES ($1, $2, $3)`, n.UserID, n.Now, n.StaffRoles)
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
		VALUES ($1, NULL, 'admin.created', jsonb_build_object('user', $2::text, 'roles', $4::text[]), $3)`, newID(), n.UserID.String(), n.Now, n.StaffRoles)
	return owner.SendBatch(ctx, b).Close()
}

// ChangeStaffRoles gives a member of the staff other roles; the next request of theirs goes by them. It needs the owner's
// pool, as CreateAdmin does. NotFound if the address is none of the staff's.
func ChangeStaffRoles(ctx context.Context, owner *pgxpool.Pool, email string, roles []StaffRole, now time.Time) (err error) {
	defer explain("ChangeStaffRoles", &err)
	var user uuid.UUID
	b := &pgx.Batch{} // one implicit transaction
	b.Queue(`UPDATE platform_admins a SET roles = $2 FROM users u WHERE u.id = a.user_id AND u.email = $1 RETURNING a.user_id`, email, roles).
		QueryRow(func(row pgx.Row) error { return row.Scan(&user) })
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
		SELECT $2, NULL, 'admin.roles_changed', jsonb_build_object('user', u.id::text, 'roles', $3::text[]), $4 FROM users u
		 WHERE u.email = $1 AND u.kind = 'staff'`, email, newID(), roles, now)
	return owner.SendBatch(ctx, b).Close()
}

// PersonForSignIn finds whose address it is, in one round trip. NotFound if nobody's: the caller must do the same work
// then as for a wrong password.
func (s *Store) PersonForSignIn(ctx context.Context, email string) (p SignInPerson, err error) {
	defer explain("PersonForSignIn", &err)
	b := &pgx.Batch{}
	b.Queue(`SELECT set_config('app.user_id', coalesce(person_by_email($1)::text, ''), true)`, email)
	b.Queue(`SELECT `+signInColumns+` FROM users u WHERE u.email = $1`, email).
		QueryRow(func(row pgx.Row) error { return row.Scan(p.fields()...) })
	err = s.app.pool.SendBatch(ctx, b).Close()
	return p, err
}

// PasswordHash gives a signed-in person's own hash, to compare the current password with.
func (s *Store) PasswordHash(ctx context.Context, person uuid.UUID) (hash string, err error) {
	defer explain("PasswordHash", &err)
	err = s.app.batch(ctx, scope{person: person}, func(b *pgx.Batch) {
		b.Queue(`SELECT password_hash FROM users WHERE id = $1`, person).
			QueryRow(func(row pgx.Row) error { return row.Scan(&hash) })
	})
	return hash, err
}

// PasswordChange is a person's new password, set from inside one of their sessions.
type PasswordChange struct {
	Person    uuid.UUID
	Session   uuid.UUID // stays, under TokenHash; all others end
	TokenHash []byte
	OldHash   string // the hash the current password was compared with
	NewHash   string
}

// ChangePassword sets the password, ends the person's other sessions, gives their own a new token and voids their reset
// links. Conflict if the password or the session has changed since it was looked at.
func (s *Store) ChangePassword(ctx context.Context, c PasswordChange) (err error) {
	defer explain("ChangePassword", &err)
	return s.app.inTx(ctx, scope{person: c.Person}, func(tx *Tx) error {
		done, err := tx.pgx.Exec(ctx,
			`UPDATE users SET password_hash = $3, password_changed_at = $4 WHERE id = $1 AND password_hash = $2`,
			c.Person, c.OldHash, c.NewHash, s.now())
		if err != nil {
			return err
		}
		kept, err := tx.rotateSession(ctx, c.Session, c.TokenHash)
		if err != nil {
			return err
		}
		if done.RowsAffected() != 1 || !kept {
			return errs.New(errs.Conflict, "error.conflict")
		}
		return tx.afterPasswordChange(ctx, c.Person, c.Session, s.now())
	})
}

// afterPasswordChange ends every session but the one to keep (uuid.Nil keeps none), voids reset links and records it.
func (t *Tx) afterPasswordChange(ctx context.Context, person, keep uuid.UUID, now time.Time) error {
	err := t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`DELETE FROM sessions WHERE user_id = $1 AND id <> $2`, person, keep)
		b.Queue(`UPDATE one_time_links SET used_at = now() WHERE user_id = $1 AND purpose = 'reset' AND used_at IS NULL`, person)
	})
	if err != nil {
		return err
	}
	return t.eventEverywhere(ctx, person, "person.password_changed", now)
}

// ChangeLanguage keeps the language a person wants; "" follows the browser.
func (s *Store) ChangeLanguage(ctx context.Context, person uuid.UUID, language string) (err error) {
	defer explain("ChangeLanguage", &err)
	return s.keep(ctx, person, "language", language)
}

// ChangeTimeZone keeps the time zone a person lives in; "" is that of their language.
func (s *Store) ChangeTimeZone(ctx context.Context, person uuid.UUID, zone string) (err error) {
	defer explain("ChangeTimeZone", &err)
	return s.keep(ctx, person, "time_zone", zone)
}

// keep changes one column of a person's own row.
func (s *Store) keep(ctx context.Context, person uuid.UUID, column, value string) error {
	return s.app.inTx(ctx, scope{person: person}, func(tx *Tx) error {
		n, err := gorm.G[userRow](tx.gorm).Where("id = ?", person).Update(ctx, column, value)
		if err == nil && n == 0 {
			return NotFound()
		}
		return err
	})
}

// become names another scope in an open transaction: what a link tells is known only after it was used.
func (t *Tx) become(ctx context.Context, sc scope) error {
	tenant, person := sc.settings()
	_, err := t.pgx.Exec(ctx, `SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', $2, true)`, tenant, person)
	return err
}

// eventEverywhere records what a person did to their own account in each tenant they work in; staff work in none, so
// theirs goes to the platform's own history.
func (t *Tx) eventEverywhere(ctx context.Context, person uuid.UUID, kind string, now time.Time) error {
	rows, err := t.pgx.Query(ctx, `SELECT tenants_of($1)`, person)
	if err != nil {
		return err
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return err
	}
	for _, tenant := range tenants {
		if err := t.become(ctx, scope{tenant: tenant, person: person}); err != nil {
			return err
		}
		if err := t.personEvent(ctx, tenant, person, kind, now); err != nil {
			return err
		}
	}
	if len(tenants) > 0 {
		return nil
	}
	_, err = t.pgx.Exec(ctx, `INSERT INTO platform_events (id, actor_id, kind, created_at) VALUES ($1, $2, $3, $4)`,
		newID(), person, kind, now)
	return err
}

func (t *Tx) personEvent(ctx context.Context, tenant, person uuid.UUID, kind string, now time.Time) error {
	id := newID()
	err := t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, created_at) VALUES ($1, $2, 'person', $3, $4, $5)`,
			tenant, id, person, kind, now)
		t.telling.queue(b, tenant, id, kind)
	})
	if err != nil {
		return fmt.Errorf("recording %s: %w", kind, err)
	}
	return nil
}

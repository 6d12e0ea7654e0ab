// Package models owns the domain types and the store: every SQL statement of the program is here or in a migration.
//
// Authority is carried by types. ForTenant gives a *TenantStore whose methods take no tenant id; Platform gives the
// admins' store, which has no method that returns a credential; people before they belong anywhere are found by the
// store itself. Behind the types stands row-level security: each unit of work is one transaction that names its tenant
// and its person, and a transaction that names none sees no row.
//
// There is one pool per role and two doors to it: gorm for ordinary work, pgx batches where a page or a flow waits.
// What is done with the rows belongs to connect and accounts.
package models

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"mooring/internal/errs"
	"mooring/internal/vault"
)

// Store is the way to the database.
type Store struct {
	app      door
	platform door
	now      func() time.Time
}

// Options are the store's needs. The pools stay the caller's to close.
type Options struct {
	App      *pgxpool.Pool // as mooring_app
	Platform *pgxpool.Pool // as mooring_platform
	Now      func() time.Time
	Telling  Telling // zero: nobody is told of anything
}

// Telling says which events somebody is told of, and words the job that does it. The job travels with the event; it must
// put nothing in where the database has found that there is no event to write.
type Telling struct {
	Kinds []string
	Job   func(tenant, event uuid.UUID) Statement
}

// NewStore opens both doors on both pools.
func NewStore(o Options) (*Store, error) {
	app, err := newDoor(o.App, o.Now)
	app.telling = o.Telling
	if err != nil {
		return nil, err
	}
	platform, err := newDoor(o.Platform, o.Now)
	if err != nil {
		return nil, err
	}
	return &Store{app: app, platform: platform, now: o.Now}, nil
}

// door is one pool with gorm beside it.
type door struct {
	pool    *pgxpool.Pool
	gorm    *gorm.DB
	telling Telling
}

func newDoor(pool *pgxpool.Pool, now func() time.Time) (door, error) {
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDBFromPool(pool)}), &gorm.Config{
		SkipDefaultTransaction: true,
		QueryFields:            true, // name the columns: a list must not drag ciphertext along
		DisableAutomaticPing:   true,
		NowFunc:                now,
		Logger:                 logger.Discard, // its slow log prints bound values; errors come back to the caller anyway
	})
	if err != nil {
		return door{}, fmt.Errorf("models: opening gorm: %w", err)
	}
	return door{pool: pool, gorm: g}, nil
}

// scope is whom a unit of work speaks for. A zero id is nobody.
type scope struct {
	tenant, person uuid.UUID
	looking        bool // the database refuses every change
}

func (s scope) settings() (tenant, person string) {
	if s.tenant != uuid.Nil {
		tenant = s.tenant.String()
	}
	if s.person != uuid.Nil {
		person = s.person.String()
	}
	return tenant, person
}

// access goes on with the settings where only looking is allowed. It cannot be taken back within the transaction.
func (s scope) access() string {
	if s.looking {
		return ", set_config('transaction_read_only', 'on', true)"
	}
	return ""
}

// batch sends the scope and the queries in one round trip; they run in one implicit transaction.
func (d door) batch(ctx context.Context, sc scope, fill func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	tenant, person := sc.settings()
	b.Queue(`SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', $2, true)`+sc.access(), tenant, person)
	fill(b)
	return d.pool.SendBatch(ctx, b).Close()
}

// Tx is one open transaction, through both doors.
type Tx struct {
	gorm    *gorm.DB
	pgx     pgx.Tx
	telling Telling
}

// Pgx gives the transaction to a job queue, so that rows and jobs commit together.
func (t *Tx) Pgx() pgx.Tx { return t.pgx }

// batch sends queries of an open transaction in one round trip.
func (t *Tx) batch(ctx context.Context, fill func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	fill(b)
	return t.pgx.SendBatch(ctx, b).Close()
}

// inTx runs fn in one transaction of the scope, which is named in the same round trip as BEGIN. An error or a panic
// rolls back.
func (d door) inTx(ctx context.Context, sc scope, fn func(tx *Tx) error) error {
	db, err := d.gorm.DB()
	if err != nil {
		return fmt.Errorf("models: %w", err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("models: acquiring a connection: %w", err)
	}
	defer func() { _ = conn.Close() }() // hands it back to the pool

	var tx pgx.Tx
	err = conn.Raw(func(driver any) (err error) {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("the driver is a %T", driver)
		}
		tx, err = c.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: sc.begin()})
		return err
	})
	if err != nil {
		return fmt.Errorf("models: beginning: %w", err)
	}
	done := false
	defer func() {
		if !done {
			_ = tx.Rollback(context.WithoutCancel(ctx))
		}
	}()
	g := d.gorm.Session(&gorm.Session{NewDB: true, Context: ctx, SkipDefaultTransaction: true})
	g.Statement.ConnPool = connTx{conn: conn, tx: tx}
	if err := fn(&Tx{gorm: g, pgx: tx, telling: d.telling}); err != nil {
		return err
	}
	done = true
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("models: committing: %w", err)
	}
	return nil
}

// begin is safe to build by hand: both values are ids in their canonical form, or empty.
func (s scope) begin() string {
	tenant, person := s.settings()
	return "BEGIN; SELECT set_config('app.tenant_id', '" + tenant + "', true), set_config('app.user_id', '" + person + "', true)" + s.access()
}

// CheckVault opens the canary, or leaves one behind if this is the first start. ErrSealed means: another keyset than the
// one this database was sealed with.
func (s *Store) CheckVault(ctx context.Context, v *vault.Vault) error {
	fresh, err := v.SealCanary()
	if err != nil {
		return err
	}
	var found vault.Sealed
	err = s.app.pool.QueryRow(ctx, `
		WITH made AS (
		    INSERT INTO vault_canaries (name, sealed, created_at) VALUES ('master', $1, $2)
		    ON CONFLICT (name) DO NOTHING RETURNING sealed)
		SELECT sealed FROM made UNION ALL SELECT sealed FROM vault_canaries WHERE name = 'master'`,
		[]byte(fresh), s.now()).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) { // another replica made it between our two looks
		err = s.app.pool.QueryRow(ctx, `SELECT sealed FROM vault_canaries WHERE name = 'master'`).Scan(&found)
	}
	if err != nil {
		return fmt.Errorf("models: reading the canary: %w", err)
	}
	return v.CheckCanary(found)
}

// Sweep removes what has ended: sessions, links, rate limits, callbacks that nobody can act on any more, attempts after
// 30 days, endpoints' old secrets, deliveries, mails after 90, and notices after 180.
func (s *Store) Sweep(ctx context.Context) (removed int64, err error) {
	err = s.app.pool.QueryRow(ctx, `SELECT sweep_inbox($1) + sweep($1) + sweep_outgoing($1) + sweep_tickets($1) + sweep_notices($1)
		+ sweep_mails($1) + sweep_invitations($1) + sweep_views()`, s.now()).Scan(&removed)
	if err != nil {
		return 0, fmt.Errorf("models: sweeping: %w", err)
	}
	old, err := s.sweepObservations(ctx)
	return removed + old, err
}

// newID makes a UUIDv7: ids sort by their time.
func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// NotFound is the one answer for "does not exist" and "is not yours".
func NotFound() error { return errs.New(errs.NotFound, "error.not_found") }

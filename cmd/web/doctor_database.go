package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/config"
	"mooring/internal/database"
	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// database looks at the roles, the schema and the canary.
func (r *report) database(ctx context.Context, c config.Config) {
	if c.Database.Private() {
		if _, err := os.Stat(privateDir(c)); errors.Is(err, fs.ErrNotExist) {
			r.warn("database", "DATABASE_URL is not set, and there is no private database yet", "`web serve` makes one in DATA_DIR; set DATABASE_URL for more than one machine")
			return
		}
	}
	at, err := visitDatabase(ctx, c)
	if err != nil {
		r.fail("database", err.Error(), "start it, or set DATABASE_URL")
		return
	}
	defer func() { _ = at.stop(context.WithoutCancel(ctx)) }()
	if c.Database.Private() {
		r.warn("database", "DATABASE_URL is not set: a private database on this machine is used", "set DATABASE_URL for more than one machine")
	}
	if !c.Database.Private() && !at.owner.IsEmpty() {
		r.warn("database", "MIGRATE_DATABASE_URL is set where the program serves: whoever takes it over owns the tables", "run `web migrate` beside it and leave the variable out here")
	}
	app := r.pool(ctx, "DATABASE_URL", at.app, database.CheckServingRole)
	platform := r.pool(ctx, "PLATFORM_DATABASE_URL", at.platform, database.CheckPlatformRole)
	if app != nil {
		defer app.Close()
	}
	if platform != nil {
		defer platform.Close()
	}
	if app == nil {
		return
	}
	if err := database.CheckVersion(ctx, app); err != nil {
		r.fail("migrations", err.Error(), "run `web migrate` with MIGRATE_DATABASE_URL set to the owner's address")
		return
	}
	r.ok("migrations", "the schema is current")
	if platform != nil && !c.Keyset.IsEmpty() {
		r.canary(ctx, c, app, platform)
	}
}

// pool opens a role's pool and judges the role; nil if that is not possible.
func (r *report) pool(ctx context.Context, name string, address secret.String, check func(context.Context, *pgxpool.Pool) error) *pgxpool.Pool {
	if address.IsEmpty() {
		return nil // config has said so
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	pool, err := database.Open(ctx, address.Reveal(), database.PoolOptions{MaxConns: 1, AppName: "mooring doctor"})
	if err != nil {
		r.fail("database", name+": "+err.Error(), "check that the server runs, and the address, role and password in "+name)
		return nil
	}
	if err := check(ctx, pool); err != nil {
		r.fail("database", name+": "+err.Error(), "log in as the role that the migrations grant to, and nothing more")
		return pool
	}
	r.ok("database", name+" answers, and its role can do no more than it must")
	return pool
}

// canary tells whether the keyset is the one that the stored values were sealed with.
func (r *report) canary(ctx context.Context, c config.Config, app, platform *pgxpool.Pool) {
	v, err := vault.New([]byte(c.Keyset.Reveal()))
	if err != nil {
		return // config has said so
	}
	store, err := models.NewStore(models.Options{App: app, Platform: platform, Now: time.Now})
	if err != nil {
		r.fail("keys", err.Error(), "this is a fault of the program")
		return
	}
	sealed, err := store.Canary(ctx)
	switch {
	case errs.CodeOf(err) == errs.NotFound:
		r.ok("keys", "nothing is sealed yet")
	case err != nil:
		r.fail("keys", err.Error(), "check that the database is whole")
	case v.CheckCanary(sealed) != nil:
		r.fail("keys", "this is not the keyset that the stored values were sealed with", "put back the keyset that this database was first served with")
	default:
		r.ok("keys", "the keyset opens what is stored")
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/config"
	"mooring/internal/database"
	"mooring/internal/secret"
)

// Connections per replica. The knee on two cores is at 8 to 16; eight replicas must fit into PostgreSQL's usual hundred.
const (
	appConns      = 9
	platformConns = 2
)

// addresses say where each role logs in. owner is empty where only the version may be checked.
type addresses struct{ app, platform, owner secret.String }

func addressesOf(d config.Database) addresses {
	return addresses{app: d.App, platform: d.Platform, owner: d.Owner}
}

var errNoOwner = errors.New("MIGRATE_DATABASE_URL: the owner's postgres:// address is needed for this")

// openOwner opens a small pool as the database's owner.
func (a addresses) openOwner(ctx context.Context) (*pgxpool.Pool, error) {
	if a.owner.IsEmpty() {
		return nil, errNoOwner
	}
	return database.Open(ctx, a.owner.Reveal(), database.PoolOptions{MaxConns: 1, AppName: "mooring owner"})
}

// locate says where the database is. A private one is started first; stop ends it.
func locate(ctx context.Context, c config.Config) (a addresses, stop func(context.Context) error, err error) {
	if !c.Database.Private() || !c.Database.Owner.IsEmpty() {
		return addressesOf(c.Database), nothing, nil
	}
	cluster, err := database.StartCluster(ctx, privateDir(c), database.ClusterOptions{})
	if err != nil {
		return a, nil, err
	}
	return rolesOf(cluster.URLs()), cluster.Stop, nil
}

// visitDatabase is locate for a command that works beside a serving program: a private database that runs already is
// used as it is.
func visitDatabase(ctx context.Context, c config.Config) (a addresses, stop func(context.Context) error, err error) {
	if c.Database.Private() && c.Database.Owner.IsEmpty() {
		owner, app, platform, running, err := database.RunningURLs(privateDir(c))
		if running || err != nil {
			return rolesOf(owner, app, platform), nothing, err
		}
	}
	return locate(ctx, c)
}

func nothing(context.Context) error { return nil }

func rolesOf(owner, app, platform string) addresses {
	return addresses{app: secret.New(app), platform: secret.New(platform), owner: secret.New(owner)}
}

// privateDir is the folder of the private PostgreSQL.
func privateDir(c config.Config) string { return filepath.Join(c.DataDir, "postgres") }

// openDatabase starts what must be started, brings the schema up to date or checks that it is, opens the pools and refuses
// roles that could do more than they must.
func (h *house) openDatabase(ctx context.Context) error {
	var err error
	var stop func(context.Context) error
	if h.addresses, stop, err = locate(ctx, h.config); err != nil {
		return err
	}
	h.onStop("the database", stop)
	if !h.addresses.owner.IsEmpty() {
		applied, err := database.Migrate(ctx, h.addresses.owner.Reveal())
		if err != nil {
			return fmt.Errorf("MIGRATE_DATABASE_URL: %w", err)
		}
		if applied > 0 {
			h.log.Info("migrated", "applied", applied)
		}
	}
	if h.app, err = h.openPool(ctx, "DATABASE_URL", h.addresses.app, appConns); err != nil {
		return err
	}
	if h.platform, err = h.openPool(ctx, "PLATFORM_DATABASE_URL", h.addresses.platform, platformConns); err != nil {
		return err
	}
	if err := checkDatabase(ctx, h.app, h.platform); err != nil {
		return err
	}
	h.ready.check = h.app.Ping
	return nil
}

// checkDatabase refuses a schema that is not current and roles that are too strong.
func checkDatabase(ctx context.Context, app, platform *pgxpool.Pool) error {
	if err := database.CheckServingRole(ctx, app); err != nil {
		return fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := database.CheckPlatformRole(ctx, platform); err != nil {
		return fmt.Errorf("PLATFORM_DATABASE_URL: %w", err)
	}
	return database.CheckVersion(ctx, app)
}

// openPool opens a role's pool. name is the variable that the address came from.
func (h *house) openPool(ctx context.Context, name string, address secret.String, conns int32) (*pgxpool.Pool, error) {
	pool, err := database.Open(ctx, address.Reveal(), database.PoolOptions{MaxConns: conns, AppName: "mooring"})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	h.onStop("a pool", func(context.Context) error { pool.Close(); return nil })
	return pool, nil
}

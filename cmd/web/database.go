package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

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
func locate(ctx context.Context, c config.Config) (at located, err error) {
	if !c.Database.Private() || !c.Database.Owner.IsEmpty() {
		return located{addresses: addressesOf(c.Database), stop: nothing}, nil
	}
	cluster, err := database.StartCluster(ctx, privateDir(c), database.ClusterOptions{})
	if err != nil {
		return at, err
	}
	return located{addresses: rolesOf(cluster.URLs()), stop: cluster.Stop, died: cluster.Died()}, nil
}

// located is a database that can be used until it is stopped.
type located struct {
	addresses
	stop func(ctx context.Context) error
	died <-chan struct{} // closed when a private server has ended; nil: it is not ours to watch
}

// visitDatabase is locate for a command that works beside a serving program: a private database that runs already is
// used as it is.
func visitDatabase(ctx context.Context, c config.Config) (at located, err error) {
	if c.Database.Private() && c.Database.Owner.IsEmpty() {
		owner, app, platform, running, err := database.RunningURLs(privateDir(c))
		if running || err != nil {
			return located{addresses: rolesOf(owner, app, platform), stop: nothing}, err
		}
	}
	return locate(ctx, c)
}

// withOwner lets do work as the database's owner, beside a serving program or without one.
func withOwner(ctx context.Context, c config.Config, do func(owner *pgxpool.Pool) error) error {
	at, err := visitDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = at.stop(context.WithoutCancel(ctx)) }()
	owner, err := at.openOwner(ctx)
	if err != nil {
		return err
	}
	defer owner.Close()
	return do(owner)
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
	at, err := locate(ctx, h.config)
	if err != nil {
		return err
	}
	h.addresses, h.died = at.addresses, at.died
	h.onStop("the database", at.stop)
	if !h.addresses.owner.IsEmpty() {
		applied, err := database.Migrate(ctx, h.addresses.owner.Reveal())
		if err != nil {
			return fmt.Errorf("MIGRATE_DATABASE_URL: %w", err)
		}
		if applied > 0 {
			h.log.Info("migrated", "applied", applied)
		}
	}
	if err := h.openPools(ctx); err != nil {
		return err
	}
	h.ready.check = h.app.Ping
	return nil
}

// openPools opens both roles' pools side by side, because each costs several round trips, and refuses roles that are too
// strong and a schema that is not current.
func (h *house) openPools(ctx context.Context) error {
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() (err error) {
		h.app, err = openPool(ctx, "DATABASE_URL", h.addresses.app, appConns, database.CheckServingRole)
		if err != nil {
			return err
		}
		return database.CheckVersion(ctx, h.app)
	})
	work.Go(func() (err error) {
		h.platform, err = openPool(ctx, "PLATFORM_DATABASE_URL", h.addresses.platform, platformConns, database.CheckPlatformRole)
		return err
	})
	h.onStop("the pools", func(context.Context) error {
		for _, pool := range []*pgxpool.Pool{h.app, h.platform} {
			if pool != nil {
				pool.Close()
			}
		}
		return nil
	})
	return work.Wait()
}

// openPool opens a role's pool and judges the role. name is the variable that the address came from.
func openPool(ctx context.Context, name string, address secret.String, conns int32, judge func(context.Context, *pgxpool.Pool) error) (*pgxpool.Pool, error) {
	pool, err := database.Open(ctx, address.Reveal(), database.PoolOptions{MaxConns: conns, AppName: "mooring"})
	if err == nil {
		if err = judge(ctx, pool); err == nil {
			return pool, nil
		}
		pool.Close()
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

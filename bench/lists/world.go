package main

import (
	"context"
	_ "embed" // fill.sql
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"mooring/internal/accounts"
	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/dispatch"
	"mooring/internal/handlers"
	"mooring/internal/i18n"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/asiabill"
	"mooring/internal/oauth/cardwallet"
	"mooring/internal/oauth/chainup"
	"mooring/internal/oauth/redemption"
	"mooring/internal/oauth/zhiyun"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

const (
	publicURL = "http://localhost"
	email     = "admin@mooring.example"
	account   = "820260101002" // an external account that one merchant has
)

// password is of a database that lives for minutes, or in the folder of whoever asked for it.
func password() secret.String { return secret.New("harbour-master-2026") }

//go:embed fill.sql
var fillSQL string

// world is one database with the pages before it.
type world struct {
	size    int
	cluster *database.Cluster
	owner   *pgxpool.Pool
	app     *pgxpool.Pool
	staff   *pgxpool.Pool
	clock   *clock // of the time that lists spend in the database
	site    http.Handler
	cookies []*http.Cookie
}

// noWakes is for pages that follow nothing.
type noWakes struct{}

// Subscribe implements handlers.Wakes.
func (noWakes) Subscribe(uuid.UUID) (<-chan struct{}, func()) { return nil, func() {} }

// openWorld starts a server, fills it unless it was filled before, and signs in.
func openWorld(ctx context.Context, dir string, size int) (w *world, err error) {
	w = &world{size: size, clock: &clock{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.cluster, err = database.StartCluster(ctx, filepath.Join(dir, strconv.Itoa(size)), database.ClusterOptions{}); err != nil {
		return w, err
	}
	owner, app, staff := w.cluster.URLs()
	if _, err = database.Migrate(ctx, owner); err != nil {
		return w, err
	}
	if w.owner, err = database.Open(ctx, owner, database.PoolOptions{MaxConns: 1, AppName: "bench"}); err != nil {
		return w, err
	}
	if w.app, err = database.Open(ctx, app, database.PoolOptions{MaxConns: 2, AppName: "bench"}); err != nil {
		return w, err
	}
	if w.staff, err = database.Open(ctx, staff, database.PoolOptions{MaxConns: 2, AppName: "bench", Tracer: w.clock}); err != nil {
		return w, err
	}
	service, err := w.serve()
	if err != nil {
		return w, err
	}
	if err := w.fill(ctx, service); err != nil {
		return w, err
	}
	return w, w.signIn(ctx)
}

// serve puts the pages before the database. No provider is offered: lists need their names only.
func (w *world) serve() (*connect.Service, error) {
	log := slog.New(slog.DiscardHandler)
	store, err := models.NewStore(models.Options{App: w.app, Platform: w.staff, Now: time.Now})
	if err != nil {
		return nil, err
	}
	keyset, err := vault.NewKeyset()
	if err != nil {
		return nil, err
	}
	v, err := vault.New(keyset)
	if err != nil {
		return nil, err
	}
	words, err := i18n.NewBundle()
	if err != nil {
		return nil, err
	}
	var known []oauth.Descriptor
	for _, f := range []oauth.Factory{asiabill.Factory(), redemption.Factory(), zhiyun.Factory(), cardwallet.Factory(), chainup.Factory()} {
		known = append(known, f.Describe())
	}
	registry, err := connect.NewRegistry(nil, known)
	if err != nil {
		return nil, err
	}
	service := connect.New(connect.Deps{Vault: v, Providers: registry, Wakes: noWakes{}, PublicURL: publicURL, Now: time.Now, Log: log})
	server, err := handlers.New(handlers.Deps{
		Accounts: accounts.New(accounts.Deps{Store: store, Vault: v, PublicURL: publicURL, Log: log}), Connect: service,
		Dispatch: dispatch.New(dispatch.Deps{}), Store: store, Words: words, Wakes: noWakes{}, PublicURL: publicURL,
		Ready: func(context.Context) error { return nil }, Now: time.Now, Log: log, Metrics: handlers.NewMetrics(prometheus.NewRegistry()),
	})
	if err != nil {
		return nil, err
	}
	w.site = server.Handler()
	return service, nil
}

// fill fills an empty database; in one that was filled before it only gives the known account its key, which is new each time.
func (w *world) fill(ctx context.Context, service *connect.Service) error {
	var filled bool
	if err := w.owner.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tenants)`).Scan(&filled); err != nil {
		return fmt.Errorf("looking at the database: %w", err)
	}
	steps := []string{fmt.Sprintf(`SET statement_timeout = 0; SET bench.tenants = %d`, w.size)}
	if !filled {
		if err := accounts.CreateAdmin(ctx, w.owner, email, password(), time.Now()); err != nil {
			return err
		}
		steps = append(steps, fillSQL)
	}
	for _, step := range append(steps, `VACUUM (ANALYZE)`) {
		if _, err := w.owner.Exec(ctx, step); err != nil {
			return fmt.Errorf("filling the database: %w", err)
		}
	}
	keys, err := service.AccountKeys(account)
	if err != nil {
		return err
	}
	hit, err := w.owner.Exec(ctx, `UPDATE account_claims SET account_hash = $1 WHERE holder_connection = (
		SELECT id FROM connections WHERE provider = $2 AND environment = $3 AND state <> 'disconnected' ORDER BY id LIMIT 1)`,
		keys[0].Hash, keys[0].Provider, keys[0].Environment)
	if err != nil {
		return fmt.Errorf("giving an account its key: %w", err)
	}
	if hit.RowsAffected() != 1 {
		return errors.New("there is no account to search for")
	}
	return nil
}

// about says what the figures belong to.
func (w *world) about(ctx context.Context) string {
	var tenants, connections int
	var bytes, version string
	err := w.owner.QueryRow(ctx, `SELECT (SELECT count(*) FROM tenants), (SELECT count(*) FROM connections),
		pg_size_pretty(pg_database_size(current_database())), current_setting('server_version')`).Scan(&tenants, &connections, &bytes, &version)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d merchants, %d connections, %s · %s/%s, %d cores, %s, PostgreSQL %s", tenants, connections, bytes,
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), version)
}

func (w *world) close() {
	for _, pool := range []*pgxpool.Pool{w.owner, w.app, w.staff} {
		if pool != nil {
			pool.Close()
		}
	}
	if w.cluster != nil {
		_ = w.cluster.Stop(context.Background())
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
	"mooring/internal/vault"
)

// world is the program, and the database that it works in.
type world struct {
	dir           string
	cluster       *database.Cluster
	owner         *pgxpool.Pool
	app, platform string
	keyset        []byte
	vault         *vault.Vault
}

func open(ctx context.Context, dir string) (w *world, err error) {
	w = &world{dir: dir}
	defer func() {
		if err != nil {
			w.close(context.WithoutCancel(ctx))
		}
	}()
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, "web"), "./cmd/web") //nolint:gosec // a folder of our own
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building ./cmd/web, from the repository's root: %w", err)
	}
	if w.keyset, err = vault.NewKeyset(); err != nil {
		return nil, err
	}
	if w.vault, err = vault.New(w.keyset); err != nil {
		return nil, err
	}
	if w.cluster, err = database.StartCluster(ctx, filepath.Join(dir, "postgres"), database.ClusterOptions{}); err != nil {
		return nil, err
	}
	var owner string
	owner, w.app, w.platform = w.cluster.URLs()
	if _, err = database.Migrate(ctx, owner); err != nil {
		return nil, err
	}
	w.owner, err = database.Open(ctx, owner, database.PoolOptions{MaxConns: 2, AppName: "bench"})
	return w, err
}

func (w *world) close(ctx context.Context) {
	if w.owner != nil {
		w.owner.Close()
	}
	if w.cluster != nil {
		_ = w.cluster.Stop(ctx)
	}
}

// fill removes the tenants of the run before, and makes some with so many connections each.
func (w *world) fill(ctx context.Context, connections, each int) error {
	if _, err := w.owner.Exec(ctx, `TRUNCATE tenants CASCADE`); err != nil {
		return fmt.Errorf("removing tenants: %w", err)
	}
	for made := 0; made < connections; made += each {
		if err := w.addTenant(ctx, min(each, connections-made)); err != nil {
			return fmt.Errorf("making a tenant: %w", err)
		}
	}
	return nil
}

func (w *world) addTenant(ctx context.Context, connections int) error {
	tenant := uuid.Must(uuid.NewV7())
	key, err := w.vault.NewTenantKey(tenant)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(`INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Bench', now())`, tenant)
	b.Queue(`INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now())`, tenant, []byte(key))
	for range connections {
		id := uuid.Must(uuid.NewV7())
		sealed, err := w.vault.Seal(key, vault.Place{Tenant: tenant, Owner: id, Provider: "asiabill", Field: "credential", Version: 1},
			[]byte(`{"access_token":"bench-access","refresh_token":"bench-refresh"}`))
		if err != nil {
			return err
		}
		b.Queue(`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
			VALUES ($1, $2, 'asiabill', 'test', $3, '1', '', 'connected', now(), 1, now())`, tenant, id, id[:])
		b.Queue(`INSERT INTO credentials (tenant_id, connection_id, version, sealed, updated_at) VALUES ($1, $2, 1, $3, now())`, tenant, id, []byte(sealed))
	}
	return w.owner.SendBatch(ctx, b).Close()
}

// left counts who still has access, and whose history tells that it was ended.
func (w *world) left(ctx context.Context) (left, told int, err error) {
	err = w.owner.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM connections c WHERE c.state <> 'needs_you' OR EXISTS (SELECT FROM credentials k WHERE k.connection_id = c.id)),
		(SELECT count(DISTINCT e.connection_id) FROM events e JOIN revocations r USING (connection_id) WHERE e.kind = 'connection.withdrawn')`).Scan(&left, &told)
	return left, told, err
}

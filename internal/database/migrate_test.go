package database_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
	"mooring/migrations"
)

func TestMigrate_EightReplicasMigrateOnce(t *testing.T) {
	t.Parallel()
	db := dbtest.NewEmpty(t)
	const replicas = 8
	applied, errs := make([]int, replicas), make([]error, replicas)
	var wg sync.WaitGroup
	for i := range replicas {
		wg.Go(func() { applied[i], errs[i] = database.Migrate(t.Context(), db.OwnerURL) })
	}
	wg.Wait()
	busy := 0
	for i := range replicas {
		must(t, errs[i])
		if applied[i] > 0 {
			busy++
		}
	}
	if busy != 1 {
		t.Errorf("%d replicas migrated: %v", busy, applied)
	}
	var twice int
	must(t, db.Owner.QueryRow(t.Context(), `SELECT count(*) - count(DISTINCT version_id) FROM goose_db_version`).Scan(&twice))
	if twice != 0 {
		t.Errorf("%d migrations were recorded twice", twice)
	}
	must(t, database.CheckVersion(t.Context(), db.App))
	var locks int
	must(t, db.Owner.QueryRow(t.Context(), `
		SELECT count(*) FROM pg_locks
		 WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`).Scan(&locks))
	if locks != 0 {
		t.Errorf("%d advisory locks are still held", locks)
	}
}

func TestMigrate_TheWaitingEndWithTheirContext(t *testing.T) {
	t.Parallel()
	db := dbtest.NewEmpty(t)
	holder, err := db.Owner.Acquire(t.Context())
	must(t, err)
	defer holder.Release()
	_, err = holder.Exec(t.Context(), `SELECT pg_advisory_lock(x'6d6f6f72696e67'::bigint)`)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { _, err := database.Migrate(ctx, db.OwnerURL); result <- err }()
	cancel()
	if err := <-result; err == nil {
		t.Error("migrated without the lock")
	}
}

func TestMigrate_DownAndUpAgain(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	before, err := database.Dump(t.Context(), db.OwnerURL)
	must(t, err)
	sqlDB := stdlib.OpenDBFromPool(db.Owner)
	defer func() { _ = sqlDB.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, migrations.Files)
	must(t, err)
	_, err = provider.DownTo(t.Context(), 0)
	must(t, err)

	var left []string
	rows, err := db.Owner.Query(t.Context(), `
		SELECT relname::text FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
		 WHERE nspname IN ('public', 'river') AND relkind IN ('r', 'S', 'v') AND relname NOT LIKE 'goose_%'
		 UNION ALL SELECT proname::text FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname IN ('public', 'river')`)
	must(t, err)
	left, err = pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left after all the way down: %v", left)
	}
	if err := database.CheckVersion(t.Context(), db.Owner); err == nil || !strings.Contains(err.Error(), "run `web migrate`") {
		t.Errorf("an empty database: %v", err)
	}

	if n, err := database.Migrate(t.Context(), db.OwnerURL); err != nil || n == 0 {
		t.Fatalf("up again: %d, %v", n, err)
	}
	after, err := database.Dump(t.Context(), db.OwnerURL)
	must(t, err)
	if before != after {
		t.Error("down and up again gives another schema")
	}
}

func TestMigrate_RefusesADatabaseFromTheFuture(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	_, err := db.Owner.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	must(t, err)
	_, migrateErr := database.Migrate(t.Context(), db.OwnerURL)
	for _, err := range []error{migrateErr, database.CheckVersion(t.Context(), db.App)} {
		if err == nil || !strings.Contains(err.Error(), "newer than this program") {
			t.Errorf("got %v", err)
		}
	}
}

func TestMigrate_CurrentCostsOneSelect(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	count := &counter{}
	pool, err := database.Open(t.Context(), db.AppURL, database.PoolOptions{MaxConns: 1, Tracer: count})
	must(t, err)
	defer pool.Close()
	before := count.n
	must(t, database.CheckVersion(t.Context(), pool))
	if n := count.n - before; n != 1 {
		t.Errorf("%d statements", n)
	}
}

type counter struct{ n int }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n++
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

type pingArgs struct{}

func (pingArgs) Kind() string { return "ping" }

func TestMigrate_TheServingRoleCanEnqueueInItsTransaction(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	client, err := river.NewClient(riverpgxv5.New(db.App), &river.Config{Schema: "river"})
	must(t, err)
	for _, commit := range []bool{true, false} {
		tx, err := db.App.Begin(t.Context())
		must(t, err)
		_, err = client.InsertTx(t.Context(), tx, pingArgs{}, nil)
		must(t, err)
		if commit {
			must(t, tx.Commit(t.Context()))
		} else {
			must(t, tx.Rollback(t.Context()))
		}
	}
	var jobs int
	must(t, db.App.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job`).Scan(&jobs))
	if jobs != 1 {
		t.Errorf("%d jobs", jobs)
	}
}

package database

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"mooring/migrations"
)

// jobsSchema is where river keeps its tables; the first migration makes the schema and grants it.
const jobsSchema = "river"

// migrateLock is the advisory lock that one migrating replica holds while the others wait.
const migrateLock = 0x6d6f6f72696e67 // "mooring"

// version is how far a schema has come: our migrations, the job queue's, and whether our indexes are on its table.
type version struct {
	ours, jobs int64
	indexed    bool
}

func (v version) behind(w version) bool { return v.ours < w.ours || v.jobs < w.jobs }

// Migrate brings the database up to date as its owner, and says how many migrations that took. Any number of replicas
// may call it at once: one migrates, the others wait and find nothing to do. When everything is current it costs one
// select.
func Migrate(ctx context.Context, ownerURL string) (applied int, err error) {
	pool, err := Open(ctx, ownerURL, PoolOptions{MaxConns: 3, AppName: "mooring migrate"})
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	m, err := newMigrator(pool)
	if err != nil {
		return 0, err
	}
	if current, err := m.current(ctx); err != nil || current {
		return 0, err
	}
	unlock, err := holdLock(ctx, pool)
	if err != nil {
		return 0, err
	}
	defer unlock()
	if current, err := m.current(ctx); err != nil || current { // another replica was faster
		return 0, err
	}
	return m.up(ctx)
}

// CheckVersion refuses a database that the program does not fit. Serving without the owner's address begins with it.
func CheckVersion(ctx context.Context, pool *pgxpool.Pool) error {
	m, err := newMigrator(pool)
	if err != nil {
		return err
	}
	current, err := m.current(ctx)
	if err != nil {
		return err
	}
	if !current {
		return errors.New("the database is not up to date: run `web migrate` with MIGRATE_DATABASE_URL set to the owner's address")
	}
	return nil
}

// migrator joins the two sets of migrations over one pool.
type migrator struct {
	pool   *pgxpool.Pool
	jobs   *rivermigrate.Migrator[pgx.Tx]
	wanted version
}

func newMigrator(pool *pgxpool.Pool) (*migrator, error) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil)) // what happened is returned
	jobs, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: jobsSchema, Logger: quiet})
	if err != nil {
		return nil, fmt.Errorf("database: reading the job queue's migrations: %w", err)
	}
	m := &migrator{pool: pool, jobs: jobs, wanted: version{indexed: true}}
	if m.wanted.ours, err = newestOf(migrations.Files); err != nil {
		return nil, err
	}
	for _, j := range jobs.AllVersions() {
		m.wanted.jobs = max(m.wanted.jobs, int64(j.Version))
	}
	return m, nil
}

// newestOf is the highest number among the files, whose names begin with it.
func newestOf(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, fmt.Errorf("database: listing the migrations: %w", err)
	}
	var newest int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("database: the migration %s has no number: %w", name, err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}

// current says whether nothing is to be done. A database that is ahead of the program is refused: it was migrated by a
// newer one, and an older program would not know what it reads.
func (m *migrator) current(ctx context.Context) (bool, error) {
	found, err := readVersion(ctx, m.pool)
	if err != nil {
		return false, err
	}
	if m.wanted.behind(found) {
		return false, fmt.Errorf("the database is newer than this program (schema %d, jobs %d; the program knows %d and %d): use a newer program",
			found.ours, found.jobs, m.wanted.ours, m.wanted.jobs)
	}
	return found == m.wanted, nil
}

// readVersion reads both versions in one select; a database without the tables is at zero. So is one where another
// replica is just making them: the job queue's table gains its column line only with its fifth migration, and each of
// them commits by itself.
func readVersion(ctx context.Context, pool *pgxpool.Pool) (v version, err error) {
	err = pool.QueryRow(ctx, `
		SELECT (SELECT coalesce(max(version_id), 0) FROM public.goose_db_version WHERE is_applied),
		       (SELECT coalesce(max(version), 0) FROM river.river_migration WHERE line = 'main'),
		       to_regclass('river.river_job_list_state') IS NOT NULL`).Scan(&v.ours, &v.jobs, &v.indexed)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && (pg.Code == undefinedTable || pg.Code == undefinedColumn) {
		return version{}, nil
	}
	if err != nil {
		return version{}, fmt.Errorf("database: reading the schema's version: %w", err)
	}
	return v, nil
}

const (
	undefinedTable  = "42P01"
	undefinedColumn = "42703"
)

// holdLock waits for the lock, which belongs to one session and ends with it, whatever happens to us.
func holdLock(ctx context.Context, pool *pgxpool.Pool) (unlock func(), err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("database: acquiring a connection: %w", err)
	}
	// Another replica's migration may take longer than a statement ever may elsewhere.
	if _, err := conn.Exec(ctx, `SELECT set_config('statement_timeout', '0', false)`); err != nil {
		conn.Release()
		return nil, fmt.Errorf("database: waiting for the migrations' lock: %w", err)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		conn.Release()
		return nil, fmt.Errorf("database: waiting for the migrations' lock: %w", err)
	}
	return func() {
		// Closing the session frees the lock even where an unlock statement could not be sent.
		_ = conn.Hijack().Close(context.WithoutCancel(ctx))
	}, nil
}

// up applies what is missing: ours first, because the first of them makes the job queue's schema. Our indexes come last,
// because they stand on the job queue's table.
func (m *migrator) up(ctx context.Context) (applied int, err error) {
	provider, done, err := newProvider(m.pool)
	if err != nil {
		return 0, err
	}
	defer done()
	results, err := provider.Up(ctx)
	if err != nil {
		return len(results), fmt.Errorf("database: migrating: %w", err)
	}
	jobs, err := m.jobs.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return len(results), fmt.Errorf("database: migrating the job queue: %w", err)
	}
	if _, err := m.pool.Exec(ctx, `SELECT index_jobs()`); err != nil {
		return len(results), fmt.Errorf("database: indexing the jobs: %w", err)
	}
	return len(results) + len(jobs.Versions), nil
}

func newProvider(pool *pgxpool.Pool) (*goose.Provider, func(), error) {
	db := stdlib.OpenDBFromPool(pool)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		_ = db.Close()
		return nil, nil, fmt.Errorf("database: reading the migrations: %w", err)
	}
	return provider, func() { _ = db.Close() }, nil // the pool stays open
}

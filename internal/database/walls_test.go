package database_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database/dbtest"
)

// fill leaves a row in every table of a tenant.
func fill(t *testing.T, db dbtest.DB) (tenant uuid.UUID) {
	t.Helper()
	tenant = uuid.Must(uuid.NewV7())
	text, err := os.ReadFile("testdata/fill.sql")
	must(t, err)
	_, err = db.Owner.Exec(t.Context(), strings.ReplaceAll(string(text), "$TENANT$", tenant.String()), pgx.QueryExecModeSimpleProtocol)
	must(t, err)
	return tenant
}

// column reads one column of text.
func column(t *testing.T, pool *pgxpool.Pool, query string, args ...any) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), query, args...)
	must(t, err)
	values, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return values
}

const tablesWithTenant = `
	SELECT c.relname::text FROM pg_class c
	  JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
	  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
	 WHERE c.relkind IN ('r', 'p') ORDER BY 1`

func count(ctx context.Context, pool *pgxpool.Pool, table string) (n int, err error) {
	err = pool.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&n)
	return n, err
}

func TestWalls_EveryTenantTableIsForced(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	open := column(t, db.Owner, `SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'public' AND c.relname::text IN (`+tablesWithTenant+`) AND NOT (relrowsecurity AND relforcerowsecurity)`)
	if len(open) > 0 {
		t.Errorf("row-level security is not enabled and forced on %v", open)
	}
	loose := column(t, db.Owner, `SELECT conrelid::regclass::text || '.' || conname FROM pg_constraint
		WHERE contype = 'p' AND conrelid::regclass::text IN (`+tablesWithTenant+`) AND conrelid <> 'sessions'::regclass
		  AND NOT conkey @> ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = 'tenant_id')`)
	if len(loose) > 0 {
		t.Errorf("primary keys without tenant_id: %v", loose)
	}
}

func TestWalls_WithoutATenantThereIsNoRow(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	fill(t, db)
	tables := column(t, db.Owner, tablesWithTenant)
	for _, table := range append(tables, "tenants", "users", "account_claims") {
		if n, err := count(t.Context(), db.Owner, table); err != nil || n == 0 {
			t.Errorf("testdata/fill.sql leaves no row in %s (%d, %v)", table, n, err)
		}
		for _, setting := range []string{"", "set to nothing"} {
			n, err := countUnder(t.Context(), db.App, table, "", setting != "")
			if err == nil && n != 0 {
				t.Errorf("%s: the serving role sees %d rows without a tenant %s", table, n, setting)
			}
			if err != nil && !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", table, err)
			}
		}
	}
}

// countUnder counts as the serving role in a transaction of the tenant.
func countUnder(ctx context.Context, pool *pgxpool.Pool, table, tenant string, set bool) (n int, err error) {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if set {
		if _, err := tx.Exec(ctx, `SELECT set_config('app.tenant_id', $1, true), set_config('app.user_id', $1, true)`, tenant); err != nil {
			return 0, err
		}
	}
	err = tx.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&n)
	return n, err
}

func TestWalls_ATenantSeesItsOwnRowsOnly(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	mine := fill(t, db)
	fill(t, db)
	for _, table := range append(column(t, db.Owner, tablesWithTenant), "tenants", "users") {
		all, err := count(t.Context(), db.Owner, table)
		must(t, err)
		n, err := countUnder(t.Context(), db.App, table, mine.String(), true)
		if table == "review_notes" || table == "tenant_name_parts" { // the staff's alone
			if err == nil || !strings.Contains(err.Error(), "permission denied") || all != 2 {
				t.Errorf("%s: a tenant sees %d of %d rows, %v", table, n, all, err)
			}
			continue
		}
		if err != nil || n != 1 || all != 2 {
			t.Errorf("%s: %d of %d rows, %v", table, n, all, err)
		}
	}
}

func TestWalls_NobodyWritesForAnotherTenant(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	mine, other := fill(t, db), fill(t, db)
	tx, err := db.App.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `SELECT set_config('app.tenant_id', $1, true)`, mine.String())
	must(t, err)
	tag, err := tx.Exec(t.Context(), `UPDATE connections SET reason = 'stolen' WHERE tenant_id = $1`, other)
	if err != nil || tag.RowsAffected() != 0 {
		t.Errorf("changed %d rows of another tenant, %v", tag.RowsAffected(), err)
	}
	_, err = tx.Exec(t.Context(), `INSERT INTO events (tenant_id, id, actor_kind, kind, created_at) VALUES ($1, gen_random_uuid(), 'system', 'x', now())`, other)
	if err == nil || !strings.Contains(err.Error(), "row-level security") {
		t.Errorf("wrote an event for another tenant: %v", err)
	}
}

func TestWalls_ThePlatformNeverReadsCredentials(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	fill(t, db)
	fill(t, db)
	if n, err := count(t.Context(), db.Platform, "connections"); err != nil || n != 2 {
		t.Errorf("the platform reads across tenants: %d rows, %v", n, err)
	}
	for _, query := range []string{
		`SELECT count(*) FROM callback_addresses`, `SELECT body_sealed FROM inbox`, `UPDATE inbox SET dead_at = NULL`,
		`SELECT count(*) FROM credentials`, `SELECT tenant_id FROM credentials`, `DELETE FROM credentials`,
		`SELECT password_hash FROM users`, `SELECT token_hash FROM sessions`, `SELECT count(*) FROM one_time_links`,
		`SELECT sealed FROM endpoint_secrets`, `SELECT wrapped FROM platform_keys`, `DELETE FROM deliveries`,
		`UPDATE tenants SET name = 'x'`, `DELETE FROM events`, `UPDATE events SET kind = 'x'`,
	} {
		if _, err := db.Platform.Exec(t.Context(), query); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s as the platform: %v", query, err)
		}
	}
}

func TestWalls_NoRoleBecomesAnother(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	roles := []string{"mooring_owner", "mooring_app", "mooring_platform", "postgres"}
	for self, pool := range map[string]*pgxpool.Pool{"mooring_app": db.App, "mooring_platform": db.Platform} {
		for _, role := range roles {
			for _, statement := range []string{"SET ROLE %s", "SET SESSION AUTHORIZATION %s"} {
				_, err := pool.Exec(t.Context(), fmt.Sprintf(statement, role))
				if role != self && err == nil {
					t.Errorf("%s could "+statement, self, role)
				}
			}
		}
	}
}

func TestWalls_EventsAreOnlyAdded(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	for _, query := range []string{`DELETE FROM events`, `UPDATE events SET kind = 'x'`, `TRUNCATE events`, `DELETE FROM platform_events`, `SELECT * FROM platform_events`} {
		if _, err := db.App.Exec(t.Context(), query); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s as the serving role: %v", query, err)
		}
	}
}

func TestWalls_DefinersPinTheirSearchPath(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	loose := column(t, db.Owner, `SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace AND nspname = 'public'
		WHERE prosecdef AND NOT coalesce(proconfig::text LIKE '%search_path=public, pg_temp%', false)`)
	if len(loose) > 0 {
		t.Errorf("SECURITY DEFINER without a fixed search_path: %v", loose)
	}
	public := column(t, db.Owner, `SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace AND nspname = 'public'
		WHERE has_function_privilege('public', p.oid, 'EXECUTE')`)
	if len(public) > 0 {
		t.Errorf("anybody may execute %v", public)
	}
}

func TestSchema_EverythingSaysWhatItIsFor(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	silent := column(t, db.Owner, `
		SELECT 'table ' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'public'
		 WHERE relkind IN ('r', 'v', 'm', 'p') AND obj_description(c.oid, 'pg_class') IS NULL
		 UNION ALL
		SELECT 'function ' || p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace AND nspname = 'public'
		 WHERE obj_description(p.oid, 'pg_proc') IS NULL`)
	if len(silent) > 0 {
		t.Errorf("without COMMENT ON: %v", silent)
	}
	// Bytes say nothing about themselves: ciphertext explains itself by its name, a hash says of what it is.
	hashes := column(t, db.Owner, `
		SELECT c.relname || '.' || a.attname FROM pg_attribute a
		  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r' JOIN pg_namespace n ON n.oid = relnamespace AND nspname = 'public'
		 WHERE a.attname LIKE '%\_hash' AND a.atttypid = 'bytea'::regtype AND col_description(c.oid, a.attnum) IS NULL`)
	hashes = slices.DeleteFunc(hashes, func(name string) bool { return name == "account_claims.account_hash" }) // said at connections
	if len(hashes) > 0 {
		t.Errorf("hashes without COMMENT ON COLUMN: %v", hashes)
	}
}

package database_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

func TestCheckRoles_AcceptThePlainOnes(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	must(t, database.CheckServingRole(t.Context(), db.App))
	must(t, database.CheckPlatformRole(t.Context(), db.Platform))
}

func TestCheckRoles_EachRefusesTheOthers(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"owner serves":      {database.CheckServingRole(t.Context(), db.Owner), `"mooring_owner" has BYPASSRLS`},
		"owner administers": {database.CheckPlatformRole(t.Context(), db.Owner), `"mooring_owner" has BYPASSRLS`},
		"platform serves":   {database.CheckServingRole(t.Context(), db.Platform), `has not been granted what mooring_app may do`},
		"app administers":   {database.CheckPlatformRole(t.Context(), db.App), `has not been granted what mooring_platform may do`},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.says) {
			t.Errorf("%s: %v, want …%s…", name, c.err, c.says)
		}
	}
}

// TestCheckRoles_Weaknesses needs roles of its own, which belong to a whole server: so it has a server of its own.
func TestCheckRoles_Weaknesses(t *testing.T) {
	t.Parallel()
	c := startCluster(t, t.TempDir())
	owner, _, _ := c.URLs()
	_, err := database.Migrate(t.Context(), owner)
	must(t, err)
	admin := connect(t, strings.Replace(c.AdminURL(), "/postgres?", "/mooring?", 1))
	serve := func(p *pgxpool.Pool) error { return database.CheckServingRole(context.Background(), p) }
	administer := func(p *pgxpool.Pool) error { return database.CheckPlatformRole(context.Background(), p) }

	for name, c := range map[string]struct {
		make  string // ROLE is the login role
		check func(*pgxpool.Pool) error
		says  string
	}{
		"superuser":              {`ALTER ROLE ROLE SUPERUSER`, serve, "is a superuser"},
		"bypass":                 {`ALTER ROLE ROLE BYPASSRLS`, serve, "has BYPASSRLS"},
		"creator of roles":       {`ALTER ROLE ROLE CREATEROLE`, serve, "has CREATEROLE"},
		"owner of a table":       {`GRANT mooring_app TO ROLE; CREATE TABLE of_its_own (); ALTER TABLE of_its_own OWNER TO ROLE`, serve, "owns"},
		"creator of tables":      {`GRANT mooring_app TO ROLE; GRANT CREATE ON SCHEMA river TO ROLE`, serve, "can create"},
		"member of the owner":    {`GRANT mooring_app, mooring_owner TO ROLE`, serve, "can become mooring_owner"},
		"member of the platform": {`GRANT mooring_app, mooring_platform TO ROLE`, serve, "can become mooring_platform"},
		"nobody":                 {``, serve, "has not been granted"},
		"member of the app":      {`GRANT mooring_app TO ROLE`, serve, ""}, // a login of another name is fine
		"platform and app":       {`GRANT mooring_app, mooring_platform TO ROLE`, administer, "can become mooring_app"},
		"platform":               {`GRANT mooring_platform TO ROLE`, administer, ""},
		"reader of credentials":  {`GRANT mooring_platform TO ROLE; GRANT SELECT (sealed) ON credentials TO ROLE`, administer, "sealed credentials"},
		"remover of credentials": {`GRANT mooring_platform TO ROLE; GRANT DELETE ON credentials TO ROLE`, administer, "sealed credentials"},
	} {
		login := "trial_" + strings.ReplaceAll(name, " ", "_")
		for _, statement := range append([]string{"CREATE ROLE ROLE LOGIN PASSWORD 'trial'; GRANT CONNECT ON DATABASE mooring TO ROLE"}, c.make) {
			_, err := admin.Exec(t.Context(), replaceRole(statement, login), pgx.QueryExecModeSimpleProtocol)
			must(t, err)
		}
		err := c.check(poolAs(t, owner, login))
		if c.says == "" {
			must(t, err)
		} else if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want …%s…", name, err, c.says)
		}
	}
}

// replaceRole puts the login where ROLE stands as a name, not where it is the keyword.
func replaceRole(statement, login string) string {
	statement = strings.ReplaceAll(statement, "ROLE ROLE", "ROLE "+login)
	statement = strings.ReplaceAll(statement, "TO ROLE", "TO "+login)
	return statement
}

func poolAs(t *testing.T, address, login string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(address)
	must(t, err)
	config.ConnConfig.User, config.ConnConfig.Password = login, "trial"
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	must(t, err)
	t.Cleanup(pool.Close)
	return pool
}

func TestOpen_NeverShowsThePassword(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://mooring_app:hunter2@127.0.0.1:1/mooring", "postgres://mooring_app:hunter2@127.0.0.1:notaport/mooring",
		"postgres://mooring_app:hunter2@/mooring?host=/nowhere",
	} {
		_, err := database.Open(t.Context(), address, database.PoolOptions{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v", err)
		}
	}
}

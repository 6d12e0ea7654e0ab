package database_test

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"mooring/internal/database"
)

// TestDeploy_InitSQL runs what docker-compose.yml hands to a fresh server, then everything that comes after it.
func TestDeploy_InitSQL(t *testing.T) {
	t.Parallel()
	c, err := database.StartCluster(t.Context(), t.TempDir(), database.ClusterOptions{Scratch: true})
	must(t, err)
	t.Cleanup(func() { must(t, c.Stop(context.Background())) })
	_, err = connect(t, c.AdminURL()).Exec(t.Context(), `DROP ROLE mooring_owner, mooring_app, mooring_platform`)
	must(t, err)

	secrets := t.TempDir()
	for _, role := range []string{"owner", "app", "platform"} {
		must(t, os.WriteFile(filepath.Join(secrets, role+"_password"), []byte("it's "+role+"'s"), 0o600))
	}
	psql, err := exec.LookPath("psql")
	must(t, err)
	cmd := exec.CommandContext(t.Context(), psql, "--no-psqlrc", "--file", "../../deploy/postgres/init.sql", c.AdminURL())
	cmd.Env = append(os.Environ(), "MOORING_SECRETS="+secrets)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}

	as := func(role string) string {
		u, err := url.Parse(c.AdminURL())
		must(t, err)
		u.User, u.Path = url.UserPassword("mooring_"+role, "it's "+role+"'s"), "/mooring"
		return u.String()
	}
	_, err = database.Migrate(t.Context(), as("owner"))
	must(t, err)
	app, err := database.Open(t.Context(), as("app"), database.PoolOptions{MaxConns: 1})
	must(t, err)
	defer app.Close()
	platform, err := database.Open(t.Context(), as("platform"), database.PoolOptions{MaxConns: 1})
	must(t, err)
	defer platform.Close()
	must(t, database.CheckVersion(t.Context(), app))
	must(t, database.CheckServingRole(t.Context(), app))
	must(t, database.CheckPlatformRole(t.Context(), platform))
}

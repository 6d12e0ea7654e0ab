package database

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"
)

// passwords are the roles' passwords, generated when the cluster is made and kept beside it, for our user only.
type passwords struct {
	Superuser string `json:"superuser"`
	Owner     string `json:"owner"`
	App       string `json:"app"`
	Platform  string `json:"platform"`
}

const passwordsFile = "passwords.json"

// loadPasswords reads the passwords, or makes them for a cluster that is still to be made.
func loadPasswords(dir string, clusterExists bool) (passwords, error) {
	path := filepath.Join(dir, passwordsFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) && clusterExists:
		return passwords{}, fmt.Errorf("%s is missing: put it back from a backup, or set up a new data directory", path)
	case errors.Is(err, os.ErrNotExist):
		return makePasswords(path)
	case err != nil:
		return passwords{}, fmt.Errorf("reading the passwords: %w", err)
	}
	var p passwords
	if err := json.Unmarshal(text, &p); err != nil {
		return passwords{}, fmt.Errorf("%s is damaged: put it back from a backup", path) // the cause would quote it
	}
	return p, nil
}

func makePasswords(path string) (passwords, error) {
	p := passwords{Superuser: rand.Text(), Owner: rand.Text(), App: rand.Text(), Platform: rand.Text()}
	text, err := json.Marshal(p)
	if err != nil {
		return passwords{}, fmt.Errorf("writing the passwords: %w", err)
	}
	if err := writeDurably(path, text); err != nil {
		return passwords{}, fmt.Errorf("writing the passwords: %w", err)
	}
	return p, nil
}

// writeDurably writes a file wholly or not at all: half a password file would lock the cluster for good.
func writeDurably(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// hostAccess is pg_hba.conf: the socket only, and a password from everybody, the superuser too.
const hostAccess = "local all all scram-sha-256\n"

// initialise makes the data folder beside its place and moves it there when it is whole, so that a half-made one is
// never started.
func (c *Cluster) initialise(ctx context.Context, o ClusterOptions) error {
	side := filepath.Join(c.dir, "data.init")
	if err := os.RemoveAll(side); err != nil {
		return fmt.Errorf("removing a half-made data folder: %w", err)
	}
	if err := os.Mkdir(side, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if err := c.identity.own(side); err != nil {
		return err
	}
	secret, err := c.lendPassword()
	defer func() { _ = os.Remove(secret) }()
	if err != nil {
		return fmt.Errorf("writing the password for initdb: %w", err)
	}
	args := []string{"-D", side, "-U", superuser, "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8", "--locale", locale}
	if o.Scratch {
		args = append(args, "--no-sync", "--wal-segsize=1")
	}
	cmd := c.command("initdb", args...)
	cmd.SysProcAttr = c.identity.attributes(false)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(side, "pg_hba.conf"), []byte(hostAccess), 0o600); err != nil {
		return fmt.Errorf("writing pg_hba.conf: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := os.Rename(side, c.data()); err != nil {
		return fmt.Errorf("moving the data folder to its place: %w", err)
	}
	return nil
}

// lendPassword puts the superuser's password where the server's user can read it, for the time of initdb.
func (c *Cluster) lendPassword() (path string, err error) {
	path = filepath.Join(c.socket, "superuser") // the one folder that both can enter
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return path, err
	}
	if os.Geteuid() == 0 {
		err = f.Chown(c.identity.uid, c.identity.gid)
	}
	if err == nil {
		_, err = f.WriteString(c.passwords.Superuser)
	}
	return path, errors.Join(err, f.Close())
}

// bootstrap makes the roles and the database, as far as they are not there: the last start may have died between any two
// of these statements.
func bootstrap(ctx context.Context, conn *pgx.Conn, p passwords, o ClusterOptions) error {
	var roles, databases, walled int
	err := conn.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM pg_roles WHERE rolname IN ($1, $2, $3)),
		       (SELECT count(*) FROM pg_database WHERE datname = $4),
		       (SELECT count(*) FROM pg_database WHERE datname = $4 AND datacl IS NOT NULL)`,
		OwnerRole, AppRole, PlatformRole, databaseName).Scan(&roles, &databases, &walled)
	if err != nil {
		return fmt.Errorf("looking for the roles: %w", err)
	}
	var statements []string
	if roles < 3 { // all three come in one transaction
		statements = append(statements, fmt.Sprintf(
			`CREATE ROLE %s LOGIN BYPASSRLS PASSWORD '%s'; CREATE ROLE %s LOGIN PASSWORD '%s'; CREATE ROLE %s LOGIN PASSWORD '%s'`,
			OwnerRole, p.Owner, AppRole, p.App, PlatformRole, p.Platform))
	}
	if databases == 0 && !o.Scratch {
		statements = append(statements, fmt.Sprintf(`CREATE DATABASE %s OWNER %s`, databaseName, OwnerRole))
	}
	if walled == 0 && !o.Scratch {
		statements = append(statements, fmt.Sprintf(`REVOKE ALL ON DATABASE %[1]s FROM PUBLIC; GRANT CONNECT ON DATABASE %[1]s TO %[2]s, %[3]s`,
			databaseName, AppRole, PlatformRole))
	}
	for _, statement := range statements {
		if _, err := conn.PgConn().Exec(ctx, statement).ReadAll(); err != nil { // several statements: one transaction
			return fmt.Errorf("making the roles and the database: %w", err)
		}
	}
	return nil
}

package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
	"mooring/migrations"
)

// serverVariable names the superuser's address of a running server.
const serverVariable = "TEST_DATABASE_URL"

// rolePassword is what the three roles have on a server for tests, so that several processes can share it.
const rolePassword = "only-for-tests"

// setupLock is the advisory lock under which processes that share a server set it up.
const setupLock = 0x64627465737401 // "dbtest", 1

// server is where the tests' databases live.
type server struct {
	admin    *pgxpool.Pool
	cluster  *database.Cluster // nil when TEST_DATABASE_URL named the server
	dir      string
	once     sync.Once
	name     string
	nameErr  error
	adminURL string
}

func startServer(ctx context.Context) (*server, error) {
	s := &server{adminURL: os.Getenv(serverVariable)}
	if s.adminURL == "" {
		var err error
		if s.dir, err = os.MkdirTemp("", "mooring-test-"); err != nil {
			return nil, err
		}
		if s.cluster, err = database.StartCluster(ctx, s.dir, database.ClusterOptions{Scratch: true}); err != nil {
			return nil, errors.Join(err, os.RemoveAll(s.dir))
		}
		s.adminURL = s.cluster.AdminURL()
	}
	var err error
	if s.admin, err = database.Open(ctx, s.adminURL, database.PoolOptions{MaxConns: 4, AppName: "dbtest"}); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", serverVariable, err), s.stop())
	}
	if err := s.locked(ctx, setRoles); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) stop() error {
	if s.admin != nil {
		s.admin.Close()
	}
	if s.cluster == nil {
		return nil
	}
	return errors.Join(s.cluster.Stop(context.Background()), os.RemoveAll(s.dir))
}

// locked does something that processes sharing the server must do one after the other.
func (s *server) locked(ctx context.Context, do func(context.Context, *pgx.Conn) error) error {
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("setting the server up: %w", err)
	}
	session := conn.Hijack() // closing it frees the lock
	defer func() { _ = session.Close(ctx) }()
	for _, statement := range []string{`SET statement_timeout = 0`, fmt.Sprintf(`SELECT pg_advisory_lock(%d)`, setupLock)} {
		if _, err := session.Exec(ctx, statement); err != nil {
			return fmt.Errorf("setting the server up: %w", err)
		}
	}
	return do(ctx, session)
}

// setRoles makes the three roles, or takes those that are there. A server with a real database of ours on it is left
// alone: its roles' passwords are not ours to change.
func setRoles(ctx context.Context, conn *pgx.Conn) error {
	var real bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'mooring')`).Scan(&real); err != nil {
		return fmt.Errorf("looking for a real database: %w", err)
	}
	if real {
		return errors.New(serverVariable + " names a server with a database called mooring on it: tests would change its roles' passwords")
	}
	for role, attributes := range map[string]string{
		database.OwnerRole: "BYPASSRLS", database.AppRole: "NOBYPASSRLS", database.PlatformRole: "NOBYPASSRLS",
	} {
		_, err := conn.Exec(ctx, fmt.Sprintf(`DO $$ BEGIN
			IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '%[1]s') THEN CREATE ROLE %[1]s; END IF;
			ALTER ROLE %[1]s LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB %[2]s PASSWORD '%[3]s';
			END $$`, role, attributes, rolePassword))
		if err != nil {
			return fmt.Errorf("making the role %s: %w", role, err)
		}
	}
	return nil
}

// url is the address of a database on the server for one of the roles.
func (s *server) url(role, name string) string {
	u, err := url.Parse(s.adminURL)
	if err != nil {
		return "" // Open has parsed it before
	}
	u.User, u.Path = url.UserPassword(role, rolePassword), "/"+name
	return u.String()
}

// template gives the name of the migrated database that others are copied from, and makes it the first time.
func (s *server) template(ctx context.Context) (string, error) {
	s.once.Do(func() {
		ctx := context.WithoutCancel(ctx) // the other tests want it too
		if s.name, s.nameErr = templateName(); s.nameErr == nil {
			s.nameErr = s.locked(ctx, s.makeTemplate)
		}
	})
	return s.name, s.nameErr
}

// templateName changes whenever the result of migrating may: with our files and with the job queue's version.
func templateName() (string, error) {
	hash := sha256.New()
	names, err := fs.Glob(migrations.Files, "*")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations.Files, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(text), text)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if strings.HasPrefix(m.Path, "github.com/riverqueue/") {
				fmt.Fprintln(hash, m.Path, m.Version)
			}
		}
	}
	return "mooring_template_" + hex.EncodeToString(hash.Sum(nil)[:8]), nil
}

// makeTemplate migrates under another name first, so that a run which dies halfway leaves no half template.
func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn) error {
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, s.name).Scan(&there); err != nil {
		return fmt.Errorf("looking for the template: %w", err)
	}
	if there {
		return nil
	}
	building := s.name + "_building"
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + building, "CREATE DATABASE " + building + " OWNER " + database.OwnerRole} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("making the template: %w", err)
		}
	}
	if _, err := database.Migrate(ctx, s.url(database.OwnerRole, building)); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "ALTER DATABASE "+building+" RENAME TO "+s.name); err != nil {
		return fmt.Errorf("making the template: %w", err)
	}
	return nil
}

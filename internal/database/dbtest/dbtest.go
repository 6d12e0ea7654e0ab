// Package dbtest gives each test a migrated PostgreSQL database of its own.
//
// TEST_DATABASE_URL, a superuser's address, says which server to use; `make test` sets it, so that all packages share
// one. Without it the package's tests start a private server for themselves. A test never skips for want of a database:
// it fails and says why.
//
//	func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
//	...
//	db := dbtest.New(t) // db.App, db.Platform, db.Owner; t.Parallel is welcome
package dbtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
)

// DB is one test's database, as each of the three roles sees it. The pools are closed after the test.
type DB struct {
	OwnerURL, AppURL, PlatformURL string
	Owner, App, Platform          *pgxpool.Pool
}

// shared is the server that the tests of one process use; it is started by the first of them.
var shared struct { //nolint:gochecknoglobals // testing gives a package's tests nothing else in common
	sync.Mutex
	managed bool
	server  *server
	err     error
}

// Main runs a package's tests and stops the server that they started.
func Main(m *testing.M) int {
	shared.Lock()
	shared.managed = true
	shared.Unlock()
	code := m.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.stop(); err != nil {
		fmt.Fprintln(os.Stderr, "dbtest:", err)
		return max(code, 1)
	}
	return code
}

// New gives the test a fresh database with every migration applied.
func New(t testing.TB) DB {
	t.Helper()
	s := serverFor(t)
	template, err := s.template(t.Context())
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	return s.create(t, " TEMPLATE "+template+" STRATEGY file_copy")
}

// NewEmpty gives the test a database that nothing has been applied to. Only tests of migrating need it.
func NewEmpty(t testing.TB) DB {
	t.Helper()
	return serverFor(t).create(t, "")
}

func serverFor(t testing.TB) *server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if !shared.managed {
		t.Fatal("dbtest: the package needs: func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }")
	}
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = startServer(context.WithoutCancel(t.Context()))
	}
	if shared.err != nil {
		t.Fatalf("dbtest: no PostgreSQL for the tests: %v", shared.err)
	}
	return shared.server
}

// create makes a database and everything that the test gets with it.
func (s *server) create(t testing.TB, from string) DB {
	t.Helper()
	name := "t_" + strings.ToLower(rand.Text())
	_, err := s.admin.Exec(t.Context(), "CREATE DATABASE "+name+" OWNER "+database.OwnerRole+from)
	if err != nil {
		t.Fatalf("dbtest: making a database: %v", err)
	}
	t.Cleanup(func() {
		if _, err := s.admin.Exec(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("dbtest: dropping the database: %v", err)
		}
	})
	db := DB{
		OwnerURL:    s.url(database.OwnerRole, name),
		AppURL:      s.url(database.AppRole, name),
		PlatformURL: s.url(database.PlatformRole, name),
	}
	db.Owner, db.App, db.Platform = pool(t, db.OwnerURL), pool(t, db.AppURL), pool(t, db.PlatformURL)
	return db
}

// pool opens a pool that connects when it is used: most tests use one of the three.
func pool(t testing.TB, url string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	config.MaxConns = 8
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	p, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("dbtest: %v", err)
	}
	t.Cleanup(func() { closePool(t, p, config.ConnConfig) })
	return p
}

// closePool would wait for ever for a connection that the test has not handed back.
func closePool(t testing.TB, p *pgxpool.Pool, c *pgx.ConnConfig) {
	t.Helper()
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Errorf("dbtest: %d connections of %s were not handed back", p.Stat().AcquiredConns(), c.User)
	}
}

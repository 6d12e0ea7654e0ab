package database

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	databaseName  = "mooring"  // the one database of a private cluster
	superuser     = "postgres" // for making it; nobody works as this
	maintenanceDB = "postgres"

	readyTime = 60 * time.Second // how long it may take to answer, crash recovery included
	fastTime  = 10 * time.Second // how long a clean end may take before it is pressed
	pressTime = 5 * time.Second
)

// ClusterOptions say what a private cluster is for.
type ClusterOptions struct {
	// Scratch is for tests: durability is given up for speed, and there are the roles but no database.
	Scratch bool
}

// Cluster is a private PostgreSQL. It is reached through a Unix socket in a folder of its own, never over the network,
// and with a password only. It ends with this process, however this process ends.
type Cluster struct {
	dir       string // holds the lock, the passwords, the log and the data
	socket    string
	programs  programs
	identity  identity
	passwords passwords
	lock      *dirLock
	server    *server
}

// StartCluster starts the cluster whose folder is dir, and makes it the first time. It takes up what a killed run left
// behind, and refuses a folder that a living process holds.
func StartCluster(ctx context.Context, dir string, o ClusterOptions) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("database: %w", err)
	}
	if err := os.MkdirAll(dir, folderMode()); err != nil {
		return nil, fmt.Errorf("the data directory cannot be made: %w", err)
	}
	c := &Cluster{dir: dir}
	if c.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("the private PostgreSQL in %s did not start: %w", dir, err), c.Stop(context.WithoutCancel(ctx)))
	}
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) start(ctx context.Context, o ClusterOptions) error {
	version, err := dataVersion(c.data())
	if err != nil {
		return err
	}
	if c.programs, err = findPrograms(ctx, version); err != nil {
		return err
	}
	if c.identity, err = chooseIdentity(c.programs, c.dir); err != nil {
		return err
	}
	if c.socket, err = c.makeSocketDir(); err != nil {
		return err
	}
	if c.passwords, err = loadPasswords(c.dir, version != 0); err != nil {
		return err
	}
	if version == 0 {
		err = c.initialise(ctx, o)
	} else {
		err = c.takeOver(ctx)
	}
	if err != nil {
		return err
	}
	if c.server, err = c.launch(o); err != nil {
		return err
	}
	conn, err := c.waitReady(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	return bootstrap(ctx, conn, c.passwords, o)
}

// makeSocketDir makes a fresh folder with a short name, which only the server's user and we can enter. A killed run may
// have left its own; the lock's file tells which.
func (c *Cluster) makeSocketDir() (string, error) {
	if left := c.lock.note(); strings.HasPrefix(filepath.Base(left), socketPrefix) {
		_ = os.RemoveAll(left) // somebody else's cleaning may have been faster
	}
	base := os.TempDir()
	if len(base) > 40 || !c.identity.canEnter(c.programs, base) {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, socketPrefix)
	if err != nil {
		return "", fmt.Errorf("making a folder for the socket: %w", err)
	}
	if err := c.lock.write(dir); err != nil {
		return dir, err
	}
	return dir, c.identity.own(dir)
}

const socketPrefix = "mooring-pg-"

// launch starts the postmaster.
func (c *Cluster) launch(o ClusterOptions) (*server, error) {
	path := filepath.Join(c.dir, "postgres.log")
	_ = os.Rename(path, path+".old") // the log of the last run is enough
	log, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	defer func() { _ = log.Close() }() // the server has its own copy
	args := []string{"-D", c.data(), "-k", c.socket}
	for _, setting := range settings(o) {
		args = append(args, "-c", setting)
	}
	cmd := c.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = c.identity.attributes(true)
	return startServer(cmd)
}

// settings overrule postgresql.conf. Terse messages keep the values of failing rows out of the log.
func settings(o ClusterOptions) []string {
	s := []string{
		"listen_addresses=", "unix_socket_permissions=0700", "timezone=UTC", "log_timezone=UTC",
		"log_error_verbosity=terse", "log_min_error_statement=panic",
	}
	if o.Scratch {
		s = append(s, "max_connections=400", "shared_buffers=64MB", "fsync=off", "synchronous_commit=off",
			"full_page_writes=off", "wal_level=minimal", "max_wal_senders=0", "autovacuum=off", "jit=off")
	}
	return s
}

// command prepares one of the server programs with an environment that nothing of ours leaks into.
func (c *Cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(c.programs.path(name), args...) //nolint:gosec,noctx // programs that we found; Stop ends them, not a context
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=" + locale, "PATH=/usr/local/bin:/usr/bin:/bin"}
	return cmd
}

// waitReady waits until the server answers, and gives the connection that it answered on.
func (c *Cluster) waitReady(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(8 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.AdminURL())
		if err == nil {
			return conn, nil
		}
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == invalidPassword {
			return nil, fmt.Errorf("%s does not fit the data beside it: %w", passwordsFile, err)
		}
		select {
		case <-c.server.exited:
			return nil, fmt.Errorf("it ended at once; the end of its log:\n%s", tail(filepath.Join(c.dir, "postgres.log")))
		case <-ctx.Done():
			return nil, fmt.Errorf("it does not answer: %w", err)
		case <-tick.C:
		}
	}
}

const invalidPassword = "28P01"

// tail is the end of a text file, as far as it can be had.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-2000):]))
}

// URLs give the addresses for the three roles. They hold passwords: hand them to Open and Migrate, never to a log.
func (c *Cluster) URLs() (owner, app, platform string) {
	return c.url(OwnerRole, c.passwords.Owner, databaseName),
		c.url(AppRole, c.passwords.App, databaseName),
		c.url(PlatformRole, c.passwords.Platform, databaseName)
}

// AdminURL is the superuser's address. Only making databases needs it.
func (c *Cluster) AdminURL() string { return c.url(superuser, c.passwords.Superuser, maintenanceDB) }

func (c *Cluster) url(role, password, database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Path: "/" + database}
	u.RawQuery = url.Values{"host": {c.socket}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Died is closed when the server has ended, whether asked to or not.
func (c *Cluster) Died() <-chan struct{} { return c.server.exited }

// Stop ends the server cleanly and frees the folder. When ctx ends or the server takes too long it is pressed, which
// loses no commit either. A second call does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	var err error
	if c.server != nil {
		err = c.server.stop(ctx)
	}
	if c.socket != "" {
		err = errors.Join(err, os.RemoveAll(c.socket))
	}
	return errors.Join(err, c.lock.release())
}

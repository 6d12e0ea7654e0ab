package database_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"mooring/internal/database"
)

func startCluster(t testing.TB, dir string) *database.Cluster {
	t.Helper()
	began := time.Now()
	c, err := database.StartCluster(t.Context(), dir, database.ClusterOptions{})
	must(t, err)
	t.Logf("started in %v", time.Since(began).Round(time.Millisecond))
	t.Cleanup(func() { must(t, c.Stop(context.Background())) })
	return c
}

// connect opens one connection, which the test's end closes.
func connect(t testing.TB, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// addRow leaves a row behind and says how many there are.
func addRow(t testing.TB, ownerURL string) (rows int) {
	t.Helper()
	conn := connect(t, ownerURL)
	_, err := conn.Exec(t.Context(), `CREATE TABLE IF NOT EXISTS kept (id int)`)
	must(t, err)
	_, err = conn.Exec(t.Context(), `INSERT INTO kept VALUES (1)`)
	must(t, err)
	must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM kept`).Scan(&rows))
	must(t, conn.Close(t.Context()))
	return rows
}

func TestStartCluster_KeepsRowsOverARestart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(openDir(t), "not", "there", "yet")
	for want := 1; want <= 2; want++ {
		c := startCluster(t, dir)
		owner, _, _ := c.URLs()
		if rows := addRow(t, owner); rows != want {
			t.Errorf("start %d: %d rows", want, rows)
		}
		must(t, c.Stop(t.Context()))
		must(t, c.Stop(t.Context())) // a second call does nothing
		select {
		case <-c.Died():
		default:
			t.Error("Died is open after Stop")
		}
		if left := processesIn(t, dir); len(left) > 0 {
			t.Errorf("left running: %v", left)
		}
	}
}

func TestStartCluster_RefusesASecondHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCluster(t, dir)
	_, err := database.StartCluster(t.Context(), dir, database.ClusterOptions{})
	want := fmt.Sprintf("the data directory %s is in use by process %d", dir, os.Getpid())
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	owner, _, _ := c.URLs()
	addRow(t, owner) // the first one is not disturbed

	beside, _, _, running, err := database.RunningURLs(dir)
	if err != nil || !running || beside != owner {
		t.Errorf("a command beside it gets another address: %t, %v", running, err)
	}
	must(t, c.Stop(t.Context()))
	if _, _, _, running, err := database.RunningURLs(dir); running || err != nil {
		t.Errorf("running after Stop: %t, %v", running, err)
	}
}

func TestStartCluster_OpensToItsPasswordsOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCluster(t, dir)
	owner, app, platform := c.URLs()
	for role, address := range map[string]string{
		database.OwnerRole: owner, database.AppRole: app, database.PlatformRole: platform, "postgres": c.AdminURL(),
	} {
		var user, addresses string
		must(t, connect(t, address).QueryRow(t.Context(), `SELECT current_user, current_setting('listen_addresses')`).Scan(&user, &addresses))
		if user != role || addresses != "" {
			t.Errorf("%s: logged in as %s, listening on %q", role, user, addresses)
		}
		u, err := url.Parse(address)
		must(t, err)
		u.User = url.UserPassword(role, "wrong")
		if _, err := pgx.Connect(t.Context(), u.String()); !refused(err) {
			t.Errorf("%s with a wrong password: %v", role, err)
		}
	}
	hba, err := os.ReadFile(filepath.Join(dir, "data", "pg_hba.conf"))
	must(t, err)
	if strings.Contains(string(hba), "trust") || strings.Contains(string(hba), "host") {
		t.Errorf("pg_hba.conf: %s", hba)
	}
	info, err := os.Stat(filepath.Join(dir, "passwords.json"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("passwords.json has mode %v", info.Mode())
	}
}

func refused(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == "28P01"
}

func TestStartCluster_InAFolderThatOnlyRootCanEnter(t *testing.T) {
	t.Parallel()
	parent := openDir(t)
	must(t, os.Chmod(parent, 0o700))
	dir := filepath.Join(parent, "data")
	for want := 1; want <= 2; want++ {
		c := startCluster(t, dir)
		owner, _, _ := c.URLs()
		if rows := addRow(t, owner); rows != want {
			t.Errorf("start %d: %d rows", want, rows)
		}
		must(t, c.Stop(t.Context()))
	}
	must(t, os.Chmod(parent, 0o755))
	owner, _, _ := startCluster(t, dir).URLs()
	if rows := addRow(t, owner); rows != 3 {
		t.Errorf("after the folder was opened: %d rows", rows)
	}
}

func TestStartCluster_AnotherUsersFolderSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "taken"), nil, 0o600))
	_, err := database.StartCluster(t.Context(), filepath.Join(dir, "taken"), database.ClusterOptions{})
	if err == nil || !strings.Contains(err.Error(), "the data directory cannot be made") {
		t.Errorf("a file where the folder should be: %v", err)
	}
}

// holder is another process that holds a cluster.
type holder struct {
	cmd      *exec.Cmd
	ownerURL string
}

func startHolder(t *testing.T, dir string, as *syscall.Credential) holder {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	if as != nil { // go test's own folder is closed to others
		program = copyTo(t, program, filepath.Join(openDir(t), "holder"))
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), holdVariable+"="+dir)
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return holder{cmd: cmd, ownerURL: strings.TrimSpace(line)}
}

func copyTo(t *testing.T, from, to string) string {
	t.Helper()
	in, err := os.Open(from)
	must(t, err)
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, errors.Join(err, out.Close()))
	return to
}

// die kills the holder in the way that gives it no chance to clean up.
func (h holder) die(t *testing.T) {
	t.Helper()
	must(t, h.cmd.Process.Kill())
	_ = h.cmd.Wait()
	t.Cleanup(func() { _ = os.RemoveAll(h.socket(t)) }) // unless the next start has done it
}

func (h holder) socket(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(h.ownerURL)
	must(t, err)
	return u.Query().Get("host")
}

func postmasterOf(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	must(t, err)
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	must(t, err)
	return pid
}

func TestStartCluster_AfterKillOfItsHolder(t *testing.T) {
	t.Parallel()
	for name, alsoPostmaster := range map[string]bool{"holder": false, "holder and postmaster": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := openDir(t)
			h := startHolder(t, dir, nil)
			addRow(t, h.ownerURL)
			_, err := database.StartCluster(t.Context(), dir, database.ClusterOptions{})
			if want := fmt.Sprintf("is in use by process %d", h.cmd.Process.Pid); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if alsoPostmaster {
				must(t, syscall.Kill(postmasterOf(t, dir), syscall.SIGKILL))
			}
			h.die(t)
			owner, _, _ := startCluster(t, dir).URLs()
			if rows := addRow(t, owner); rows != 2 {
				t.Errorf("%d rows", rows)
			}
			if exists(h.socket(t)) {
				t.Error("the dead holder's socket folder is still there")
			}
		})
	}
}

// openDir is a folder that every user can enter; those of t.TempDir are for our own only.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mooring-open-") //nolint:usetesting // that is the point
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestStartCluster_TheServerEndsWithItsHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	h := startHolder(t, dir, nil)
	idle := connect(t, h.ownerURL) // a client does not keep it alive
	h.die(t)
	for deadline := time.Now().Add(10 * time.Second); len(processesIn(t, dir)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still running: %v", processesIn(t, dir))
		}
	}
	if idle.Ping(t.Context()) == nil {
		t.Error("the connection still answers")
	}
}

func TestStartCluster_AsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("all other tests here run as an ordinary user already")
		return
	}
	dir := openDir(t)
	const nobody = 65534
	must(t, os.Chown(dir, nobody, nobody))
	h := startHolder(t, dir, &syscall.Credential{Uid: nobody, Gid: nobody})
	if rows := addRow(t, h.ownerURL); rows != 1 {
		t.Errorf("%d rows", rows)
	}
	info, err := os.Stat(filepath.Join(dir, "data"))
	must(t, err)
	if s, ok := info.Sys().(*syscall.Stat_t); !ok || s.Uid != nobody {
		t.Errorf("the data belong to %v", info.Sys())
	}
	h.die(t)
}

func TestStartCluster_AHalfMadeClusterIsMadeAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "data.init", "base"), 0o700)) // initdb was killed
	owner, _, _ := startCluster(t, dir).URLs()
	addRow(t, owner)
}

func TestStartCluster_DiedBetweenInitdbAndTheRoles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := startCluster(t, dir)
	admin := connect(t, c.AdminURL())
	_, err := admin.Exec(t.Context(), `DROP DATABASE mooring`)
	must(t, err)
	_, err = admin.Exec(t.Context(), `DROP ROLE mooring_owner, mooring_app, mooring_platform`)
	must(t, err)
	must(t, c.Stop(t.Context()))
	owner, app, _ := startCluster(t, dir).URLs()
	addRow(t, owner)
	connect(t, app)
}

func TestStartCluster_WithoutItsPasswordsSaysWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, startCluster(t, dir).Stop(t.Context()))
	must(t, os.Remove(filepath.Join(dir, "passwords.json")))
	_, err := database.StartCluster(t.Context(), dir, database.ClusterOptions{})
	if err == nil || !strings.Contains(err.Error(), "passwords.json is missing: put it back from a backup") {
		t.Errorf("got %v", err)
	}
	if exists(filepath.Join(dir, "passwords.json")) {
		t.Error("new passwords were made for old data")
	}
}

// processesIn is a second opinion about who still works in a cluster's data.
func processesIn(t *testing.T, dir string) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	must(t, err)
	for _, link := range links {
		if cwd, _ := os.Readlink(link); cwd == filepath.Join(dir, "data") {
			pids = append(pids, link)
		}
	}
	return pids
}

func BenchmarkStartCluster_Warm(b *testing.B) {
	dir := b.TempDir()
	must(b, startCluster(b, dir).Stop(b.Context()))
	for b.Loop() {
		must(b, startCluster(b, dir).Stop(b.Context()))
	}
}

package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"mooring/internal/database/dbtest"
)

// On one machine the program brings its own PostgreSQL; other commands work beside it, a second program does not.
func TestServeOnItsPrivateDatabase(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	env := []string{"DATA_DIR=" + data, "KEYSET=" + newKeyset(t), "PUBLIC_URL=http://localhost:8080", "LISTEN_ADDR=127.0.0.1:0"}

	if code, text := doctor(t, env); code != 0 || !strings.Contains(text, "there is no private database yet") {
		t.Errorf("doctor before the first start: code %d\n%s", code, text)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("doctor made the data directory")
	}
	first := startWeb(t, env, "serve")
	first.await(t, servingLine)

	second := startWeb(t, env, "serve")
	if code := second.code(t); code != 1 || !strings.Contains(second.out.String(), "is in use by process "+strconv.Itoa(first.cmd.Process.Pid)) {
		t.Errorf("a second program on the same data: code %d, %s", code, second.out)
	}
	if code, text := doctor(t, env); code != 0 || !strings.Contains(text, "the keyset opens what is stored") {
		t.Errorf("doctor beside the program: code %d\n%s", code, text)
	}
	beside := startWeb(t, env, "migrate")
	if code := beside.code(t); code != 0 || !strings.Contains(beside.out.String(), "up to date") {
		t.Errorf("migrate beside the program: code %d, %s", code, beside.out)
	}

	// A program without its database has nothing to serve; whoever watches over it starts both anew.
	text, err := os.ReadFile(filepath.Join(data, "postgres", "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := first.code(t); code != 1 || !strings.Contains(first.out.String(), "the private PostgreSQL has ended") {
		t.Errorf("its database ended: code %d", code)
	}
}

func TestAdminRoles(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	env := []string{"MIGRATE_DATABASE_URL=" + db.OwnerURL}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("quay-side-lantern-77\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want string // the roles afterwards
		args []string
	}{
		{0, "{auditor}", []string{"create", "--email", "a@mooring.example", "--roles", "auditor", "--password-file", password}},
		{0, "{reviewer,operator}", []string{"roles", "--email", "A@mooring.example", "--roles", "reviewer,operator"}},
		{2, "{reviewer,operator}", []string{"roles", "--email", "a@mooring.example", "--roles", "king"}},
		{2, "{reviewer,operator}", []string{"roles", "--email", "a@mooring.example"}},
		{1, "{reviewer,operator}", []string{"roles", "--email", "nobody@mooring.example", "--roles", "auditor"}},
	} {
		p := startWeb(t, env, append([]string{"admin"}, c.args...)...)
		if code := p.code(t); code != c.code {
			t.Errorf("admin %v: code %d, want %d\n%s", c.args, code, c.code, p.out)
		}
		var roles string
		if err := db.Owner.QueryRow(t.Context(), `SELECT roles::text FROM platform_admins`).Scan(&roles); err != nil || roles != c.want {
			t.Errorf("after admin %v: %s, %v; want %s", c.args, roles, err, c.want)
		}
	}
}

func TestAdminCreate(t *testing.T) {
	t.Parallel()
	env := []string{"MIGRATE_DATABASE_URL=" + dbtest.New(t).OwnerURL}
	file := func(password string) string {
		path := filepath.Join(t.TempDir(), "password")
		if err := os.WriteFile(path, []byte(password), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		email, password string
		code            int
		want            string
	}{
		{"staff@mooring.example", "quay-side-lantern-77\n", 0, "The admin was made"},
		{"staff@mooring.example", "quay-side-lantern-77\n", 1, "account"},
		{"other@mooring.example", "short", 1, "password"},
		{"not an address", "quay-side-lantern-77", 1, "address"},
	} {
		p := startWeb(t, env, "admin", "create", "--email", test.email, "--password-file", file(test.password))
		code, text := p.code(t), p.out.String()
		if code != test.code || !strings.Contains(strings.ToLower(text), strings.ToLower(test.want)) || strings.Count(text, "\n") != 1 {
			t.Errorf("%s: code %d, %q; want %d and one sentence with %q", test.email, code, text, test.code, test.want)
		}
		if strings.Contains(text, strings.TrimSpace(test.password)) {
			t.Errorf("%s: the password is shown", test.email)
		}
	}
	noFile := startWeb(t, env, "admin", "create", "--email", "x@mooring.example", "--password-file", "/nowhere")
	if code := noFile.code(t); code != 1 || !strings.Contains(noFile.out.String(), "no such file") {
		t.Errorf("no password file: code %d, %s", code, noFile.out)
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mooring/internal/database/dbtest"
)

// The command works beside the program or without it, and says by its code whether the history is whole.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	dir := t.TempDir()
	env := []string{
		"DATABASE_URL=" + db.AppURL, "PLATFORM_DATABASE_URL=" + db.PlatformURL, "AUDIT_CHECKPOINTS=" + filepath.Join(dir, "heads"),
		"KEYSET=" + newKeyset(t), "PUBLIC_URL=http://localhost:8080", "LISTEN_ADDR=127.0.0.1:0", "METRICS_ADDR=",
	}
	exec := func(sql string) {
		t.Helper()
		if _, err := db.Owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`INSERT INTO platform_events (id, kind, created_at) SELECT gen_random_uuid(), 'admin.created', now() FROM generate_series(1, 3)`)
	web := func(wantCode int, want string, args ...string) {
		t.Helper()
		p := startWeb(t, env, args...)
		if code := p.code(t); code != wantCode || !strings.Contains(p.out.String(), want) {
			t.Errorf("web %s: code %d, want %d and %q in\n%s", strings.Join(args, " "), code, wantCode, want, p.out)
		}
	}
	web(0, "There are no checkpoints", "audit", "verify")
	serving := startWeb(t, env, "serve")
	serving.await(t, servingLine)
	if code := serving.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("serving ended with code %d", code)
	}
	web(0, "3 entries in 1 chains were computed again, 1 of them compared with checkpoints", "audit", "verify")
	export := filepath.Join(dir, "platform.jsonl")
	web(0, "", "audit", "export", "--platform", "--out", export)
	web(1, "--out", "audit", "export", "--platform", "--out", export)
	web(0, "The history is as it was written", "audit", "verify", "--file", export)
	web(2, "", "audit", "export")

	exec(`DELETE FROM platform_events WHERE id = (SELECT event_id FROM audit_links WHERE seq = 3)`)
	exec(`DELETE FROM audit_links WHERE seq = 3`)
	exec(`UPDATE audit_heads SET seq = 2, hash = (SELECT hash FROM audit_links WHERE seq = 2)`)
	web(1, "shortened: the platform's chain", "audit", "verify")
	text, err := os.ReadFile(export)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(export, []byte(strings.Replace(string(text), "admin.created", "admin.removed", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	web(1, "edited: the platform's chain, entry 1", "audit", "verify", "--file", export)
}

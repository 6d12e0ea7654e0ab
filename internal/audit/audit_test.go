package audit_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/audit"
	"mooring/internal/database/dbtest"
	"mooring/internal/models"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// ledger is a database with one tenant that has a history.
type ledger struct {
	db     dbtest.DB
	store  *models.Store
	tenant uuid.UUID
	other  uuid.UUID
	dir    string
	writer *audit.Writer
}

func newLedger(t *testing.T, events int) *ledger {
	t.Helper()
	l := &ledger{db: dbtest.New(t), tenant: uuid.Must(uuid.NewV7()), other: uuid.Must(uuid.NewV7()), dir: filepath.Join(t.TempDir(), "audit")}
	var err error
	if l.store, err = models.NewStore(models.Options{App: l.db.App, Platform: l.db.Platform, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []uuid.UUID{l.tenant, l.other} {
		l.exec(t, `INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Pier', now())`, tenant)
	}
	for n := range events {
		l.record(t, l.tenant, n)
	}
	l.record(t, l.other, 0)
	l.exec(t, `INSERT INTO platform_events (id, kind, created_at) VALUES ($1, 'admin.created', now())`, uuid.Must(uuid.NewV7()))
	l.writer = &audit.Writer{
		Dir: l.dir, Store: l.store.Platform(models.Actor{}), Every: time.Hour, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Failed: func() { t.Error("a checkpoint failed") },
	}
	return l
}

func (l *ledger) record(t *testing.T, tenant uuid.UUID, n int) {
	t.Helper()
	st := l.store.ForTenant(tenant, models.Actor{Kind: models.Person, ID: uuid.Must(uuid.NewV7())})
	e := models.NewEvent{Kind: "connection.synced", Connection: uuid.Must(uuid.NewV7()), Detail: map[string]any{"changed": n, "账户": "1•••5"}}
	if err := st.Record(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// exec works as whoever owns the database.
func (l *ledger) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := l.db.Owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (l *ledger) checkpoint(t *testing.T) {
	t.Helper()
	if err := l.writer.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (l *ledger) verify(t *testing.T) audit.Report {
	t.Helper()
	known, err := audit.Load(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(t.Context(), l.store.Platform(models.Actor{}), nil, known)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerify_FindsNothingWhereNothingWasTouched(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 5)
	l.checkpoint(t)
	l.record(t, l.tenant, 6)
	report := l.verify(t)
	if !report.Intact() || report.Chains != 3 || report.Entries != 8 || report.Checkpoints != 3 {
		t.Errorf("%+v; want 8 intact entries in 3 chains, 3 of them known outside", report)
	}
}

func TestVerify_FindsEveryTampering(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		tamper func(t *testing.T, l *ledger)
		want   audit.Kind
	}{
		"a field is edited": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE events SET detail = '{"changed": 99}' WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
		}, audit.Edited},
		"who did it is edited": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE events SET actor_id = NULL WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
		}, audit.Edited},
		"when it happened is edited": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE events SET created_at = created_at - interval '1 microsecond' WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
		}, audit.Edited},
		"a character moves from one field to the next": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE events SET actor_kind = 'person', kind = 'connection.synced ' WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
		}, audit.Edited},
		"an event is deleted": {func(t *testing.T, l *ledger) {
			l.exec(t, `DELETE FROM events WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
		}, audit.Removed},
		"an event is deleted with its link": {func(t *testing.T, l *ledger) {
			l.exec(t, `WITH gone AS (DELETE FROM audit_links WHERE chain = $1 AND seq = 3 RETURNING event_id) DELETE FROM events WHERE id IN (SELECT event_id FROM gone)`, l.tenant)
		}, audit.Gap},
		"the last event is deleted, and its link": {func(t *testing.T, l *ledger) {
			l.exec(t, `WITH gone AS (DELETE FROM audit_links WHERE chain = $1 AND seq = 5 RETURNING event_id) DELETE FROM events WHERE id IN (SELECT event_id FROM gone)`, l.tenant)
		}, audit.Shortened},
		"the last event is deleted, and the head put back": {func(t *testing.T, l *ledger) {
			l.exec(t, `WITH gone AS (DELETE FROM audit_links WHERE chain = $1 AND seq = 5 RETURNING event_id) DELETE FROM events WHERE id IN (SELECT event_id FROM gone)`, l.tenant)
			l.exec(t, `UPDATE audit_heads SET seq = 4, hash = (SELECT hash FROM audit_links WHERE chain = $1 AND seq = 4) WHERE chain = $1`, l.tenant)
		}, audit.Shortened},
		"everything is deleted": {func(t *testing.T, l *ledger) {
			l.exec(t, `DELETE FROM events WHERE tenant_id = $1`, l.tenant)
			l.exec(t, `DELETE FROM audit_links WHERE chain = $1`, l.tenant)
			l.exec(t, `DELETE FROM audit_heads WHERE chain = $1`, l.tenant)
		}, audit.Shortened},
		"an event is put in past the triggers": {func(t *testing.T, l *ledger) {
			l.exec(t, `ALTER TABLE events DISABLE TRIGGER link`)
			l.exec(t, `INSERT INTO events (tenant_id, id, actor_kind, kind, created_at) VALUES ($1, gen_random_uuid(), 'system', 'x', now())`, l.tenant)
			l.exec(t, `ALTER TABLE events ENABLE TRIGGER link`)
		}, audit.Unlinked},
		"two events change places": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE audit_links SET seq = -seq WHERE chain = $1 AND seq IN (2, 3)`, l.tenant)
			l.exec(t, `UPDATE audit_links SET seq = 5 + seq WHERE chain = $1 AND seq < 0`, l.tenant)
		}, audit.Edited},
		"an event is edited and the chain computed anew": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE events SET detail = '{"changed": 99}' WHERE id = (SELECT event_id FROM audit_links WHERE chain = $1 AND seq = 3)`, l.tenant)
			l.recompute(t)
		}, audit.Rewritten},
		"a checkpointed credential is put back": {func(t *testing.T, l *ledger) {
			l.exec(t, `UPDATE connections SET credential_version = 1 WHERE tenant_id = $1`, l.tenant)
		}, audit.RolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, 5)
			l.exec(t, `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
				VALUES ($1, gen_random_uuid(), 'fake', 'test', 'h', '', '', 'connected', now(), 7, now())`, l.tenant)
			l.checkpoint(t)
			tc.tamper(t, l)
			report := l.verify(t)
			if !slices.ContainsFunc(report.Findings, func(f audit.Finding) bool { return f.Kind == tc.want && f.Chain == l.tenant }) {
				t.Errorf("found %v, want %s", report.Findings, tc.want)
			}
			if slices.ContainsFunc(report.Findings, func(f audit.Finding) bool { return f.Chain != l.tenant }) {
				t.Errorf("other chains are accused: %v", report.Findings)
			}
		})
	}
}

// recompute makes the tenant's chain fit together again, as somebody who knows this program could.
func (l *ledger) recompute(t *testing.T) {
	t.Helper()
	var before []byte
	err := l.store.Platform(models.Actor{}).Audit(t.Context(), func(v models.AuditView) error {
		entries, err := v.Entries(t.Context(), &l.tenant, uuid.Nil, 0, 100)
		for _, e := range entries {
			before = audit.Hash(before, e)
			l.exec(t, `UPDATE audit_links SET hash = $3 WHERE chain = $1 AND seq = $2`, e.Chain, e.Seq, before)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	l.exec(t, `UPDATE audit_heads SET hash = $2 WHERE chain = $1`, l.tenant, before)
}

func TestChain_AChangeThatCannotBeRecordedDoesNotHappen(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	l.exec(t, `ALTER TABLE audit_links ADD CONSTRAINT full_disk CHECK (seq < 2) NOT VALID`)
	user, session := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	l.exec(t, `INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1, 'merchant', 'lin@example.com', '', now(), now())`, user)
	l.exec(t, `INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'owner', now())`, l.tenant, user)
	st := l.store.ForTenant(l.tenant, models.Actor{Kind: models.Person, ID: user})
	err := st.CreateAttempt(t.Context(), models.NewAttempt{
		ID: uuid.Must(uuid.NewV7()), UserID: user, SessionID: session, Provider: "fake", Environment: "test",
		StateHash: []byte("s"), BrowserHash: []byte("b"), Verifier: []byte{1}, ExpiresAt: time.Now().Add(time.Minute),
	})
	if err == nil {
		t.Error("an attempt was begun although its event could not be linked")
	}
	var attempts int
	if err := l.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM attempts`).Scan(&attempts); err != nil || attempts != 0 {
		t.Errorf("%d attempts, %v; want none", attempts, err)
	}
}

func TestChain_WritersOfOneTenantMakeOneChain(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 0)
	const writers, each = 8, 10
	done := make(chan error, writers)
	for range writers {
		go func() {
			st := l.store.ForTenant(l.tenant, models.Actor{Kind: models.System})
			for range each {
				if err := st.Record(context.WithoutCancel(t.Context()), models.NewEvent{Kind: "x"}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if report := l.verify(t); !report.Intact() || report.Entries != writers*each+2 {
		t.Errorf("%+v; want %d intact entries", report, writers*each+2)
	}
}

func TestChain_IsOutOfTheServingRolesReach(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 1)
	ctx := t.Context()
	for _, sql := range []string{
		`UPDATE audit_links SET hash = ''`, `DELETE FROM audit_links`, `TRUNCATE audit_links`, `UPDATE audit_heads SET seq = 0`,
		`INSERT INTO audit_links VALUES (gen_random_uuid(), 1, gen_random_uuid(), '')`,
		`SELECT link_event(gen_random_uuid(), gen_random_uuid(), NULL, NULL, NULL, 'x', '{}', now())`,
		`ALTER TABLE events DISABLE TRIGGER link`, `SET session_replication_role = replica`,
	} {
		for role, exec := range map[string]func() error{
			"app":      func() error { _, err := l.db.App.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); return err },
			"platform": func() error { _, err := l.db.Platform.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); return err },
		} {
			if err := exec(); err == nil || !(strings.Contains(err.Error(), "permission denied") || strings.Contains(err.Error(), "must be owner")) {
				t.Errorf("%s as %s: %v", sql, role, err)
			}
		}
	}
}

func TestCheckpoints_SurviveACrashWhileWriting(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 3)
	l.checkpoint(t)
	files, err := filepath.Glob(filepath.Join(l.dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"at":"2026-11-2`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l.record(t, l.tenant, 4)
	again := *l.writer // the program starts anew
	l.writer = &audit.Writer{Dir: again.Dir, Store: again.Store, Every: again.Every, Now: again.Now, Log: again.Log, Failed: again.Failed}
	l.checkpoint(t)
	known, err := audit.Load(l.dir)
	if err != nil || known.Damaged != 1 || len(known.Heads[l.tenant]) != 2 {
		t.Errorf("%d damaged lines, %d heads, %v; want 1 and 2", known.Damaged, len(known.Heads[l.tenant]), err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v; want it private", info.Mode(), err)
	}
}

func TestWriter_WritesNothingWhereNothingHappened(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 3)
	l.checkpoint(t)
	size := func() (n int64) {
		files, _ := filepath.Glob(filepath.Join(l.dir, "*"))
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				n += info.Size()
			}
		}
		return n
	}
	before := size()
	l.checkpoint(t)
	if after := size(); before == 0 || after != before {
		t.Errorf("%d bytes, then %d; want the same, and some", before, after)
	}
}

func TestExport_IsCheckedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 5)
	l.checkpoint(t)
	known, err := audit.Load(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := audit.Export(t.Context(), l.store.Platform(models.Actor{}), l.tenant, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSpace(out.String()), "\n")
	for name, tc := range map[string]struct {
		text string
		want audit.Kind
	}{
		"as it was written":      {out.String(), ""},
		"a number is edited":     {strings.Replace(out.String(), `\"changed\": 3`, `\"changed\": 4`, 1), audit.Edited},
		"a line is missing":      {strings.Join(append(slices.Clone(lines[:2]), lines[3:]...), ""), audit.Gap},
		"the last line is gone":  {strings.Join(lines[:4], ""), audit.Shortened},
		"the first line is gone": {strings.Join(lines[1:], ""), audit.Gap},
	} {
		report, err := audit.VerifyExport(strings.NewReader(tc.text), known)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found := slices.ContainsFunc(report.Findings, func(f audit.Finding) bool { return f.Kind == tc.want })
		if tc.want == "" && !report.Intact() || tc.want != "" && !found {
			t.Errorf("%s: %v, want %q", name, report.Findings, tc.want)
		}
	}
	if _, err := audit.VerifyExport(strings.NewReader("{]\n"), known); err == nil {
		t.Error("what is no export was taken for one")
	}
}

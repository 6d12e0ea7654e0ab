package jobs_test

import (
	"strings"
	"testing"
	"time"

	"mooring/internal/models"
)

func (b *bench) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.db.Owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func TestWhatFallsDueIsSynced(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	b.exec(t, `UPDATE connections SET next_sync_at = now() + interval '2 seconds'`)
	b.run(t)
	b.run(t) // another replica: the row goes to one of them
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
	b.until(t, "it has its next time", `SELECT next_sync_at > now() + interval '9 minutes' FROM connections`)
	b.until(t, "there was one job", `SELECT count(*) = 1 FROM river.river_job WHERE kind = 'sync' AND queue = 'sync_fake'`)
}

func TestATimeThatIsNearWakesWhoSleeps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	b.run(t)
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	err := st.EndSync(t.Context(), connection, models.SyncResult{State: models.Provider, Reason: "upstream", Passing: true, Next: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestWhatMustNotFallDueDoesNot(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, change := range []string{
		`UPDATE connections SET next_sync_at = now() - interval '1 day', sync_paused_at = now() WHERE id = $1`,
		`UPDATE connections SET next_sync_at = now() - interval '1 day', state = 'disconnected' WHERE id = $1`,
		`UPDATE connections SET next_sync_at = NULL, state = 'needs_you' WHERE id = $1`,
		`UPDATE connections SET next_sync_at = now() + interval '1 hour' WHERE id = $1`,
	} {
		_, connection := b.tenantWithConnection(t)
		b.exec(t, change, connection)
	}
	found := b.claim(t, 10)
	if found.Claimed != 0 || time.Until(found.Next) < 50*time.Minute {
		t.Errorf("claimed %d, the next at %v; want none, and the one that is due in an hour", found.Claimed, found.Next)
	}
}

// claim looks once, as the runner does, with a job that leaves no trace.
func (b *bench) claim(t testing.TB, most int) models.DueFound {
	t.Helper()
	found, err := b.store.ClaimDue(t.Context(), models.DueSource{
		Due: models.DueSyncs, Jobs: models.Statement{SQL: ` SELECT count(*) FROM claimed`},
	}, most)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestHundredsOfOneTenantDoNotHoldUpTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	many, _ := b.tenantWithConnection(t)
	b.exec(t, `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
		SELECT $1, gen_random_uuid(), 'fake', 'test', n::text::bytea, '', '', 'connected', now(), 1, now() FROM generate_series(1, 200) n`, many)
	b.exec(t, `UPDATE connections SET next_sync_at = now() - interval '1 hour'`)
	few, connection := b.tenantWithConnection(t)
	b.exec(t, `UPDATE connections SET next_sync_at = now() WHERE id = $1`, connection)
	b.run(t)
	want := "sync " + few.String() + " " + connection.String()
	for before := 0; ; before++ {
		if got := <-b.worker.calls; got == want {
			return
		}
		if before > 40 {
			t.Fatalf("%d syncs of the tenant with many went before the one of the tenant with one", before)
		}
	}
}

func TestAHangingProviderDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	hang := make(chan struct{})
	b.worker.hang = func(called string) <-chan struct{} {
		if strings.HasSuffix(called, connection.String()) {
			return nil
		}
		return hang
	}
	defer close(hang)
	b.exec(t, `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at, next_sync_at)
		SELECT $1, gen_random_uuid(), 'slow', 'test', n::text::bytea, '', '', 'connected', now(), 1, now(), now() - interval '1 minute' FROM generate_series(1, 100) n`, tenant)
	b.run(t)
	b.until(t, "the slow provider's queue is full", `SELECT count(*) = 16 FROM river.river_job WHERE queue = 'sync_slow' AND state = 'running'`)
	b.ask(t, tenant, connection)
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestOneWaitingJobPerConnection(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	for range 3 { // pressed, given up on, pressed again
		b.exec(t, `UPDATE connections SET sync_state = 'idle'`)
		b.ask(t, tenant, connection)
	}
	b.until(t, "one job waits", `SELECT count(*) = 1 FROM river.river_job`)
}

// TestLookingCostsTheSameBesideAMillion counts what PostgreSQL touches to find what is due.
func TestLookingCostsTheSameBesideAMillion(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, _ := b.tenantWithConnection(t)
	cost := map[int]int64{}
	for _, others := range []int{1_000, 50_000} {
		b.exec(t, `INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at, next_sync_at)
			SELECT $1, gen_random_uuid(), 'fake', 'test', ($2 || ' ' || n)::bytea, '', '', 'connected', now(), 1, now(), now() + interval '1 hour' FROM generate_series(1, $2::int) n`, tenant, others)
		b.exec(t, `VACUUM ANALYZE connections`)
		b.look(t) // plans, catalogues
		cost[others] = b.look(t)
	}
	if cost[50_000] > cost[1_000]+4 { // one more level of the index, twice
		t.Errorf("looking touches %d pages beside 50,000 connections and %d beside 1,000", cost[50_000], cost[1_000])
	}
}

// look claims and gives the pages that it touched.
func (b *bench) look(t *testing.T) (pages int64) {
	t.Helper()
	conn, err := b.db.Owner.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	var plan string
	rows, err := conn.Query(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, FORMAT TEXT) SELECT (SELECT count(*) FROM claim_due_syncs(now(), 500)), next_due_syncs()`)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	return buffersOf(t, plan)
}

// buffersOf reads the first line about buffers, which is the whole plan's.
func buffersOf(t *testing.T, plan string) (pages int64) {
	t.Helper()
	_, rest, found := strings.Cut(plan, "Buffers: shared hit=")
	if !found {
		t.Fatal("no buffers in\n" + plan)
	}
	for _, r := range rest {
		if r < '0' || r > '9' {
			break
		}
		pages = pages*10 + int64(r-'0')
	}
	return pages
}

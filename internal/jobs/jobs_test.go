package jobs_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/jobs"
	"mooring/internal/models"
	"mooring/internal/oauth"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// worker answers for connect and accounts, and tells each call.
type worker struct {
	mu    sync.Mutex
	calls chan string
	fail  error // given once, to the first call
}

func (w *worker) Sync(_ context.Context, st *models.TenantStore, connection uuid.UUID) error {
	return w.called("sync " + st.Tenant().String() + " " + connection.String())
}

func (w *worker) Process(_ context.Context, st *models.TenantStore, callback uuid.UUID) error {
	return w.called("callback " + st.Tenant().String() + " " + callback.String())
}

func (w *worker) SendLink(_ context.Context, link uuid.UUID) error {
	return w.called("mail " + link.String())
}

func (w *worker) called(what string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	fail := w.fail
	w.fail = nil
	w.calls <- what
	return fail
}

type bench struct {
	db     dbtest.DB
	store  *models.Store
	queue  jobs.Queue
	worker *worker
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{db: dbtest.New(t), worker: &worker{calls: make(chan string, 10)}}
	var err error
	if b.store, err = models.NewStore(models.Options{App: b.db.App, Platform: b.db.Platform, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	return b
}

// run starts a runner, as a replica has one.
func (b *bench) run(t *testing.T) {
	t.Helper()
	r, err := jobs.NewRunner(jobs.Deps{
		Pool: b.db.App, Store: b.store, Syncer: b.worker, Mailer: b.worker,
		Observe: func(string, string, time.Duration) {}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error("stopping:", err)
		}
	})
}

// tenantWithConnection makes the rows that a sync is about.
func (b *bench) tenantWithConnection(t *testing.T) (tenant, connection uuid.UUID) {
	t.Helper()
	tenant, connection = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	for _, sql := range []string{
		`INSERT INTO tenants (id, name, created_at) SELECT $1::uuid, 'Pier', now() WHERE $2::uuid IS NOT NULL`,
		`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
		 VALUES ($1, $2, 'fake', 'test', 'h', '', '', 'connected', now(), 1, now())`,
	} {
		if _, err := b.db.Owner.Exec(t.Context(), sql, tenant, connection); err != nil {
			t.Fatal(err)
		}
	}
	return tenant, connection
}

func (b *bench) wait(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-b.worker.calls:
		if got != want {
			t.Fatalf("worked %q, want %q", got, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("nobody worked %q", want)
	}
}

func TestAJobCommitsWithItsCause(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	tenant, connection := b.tenantWithConnection(t)
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})

	changedMyMind := models.Statement{SQL: "SELECT 1/0"}
	job := b.queue.SyncJob(tenant, connection)
	err := st.Connect(t.Context(), models.NewConnection{Provider: "fake", Environment: "test", ID: uuid.Must(uuid.NewV7())}, job)
	if err == nil {
		t.Fatal("connecting without an attempt succeeded")
	}
	if err := st.QueueSync(t.Context(), connection, changedMyMind); err == nil {
		t.Fatal("a failing statement was committed")
	}
	var jobsLeft int
	if err := b.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE kind = 'sync'`).Scan(&jobsLeft); err != nil || jobsLeft != 0 {
		t.Fatalf("%d jobs after the rollback, %v; want 0", jobsLeft, err)
	}

	if err := st.QueueSync(t.Context(), connection, job); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestACallbackIsActedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	tenant, connection := b.tenantWithConnection(t)
	callback := uuid.Must(uuid.NewV7())
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	if err := st.QueueSync(t.Context(), connection, b.queue.CallbackJob(tenant, callback)); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "callback "+tenant.String()+" "+callback.String())
}

func TestAJobOutlivesTheProgramThatPutItIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	err := st.QueueSync(t.Context(), connection, b.queue.SyncJob(tenant, connection))
	if err != nil {
		t.Fatal(err)
	}
	b.run(t) // nobody was running when the job was put in
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestAFailedJobRestsBeforeItsNextTry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		fail     error
		from, to time.Duration
	}{
		"a passing failure":         {&oauth.Error{Provider: "fake", Kind: oauth.Upstream}, 5 * time.Second, 10 * time.Second},
		"the provider says when":    {&oauth.Error{Provider: "fake", Kind: oauth.RateLimited, RetryAfter: time.Minute}, 55 * time.Second, time.Minute},
		"the provider exaggerates":  {&oauth.Error{Provider: "fake", Kind: oauth.RateLimited, RetryAfter: 1000 * time.Hour}, 59 * time.Minute, time.Hour},
		"the provider is in a rush": {&oauth.Error{Provider: "fake", Kind: oauth.RateLimited, RetryAfter: time.Millisecond}, 5 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.worker.fail = tc.fail
			b.run(t)
			tenant, connection := b.tenantWithConnection(t)
			st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
			err := st.QueueSync(t.Context(), connection, b.queue.SyncJob(tenant, connection))
			if err != nil {
				t.Fatal(err)
			}
			b.wait(t, "sync "+tenant.String()+" "+connection.String())
			rest := b.rest(t)
			if rest < tc.from || rest > tc.to {
				t.Errorf("the next try is in %v, want %v to %v", rest, tc.from, tc.to)
			}
		})
	}
}

// rest waits until the job has been put aside and says for how long.
func (b *bench) rest(t *testing.T) time.Duration {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		var state string
		var at time.Time
		err := b.db.Owner.QueryRow(t.Context(), `SELECT state, scheduled_at FROM river.river_job WHERE kind = 'sync'`).Scan(&state, &at)
		if err != nil {
			t.Fatal(err)
		}
		if state == "retryable" || state == "scheduled" {
			return time.Until(at)
		}
		runtime.Gosched()
	}
	t.Fatal("the job was never put aside")
	return 0
}

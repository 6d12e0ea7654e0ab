package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// worker answers for connect and accounts, and tells each call.
type worker struct {
	mu    sync.Mutex
	calls chan string
	fail  error                               // given once, to the first call
	hang  func(called string) <-chan struct{} // nil, or what a call waits for
}

func (w *worker) Sync(_ context.Context, st *models.TenantStore, connection uuid.UUID) error {
	return w.called("sync " + st.Tenant().String() + " " + connection.String())
}

func (w *worker) Refresh(_ context.Context, st *models.TenantStore, connection uuid.UUID) error {
	return w.called("refresh " + st.Tenant().String() + " " + connection.String())
}

func (w *worker) Process(_ context.Context, st *models.TenantStore, callback uuid.UUID) (time.Duration, error) {
	return 0, w.called("callback " + st.Tenant().String() + " " + callback.String())
}

func (w *worker) Failed(context.Context, *models.TenantStore, uuid.UUID, error, bool) error {
	return nil
}

func (w *worker) SendLink(_ context.Context, link uuid.UUID) (string, error) {
	return models.LetterSent, w.called("mail " + link.String())
}

func (w *worker) Tell(_ context.Context, st *models.TenantStore, event uuid.UUID) error {
	return w.called("tell " + st.Tenant().String() + " " + event.String())
}

func (w *worker) Send(_ context.Context, st *models.TenantStore, user, letter uuid.UUID) (string, error) {
	return models.LetterSent, w.called("notice " + st.Tenant().String() + " " + user.String() + " " + letter.String())
}

func (w *worker) called(what string) error {
	if w.hang != nil {
		if until := w.hang(what); until != nil {
			<-until
		}
	}
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
	inbox  jobs.Inbox // the worker, if a test has none of its own
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{db: dbtest.New(t), queue: jobs.Queue{Providers: []string{"fake", "slow"}}, worker: &worker{calls: make(chan string, 1000)}}
	var err error
	if b.store, err = models.NewStore(models.Options{
		App: b.db.App, Platform: b.db.Platform, Now: time.Now,
		Telling: models.Telling{Kinds: []string{"connection.needs_you", "connection.recovered"}, Job: b.queue.TellJob},
	}); err != nil {
		t.Fatal(err)
	}
	b.inbox = b.worker
	return b
}

// run starts a runner, as a replica has one.
func (b *bench) run(t *testing.T) {
	t.Helper()
	r, err := jobs.NewRunner(jobs.Deps{
		Pool: b.db.App, Store: b.store, Syncer: b.worker, Inbox: b.inbox, Leaver: b.worker, Executor: b.worker, Mailer: b.worker, Tellers: []jobs.Teller{b.worker}, Notifier: b.worker, Digester: b.worker, Wakes: b.listen(t), Providers: b.queue.Providers,
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

func (b *bench) listen(t *testing.T) *database.Listener {
	t.Helper()
	l := database.NewListener(b.db.App)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return l
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
	job := b.queue.SyncJob(tenant, connection, "fake")
	err := st.Connect(t.Context(), models.NewConnection{Provider: "fake", Environment: "test", ID: uuid.Must(uuid.NewV7())}, job)
	if err == nil {
		t.Fatal("connecting without an attempt succeeded")
	}
	if err := st.QueueSync(t.Context(), connection, func(string) models.Statement { return changedMyMind }); err == nil {
		t.Fatal("a failing statement was committed")
	}
	var jobsLeft int
	if err := b.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE kind = 'sync'`).Scan(&jobsLeft); err != nil || jobsLeft != 0 {
		t.Fatalf("%d jobs after the rollback, %v; want 0", jobsLeft, err)
	}

	b.ask(t, tenant, connection)
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestACallbackIsActedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	tenant, connection := b.tenantWithConnection(t)
	callback := uuid.Must(uuid.NewV7())
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	put := func(string) models.Statement { return b.queue.CallbackJob(tenant, callback) }
	if err := st.QueueSync(t.Context(), connection, put); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "callback "+tenant.String()+" "+callback.String())
}

func TestAnEventIsToldOnceItIsNews(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	tenant, connection := b.tenantWithConnection(t)
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	ended := func(state models.State) {
		t.Helper()
		err := st.EndSync(t.Context(), connection, models.SyncResult{State: state, Reason: "r", Event: models.NewEvent{Kind: "connection.synced"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	told := func(kind string) {
		t.Helper()
		var event uuid.UUID
		if err := b.db.Owner.QueryRow(t.Context(), `SELECT id FROM events WHERE kind = $1`, kind).Scan(&event); err != nil {
			t.Fatal(err)
		}
		b.wait(t, "tell "+tenant.String()+" "+event.String())
	}
	ended(models.Connected) // it was before: no news
	ended(models.NeedsYou)
	told("connection.needs_you")
	ended(models.NeedsYou) // still: no news
	ended(models.Connected)
	told("connection.recovered")
	var jobs int
	if err := b.db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM river.river_job WHERE kind = 'tell'`).Scan(&jobs); err != nil || jobs != 2 {
		t.Errorf("%d jobs that tell, %v; want 2", jobs, err)
	}
}

func TestALetterIsSentWhenItIsDue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	id := uuid.Must(uuid.NewV7())
	for _, sql := range []string{
		`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) SELECT $2::uuid, 'merchant', 'a@example.com', '', now(), now() WHERE $1::uuid <> $3::uuid`,
		`INSERT INTO memberships (tenant_id, user_id, role, created_at) SELECT $1::uuid, $2::uuid, 'owner', now() WHERE $3::uuid IS NOT NULL`,
		`INSERT INTO notice_letters (tenant_id, user_id, id, event_id, connection_id, kind, key, due_at) VALUES
		 ($1, $2, $2, $2, $3, 'k', 'now', now()), ($1, $2, $1, $1, $3, 'k', 'later', now() + interval '1 day')`,
	} {
		if _, err := b.db.Owner.Exec(t.Context(), sql, tenant, id, connection); err != nil {
			t.Fatal(err)
		}
	}
	for _, letter := range []uuid.UUID{id, tenant, connection} { // there is no third one
		put := b.queue.NoticeJob(tenant, id, letter)
		if _, err := b.db.Owner.Exec(t.Context(), put.SQL, put.Args...); err != nil {
			t.Fatal(err)
		}
	}
	b.worker.fail = fmt.Errorf("mail: %w", mail.ErrRefused)
	b.run(t)
	b.wait(t, "notice "+tenant.String()+" "+id.String()+" "+id.String())
	b.until(t, "what was refused for good is not tried again, and the other one waits",
		`SELECT array_agg(state::text ORDER BY id) = ARRAY['cancelled', 'scheduled'] FROM river.river_job WHERE kind = 'notice'`)
}

func TestAJobOutlivesTheProgramThatPutItIn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	b.ask(t, tenant, connection)
	b.run(t) // nobody was running when the job was put in
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
}

func TestASyncIsNotTriedAgainByItsJob(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.worker.fail = errors.New("the database went away")
	b.run(t)
	tenant, connection := b.tenantWithConnection(t)
	b.ask(t, tenant, connection)
	b.wait(t, "sync "+tenant.String()+" "+connection.String())
	b.until(t, "the job is put away", `SELECT state = 'discarded' FROM river.river_job WHERE kind = 'sync'`)
}

// until waits for a question to the database to be answered with yes.
func (b *bench) until(t *testing.T, what, sql string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		var yes bool
		if err := b.db.Owner.QueryRow(t.Context(), sql, args...).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
	}
	t.Fatal("never: " + what)
}

// ask puts a sync in, as somebody who presses the button does.
func (b *bench) ask(t *testing.T, tenant, connection uuid.UUID) {
	t.Helper()
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	err := st.QueueSync(t.Context(), connection, func(provider string) models.Statement { return b.queue.SyncJob(tenant, connection, provider) })
	if err != nil {
		t.Fatal(err)
	}
}

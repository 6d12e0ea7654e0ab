package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"mooring/internal/mail"
	"mooring/internal/models"
)

// Syncer reads one connection's data and renews its credential; connect.Service is the real one.
type Syncer interface {
	Sync(ctx context.Context, st *models.TenantStore, connection uuid.UUID) error
	Refresh(ctx context.Context, st *models.TenantStore, connection uuid.UUID) error
}

// Mailer sends the mail of one link; accounts.Service is the real one.
type Mailer interface {
	SendLink(ctx context.Context, link uuid.UUID) (end string, err error)
}

// Observer is told how each job went, for metrics. Kind and outcome are few and fixed.
type Observer func(kind, outcome string, took time.Duration)

// Deps are the runner's needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Store     *models.Store
	Syncer    Syncer
	Inbox     Inbox
	Leaver    Leaver
	Executor  Executor
	Mailer    Mailer
	Tellers   []Teller
	Deliverer Deliverer
	Notifier  Notifier
	Digester  Digester
	Wakes     Wakes
	Providers []string // the slugs of those that are offered
	Observe   Observer
	Log       *slog.Logger
}

// Runner works the jobs off, and makes jobs of what falls due.
type Runner struct {
	client *river.Client[pgx.Tx]
	due    *dueWork
	endDue context.CancelFunc
	ended  sync.WaitGroup
}

const (
	jobTime     = 2 * time.Minute // a sync's calls are bounded one by one; this bounds their sum
	rescueAfter = 3 * time.Minute // a job whose program died is taken up again
	pollEvery   = 2 * time.Minute // per queue; work is announced by NOTIFY; polling is for announcements that were lost
	sweepEvery  = 10 * time.Minute
	keepDone    = 10 * time.Minute   // events tell what was done; the table of jobs stays small
	keepLost    = 7 * 24 * time.Hour // what was cancelled or given up, for the staff to look at and try again
)

// patience is how long a failed job rests before its next try; the last value repeats. An outage of a few minutes
// passes unnoticed.
type patience []time.Duration

// NextRetry implements river.ClientRetryPolicy.
func (p patience) NextRetry(job *rivertype.JobRow) time.Time {
	tries := max(1, len(job.Errors))
	return time.Now().Add(p[min(tries, len(p))-1])
}

// NewRunner makes a runner over the serving role's pool.
func NewRunner(d Deps) (*Runner, error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &syncWorker{deps: d})
	river.AddWorker(workers, &refreshWorker{deps: d})
	river.AddWorker(workers, &mailWorker{deps: d})
	river.AddWorker(workers, &callbackWorker{deps: d})
	river.AddWorker(workers, &tellWorker{deps: d})
	river.AddWorker(workers, &deliverWorker{deps: d})
	river.AddWorker(workers, &expiryWorker{deps: d})
	river.AddWorker(workers, &noticeWorker{deps: d})
	river.AddWorker(workers, &digestWorker{deps: d})
	river.AddWorker(workers, &sweepWorker{deps: d})
	river.AddWorker(workers, &revokeWorker{deps: d})
	river.AddWorker(workers, &eraseWorker{deps: d})
	river.AddWorker(workers, &closingWorker{deps: d})
	river.AddWorker(workers, &approvalWorker{deps: d})
	queues := syncQueues(d.Providers)
	refreshQueues(queues, d.Providers)
	queues[queueMail] = river.QueueConfig{MaxWorkers: mailAtOnce}
	queues[queueCallback] = river.QueueConfig{MaxWorkers: callbackAtOnce}
	queues[queueTell] = river.QueueConfig{MaxWorkers: tellAtOnce}
	queues[queueDeliver] = river.QueueConfig{MaxWorkers: deliverAtOnce}
	queues[queueLeave] = river.QueueConfig{MaxWorkers: leaveAtOnce}
	queues[queueExpiry] = river.QueueConfig{MaxWorkers: expiryAtOnce}
	queues[queueApproval] = river.QueueConfig{MaxWorkers: 1}
	queues[queueTidy] = river.QueueConfig{MaxWorkers: 1}
	client, err := river.NewClient(riverpgxv5.New(d.Pool), &river.Config{
		Schema:               schema,
		Workers:              workers,
		Logger:               quiet(d.Log),
		Queues:               queues,
		FetchCooldown:        10 * time.Millisecond,
		FetchPollInterval:    pollEvery,
		JobTimeout:           jobTime,
		RescueStuckJobsAfter: rescueAfter,

		CompletedJobRetentionPeriod: keepDone,
		CancelledJobRetentionPeriod: keepLost,
		DiscardedJobRetentionPeriod: keepLost,
		RetryPolicy:                 patience{10 * time.Second, time.Minute, 5 * time.Minute, 20 * time.Minute, time.Hour},
		ErrorHandler:                failures{log: d.Log},
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
			func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{}, nil }, nil)},
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: opening the runner: %w", err)
	}
	return &Runner{client: client, due: newDueWork(d), endDue: func() {}}, nil
}

// Start begins to take jobs. The context bounds the start, not the work.
func (r *Runner) Start(ctx context.Context) error {
	lasting := context.WithoutCancel(ctx)
	if err := r.client.Start(lasting); err != nil {
		return fmt.Errorf("jobs: starting: %w", err)
	}
	looking, endDue := context.WithCancel(lasting)
	r.endDue = endDue
	r.ended.Go(func() { r.due.run(looking) })
	return nil
}

// Stop takes no more jobs and waits for those that run. When the context ends they are cancelled; river gives them to
// the next program that starts.
func (r *Runner) Stop(ctx context.Context) error {
	r.endDue()
	r.ended.Wait()
	err := r.client.Stop(ctx)
	if err == nil || ctx.Err() == nil {
		return err
	}
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return r.client.StopAndCancel(hard)
}

type syncWorker struct {
	river.WorkerDefaults[syncArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *syncWorker) Work(ctx context.Context, job *river.Job[syncArgs]) error {
	return w.deps.observed("sync", func() error {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		return w.deps.Syncer.Sync(ctx, st, job.Args.Connection)
	})
}

type mailWorker struct {
	river.WorkerDefaults[mailArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *mailWorker) Work(ctx context.Context, job *river.Job[mailArgs]) error {
	return w.deps.mailed(ctx, job.JobRow, func() (string, error) { return w.deps.Mailer.SendLink(ctx, job.Args.Link) })
}

type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *sweepWorker) Work(ctx context.Context, _ *river.Job[sweepArgs]) error {
	return w.deps.observed("sweep", func() error {
		_, err := w.deps.Store.Sweep(ctx)
		return err
	})
}

// observed counts a job without knowing what it did.
func (d Deps) observed(kind string, work func() error) error {
	began := time.Now()
	err := work()
	outcome := "done"
	switch {
	case errors.Is(err, mail.ErrRefused):
		outcome = "refused"
	case err != nil:
		outcome = "again"
	}
	d.Observe(kind, outcome, time.Since(began))
	return err
}

// failures writes our one line per failed job; the error's text is scrubbed where it was made.
type failures struct{ log *slog.Logger }

// HandleError implements river.ErrorHandler. What a mail server has refused for good is not tried again.
func (f failures) HandleError(ctx context.Context, job *rivertype.JobRow, err error) *river.ErrorHandlerResult {
	if errors.Is(err, mail.ErrRefused) {
		f.log.ErrorContext(ctx, "mail refused for good", "kind", job.Kind, "job", job.ID, "try", job.Attempt, "error", err)
		return &river.ErrorHandlerResult{SetCancelled: true}
	}
	f.log.WarnContext(ctx, "job failed", "kind", job.Kind, "job", job.ID, "try", job.Attempt, "of", job.MaxAttempts, "error", err)
	return nil
}

// HandlePanic implements river.ErrorHandler. The value of a panic may hold anything, so only its type is told.
func (f failures) HandlePanic(ctx context.Context, job *rivertype.JobRow, value any, trace string) *river.ErrorHandlerResult {
	f.log.ErrorContext(ctx, "job panicked", "kind", job.Kind, "job", job.ID, "type", fmt.Sprintf("%T", value), "trace", trace)
	return nil
}

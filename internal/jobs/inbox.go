package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// Inbox acts on stored callbacks; connect.Service is the real one.
type Inbox interface {
	Process(ctx context.Context, st *models.TenantStore, callback uuid.UUID) (wait time.Duration, err error)
	Failed(ctx context.Context, st *models.TenantStore, callback uuid.UUID, cause error, last bool) error
}

// noteTime bounds how long it may take to note that a callback failed.
const noteTime = 10 * time.Second

// callbackArgs asks for one stored callback to be acted on.
type callbackArgs struct {
	Tenant   uuid.UUID `json:"tenant"`
	Callback uuid.UUID `json:"callback"`
}

// Kind implements river.JobArgs.
func (callbackArgs) Kind() string { return "callback" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (callbackArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueCallback, MaxAttempts: callbackTries}
}

// CallbackJob implements connect.Queue.
func (Queue) CallbackJob(tenant, callback uuid.UUID) models.Statement {
	return insert(callbackArgs{Tenant: tenant, Callback: callback})
}

type callbackWorker struct {
	river.WorkerDefaults[callbackArgs]
	deps Deps
}

// Work implements river.Worker. The row remembers each failure; after the last one it is a dead letter, which counts as
// an outcome of its own and is logged as an error, for somebody must look.
func (w *callbackWorker) Work(ctx context.Context, job *river.Job[callbackArgs]) error {
	began, outcome := time.Now(), "done"
	defer func() { w.deps.Observe(job.Args.Kind(), outcome, time.Since(began)) }()
	st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
	wait, err := w.process(ctx, st, job.Args.Callback)
	if err == nil && wait > 0 {
		outcome = "later"
		return river.JobSnooze(wait)
	}
	if err == nil {
		return nil
	}
	last := job.Attempt >= job.MaxAttempts
	if outcome = "again"; last {
		outcome = "dead"
		w.deps.Log.ErrorContext(ctx, "a callback is a dead letter: every try has failed", "callback", job.Args.Callback, "error", err)
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
	defer cancel()
	return errors.Join(err, w.deps.Inbox.Failed(noting, st, job.Args.Callback, err, last))
}

// process lets a panic be a failure like others, so that poison ends as a dead letter too. What was panicked with may
// hold anything; only its type is told.
func (w *callbackWorker) process(ctx context.Context, st *models.TenantStore, callback uuid.UUID) (wait time.Duration, err error) {
	defer func() {
		if what := recover(); what != nil {
			w.deps.Log.ErrorContext(ctx, "acting on a callback panicked", "callback", callback, "type", fmt.Sprintf("%T", what), "trace", string(debug.Stack()))
			err = fmt.Errorf("jobs: panic with a %T", what)
		}
	}()
	return w.deps.Inbox.Process(ctx, st, callback)
}

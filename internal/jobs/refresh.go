package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

const (
	queueRefresh  = "refresh" // and refresh_<provider>, as for syncs
	refreshTries  = 1         // one that failed has its next time in its row
	refreshAtOnce = 4
)

// refreshArgs asks for one connection's credential to be looked at: its end is near, or nobody knows what came of the
// last renewal.
type refreshArgs struct {
	Tenant     uuid.UUID `json:"tenant"`
	Connection uuid.UUID `json:"connection"`
}

// Kind implements river.JobArgs.
func (refreshArgs) Kind() string { return "refresh" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (refreshArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueRefresh, MaxAttempts: refreshTries}
}

type refreshWorker struct {
	river.WorkerDefaults[refreshArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *refreshWorker) Work(ctx context.Context, job *river.Job[refreshArgs]) error {
	return w.deps.observed("refresh", func() error {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		return w.deps.Syncer.Refresh(ctx, st, job.Args.Connection)
	})
}

// refreshQueues gives each offered provider a queue of its own, so that one that hangs keeps nobody else's token from
// being renewed.
func refreshQueues(queues map[string]river.QueueConfig, providers []string) {
	queues[queueRefresh] = river.QueueConfig{MaxWorkers: 1}
	for _, slug := range providers {
		queues[queueRefresh+"_"+slug] = river.QueueConfig{MaxWorkers: refreshAtOnce}
	}
}

package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

const (
	queueExpiry  = "expiry"
	expiryAtOnce = 2
	expiryTries  = 1 // a warning that could not be written falls due again
)

// expiryArgs asks for the merchant to be warned that access ends.
type expiryArgs struct {
	Tenant     uuid.UUID `json:"tenant"`
	Connection uuid.UUID `json:"connection"`
}

// Kind implements river.JobArgs.
func (expiryArgs) Kind() string { return "expiry" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (expiryArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueExpiry, MaxAttempts: expiryTries}
}

type expiryWorker struct {
	river.WorkerDefaults[expiryArgs]
	deps Deps
}

// Work implements river.Worker. Whether there is anything to warn of is the row's to say.
func (w *expiryWorker) Work(ctx context.Context, job *river.Job[expiryArgs]) error {
	return w.deps.observed("expiry", func() error {
		return w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System}).Warn(ctx, job.Args.Connection)
	})
}

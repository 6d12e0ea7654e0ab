package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// What goes on after a disconnection waits for nobody and delays nobody: a queue of its own.
const (
	queueLeave  = "leave"
	leaveTries  = 1 // what failed falls due again
	leaveAtOnce = 4
)

// Leaver ends what a disconnection, or closing a tenant, leaves to be done; connect.Service is the real one.
type Leaver interface {
	SettleClosing(ctx context.Context, st *models.TenantStore) error
	Revoke(ctx context.Context, st *models.TenantStore, revocation uuid.UUID) error
	Erase(ctx context.Context, st *models.TenantStore, connection uuid.UUID) error
}

// revokeArgs asks for a provider to be told that access has ended.
type revokeArgs struct {
	Tenant     uuid.UUID `json:"tenant"`
	Revocation uuid.UUID `json:"revocation"`
}

// Kind implements river.JobArgs.
func (revokeArgs) Kind() string { return "revoke" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (revokeArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueLeave, MaxAttempts: leaveTries}
}

// eraseArgs asks for the data of a disconnected connection to be erased.
type eraseArgs struct {
	Tenant     uuid.UUID `json:"tenant"`
	Connection uuid.UUID `json:"connection"`
}

// Kind implements river.JobArgs.
func (eraseArgs) Kind() string { return "erase" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (eraseArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueLeave, MaxAttempts: leaveTries}
}

type revokeWorker struct {
	river.WorkerDefaults[revokeArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *revokeWorker) Work(ctx context.Context, job *river.Job[revokeArgs]) error {
	return w.deps.observed("revoke", func() error {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		return w.deps.Leaver.Revoke(ctx, st, job.Args.Revocation)
	})
}

type eraseWorker struct {
	river.WorkerDefaults[eraseArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *eraseWorker) Work(ctx context.Context, job *river.Job[eraseArgs]) error {
	return w.deps.observed("erase", func() error {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		return w.deps.Leaver.Erase(ctx, st, job.Args.Connection)
	})
}

// closingArgs asks for the next step of closing a tenant.
type closingArgs struct {
	Tenant uuid.UUID `json:"tenant"`
}

// Kind implements river.JobArgs.
func (closingArgs) Kind() string { return "closing" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (closingArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueLeave, MaxAttempts: leaveTries}
}

type closingWorker struct {
	river.WorkerDefaults[closingArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *closingWorker) Work(ctx context.Context, job *river.Job[closingArgs]) error {
	return w.deps.observed("closing", func() error {
		return w.deps.Leaver.SettleClosing(ctx, w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System}))
	})
}

package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// What concerns many takes its time, and goes one after the other.
const (
	queueApproval = "approval"
	approvalTries = 1 // what is left falls due again
)

// Executor carries out what two of the staff have agreed on; connect.Service is the real one.
type Executor interface {
	CarryOut(ctx context.Context, store *models.Store, approval uuid.UUID) error
}

// approvalArgs asks for an act that was approved.
type approvalArgs struct {
	Approval uuid.UUID `json:"approval"`
}

// Kind implements river.JobArgs.
func (approvalArgs) Kind() string { return "approval" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (approvalArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueApproval, MaxAttempts: approvalTries}
}

type approvalWorker struct {
	river.WorkerDefaults[approvalArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *approvalWorker) Work(ctx context.Context, job *river.Job[approvalArgs]) error {
	return w.deps.observed("approval", func() error { return w.deps.Executor.CarryOut(ctx, w.deps.Store, job.Args.Approval) })
}

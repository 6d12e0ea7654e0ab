package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// Deliverer posts one outgoing webhook; dispatch.Service is the real one. again is when to call once more, zero: never.
type Deliverer interface {
	Deliver(ctx context.Context, st *models.TenantStore, delivery uuid.UUID) (again time.Duration, err error)
}

// The queue of outgoing webhooks. How often an endpoint is tried is not river's to count: these are the tries to find
// that out, and the job rests in between. replay_deliveries words the same job.
const (
	queueDeliver  = "deliver"
	deliverTries  = 25
	deliverAtOnce = 16
	minSnooze     = 10 * time.Second // sooner than this only polling would find the job again
)

// deliverArgs asks for one delivery to be posted.
type deliverArgs struct {
	Tenant   uuid.UUID `json:"tenant"`
	Delivery uuid.UUID `json:"delivery"`
}

// Kind implements river.JobArgs.
func (deliverArgs) Kind() string { return "deliver" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (deliverArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueDeliver, MaxAttempts: deliverTries}
}

// DeliverJob implements dispatch.Queue.
func (Queue) DeliverJob(tenant, delivery uuid.UUID) models.Statement {
	return insert(deliverArgs{Tenant: tenant, Delivery: delivery})
}

type deliverWorker struct {
	river.WorkerDefaults[deliverArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *deliverWorker) Work(ctx context.Context, job *river.Job[deliverArgs]) error {
	return w.deps.observed("deliver", func() error {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		again, err := w.deps.Deliverer.Deliver(ctx, st, job.Args.Delivery)
		if err == nil && again > 0 {
			return river.JobSnooze(max(minSnooze, again))
		}
		return err
	})
}

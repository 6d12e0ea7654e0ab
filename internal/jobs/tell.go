package jobs

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// Teller tells somebody of an event: people, or the platform's own systems. An event may be told twice, when the program
// died in between; telling twice must be telling once.
type Teller interface {
	Tell(ctx context.Context, st *models.TenantStore, event uuid.UUID) error
}

// tellArgs asks for an event to be told.
type tellArgs struct {
	Tenant uuid.UUID `json:"tenant"`
	Event  uuid.UUID `json:"event"`
}

// Kind implements river.JobArgs.
func (tellArgs) Kind() string { return "tell" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (tellArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueTell, MaxAttempts: tellTries}
}

// TellJob words the job that tells of an event, for models.Telling. Whether there is news can be the database's decision, so
// the job is put in only if the event is there.
func (Queue) TellJob(tenant, event uuid.UUID) models.Statement {
	args := tellArgs{Tenant: tenant, Event: event}
	opts := args.InsertOpts()
	return models.Statement{
		SQL: `
			WITH job AS (
			    INSERT INTO river.river_job (kind, args, queue, max_attempts)
			    SELECT $1, $2, $3, $4 WHERE EXISTS (SELECT FROM events WHERE tenant_id = $5 AND id = $6) RETURNING queue)
			SELECT pg_notify('river.river_insert', json_build_object('queue', queue)::text) FROM job`,
		Args: []any{args.Kind(), args, opts.Queue, opts.MaxAttempts, tenant, event},
	}
}

type tellWorker struct {
	river.WorkerDefaults[tellArgs]
	deps Deps
}

// Work implements river.Worker. One teller's failure does not keep the others from telling.
func (w *tellWorker) Work(ctx context.Context, job *river.Job[tellArgs]) error {
	return w.deps.observed("tell", func() (err error) {
		for _, teller := range w.deps.Tellers {
			st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
			err = errors.Join(err, teller.Tell(ctx, st, job.Args.Event))
		}
		return err
	})
}

package jobs

import (
	"context"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// Notifier sends the letter of one notice; notices.Service is the real one.
type Notifier interface {
	Send(ctx context.Context, st *models.TenantStore, user, letter uuid.UUID) (end string, err error)
}

// noticeArgs asks for one letter to one member.
type noticeArgs struct {
	Tenant uuid.UUID `json:"tenant"`
	User   uuid.UUID `json:"user"`
	Letter uuid.UUID `json:"letter"`
}

// Kind implements river.JobArgs.
func (noticeArgs) Kind() string { return "notice" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (noticeArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueMail, MaxAttempts: mailTries}
}

// NoticeJob implements notices.Queue. Whether there is a letter is the database's decision, and so is when it is due.
func (Queue) NoticeJob(tenant, user, letter uuid.UUID) models.Statement {
	args := noticeArgs{Tenant: tenant, User: user, Letter: letter}
	opts := args.InsertOpts()
	return models.Statement{
		SQL: `
			WITH job AS (
			    INSERT INTO river.river_job (kind, args, queue, max_attempts, state, scheduled_at)
			    SELECT $1, $2, $3, $4, CASE WHEN due_at > now() THEN 'scheduled' ELSE 'available' END::river.river_job_state,
			           greatest(due_at, now())
			      FROM notice_letters WHERE tenant_id = $5 AND user_id = $6 AND id = $7 RETURNING id, args, queue)
			SELECT pg_notify('river.river_insert', json_build_object('queue', queue)::text), log_mail(id, args) FROM job`,
		Args: []any{args.Kind(), args, opts.Queue, opts.MaxAttempts, tenant, user, letter},
	}
}

type noticeWorker struct {
	river.WorkerDefaults[noticeArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *noticeWorker) Work(ctx context.Context, job *river.Job[noticeArgs]) error {
	return w.deps.mailed(ctx, job.JobRow, func() (string, error) {
		st := w.deps.Store.ForTenant(job.Args.Tenant, models.Actor{Kind: models.System})
		return w.deps.Notifier.Send(ctx, st, job.Args.User, job.Args.Letter)
	})
}

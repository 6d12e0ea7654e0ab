// Package jobs owns background work: it runs on PostgreSQL through river, so that a job commits together with the rows
// that make it necessary and survives every kind of death of the program.
//
// Queue puts work in (connect and accounts know it by small interfaces of their own); Runner takes it out and calls the
// use-cases. A job carries ids only: everything else is read, and every secret minted, when it runs.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// schema is where river's tables live; the migrations grant them to the serving role.
const schema = "river"

// The queues. Each provider has a queue of its own for syncs, so that one that hangs delays nobody else. A mail never
// waits behind a slow provider, nor does a callback, for which somebody sits before a page.
const (
	queueSync      = "sync" // and sync_<provider>; itself for those that are not offered
	queueMail      = "mail"
	queueCallback  = "callback"
	queueTell      = "tell"
	queueTidy      = "tidy"
	syncTries      = 1 // a sync that failed falls due again
	mailTries      = 8
	callbackTries  = 8
	tellTries      = 8
	tellAtOnce     = 4
	syncAtOnce     = 16
	mailAtOnce     = 4
	callbackAtOnce = 8
)

// syncArgs asks for one connection's data.
type syncArgs struct {
	Tenant     uuid.UUID `json:"tenant"`
	Connection uuid.UUID `json:"connection"`
}

// Kind implements river.JobArgs.
func (syncArgs) Kind() string { return "sync" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (syncArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueSync, MaxAttempts: syncTries}
}

// mailArgs asks for the mail of one link. Its token does not exist yet.
type mailArgs struct {
	Link uuid.UUID `json:"link"`
}

// Kind implements river.JobArgs.
func (mailArgs) Kind() string { return "mail" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (mailArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueMail, MaxAttempts: mailTries}
}

// sweepArgs asks for what has ended to be removed.
type sweepArgs struct{}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sweepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueTidy, MaxAttempts: 1}
}

// Queue puts jobs in. It runs none and holds nothing: a job is a statement in somebody else's transaction, so that a
// change, its event and its job travel to the database together. river's tables are made for that (its insert-only
// clients of other languages do the same); a test keeps the statement true to the library's version.
type Queue struct {
	Providers []string // the slugs of those that are offered
}

// SyncJob implements connect.Queue. Somebody waits for it: it goes before those that fell due, and where one of those
// waits already, that one goes before the others.
func (q Queue) SyncJob(tenant, connection uuid.UUID, provider string) models.Statement {
	args := syncArgs{Tenant: tenant, Connection: connection}
	job := insert(args)
	job.Args[queueArg] = q.syncQueue(provider)
	job.Args[keyArg] = uniqueKey(args.Kind(), connection)
	return job
}

func (q Queue) syncQueue(provider string) string {
	if slices.Contains(q.Providers, provider) {
		return syncQueueOf(provider)
	}
	return queueSync
}

func syncQueueOf(provider string) string { return queueSync + "_" + provider }

// EnqueueMail implements accounts.Queue.
func (Queue) EnqueueMail(ctx context.Context, tx *models.Tx, link uuid.UUID) error {
	args := mailArgs{Link: link}
	opts := args.InsertOpts()
	_, err := tx.Pgx().Exec(ctx, `
		WITH job AS (INSERT INTO river.river_job (kind, args, queue, max_attempts) VALUES ($1, $2, $3, $4) RETURNING id, args, queue)
		SELECT pg_notify('river.river_insert', json_build_object('queue', queue)::text), log_mail(id, args) FROM job`,
		args.Kind(), args, opts.Queue, opts.MaxAttempts)
	if err != nil {
		return fmt.Errorf("jobs: enqueuing a mail: %w", err)
	}
	return nil
}

// work is a job's ids with where and how often it is tried.
type work interface {
	river.JobArgs
	river.JobArgsWithInsertOpts
}

// Places of insert's arguments that a caller may change.
const (
	queueArg = 2
	keyArg   = 4
)

// onceWaiting are the states in which a job with a key keeps another one out, as river writes them: scheduled, retryable,
// pending and available. One that runs does not: it may have read before what the next one is wanted for.
const onceWaiting = "B'10110001'"

// onceAlive are those and running. A job that is tried more than once needs this: what runs may have to wait again.
const onceAlive = "B'11110001'"

// uniqueKey is what jobs for the same row have in common.
func uniqueKey(kind string, id uuid.UUID) []byte { return []byte(kind + ":" + id.String()) }

// promote lets a job that finds another one waiting under its key hasten that one instead.
const promote = `ON CONFLICT (unique_key)
			    WHERE unique_key IS NOT NULL AND unique_states IS NOT NULL AND river.river_job_state_in_bitmask(unique_states, state)
			    DO UPDATE SET priority = least(river_job.priority, excluded.priority)`

// insert words a job and its announcement; both take effect when the transaction commits.
func insert(args work) models.Statement {
	opts := args.InsertOpts()
	return models.Statement{
		SQL: `
			WITH job AS (
			    INSERT INTO river.river_job (kind, args, queue, max_attempts, unique_key, unique_states)
			    VALUES ($1, $2, $3, $4, $5::bytea, CASE WHEN $5::bytea IS NOT NULL THEN ` + onceWaiting + ` END) ` + promote + ` RETURNING queue)
			SELECT pg_notify('river.river_insert', json_build_object('queue', queue)::text) FROM job`,
		Args: []any{args.Kind(), args, opts.Queue, opts.MaxAttempts, []byte(nil)},
	}
}

// quiet lets river speak of trouble only: our own lines tell what the jobs did.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(above{Handler: log.Handler(), level: slog.LevelWarn})
}

// above drops records below a level.
type above struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (h above) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h above) WithAttrs(attrs []slog.Attr) slog.Handler {
	return above{Handler: h.Handler.WithAttrs(attrs), level: h.level}
}

// WithGroup implements slog.Handler.
func (h above) WithGroup(name string) slog.Handler {
	return above{Handler: h.Handler.WithGroup(name), level: h.level}
}

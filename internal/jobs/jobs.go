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
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"mooring/internal/models"
)

// schema is where river's tables live; the migrations grant them to the serving role.
const schema = "river"

// The queues. A mail never waits behind a slow provider.
const (
	queueSync  = "sync"
	queueMail  = "mail"
	queueTidy  = "tidy"
	syncTries  = 5
	mailTries  = 8
	syncAtOnce = 16
	mailAtOnce = 4
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

// Queue puts jobs in. It runs none.
type Queue struct{ client *river.Client[pgx.Tx] }

// NewQueue opens the way in over the serving role's pool.
func NewQueue(pool *pgxpool.Pool, log *slog.Logger) (*Queue, error) {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: schema, Logger: quiet(log),
		// river announces a queue at most once in this time, even if what it announced was rolled back.
		FetchCooldown: time.Millisecond,
	})
	if err != nil {
		return nil, fmt.Errorf("jobs: opening the queue: %w", err)
	}
	return &Queue{client: client}, nil
}

// EnqueueSync implements connect.Queue.
func (q *Queue) EnqueueSync(ctx context.Context, tx *models.Tx, tenant, connection uuid.UUID) error {
	return q.put(ctx, tx, syncArgs{Tenant: tenant, Connection: connection})
}

// EnqueueMail implements accounts.Queue.
func (q *Queue) EnqueueMail(ctx context.Context, tx *models.Tx, link uuid.UUID) error {
	return q.put(ctx, tx, mailArgs{Link: link})
}

func (q *Queue) put(ctx context.Context, tx *models.Tx, args river.JobArgs) error {
	if _, err := q.client.InsertTx(ctx, tx.Pgx(), args, nil); err != nil {
		return fmt.Errorf("jobs: enqueuing %s: %w", args.Kind(), err)
	}
	return nil
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

package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"

	"mooring/internal/models"
)

// source is a kind of due work: which rows, and the job that each of them becomes.
type source struct {
	due  models.Due
	job  work   // its kind, queue and tries; a row's job has arguments of its own
	id   string // what those call the row's id, beside "tenant"
	lane bool   // a queue for each lane that is offered
}

// sources is all due work, one line each. Such a kind needs two functions in the schema, claim_due_<kind> and
// next_due_<kind>, and where a row's time is changed to one that is near, models.wakeDue beside the change.
func sources() []source {
	return []source{
		{due: models.DueSyncs, job: syncArgs{}, id: "connection", lane: true},
		{due: models.DueRefreshes, job: refreshArgs{}, id: "connection", lane: true},
		{due: models.DueRevocations, job: revokeArgs{}, id: "revocation"},
		{due: models.DueErasures, job: eraseArgs{}, id: "connection"},
		{due: models.DueClosings, job: closingArgs{}, id: "closing"},
		{due: models.DueWarnings, job: expiryArgs{}, id: "connection"},
		{due: models.DueDigests, job: digestArgs{}, id: "digest"},
		{due: models.DueApprovals, job: approvalArgs{}, id: "approval"},
		{due: models.DueAlarms, job: mailArgs{}, id: "link"},
	}
}

const (
	claimAtOnce = 500             // rows of one kind
	shortestNap = time.Second     // between two looks, however much falls due: work arrives in handfuls
	afterFault  = 5 * time.Second // the database is asked again this long after it failed
)

// The priorities of jobs. What somebody waits for is first (river's default); of what fell due, a tenant's first few come
// before any tenant's many, so that hundreds of one's own connections do not hold up the others.
const (
	duePriority     = 2
	crowdPriority   = 3
	crowd           = 4 // rows of one tenant in one look that are no crowd yet
	priorityFormula = "CASE WHEN place <= %d THEN %d ELSE %d END"
)

// statement says what a claimed row becomes: a job, unless one waits for the same row already.
func (s source) statement(lanes []string) models.Statement {
	opts := s.job.InsertOpts()
	once := onceAlive
	if opts.MaxAttempts == 1 {
		once = onceWaiting
	}
	if !s.lane {
		lanes = nil
	}
	return models.Statement{
		SQL: `, job AS (
			    INSERT INTO river.river_job (kind, args, queue, max_attempts, priority, unique_key, unique_states)
			    SELECT $3::text, jsonb_build_object('tenant', tenant_id, $4::text, id),
			           $5 || CASE WHEN lane = ANY ($6::text[]) THEN '_' || lane ELSE '' END, $7,
			           ` + fmt.Sprintf(priorityFormula, crowd, duePriority, crowdPriority) + `,
			           convert_to($3 || ':' || id, 'UTF8'), ` + once + `
			      FROM claimed ` + promote + ` RETURNING queue)
			SELECT (SELECT count(*) FROM claimed) FROM (
			    SELECT count(pg_notify('river.river_insert', json_build_object('queue', queue)::text))
			      FROM (SELECT DISTINCT queue FROM job) queues) told`,
		Args: []any{s.job.Kind(), s.id, opts.Queue, lanes, opts.MaxAttempts},
	}
}

// Wakes tells when something about an id has changed, on whatever replica. database.Listener implements it.
type Wakes interface {
	Subscribe(topic uuid.UUID) (ch <-chan struct{}, cancel func())
}

// dueWork turns what falls due into jobs. Each replica has one; the rows see to it that none is taken twice.
type dueWork struct {
	deps    Deps
	sources []models.DueSource
}

func newDueWork(d Deps) *dueWork {
	w := &dueWork{deps: d}
	for _, s := range sources() {
		w.sources = append(w.sources, models.DueSource{Due: s.due, Jobs: s.statement(d.Providers)})
	}
	return w
}

// run sleeps until something falls due or somebody says that something has, until ctx ends.
func (w *dueWork) run(ctx context.Context) {
	woken, cancel := w.deps.Wakes.Subscribe(models.DueTopic())
	defer cancel()
	for ctx.Err() == nil {
		sleep := w.look(ctx)
		if !rest(ctx, shortestNap, nil) {
			return
		}
		rest(ctx, sleep-shortestNap, woken)
	}
}

// look claims what is due now and says how long to sleep.
func (w *dueWork) look(ctx context.Context) (sleep time.Duration) {
	sleep = models.LongestSleep
	for _, source := range w.sources {
		found, err := w.deps.Store.ClaimDue(ctx, source, claimAtOnce)
		switch {
		case ctx.Err() != nil:
			return sleep
		case err != nil:
			w.deps.Log.WarnContext(ctx, "looking for due work failed", "kind", string(source.Due), "error", err)
			sleep = min(sleep, afterFault)
		case !found.Next.IsZero():
			sleep = min(sleep, time.Until(found.Next))
		}
	}
	return sleep
}

// rest waits for so long, or until woken; false when ctx has ended.
func rest(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-ctx.Done():
		return false
	}
	return true
}

// syncQueues gives each offered provider a queue of its own.
func syncQueues(providers []string) map[string]river.QueueConfig {
	queues := map[string]river.QueueConfig{queueSync: {MaxWorkers: 1}}
	for _, slug := range providers {
		queues[syncQueueOf(slug)] = river.QueueConfig{MaxWorkers: syncAtOnce}
	}
	return queues
}

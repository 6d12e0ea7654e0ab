package jobs_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// poison is an inbox whose first callbacks cannot be acted on. It keeps what became of them as the real one does.
type poison struct {
	*worker
	spoilt func(try int) error // how a try ends, counted from 1
	tries  int                 // touched by one job at a time
}

// Process implements jobs.Inbox.
func (p *poison) Process(ctx context.Context, st *models.TenantStore, callback uuid.UUID) (time.Duration, error) {
	p.tries++
	if err := p.spoilt(p.tries); err != nil {
		return 0, err
	}
	return p.worker.Process(ctx, st, callback)
}

// Failed implements jobs.Inbox.
func (p *poison) Failed(ctx context.Context, st *models.TenantStore, callback uuid.UUID, _ error, last bool) error {
	return st.FailCallback(ctx, callback, "internal", last, models.NewEvent{Kind: "callback.dead", Detail: map[string]any{"provider": "fake"}})
}

// put stores a callback with its job.
func (b *bench) put(t *testing.T) (tenant, callback uuid.UUID) {
	t.Helper()
	tenant, connection := b.tenantWithConnection(t)
	callback = uuid.Must(uuid.NewV7())
	_, err := b.db.Owner.Exec(t.Context(), `
		INSERT INTO inbox (tenant_id, id, connection_id, provider, serial, verified, content_hash, body_sealed, received_at)
		VALUES ($1, $2, $3, 'fake', '', false, '', '', now())`, tenant, callback, connection)
	if err != nil {
		t.Fatal(err)
	}
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	if err := st.QueueSync(t.Context(), connection, func(string) models.Statement { return b.queue.CallbackJob(tenant, callback) }); err != nil {
		t.Fatal(err)
	}
	return tenant, callback
}

// hasten lets a job that rests be tried again now.
func (b *bench) hasten(t *testing.T) {
	t.Helper()
	_, err := b.db.Owner.Exec(t.Context(), `
		WITH job AS (UPDATE river.river_job SET state = 'available', scheduled_at = now() WHERE kind = 'callback' AND state = 'retryable' RETURNING queue)
		SELECT pg_notify('river.river_insert', json_build_object('queue', queue)::text) FROM job`)
	if err != nil {
		t.Fatal(err)
	}
}

// TestACallbackThatFailsToTheLastIsADeadLetterAndCanBeReplayed follows poison, some of which panics, to its end and back.
func TestACallbackThatFailsToTheLastIsADeadLetterAndCanBeReplayed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.inbox = &poison{worker: b.worker, spoilt: func(try int) error {
		switch {
		case try > 8:
			return nil // somebody has mended it
		case try%2 == 0:
			panic("poison")
		default:
			return errors.New("poison")
		}
	}}
	b.run(t)
	tenant, callback := b.put(t)
	for try := 1; try < 8; try++ {
		b.until(t, "a failed try is counted, of a panic too", `SELECT tries = $1 AND state = 'waiting' FROM inbox`, try)
		b.until(t, "the job rests", `SELECT state = 'retryable' FROM river.river_job WHERE kind = 'callback'`)
		b.hasten(t)
	}
	b.until(t, "the eighth is the last", `SELECT tries = 8 AND state = 'dead' FROM inbox`)
	b.until(t, "the job is put away", `SELECT state = 'discarded' FROM river.river_job WHERE kind = 'callback'`)
	b.until(t, "the history tells, once", `SELECT count(*) = 1 FROM events WHERE kind = 'callback.dead'`)

	staff := b.store.Platform(models.Actor{Kind: models.Staff, ID: uuid.Must(uuid.NewV7())})
	for i, want := range []bool{true, false} { // pressed twice
		if done, err := staff.ReplayCallback(t.Context(), callback); err != nil || done != want {
			t.Fatalf("replay %d: %v, %v; want %v", i+1, done, err, want)
		}
	}
	b.wait(t, "callback "+tenant.String()+" "+callback.String())
	b.until(t, "it was worked once", `SELECT count(*) = 1 FROM river.river_job WHERE kind = 'callback' AND state = 'completed'`)
	select {
	case again := <-b.worker.calls:
		t.Errorf("worked again: %s", again)
	default:
	}
}

// TestAReplayedCallbackIsAJobLikeItsFirst holds what the database writes for a replay beside what the queue writes.
func TestAReplayedCallbackIsAJobLikeItsFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t) // nobody takes the jobs
	_, callback := b.put(t)
	if _, err := b.db.Owner.Exec(t.Context(), `UPDATE inbox SET dead_at = now()`); err != nil {
		t.Fatal(err)
	}
	if done, err := b.store.Platform(models.Actor{Kind: models.Staff, ID: uuid.Must(uuid.NewV7())}).ReplayCallback(t.Context(), callback); err != nil || !done {
		t.Fatal(done, err)
	}
	var jobs, kinds int
	err := b.db.Owner.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT (kind, args, queue, max_attempts, priority, unique_key, unique_states))
		FROM river.river_job`).Scan(&jobs, &kinds)
	if err != nil || jobs != 2 || kinds != 1 {
		t.Errorf("%d jobs of %d kinds, %v; want 2, alike", jobs, kinds, err)
	}
}

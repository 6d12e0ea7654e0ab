package jobs_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/mail"
	"mooring/internal/models"
)

func (w *worker) SendDigest(_ context.Context, _ *models.PlatformStore, _ uuid.UUID) (string, error) {
	return models.LetterSent, w.called("digest")
}

// link makes a link with its mail.
func (b *bench) link(t *testing.T) {
	t.Helper()
	link := models.Link{ID: uuid.Must(uuid.NewV7()), Purpose: models.SignUpLink, Email: "somebody@example.com", Language: "en"}
	err := b.store.CreateLink(t.Context(), link, time.Hour, func(tx *models.Tx) error { return b.queue.EnqueueMail(t.Context(), tx, link.ID) })
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMailThatIsRefusedForGoodIsTriedOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.worker.fail = fmt.Errorf("mail: sending to s***@e***: %w, with code 550", mail.ErrRefused)
	b.link(t)
	b.until(t, "it is on the list before it is tried", `SELECT state = 'waiting' AND tries = 0 AND kind = 'signup' AND address = 's***@e***' FROM mails`)
	b.run(t)
	b.until(t, "its job has ended", `SELECT state = 'cancelled' AND attempt = 1 FROM river.river_job WHERE kind = 'mail'`)
	b.until(t, "the list says so", `SELECT state = 'refused' AND fault = 'refused' AND tries = 1 AND ended_at IS NOT NULL FROM mails`)
}

func TestAMailThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.worker.fail = fmt.Errorf("mail: %w", mail.ErrBusy)
	b.link(t)
	b.run(t)
	b.until(t, "it waits for another try", `SELECT state = 'waiting' AND fault = 'busy' AND tries = 1 FROM mails`)
	b.until(t, "so does its job", `SELECT state = 'retryable' FROM river.river_job WHERE kind = 'mail'`)
	done, err := b.store.Platform(models.Actor{Kind: models.Staff, ID: uuid.Must(uuid.NewV7())}).RetryJob(t.Context(), b.job(t, "mail"))
	if err != nil || !done {
		t.Fatal("running it at once:", done, err)
	}
	b.until(t, "it is sent", `SELECT state = 'sent' AND fault = '' AND tries = 2 FROM mails`)
	b.until(t, "it is written down", `SELECT count(*) = 1 FROM platform_events WHERE kind = 'job.retried' AND detail->>'work' = 'mail'`)
}

func (b *bench) job(t *testing.T, kind string) (id int64) {
	t.Helper()
	if err := b.db.Owner.QueryRow(t.Context(), `SELECT id FROM river.river_job WHERE kind = $1`, kind).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDigestsFallDueOnceOverAllReplicas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.exec(t, `WITH u AS (INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
		VALUES (gen_random_uuid(), 'staff', 'admin@example.com', '', now(), now()) RETURNING id)
		INSERT INTO platform_admins (user_id, created_at) SELECT id, now() - interval '2 days' FROM u`)
	b.run(t)
	b.run(t)
	b.wait(t, "digest")
	b.until(t, "there was one job", `SELECT count(*) = 1 FROM river.river_job WHERE kind = 'digest'`)
	b.until(t, "it is on the list of mails", `SELECT count(*) = 1 FROM mails WHERE state = 'sent' AND kind = 'digest' AND address = 'a***@e***'`)
}

func TestACancelledJobLeavesWhatItWasForToBeTakenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, _ := b.tenantWithConnection(t)
	b.exec(t, `INSERT INTO river.river_job (kind, args, queue, max_attempts, state, attempt, finalized_at, errors, unique_key, unique_states)
		VALUES ('sync', '{}', 'sync', 1, 'discarded', 1, now(), ARRAY['{"at":"2026-01-01T00:00:00Z","error":"dial https://user:canary@a.example/x?token=canary: secret=\"canary\" id 0190b2c300007000800000000000canary"}'::jsonb], 'k', B'10110001'),
		       ('sync', '{}', 'sync', 1, 'available', 0, NULL, NULL, 'k', B'10110001'),
		       ('deliver', jsonb_build_object('tenant', $1::uuid), 'deliver', 25, 'running', 1, NULL, NULL, NULL, NULL)`, tenant)
	staff := b.store.Platform(models.Actor{Kind: models.Staff, ID: uuid.Must(uuid.NewV7())})
	page, err := staff.Jobs(t.Context(), models.JobQuery{States: []string{"discarded"}, Limit: 5})
	if err != nil || len(page.Rows) != 1 {
		t.Fatalf("the list: %+v, %v", page.Rows, err)
	}
	if fault := page.Rows[0].Fault; fault == "" || strings.Contains(fault, "canary") {
		t.Errorf("the last error holds a value: %q", fault)
	}
	if done, err := staff.RetryJob(t.Context(), page.Rows[0].ID); err != nil || done {
		t.Errorf("running what another job waits for already: %t, %v", done, err)
	}
	if done, err := staff.CancelJob(t.Context(), b.job(t, "deliver")); err != nil || done {
		t.Errorf("cancelling what runs: %t, %v", done, err)
	}
	rows, err := staff.Jobs(t.Context(), models.JobQuery{Kind: "sync", States: []string{"available"}, Limit: 5})
	if err != nil || len(rows.Rows) != 1 {
		t.Fatal(rows, err)
	}
	for _, want := range []bool{true, false} { // the second time there is nothing to cancel
		if done, err := staff.CancelJob(t.Context(), rows.Rows[0].ID); err != nil || done != want {
			t.Errorf("cancelling: %t, %v; want %t", done, err, want)
		}
	}
	b.until(t, "it is written down once", `SELECT count(*) = 1 FROM platform_events WHERE kind = 'job.cancelled'`)
	if done, err := staff.RetryJob(t.Context(), page.Rows[0].ID); err != nil || !done {
		t.Errorf("running it now that nothing waits: %t, %v", done, err)
	}
}

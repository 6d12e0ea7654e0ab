package jobs_test

import (
	"testing"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// staff makes a member of the staff.
func (b *bench) staff(t *testing.T, email string) (id uuid.UUID) {
	t.Helper()
	id = uuid.Must(uuid.NewV7())
	b.exec(t, `INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1, 'staff', $2, '', now(), now())`, id, email)
	b.exec(t, `INSERT INTO platform_admins (user_id, created_at) VALUES ($1, now())`, id)
	return id
}

func TestAnApprovedActIsCarriedOutOnceOverAllReplicas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	b.run(t)
	b.tenantWithConnection(t)
	first, second := b.staff(t, "first@example.com"), b.staff(t, "second@example.com")
	asked := models.NewApproval{ActScope: models.ActScope{Act: models.ActWithdraw, Provider: "fake"}, Reason: "They asked us to"}
	id, err := b.store.Platform(models.Actor{Kind: models.Staff, ID: first}).Ask(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	b.until(t, "it waits for a decision", `SELECT state = 'open' AND due_at IS NULL FROM approvals`)
	err = b.store.Platform(models.Actor{Kind: models.Staff, ID: second}).
		Decide(t.Context(), models.Decision{Approval: id, Act: models.ActWithdraw, Approve: true, Askers: models.StaffRoles()})
	if err != nil {
		t.Fatal(err)
	}
	b.wait(t, "approval "+id.String())
	b.until(t, "there was one job", `SELECT count(*) = 1 FROM river.river_job WHERE kind = 'approval' AND state = 'completed'`)
	b.until(t, "until it has ended it falls due again", `SELECT due_at > now() + interval '4 minutes' FROM approvals`)
}

func TestAnAlarmIsALetterToEachOfTheOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.run(t)
	b.run(t)
	b.tenantWithConnection(t)
	first, second := b.staff(t, "first@example.com"), b.staff(t, "second@example.com")
	asked := models.NewApproval{ActScope: models.ActScope{Act: models.ActWithdraw, Provider: "fake"}, Reason: "It burns", Alone: true}
	if _, err := b.store.Platform(models.Actor{Kind: models.Staff, ID: first}).Ask(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	b.until(t, "the other one's letter is sent", `SELECT count(*) = 1 FROM one_time_links l
		JOIN river.river_job j ON j.kind = 'mail' AND j.args->>'link' = l.id::text AND j.state = 'completed' WHERE l.purpose = 'alarm' AND l.user_id = $1`, second)
	b.until(t, "it is the only one", `SELECT count(*) = 1 FROM one_time_links WHERE purpose = 'alarm'`)
	b.until(t, "none is made again", `SELECT alarm_at IS NULL FROM approvals`)
}

package jobs_test

import (
	"testing"
	"time"

	"mooring/internal/models"
)

func TestACredentialThatFallsDueIsLookedAt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	b.exec(t, `UPDATE connections SET next_sync_at = NULL`)
	b.exec(t, `INSERT INTO credentials (tenant_id, connection_id, version, sealed, updated_at, next_refresh_at)
		VALUES ($1, $2, 1, '\x01', now(), now() + interval '2 seconds')`, tenant, connection)
	b.run(t)
	b.run(t) // another replica: the row goes to one of them
	b.wait(t, "refresh "+tenant.String()+" "+connection.String())
	b.until(t, "should its worker die it comes back", `SELECT next_refresh_at BETWEEN now() + interval '50 seconds' AND now() + interval '1 minute' FROM credentials`)
	b.until(t, "there was one job", `SELECT count(*) = 1 FROM river.river_job WHERE kind = 'refresh' AND queue = 'refresh_fake'`)
}

// The end of a lease is soon, and everybody may be asleep for minutes.
func TestALeaseWakesWhoSleeps(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	b.exec(t, `UPDATE connections SET next_sync_at = NULL`)
	b.exec(t, `INSERT INTO credentials (tenant_id, connection_id, version, sealed, updated_at) VALUES ($1, $2, 1, '\x01', now())`, tenant, connection)
	b.exec(t, `INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, '\x01', now())`, tenant)
	b.run(t)
	st := b.store.ForTenant(tenant, models.Actor{Kind: models.System})
	held, err := st.Credential(t.Context(), connection)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.LeaseCredential(t.Context(), held, time.Now().Add(time.Second), true); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "refresh "+tenant.String()+" "+connection.String())
}

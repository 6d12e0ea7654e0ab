package jobs_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/models"
)

func (w *worker) Revoke(_ context.Context, st *models.TenantStore, revocation uuid.UUID) error {
	return w.called("revoke " + st.Tenant().String() + " " + revocation.String())
}

// SettleClosing implements jobs.Leaver.
func (w *worker) SettleClosing(_ context.Context, st *models.TenantStore) error {
	return w.called("closing " + st.Tenant().String())
}

func (w *worker) Erase(_ context.Context, st *models.TenantStore, connection uuid.UUID) error {
	return w.called("erase " + st.Tenant().String() + " " + connection.String())
}

func TestDue_WhatADisconnectionLeavesToBeDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	tenant, connection := b.tenantWithConnection(t)
	revocation := uuid.Must(uuid.NewV7())
	for _, sql := range []string{
		`UPDATE connections SET state = 'disconnected', erase_at = now(), erase_due_at = now() WHERE tenant_id = $1 AND id = $2 AND $3::uuid IS NOT NULL`,
		`INSERT INTO revocations (tenant_id, id, connection_id, provider, state, sealed, next_at, until_at, created_at)
		 VALUES ($1, $3, $2, 'fake', 'waiting', 's', now(), now(), now())`,
		`INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, due_at, connections, master_version, audit_seq, audit_hash)
		 SELECT $1, now(), $1, now(), now(), 1, 1, 1, '' WHERE $2::uuid IS NOT NULL AND $3::uuid IS NOT NULL`,
	} {
		if _, err := b.db.Owner.Exec(t.Context(), sql, tenant, connection, revocation); err != nil {
			t.Fatal(err)
		}
	}
	b.run(t)
	want := map[string]bool{
		"revoke " + tenant.String() + " " + revocation.String(): true,
		"erase " + tenant.String() + " " + connection.String():  true,
		"closing " + tenant.String():                            true,
	}
	for len(want) > 0 {
		got := <-b.worker.calls // the test's time limit ends a wait for nothing
		if !want[got] {
			t.Fatalf("%q was not due, or twice", got)
		}
		delete(want, got)
	}
}

// CarryOut implements jobs.Executor.
func (w *worker) CarryOut(_ context.Context, _ *models.Store, approval uuid.UUID) error {
	return w.called("approval " + approval.String())
}

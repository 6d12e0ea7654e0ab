package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/vault"
)

// TestKeys_TenantsAreTurnedBesideAServingProgram types what an operator types, has a damaged keyset among the others, and shortens
// the rests, which are a quarter of an hour each.
func TestKeys_TenantsAreTurnedBesideAServingProgram(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	env := serveEnv(t, db)
	startWeb(t, env, "serve").await(t, servingLine)
	keyset, _ := lookupIn(env)("KEYSET")
	v, err := vault.New([]byte(keyset))
	if err != nil {
		t.Fatal(err)
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	addTenant := func(tenant uuid.UUID, key vault.WrappedKey) {
		t.Helper()
		exec(`WITH t AS (INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Pier', now()))
			INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now() - interval '1 hour')`, tenant, []byte(key))
	}
	tenant := uuid.Must(uuid.NewV7())
	old, err := v.NewTenantKey(tenant)
	if err != nil {
		t.Fatal(err)
	}
	addTenant(tenant, old)
	at := vault.Place{Tenant: tenant, Owner: tenant, Provider: "pier", Field: "account"}
	sealed, err := v.Seal(old, at, []byte("account"))
	if err != nil {
		t.Fatal(err)
	}
	exec(`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
		VALUES ($1, $1, 'pier', 'test', 'h', '1', $2, 'connected', now(), 1, now())`, tenant, []byte(sealed))
	damaged := uuid.Must(uuid.NewV7())
	addTenant(damaged, old) // another tenant's

	typed := typing(t, env)
	says := func(text, want string) {
		t.Helper()
		if !strings.Contains(text, want) {
			t.Errorf("it printed %s, want %q in it", text, want)
		}
	}
	typed(2, "keys", "rotate-tenants")
	says(typed(1, "keys", "rotate-tenants", "--tenant", uuid.NewString()), "there is no tenant")
	text := typed(1, "keys", "rotate-tenants", "--all", "--older", "0s", "--no-wait")
	says(text, "1 tenants have a new data key")
	says(text, "1 tenants could not begin")
	says(text, damaged.String())
	exec(`DELETE FROM tenant_keys WHERE tenant_id = $1`, damaged)
	says(typed(0, "keys", "rotate-tenants", "--all", "--older", "0s", "--no-wait"), "No turn begins")

	hasten, rested := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for hasten.Err() == nil {
			_, _ = db.Owner.Exec(hasten, `UPDATE key_turns SET due_at = now() WHERE due_at > now() + interval '5 minutes'`) // a lease is shorter
		}
	}()
	says(typed(0, "keys", "rotate-tenants", "--tenant", tenant.String()), "1 have ended")
	rested()
	<-done
	says(typed(0, "keys", "status"), "1 have ended. 1 values were rewritten")

	var last vault.WrappedKey
	if err := db.Owner.QueryRow(t.Context(), `SELECT k.wrapped, c.account_sealed FROM tenant_keys k JOIN connections c USING (tenant_id)`).
		Scan((*[]byte)(&last), (*[]byte)(&sealed)); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Open(last, at, sealed); err != nil || string(got) != "account" {
		t.Errorf("after the turn: %q, %v", got, err)
	}
	if _, err := v.Open(old, at, sealed); err == nil {
		t.Error("the old key still opens what was sealed")
	}
	var told int
	if err := db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM platform_events WHERE kind = 'keys.tenants_turning'`).Scan(&told); err != nil {
		t.Fatal(err)
	}
	if told != 1 {
		t.Errorf("the platform's history tells %d times that somebody turned data keys, want once", told)
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"mooring/internal/vault"
)

const (
	// tenantOf finds a merchant's tenant by the address in the first placeholder.
	tenantOf = `(SELECT m.tenant_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = $1)`
	// copies is how many connections each provider gets beside the demo's.
	copies = 10
	// dueTopic is models.DueTopic.
	dueTopic = "6d6f6f72-696e-8000-8000-647565000000"
)

// source is a connection of the demo with what must be sealed anew for its copies.
type source struct {
	tenant, id uuid.UUID
	provider   string
	version    int64
	account    []byte
	credential []byte
	key        []byte
}

// addConnections copies the first merchant's connections, so that there is something to sync. The copies are real ones:
// their credentials open, and the simulators answer them. The second merchant, whose pages are measured, stays as it is.
func (h *house) addConnections(ctx context.Context) error {
	keyset, err := os.ReadFile(filepath.Join(h.dir, "data", "keyset.json"))
	if err != nil {
		return err
	}
	v, err := vault.New(keyset)
	if err != nil {
		return err
	}
	rows, err := h.db.Query(ctx, `
		SELECT c.tenant_id, c.id, c.provider, c.credential_version, c.account_sealed, k.sealed, t.wrapped
		  FROM connections c
		  JOIN credentials k ON k.tenant_id = c.tenant_id AND k.connection_id = c.id
		  JOIN tenant_keys t ON t.tenant_id = c.tenant_id
		 WHERE c.tenant_id = `+tenantOf, "lin@bluewhale.example")
	if err != nil {
		return err
	}
	defer rows.Close()
	var all []source
	for rows.Next() {
		var s source
		if err := rows.Scan(&s.tenant, &s.id, &s.provider, &s.version, &s.account, &s.credential, &s.key); err != nil {
			return err
		}
		all = append(all, s)
	}
	for _, s := range all {
		for range copies {
			if err := h.copy(ctx, v, s); err != nil {
				return fmt.Errorf("copying a connection to %s: %w", s.provider, err)
			}
		}
	}
	return rows.Err()
}

func (h *house) copy(ctx context.Context, v *vault.Vault, s source) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	move := func(sealed []byte, field string, version int64) (vault.Sealed, error) {
		at := vault.Place{Tenant: s.tenant, Owner: s.id, Provider: s.provider, Field: field, Version: version}
		text, err := v.Open(s.key, at, sealed)
		if err != nil {
			return nil, err
		}
		at.Owner = id
		return v.Seal(s.key, at, text)
	}
	account, err := move(s.account, "account", 0)
	if err != nil {
		return err
	}
	credential, err := move(s.credential, "credential", s.version)
	if err != nil {
		return err
	}
	_, err = h.db.Exec(ctx, `
		WITH c AS (
		    INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state,
		        state_since, credential_version, created_at)
		    SELECT tenant_id, $3, provider, environment, $3::uuid::text::bytea, account_masked, $4, 'connected', now(), credential_version, now()
		      FROM connections WHERE tenant_id = $1 AND id = $2)
		INSERT INTO credentials (tenant_id, connection_id, version, sealed, expires_at, updated_at)
		SELECT tenant_id, $3, version, $5, expires_at, now() FROM credentials WHERE tenant_id = $1 AND connection_id = $2`,
		s.tenant, s.id, id, []byte(account), []byte(credential))
	return err
}

// fallDue makes some connections of each provider due and says so, as models.wakeDue does: those that rest longest first.
func (h *house) fallDue(ctx context.Context, each int) error {
	_, err := h.db.Exec(ctx, `
		WITH next AS MATERIALIZED (
		    SELECT id, row_number() OVER (PARTITION BY provider ORDER BY sync_since NULLS FIRST, id) AS place
		      FROM connections WHERE sync_state = 'idle' AND tenant_id = `+tenantOf+`),
		     free AS MATERIALIZED ( -- never waits, so that it is in nobody's way
		    SELECT c.id FROM connections c JOIN next USING (id) WHERE next.place <= $2 FOR UPDATE OF c SKIP LOCKED),
		     due AS (UPDATE connections c SET next_sync_at = now() FROM free WHERE c.id = free.id)
		SELECT pg_notify('mooring', $3)`, "lin@bluewhale.example", each, dueTopic)
	return err
}

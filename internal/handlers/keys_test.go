package handlers

import (
	"testing"

	"github.com/google/uuid"

	"mooring/internal/oauth/oauthtest"
	"mooring/internal/vault"
)

func TestKeys_SaysHowTheyStandAndWhatToType(t *testing.T) {
	t.Parallel()
	h := newHarbour(t, "", &oauthtest.Fake{})
	v := h.owner(t, "a@example.com")
	staff := h.staff(t)
	v.get(t, "/admin/keys").want(t, "a merchant", 403, "")
	staff.get(t, "/admin/keys").want(t, "rows whose key nobody has announced", 200, "", "No program has announced itself", "that no program has announced. Find the keyset")

	var used int64
	must(t, h.db.Owner.QueryRow(t.Context(), `SELECT master_key FROM tenant_keys LIMIT 1`).Scan(&used))
	keys := vault.Keys{Primary: vault.KeyID(used), All: []vault.KeyID{vault.KeyID(used)}}
	must(t, h.store.AnnounceKeys(t.Context(), "dock/1", keys))
	staff.get(t, "/admin/keys").want(t, "at rest", 200, "", "Every row is on the newest key", "dock/1", "web keys rotate", "web connections revoke", "never been rotated")

	must(t, h.store.AnnounceKeys(t.Context(), "dock/2", vault.Keys{Primary: keys.Primary, All: append(keys.All, 4711)}))
	staff.get(t, "/admin/keys").want(t, "added", 200, "", "Not in use yet", "1 program has not loaded key 4711 yet", "goes on where it was")
	_, err := h.db.Owner.Exec(t.Context(), `UPDATE master_keys SET promoted_at = now() WHERE id = 4711`)
	must(t, err)
	staff.get(t, "/admin/keys").want(t, "half way", 200, "", "0 of ", "being rewrapped", "<progress", "Opens only")

	var tenant uuid.UUID
	must(t, h.db.Owner.QueryRow(t.Context(), `INSERT INTO key_turns (tenant_id, from_key, to_key, begun_at, due_at)
		SELECT tenant_id, 1, 2, now(), now() + interval '9 minutes' FROM tenant_keys LIMIT 1 RETURNING tenant_id`).Scan(&tenant))
	staff.get(t, "/admin/keys").want(t, "a tenant's key that waits", 200, "", "Waiting to seal: 1.", "Waits to seal", "/admin/tenants/"+tenant.String())
	_, err = h.db.Owner.Exec(t.Context(), `UPDATE key_turns SET sealing_at = now(), rewritten_at = now(), rewritten = 41, stuck = 2`)
	must(t, err)
	staff.get(t, "/admin/keys").want(t, "one that cannot end", 200, "", "The old data key of 1 tenant cannot be destroyed", "2 values do not open", ">41<")
}

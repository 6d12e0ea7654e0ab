package connect

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database/dbtest"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// sealedRows makes a row in every table that holds something sealed of a tenant's; the values come afterwards.
func sealedRows() []string {
	return []string{
		`INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Pier', now())`,
		`INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($1, 'merchant', 'pier@example.com', '', now(), now())`,
		`INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $1, 'owner', now())`,
		`INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
			VALUES ($1, $1, 'pier', 'test', 'h', '1', '', 'connected', now(), 3, now())`,
		`INSERT INTO credentials (tenant_id, connection_id, version, sealed, previous_version, previous_sealed, updated_at) VALUES ($1, $1, 3, '', 2, '', now())`,
		`INSERT INTO attempts (tenant_id, id, user_id, session_id, provider, environment, state_hash, browser_hash, verifier_sealed, status, created_at, expires_at)
			VALUES ($1, $1, $1, $1, 'pier', 'test', 's', 'b', '', 'pending', now(), now())`,
		`INSERT INTO inbox (tenant_id, id, attempt_id, provider, serial, verified, content_hash, body_sealed, received_at)
			VALUES ($1, $1, $1, 'pier', '', true, 'c', '', now())`,
		`INSERT INTO callback_addresses (tenant_id, id, connection_id, token_hash, token_sealed, created_at) VALUES ($1, $1, $1, 't', '', now())`,
		`INSERT INTO revocations (tenant_id, id, connection_id, provider, state, sealed, next_at, until_at, created_at)
			VALUES ($1, $1, $1, 'pier', 'waiting', '', now(), now(), now())`,
		`INSERT INTO snapshots (tenant_id, connection_id, block, version, data_sealed, raw_sealed, content_hash, source_zone, partial, changed_at, fetched_at)
			VALUES ($1, $1, 'wallet', 4, '', '', 'c', '', false, now(), now())`,
	}
}

// TestPlaces_AreThoseThatTurningKnows seals a value in every column that the list of sealed columns has of a tenant's, at the place
// that this room gives it, and turns the tenant's data key: a column that turning does not reach, or thinks bound to something
// else, keeps the old key.
func TestPlaces_AreThoseThatTurningKnows(t *testing.T) {
	t.Parallel()
	db, tenant := dbtest.New(t), uuid.Must(uuid.NewV7())
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := db.Owner.Exec(t.Context(), sql, args...)
		fail(err)
	}
	text, err := vault.NewKeyset()
	fail(err)
	v, err := vault.New(text)
	fail(err)
	key, err := v.NewTenantKey(tenant)
	fail(err)
	for _, sql := range sealedRows() {
		exec(sql, tenant)
	}
	exec(`INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $2, now())`, tenant, []byte(key))

	conn := models.Connection{TenantID: tenant, ID: tenant, Provider: "pier"}
	attempt := models.Attempt{ID: tenant, Provider: "pier"}
	places := map[string]vault.Place{
		"attempts.verifier_sealed":        verifierPlace(tenant, tenant, "pier"),
		"attempts.returned_sealed":        returnedPlace(tenant, attempt),
		"attempts.link_sealed":            linkPlace(tenant, attempt),
		"attempts.kept_sealed":            keptPlace(tenant, attempt),
		"callback_addresses.token_sealed": addressPlace(tenant, tenant, "pier"),
		"connections.account_sealed":      accountPlace(tenant, tenant, "pier"),
		"credentials.sealed":              credentialPlace(tenant, tenant, "pier", 3),
		"credentials.previous_sealed":     credentialPlace(tenant, tenant, "pier", 2),
		"inbox.body_sealed":               inboxPlace(tenant, tenant, "pier", "callback_body"),
		"inbox.credential_sealed":         inboxPlace(tenant, tenant, "pier", "callback_credential"),
		"revocations.sealed":              revocationPlace(tenant, tenant, "pier"),
		"snapshots.data_sealed":           dataPlace(conn, oauth.BlockWallet, 4),
		"snapshots.raw_sealed":            rawPlace(conn, oauth.BlockWallet, 4),
	}
	var columns []models.SealedColumn
	for _, c := range models.SealedColumns() {
		if c.Keeping != models.ByTenant {
			continue
		}
		at, known := places[c.Table+"."+c.Column]
		if !known {
			t.Fatalf("%s.%s is sealed for a tenant; add its place here", c.Table, c.Column)
		}
		sealed, err := v.Seal(key, at, []byte(c.Column))
		fail(err)
		exec(`UPDATE `+c.Table+` SET `+c.Column+` = $2 WHERE tenant_id = $1`, tenant, []byte(sealed))
		columns = append(columns, c)
	}

	store, err := models.NewStore(models.Options{App: db.App, Platform: db.Platform, Now: time.Now})
	fail(err)
	turner := keys.Turner{Store: store, Vault: v, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	fail(turner.Begin(t.Context(), tenant, "test"))
	_, err = turner.Work(t.Context())
	fail(err)
	st, err := store.Platform(models.Actor{Kind: models.System}).KeyTurns(t.Context(), tenant)
	fail(err)
	if st.Ended != 1 || st.Kept != 0 {
		t.Errorf("the turn ended %d times and is kept %d times: %+v", st.Ended, st.Kept, st.Open)
	}
	last, err := store.ForTenant(tenant, models.Actor{Kind: models.System}).Key(t.Context())
	fail(err)
	for _, c := range columns {
		var sealed vault.Sealed
		fail(db.Owner.QueryRow(t.Context(), `SELECT `+c.Column+` FROM `+c.Table+` WHERE tenant_id = $1`, tenant).Scan((*[]byte)(&sealed)))
		if got, err := v.Open(last, places[c.Table+"."+c.Column], sealed); err != nil || string(got) != c.Column {
			t.Errorf("%s.%s after the turn: %q, %v", c.Table, c.Column, got, err)
		}
		if _, err := v.Open(key, places[c.Table+"."+c.Column], sealed); err == nil {
			t.Errorf("%s.%s still opens with the old key", c.Table, c.Column)
		}
	}
}

package models_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"mooring/internal/database/dbtest"
	"mooring/internal/models"
)

// notSealed are the columns of bytes that hold no secret: hashes say so in their name, the others stand here.
var notSealed = []string{"factors.handle"} // a passkey's credential id, which every sign-in shows

// TestSealedColumns_AreThoseOfTheSchema fails on a column that nobody has said anything about, as on one that is gone.
func TestSealedColumns_AreThoseOfTheSchema(t *testing.T) {
	t.Parallel()
	db := dbtest.New(t)
	rows, err := db.Owner.Query(t.Context(), `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'river%' AND data_type = 'bytea'`)
	if err != nil {
		t.Fatal(err)
	}
	inSchema, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, c := range models.SealedColumns() {
		known = append(known, c.Table+"."+c.Column)
	}
	for _, name := range inSchema {
		harmless := slices.Contains(notSealed, name) || strings.HasSuffix(name, "hash")
		if !harmless && !slices.Contains(known, name) {
			t.Errorf("%s holds bytes and is not in models.SealedColumns: no turning of a key would reach it", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(inSchema, name) {
			t.Errorf("models.SealedColumns names %s, which the schema has not", name)
		}
	}
}

// TestSealedColumns_OfTenantsRefuseADestroyedKey writes to each of them what needs a key that is gone.
func TestSealedColumns_OfTenantsRefuseADestroyedKey(t *testing.T) {
	t.Parallel()
	e, db := newEstate(t)
	const goneKey = `'\x0100000007ff'`
	exec := func(sql string) error {
		_, err := db.Owner.Exec(t.Context(), strings.ReplaceAll(sql, "TENANT", "'"+e.tenant.String()+"'"))
		return err
	}
	if err := exec(`UPDATE credentials SET previous_sealed = '\x01', previous_version = 1 WHERE tenant_id = TENANT`); err != nil {
		t.Fatal(err)
	}
	for _, ended := range []bool{false, true} {
		if ended {
			if err := exec(`UPDATE key_turns SET ended_at = now(), due_at = NULL WHERE tenant_id = TENANT`); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range models.SealedColumns() {
			if c.Keeping != models.ByTenant {
				continue
			}
			hit, err := db.Owner.Exec(t.Context(), `UPDATE `+c.Table+` SET `+c.Column+` = `+goneKey+` WHERE tenant_id = $1`+
				map[bool]string{true: ` AND state = 'waiting'`}[c.Table == "revocations"], e.tenant)
			switch {
			case !ended && (err != nil || hit.RowsAffected() == 0):
				t.Errorf("%s.%s, while the key turns: %v, %s", c.Table, c.Column, err, hit)
			case ended && (err == nil || !strings.Contains(err.Error(), "MR005")):
				t.Errorf("%s.%s takes a value that needs a destroyed key (%v)", c.Table, c.Column, err)
			}
		}
	}
}

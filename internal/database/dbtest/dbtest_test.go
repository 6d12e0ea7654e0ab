package dbtest_test

import (
	"os"
	"testing"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func TestNew_EachTestHasItsOwn(t *testing.T) {
	for range 4 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			db := dbtest.New(t)
			if err := database.CheckVersion(t.Context(), db.App); err != nil {
				t.Error(err)
			}
			var rows int
			if err := db.Owner.QueryRow(t.Context(), `SELECT count(*) FROM tenants`).Scan(&rows); err != nil || rows != 0 {
				t.Errorf("a fresh database has %d tenants, %v", rows, err)
			}
			if _, err := db.Owner.Exec(t.Context(), `INSERT INTO tenants VALUES (gen_random_uuid(), 'Harbour', now())`); err != nil {
				t.Error(err)
			}
		})
	}
}

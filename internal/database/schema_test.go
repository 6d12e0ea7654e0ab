package database_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

const schemaFile = "../../migrations/schema.sql"

var update = flag.Bool("update", false, "write migrations/schema.sql instead of comparing it")

func TestSchema_DumpIsCommitted(t *testing.T) {
	t.Parallel()
	got, err := database.Dump(t.Context(), dbtest.New(t).OwnerURL)
	must(t, err)
	got = "-- What the migrations add up to, for readers. Written by `make schema`; a test compares it.\n\n" + got
	if *update {
		must(t, os.WriteFile(schemaFile, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(schemaFile)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("migrations/schema.sql is not what the migrations make (run `make schema`):\n%s", diff)
	}
}

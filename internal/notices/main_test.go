package notices_test

import (
	"os"
	"testing"

	"mooring/internal/database/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

package database_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"mooring/internal/database"
	"mooring/internal/database/dbtest"
)

// holdVariable makes this test program hold a cluster until it is killed, instead of testing.
const holdVariable = "MOORING_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdVariable); dir != "" {
		os.Exit(hold(dir))
	}
	os.Exit(dbtest.Main(m))
}

// hold keeps a cluster, says its owner's address on the standard output, and waits for a violent end.
func hold(dir string) int {
	c, err := database.StartCluster(context.Background(), dir, database.ClusterOptions{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	owner, _, _ := c.URLs()
	fmt.Println(owner)
	<-c.Died()
	return 0
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package jobs_test

import "testing"

func TestAnEndThatIsNearIsWarnedOfOnceOverAllReplicas(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tenantWithConnection(t)
	b.exec(t, `UPDATE connections SET ends_at = now() + interval '6 days', warn_at = now() - interval '1 day'`)
	b.run(t)
	b.run(t)
	b.until(t, "it was warned of once", `SELECT count(*) = 1 FROM events WHERE kind = 'connection.expiring'`)
	b.until(t, "the next warning is a day before the end", `SELECT warn_at = ends_at - interval '1 day' AND warned_days = 7 FROM connections`)
}

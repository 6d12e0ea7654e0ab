package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"github.com/google/uuid"
)

// The goals.
const (
	mostPerExpiry = 1.05
	toldWithin    = time.Minute
)

// tally is what is counted on the way.
type tally struct {
	seen   int // newest line of the exchange's ledger
	kills  []time.Time
	cutOff int // readings that a killed replica had not ended
	nobody int // readings that no replica was there for
	took   []time.Duration
	failed map[int][]string // connection -> what its failed readings said
}

func newTally() tally { return tally{failed: map[int][]string{}} }

func (t *tally) note(connection int, r report) {
	t.took = append(t.took, r.Took)
	if !r.OK {
		t.failed[connection] = append(t.failed[connection], r.Error)
	}
}

// figures are the result.
type figures struct {
	elapsed            time.Duration
	expiries           float64 // lives of tokens that there was time for, of connections while they were not lost
	calls, renewed     int
	twice, outside     int // refresh tokens that came again; without the mark of a recovery
	marks              int
	failed             int // readings, of connections that are not shown as needs_reauth
	samples            []string
	lost, left         int           // connections shown as needs_reauth; renewals whose outcome is still unknown
	told               time.Duration // longest from a kill to that
	kills, cut, nobody int
	took               []time.Duration
	postgres           string
}

// end is how a connection stands when all is over.
type end struct {
	lost  bool
	since time.Time
	marks int
}

func (d *driver) figures(ctx context.Context, elapsed time.Duration) (f figures, err error) {
	ends, err := d.ends(ctx)
	if err != nil {
		return f, err
	}
	if err := d.w.owner.QueryRow(ctx, `SELECT current_setting('server_version')`).Scan(&f.postgres); err != nil {
		return f, fmt.Errorf("asking for the version: %w", err)
	}
	if d.inDoubt(ctx) {
		f.left = 1
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f.elapsed, f.kills, f.cut, f.nobody = elapsed, len(d.tally.kills), d.tally.cutOff, d.tally.nobody
	f.took = slices.Sorted(slices.Values(d.tally.took))
	uses, again := map[string]int{}, map[string]int{} // of each refresh token; by account
	for _, e := range d.calls {
		f.calls++
		if e.Outcome == "refreshed" {
			f.renewed++
		}
		if uses[e.Code]++; uses[e.Code] > 1 {
			f.twice++
			again[e.Account]++
		}
	}
	for i, id := range d.w.plan.Connections {
		at := ends[id]
		alive := elapsed
		if at.lost {
			f.lost++
			alive = min(max(at.since.Sub(d.began), 0), elapsed)
			f.told = max(f.told, d.sinceKill(d.w.uids[id], at.since))
		} else if n := len(d.tally.failed[i]); n > 0 {
			f.failed += n
			f.samples = append(f.samples, d.tally.failed[i][0])
		}
		f.expiries += alive.Seconds() / d.life.Seconds()
		f.marks += at.marks
		f.outside += max(again[d.w.uids[id]]-at.marks, 0)
	}
	return f, nil
}

// sinceKill is the time from the kill that lost an account's tokens: the first after the last renewal that was answered.
func (d *driver) sinceKill(uid string, at time.Time) time.Duration {
	var lost time.Time
	for _, e := range d.calls {
		if e.Account == uid && e.Outcome == "refreshed" && e.At.Before(at) {
			lost = e.At
		}
	}
	for _, k := range d.tally.kills {
		if k.After(lost) {
			return at.Sub(k)
		}
	}
	return at.Sub(lost)
}

func (d *driver) ends(ctx context.Context) (map[uuid.UUID]end, error) {
	rows, err := d.w.owner.Query(ctx, `
		SELECT c.id, c.state = 'needs_you' AND c.reason = 'needs_reauth', c.state_since, (SELECT count(*) FROM marks m WHERE m.connection_id = c.id)
		  FROM connections c`)
	if err != nil {
		return nil, fmt.Errorf("looking at the end: %w", err)
	}
	defer rows.Close()
	ends := map[uuid.UUID]end{}
	for rows.Next() {
		var id uuid.UUID
		var e end
		if err := rows.Scan(&id, &e.lost, &e.since, &e.marks); err != nil {
			return nil, fmt.Errorf("looking at the end: %w", err)
		}
		ends[id] = e
	}
	return ends, rows.Err()
}

func (f figures) quantile(q float64) time.Duration {
	if len(f.took) == 0 {
		return 0
	}
	return f.took[int(q*float64(len(f.took)-1))].Round(100 * time.Microsecond)
}

// print writes the figures and says whether every goal was reached.
func (f figures) print(out io.Writer, o options) (reached bool) {
	reached = true
	line := func(what, value string) { _, _ = fmt.Fprintf(out, "%-46s %s\n", what, value) }
	goal := func(what, value, limit string, ok bool) {
		word := "ok"
		if !ok {
			word, reached = "MISSED", false
		}
		line(what, fmt.Sprintf("%-10s (goal %s) %s", value, limit, word))
	}
	line("credentials, replicas, readings/s", fmt.Sprintf("%d, %d, %d", o.credentials, o.replicas, o.reads))
	line("life of a token, renewed ahead, late answer", fmt.Sprintf("%v, %v, %v", o.life, o.ahead, o.slow))
	line("seed, time", fmt.Sprintf("%d, %v", o.seed, f.elapsed.Round(time.Second)))
	line("machine", fmt.Sprintf("%s/%s, %d cores, %s, PostgreSQL %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), f.postgres))
	line("kills, readings cut off, with nobody there", fmt.Sprintf("%d, %d, %d", f.kills, f.cut, f.nobody))
	line("readings; median, 99th percentile, slowest", fmt.Sprintf("%d; %v, %v, %v", len(f.took), f.quantile(.5), f.quantile(.99), f.quantile(1)))
	line("refresh calls, renewed, marked recoveries", fmt.Sprintf("%d, %d, %d", f.calls, f.renewed, f.marks))
	perExpiry := float64(f.calls) / f.expiries
	goal("refreshes per expiry", fmt.Sprintf("%.3f", perExpiry), fmt.Sprintf("at most %.2f", mostPerExpiry), perExpiry <= mostPerExpiry)
	goal("refresh tokens that came twice", fmt.Sprint(f.twice), "only as marked recoveries", f.outside == 0)
	goal("... outside the marked recovery", fmt.Sprint(f.outside), "0", f.outside == 0)
	goal("failed readings outside needs_reauth", fmt.Sprint(f.failed), "0", f.failed == 0)
	goal("connections shown as needs_reauth", fmt.Sprint(f.lost), "at most one a kill", f.lost <= f.kills)
	goal("longest from a kill to being told", f.told.Round(time.Second).String(), "at most "+toldWithin.String(), f.told <= toldWithin)
	goal("outcomes still unknown at the end", fmt.Sprint(f.left), "0", f.left == 0)
	for _, s := range f.samples[:min(len(f.samples), 5)] {
		line("a failed reading said", s)
	}
	return reached
}

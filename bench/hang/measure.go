package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	pageEvery  = 25 * time.Millisecond // a page is asked for this often, whatever became of the one before
	dueEvery   = time.Second
	dueEach    = 4 // connections of each provider that fall due each time
	settleTime = 5 * time.Minute
)

// reading is what one phase measured, in seconds, sorted.
type reading struct{ pages, syncs []float64 }

// pair is two phases beside each other.
type pair struct{ well, hung reading }

// pair measures both phases; which comes first alternates, so that what drifts does not favour one.
func (h *house) pair(ctx context.Context, n int, phase time.Duration) (p pair, err error) {
	for i := range 2 {
		hanging := (n+i)%2 == 1
		if err := h.hang(ctx, hanging); err != nil {
			return p, err
		}
		if !hanging {
			if err := h.settle(ctx); err != nil {
				return p, err
			}
		}
		got, err := h.measure(ctx, phase)
		if err != nil {
			return p, err
		}
		if hanging {
			p.hung = got
		} else {
			p.well = got
		}
	}
	return p, nil
}

// settle waits until every connection has been read since the provider is well, and nothing is on its way.
func (h *house) settle(ctx context.Context) error {
	began := time.Now()
	if err := h.fallDue(ctx, copies+1); err != nil {
		return err
	}
	var busy string
	for time.Since(began) < settleTime {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		// What failed is asked again at once, instead of when its rest is over.
		err := h.db.QueryRow(ctx, `
			WITH again AS (
			    UPDATE connections SET next_sync_at = now() WHERE sync_state = 'idle' AND state <> 'connected' RETURNING 1),
			     told AS (SELECT pg_notify('mooring', $1) FROM (SELECT count(*) FROM again) a WHERE a.count > 0)
			SELECT coalesce(string_agg(provider || ' ' || state || ' ' || reason || ' ' || sync_state, ', '), '') || left((SELECT count(*)::text FROM told), 0)
			  FROM connections WHERE state <> 'connected' OR sync_state <> 'idle' OR synced_at IS NULL`, dueTopic).Scan(&busy)
		if err != nil {
			return err
		}
		if busy == "" {
			return nil
		}
	}
	return fmt.Errorf("the connections do not come to rest: %s", busy)
}

// measure asks for pages at a steady rate and lets connections fall due, for so long.
func (h *house) measure(ctx context.Context, phase time.Duration) (got reading, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var fault error
	var falling sync.WaitGroup
	falling.Go(func() {
		for fault == nil && pause(ctx, dueEvery) == nil {
			fault = h.fallDue(context.WithoutCancel(ctx), dueEach)
		}
	})
	got.pages, err = h.askPages(ctx, phase)
	cancel()
	falling.Wait()
	if err := errors.Join(err, fault); err != nil {
		return got, err
	}
	ctx = context.WithoutCancel(ctx)
	rows, err := h.db.Query(ctx, `
		SELECT extract(epoch FROM finalized_at - created_at)::float8 FROM river.river_job
		 WHERE kind = 'sync' AND queue <> 'sync_' || $1 AND state = 'completed' AND created_at >= $2 AND finalized_at IS NOT NULL`, h.hung, began)
	if err != nil {
		return got, err
	}
	for rows.Next() {
		var seconds float64
		if err := rows.Scan(&seconds); err != nil {
			return got, err
		}
		got.syncs = append(got.syncs, seconds)
	}
	slices.Sort(got.syncs)
	return got, rows.Err()
}

// askPages gives how long each page took from the moment at which it was to be asked for.
func (h *house) askPages(ctx context.Context, phase time.Duration) (took []float64, err error) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	tick := time.NewTicker(pageEvery)
	defer tick.Stop()
	for n, end := 0, time.Now().Add(phase); time.Now().Before(end); n++ {
		due := <-tick.C
		page := h.pages[n%len(h.pages)]
		asking.Go(func() {
			r, failed := http.NewRequestWithContext(ctx, http.MethodGet, h.base+page, nil)
			if failed == nil {
				failed = h.send(r)
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due).Seconds())
			err = errors.Join(err, failed)
		})
	}
	asking.Wait()
	slices.Sort(took)
	return took, err
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// p99 is the value that all but a hundredth stay below.
func p99(sorted []float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*99-1)/100]
}

func (p pair) pageRatio() float64 { return p99(p.hung.pages) / p99(p.well.pages) }
func (p pair) syncRatio() float64 { return p99(p.hung.syncs) / p99(p.well.syncs) }

// line is one pair, for people.
func (p pair) line(n int) string {
	return fmt.Sprintf("pair %d  pages p99 %6.1f ms well (%d), %6.1f ms hanging (%d), ratio %.2f   syncs p99 %6.1f ms (%d), %6.1f ms (%d), ratio %.2f\n",
		n, 1000*p99(p.well.pages), len(p.well.pages), 1000*p99(p.hung.pages), len(p.hung.pages), p.pageRatio(),
		1000*p99(p.well.syncs), len(p.well.syncs), 1000*p99(p.hung.syncs), len(p.hung.syncs), p.syncRatio())
}

// verdict compares the medians with the goal.
func verdict(pairs []pair, hung string) (text string, held bool) {
	median := func(of func(pair) float64) float64 {
		var all []float64
		for _, p := range pairs {
			all = append(all, of(p))
		}
		slices.Sort(all)
		return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
	}
	pages, syncs := median(pair.pageRatio), median(pair.syncRatio)
	held = pages <= goal && syncs <= goal
	word := map[bool]string{true: "held", false: "NOT held"}[held]
	var b strings.Builder
	fmt.Fprintf(&b, "%s hanging, median of %d pairs: all pages %.2f times, the other providers' syncs %.2f times their p99 (goal %.1f: %s)\n",
		hung, len(pairs), pages, syncs, goal, word)
	return b.String(), held
}

// Command hang shows what one hanging provider does to everybody else: nothing that a person would notice.
//
// It builds the program, starts it as the demo with simulated providers in a folder of its own, adds connections, and
// measures all pages and the other providers' syncs, in pairs of phases: with every provider well, and with one that
// takes calls and never answers. It prints, for each pair, the 99th percentiles and their ratio, and the median of the
// ratios; it ends with 1 when a median is above the goal.
//
//	go run ./bench/hang -pairs 5 -phase 15s
//
// There is no chance in what it asks and when, hence no seed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// goal is how much longer the slowest hundredth may take.
const goal = 1.2

func main() {
	pairs := flag.Int("pairs", 5, "pairs of phases, at least five for a verdict")
	phase := flag.Duration("phase", 15*time.Second, "how long each phase measures")
	hung := flag.String("hang", "asiabill", "the provider that hangs: asiabill, zhiyun, cardwallet or chainup")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	held, err := run(ctx, *pairs, *phase, *hung)
	if err != nil {
		fmt.Fprintln(os.Stderr, "hang:", err)
	}
	if err != nil || !held {
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, pairs int, phase time.Duration, hung string) (held bool, err error) {
	h, err := open(ctx, hung)
	if err != nil {
		return false, err
	}
	defer h.close()
	fmt.Print(h.machine(ctx))
	if err := h.settle(ctx); err != nil {
		return false, err
	}
	if _, err := h.measure(ctx, phase/3); err != nil { // caches, plans, first versions of the data
		return false, err
	}
	var found []pair
	for n := range pairs {
		p, err := h.pair(ctx, n, phase)
		if err != nil {
			return false, err
		}
		fmt.Print(p.line(n + 1))
		found = append(found, p)
	}
	text, held := verdict(found, hung)
	fmt.Print(text)
	return held, nil
}

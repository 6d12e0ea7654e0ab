// Command refresh shows what keeping tokens alive costs while replicas are killed: many credentials whose tokens live a
// minute, at the simulated exchange that ends a whole family of tokens when one refresh token comes twice, read at a steady
// rate by several replicas of which one is killed (SIGKILL) every few seconds and started again.
//
//	go run ./bench/refresh -minutes 5
//
// A replica is a process of its own with the rooms that web serve has for this, HTTP aside: connect, models, vault, the
// listener, the jobs and the due work. The database is a PostgreSQL that the command starts and removes. It prints its
// figures and ends with 1 if a goal is missed. bench/README.md has the last ones.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what can be chosen.
type options struct {
	minutes     float64
	credentials int
	replicas    int
	reads       int           // a second, over all replicas
	killEvery   time.Duration // on average
	life        time.Duration // of a token
	ahead       time.Duration // connect.Deps.RefreshAhead
	slow        time.Duration // the exchange's answer to a token call comes this much later than its deed
	seed        uint64
}

func main() {
	var o options
	replica := flag.Bool("replica", false, "be one of the replicas (the command starts them itself)")
	flag.Float64Var(&o.minutes, "minutes", 5, "how long to read")
	flag.IntVar(&o.credentials, "credentials", 100, "how many")
	flag.IntVar(&o.replicas, "replicas", 3, "how many")
	flag.IntVar(&o.reads, "reads", 50, "readings a second")
	flag.DurationVar(&o.killEvery, "kill-every", 10*time.Second, "time between two kills, on average")
	flag.DurationVar(&o.life, "life", time.Minute, "life of a token")
	flag.DurationVar(&o.ahead, "ahead", 2*time.Second, "how long before its end a token is renewed, a third of its life at most")
	flag.DurationVar(&o.slow, "slow", 300*time.Millisecond, "how late the answer to a token call comes: the moment that a kill must hit")
	flag.Uint64Var(&o.seed, "seed", 1, "of the kills and the readings")
	flag.Parse()

	if err := run(o, *replica); err != nil {
		fmt.Fprintln(os.Stderr, "refresh:", err)
		os.Exit(1)
	}
}

var errMissed = errors.New("a goal was missed")

func run(o options, replica bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	if replica {
		return beReplica(ctx, os.Stdin, os.Stdout, log)
	}
	reached, err := drive(ctx, o, os.Stdout, log)
	if err == nil && !reached {
		return errMissed
	}
	return err
}

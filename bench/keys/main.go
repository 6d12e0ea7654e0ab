// Command keys shows that the master key turns while everybody reads: programs open a canary per tenant at a steady rate,
// the operator's steps are taken again and again beside them, and in the middle of a rewrapping two of the programs are
// killed (SIGKILL) and started again.
//
//	go run ./bench/keys
//
// A replica is a process of its own with the rooms that web serve has for this: vault, models and keys. The database is a
// PostgreSQL that the command starts and removes. It ends with 1 if a goal is missed. bench/README.md has the last figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type options struct {
	tenants, rotations, reads int
	seed                      uint64
}

var errMissed = errors.New("a goal was missed")

func main() {
	var o options
	replica := flag.Bool("replica", false, "be one of the two replicas (the command starts them itself)")
	flag.IntVar(&o.tenants, "tenants", 10_000, "how many data keys there are to rewrap")
	flag.IntVar(&o.rotations, "rotations", 5, "how often the master key is turned")
	flag.IntVar(&o.reads, "reads", 500, "readings a second, over both replicas")
	flag.Uint64Var(&o.seed, "seed", 1, "of what is read")
	flag.Parse()
	if err := run(o, *replica); err != nil {
		fmt.Fprintln(os.Stderr, "keys:", err)
		os.Exit(1)
	}
}

func run(o options, replica bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if replica {
		return beReplica(ctx)
	}
	return drive(ctx, o, time.Now())
}

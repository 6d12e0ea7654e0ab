package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"mooring/internal/config"
	"mooring/internal/simulator"
)

type simulateCmd struct {
	Exposed bool `help:"Listen where SIMULATOR_ADDR says even beyond this machine, for use in a container."`
}

// Run carries out "web simulate".
func (s simulateCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Simulating)
	if err != nil {
		return err
	}
	log := newLog(w.stderr, c)
	sim, err := simulator.New(simulator.Options{Dir: c.DataDir, Log: log, Exposed: s.Exposed})
	if err != nil {
		return err
	}
	at, err := startSimulator(ctx, sim, c.SimulatorAddr)
	if err != nil {
		return err
	}
	announceSimulator(w.stdout, at)
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return sim.Stop(ending)
}

// startSimulator starts the simulators, with a sentence for the usual obstacle.
func startSimulator(ctx context.Context, sim *simulator.Simulator, addr string) (simulator.Addresses, error) {
	at, err := sim.Start(ctx, addr)
	if isTakenPort(err) {
		return at, fmt.Errorf("SIMULATOR_ADDR: one of the ports from %s on is taken by another program; stop that one or set SIMULATOR_ADDR to the first of six free ports", addr)
	}
	return at, err
}

func announceSimulator(w io.Writer, at simulator.Addresses) {
	var b strings.Builder
	fmt.Fprintf(&b, "The providers' simulators:\n  %-10s %s\n", "all", at.Index)
	for _, slug := range slices.Sorted(maps.Keys(at.Providers)) {
		fmt.Fprintf(&b, "  %-10s %s\n", slug, at.Providers[slug])
	}
	_, _ = io.WriteString(w, b.String()) // whoever closed our output does not want to read it
}

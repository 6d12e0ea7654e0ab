// Command withdraw measures what an operator waits for when tokens may have been stolen: `web connections revoke --all --yes`
// with many connections, once spread over many tenants and once all in one, whose history is one chain.
//
//	go run ./bench/withdraw -connections 1000
//
// It builds the program and runs it as an operator does. The database is a PostgreSQL that the command starts and removes; no
// provider is called, as telling them is the serving programs' work afterwards. It ends with 1 if a goal is missed.
// bench/README.md has the last figures.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// goal is how long an operator may have to wait for each thousand connections.
const goal = 30 * time.Second

var errMissed = errors.New("a goal was missed")

func main() {
	connections := flag.Int("connections", 1000, "how many")
	each := flag.Int("each", 5, "how many of them a tenant has, in the first run; in the second one tenant has all")
	flag.Parse()
	if err := run(*connections, *each); err != nil {
		fmt.Fprintln(os.Stderr, "withdraw:", err)
		os.Exit(1)
	}
}

func run(connections, each int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "mooring-withdraw-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	w, err := open(ctx, dir)
	if err != nil {
		return err
	}
	defer w.close(context.WithoutCancel(ctx))
	fmt.Printf("%d connections, %s/%s, %d cores, %s\n", connections, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	missed := false
	for _, each := range []int{each, connections} {
		if err := w.fill(ctx, connections, each); err != nil {
			return err
		}
		took, err := w.revoke(ctx)
		if err != nil {
			return err
		}
		left, told, err := w.left(ctx)
		if err != nil {
			return err
		}
		most := goal * time.Duration(max(1000, connections)) / 1000
		fmt.Printf("%4d a tenant: %s in all (goal %s), %.1f a second, %d with access left (goal 0), %d told in the history (goal %d)\n",
			each, took.Round(time.Millisecond), most, float64(connections)/took.Seconds(), left, told, connections)
		missed = missed || left > 0 || told != connections || took > most
	}
	if missed {
		return errMissed
	}
	return nil
}

// revoke runs the program as an operator does, and gives how long that took.
func (w *world) revoke(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	web := exec.CommandContext(ctx, filepath.Join(w.dir, "web"), "connections", "revoke", "--all", "--yes") //nolint:gosec // what was just built
	web.Env = []string{
		"DATABASE_URL=" + w.app, "PLATFORM_DATABASE_URL=" + w.platform, "KEYSET=" + string(w.keyset), "PUBLIC_URL=http://localhost:8080", "METRICS_ADDR=",
	}
	if text, err := web.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("revoking: %w: %s", err, text)
	}
	return time.Since(began), nil
}

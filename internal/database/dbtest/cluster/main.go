// Command cluster runs a test command with one PostgreSQL for all its packages: it starts a server, tells its address
// in TEST_DATABASE_URL, and ends it after the command, however that ends.
//
//	go run ./internal/database/dbtest/cluster go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"mooring/internal/database"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(command []string) (code int, err error) {
	if len(command) == 0 {
		return 2, errors.New("which command?")
	}
	// The terminal's Ctrl-C goes to the command as well; we wait for it to end.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "mooring-test-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cluster, err := database.StartCluster(ctx, dir, database.ClusterOptions{Scratch: true})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cluster.Stop(context.Background())) }()
	if err := os.Setenv("TEST_DATABASE_URL", cluster.AdminURL()); err != nil {
		return 1, err
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // what the person asked for
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

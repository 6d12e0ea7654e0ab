package database

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
)

// server is a running postmaster.
type server struct {
	pid    int
	exited chan struct{}
}

// startServer starts the postmaster from a thread that lives as long as it does: the kernel's signal at the parent's
// death follows the thread, and Go would end an idle one.
func startServer(cmd *exec.Cmd) (*server, error) {
	s := &server{exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		s.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait() // how it ended stands in its log
		close(s.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	return s, nil
}

// stop asks for PostgreSQL's fast shutdown, then for its immediate one, then kills. None of them loses a commit.
func (s *server) stop(ctx context.Context) error {
	patience, cancel := context.WithTimeout(ctx, fastTime)
	defer cancel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		select {
		case <-s.exited: // its pid may be somebody else's by now
			return nil
		default:
		}
		_ = syscall.Kill(s.pid, signal) // it may be ending by itself
		select {
		case <-s.exited:
			return nil
		case <-patience.Done():
		}
		patience, cancel = context.WithTimeout(context.WithoutCancel(ctx), pressTime)
		defer cancel() //nolint:gocritic // three at most
	}
	return errors.New("database: the private PostgreSQL does not end")
}

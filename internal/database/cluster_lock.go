package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dirLock is held while a process uses a data directory. The kernel lets go of it when the process ends, however it
// ends. Its file says who holds it and which socket folder belongs to it.
type dirLock struct{ file *os.File }

func lockDir(dir string) (*dirLock, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory cannot be used: %w", err)
	}
	l := &dirLock{file: f}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		holder, _ := l.read()
		_ = f.Close()
		if holder == "" {
			return nil, fmt.Errorf("the data directory %s is in use by another process", dir)
		}
		return nil, fmt.Errorf("the data directory %s is in use by process %s", dir, holder)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the data directory %s cannot be locked: %w", dir, err)
	}
	return l, nil
}

func (l *dirLock) read() (holder, note string) {
	text := make([]byte, 512)
	n, _ := l.file.ReadAt(text, 0) // short on purpose
	holder, note, _ = strings.Cut(strings.TrimSpace(string(text[:n])), "\n")
	return holder, note
}

// note is what the last holder wrote down.
func (l *dirLock) note() string {
	_, note := l.read()
	return note
}

// write says who holds the lock from now on.
func (l *dirLock) write(note string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"+note+"\n"), 0); err != nil {
		return fmt.Errorf("writing the lock: %w", err)
	}
	return nil
}

// release frees the directory; the file stays, because removing it would race with the next holder. Closing alone
// would not be enough at once: a process that is just being started holds a copy of the file until it runs.
func (l *dirLock) release() error {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN) // fails when it is closed already
	if err := l.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("freeing the data directory: %w", err)
	}
	return nil
}

// takeOver ends what a killed run left running and removes its pid file. PostgreSQL itself would refuse to start while
// the old pid exists, even as a zombie that nobody collects; we hold the lock, so nobody of ours can be starting.
func (c *Cluster) takeOver(ctx context.Context) error {
	if err := c.identity.own(c.data()); err != nil {
		return err
	}
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGINT, fastTime}, {syscall.SIGQUIT, pressTime}, {syscall.SIGKILL, pressTime}} {
		if endOrphans(ctx, c.data(), step.signal, step.wait) {
			return removePidFile(c.data())
		}
	}
	return errors.New("processes of an earlier run still use the data and cannot be ended")
}

// endOrphans signals the processes that work in the data folder and says whether they have all ended.
func endOrphans(ctx context.Context, data string, signal syscall.Signal, wait time.Duration) bool {
	for _, pid := range processesIn(data) {
		_ = syscall.Kill(pid, signal)
	}
	for deadline := time.Now().Add(wait); ctx.Err() == nil && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if len(processesIn(data)) == 0 {
			return true
		}
	}
	return false
}

// processesIn finds living processes whose current folder is dir, which for PostgreSQL's is the data folder. A zombie
// has none. Systems without procfs give nothing, and PostgreSQL's own check stands alone there.
func processesIn(dir string) []int {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // fails on a malformed pattern only
	var pids []int
	for _, link := range links {
		if cwd, err := os.Readlink(link); err != nil || cwd != dir {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func removePidFile(data string) error {
	if !hasProcfs() {
		return nil // we cannot know whether it is stale; PostgreSQL decides
	}
	err := os.Remove(filepath.Join(data, "postmaster.pid"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing a stale pid file: %w", err)
	}
	return nil
}

func hasProcfs() bool {
	_, err := os.Stat("/proc/self/cwd")
	return err == nil
}

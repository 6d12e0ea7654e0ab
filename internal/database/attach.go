package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// RunningURLs give the addresses of the private cluster in dir that another process of ours has started, so that a
// command can work beside it. running is false when nobody holds the folder.
func RunningURLs(dir string) (owner, app, platform string, running bool, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", "", "", false, fmt.Errorf("database: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if errors.Is(err, os.ErrNotExist) {
		return "", "", "", false, nil
	}
	if err != nil {
		return "", "", "", false, fmt.Errorf("the data directory cannot be used: %w", err)
	}
	defer func() { _ = f.Close() }() // frees the shared lock as well
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
		return "", "", "", false, err
	}
	c := &Cluster{dir: dir, socket: (&dirLock{file: f}).note()}
	if !strings.HasPrefix(filepath.Base(c.socket), socketPrefix) {
		return "", "", "", false, fmt.Errorf("the private PostgreSQL in %s is just being started", dir)
	}
	if c.passwords, err = loadPasswords(dir, true); err != nil {
		return "", "", "", false, err
	}
	owner, app, platform = c.URLs()
	return owner, app, platform, true, nil
}

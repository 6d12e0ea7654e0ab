package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mooring/internal/config"
	"mooring/internal/vault"
)

type keysCmd struct {
	New           keysNewCmd           `cmd:"" help:"Print a fresh master keyset. Keep it safe: without it nothing that was sealed opens again."`
	Rotate        keysRotateCmd        `cmd:"" help:"Put a fresh key into KEYSET_FILE, let it seal when every serving program has it, and rewrap everything. Goes on where it was stopped."`
	RotateTenants keysRotateTenantsCmd `cmd:"" help:"Give tenants a data key of their own anew, and rewrite what the old one sealed. Goes on where it was stopped; the serving programs go on by themselves."`
	Status        keysStatusCmd        `cmd:"" help:"Say which master keys there are, how many rows need each, and who has loaded them."`
	Retire        keysRetireCmd        `cmd:"" help:"Take a key out of use that no row needs any more."`
}

type keysNewCmd struct{}

// Run carries out "web keys new".
func (keysNewCmd) Run(w world) error {
	text, err := vault.NewKeyset()
	if err != nil {
		return err
	}
	_, err = w.stdout.Write(text)
	return err
}

// checkKeyset is for config: the vault knows what a keyset is.
func checkKeyset(text []byte) error {
	_, err := vault.New(text)
	return err
}

// developmentKeyset gives the path of the demo's own keyset and makes it the first time. Only the demo makes keys by
// itself: a service that did would, after a lost file, start happily and open nothing.
func developmentKeyset(dataDir string) (path string, err error) {
	path = filepath.Join(dataDir, "keyset.json")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	text, err := vault.NewKeyset()
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return "", fmt.Errorf("writing the development keyset: %w", err)
	}
	// A half-written keyset must never be found by the next start.
	if err := os.Rename(path+".new", path); err != nil {
		return "", fmt.Errorf("writing the development keyset: %w", err)
	}
	return path, nil
}

// checkKeysetFile looks at who may read and write the keyset's file. Writing by others is refused, and so is reading where
// the file lies in our own data directory. Elsewhere reading is worth a warning only: container engines mount secrets
// with modes of their own.
func checkKeysetFile(c config.Config) (warning string, err error) {
	if c.KeysetFile == "" {
		return "", nil
	}
	info, err := os.Stat(c.KeysetFile)
	if err != nil {
		return "", errors.New("KEYSET_FILE: the file can no longer be read")
	}
	mode := info.Mode().Perm()
	switch {
	case mode&0o022 != 0:
		return "", fmt.Errorf("KEYSET_FILE: others may write the file (mode %04o); `chmod 600` it", mode)
	case mode&0o077 == 0:
		return "", nil
	case inside(c.DataDir, c.KeysetFile):
		return "", fmt.Errorf("KEYSET_FILE: others may read the file (mode %04o); `chmod 600` it", mode)
	}
	return fmt.Sprintf("KEYSET_FILE: others may read the file (mode %04o); `chmod 600` it unless it is a mounted secret", mode), nil
}

// inside says whether path lies in dir.
func inside(dir, path string) bool {
	absDir, errDir := filepath.Abs(dir)
	absPath, errPath := filepath.Abs(path)
	if errDir != nil || errPath != nil {
		return false
	}
	rel, err := filepath.Rel(absDir, absPath)
	return err == nil && filepath.IsLocal(rel)
}

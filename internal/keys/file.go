package keys

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mooring/internal/vault"
)

// File is the path of the operator's keyset.
type File string

func (f File) read() (text []byte, keys vault.Keys, err error) {
	if text, err = os.ReadFile(string(f)); err != nil {
		return nil, keys, errors.New("KEYSET_FILE: the file cannot be read")
	}
	keys, err = vault.ReadKeys(text)
	return text, keys, err
}

// write puts another keyset in the file's place, all of it or nothing, and keeps the one before beside it.
func (f File) write(text []byte, now time.Time) (kept string, err error) {
	was, err := os.ReadFile(string(f))
	if err != nil {
		return "", errors.New("KEYSET_FILE: the file cannot be read")
	}
	kept = fmt.Sprintf("%s.%s", f, now.UTC().Format("20060102T150405.000Z"))
	if err := save(kept, was); err != nil {
		return "", err
	}
	fresh := string(f) + ".new"
	if err := save(fresh, text); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, string(f)); err != nil {
		return "", errors.New("KEYSET_FILE: the file cannot be replaced where it is; a mounted file is turned where it comes from: run this there")
	}
	return kept, syncDir(filepath.Dir(string(f)))
}

// save writes a file that only its owner reads, down to the disk.
func save(path string, text []byte) (err error) {
	out, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return errors.New("KEYSET_FILE: nothing can be written beside the file; a mounted file is turned where it comes from: run this there")
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := out.Chmod(0o600); err != nil {
		return fmt.Errorf("KEYSET_FILE: %w", err)
	}
	if _, err := out.Write(text); err != nil {
		return fmt.Errorf("KEYSET_FILE: %w", err)
	}
	if err := out.Sync(); err != nil {
		return fmt.Errorf("KEYSET_FILE: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("KEYSET_FILE: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

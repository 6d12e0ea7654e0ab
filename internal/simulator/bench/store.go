package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Store keeps one provider's state in one file, so that a restart of the program keeps issued tokens.
type Store struct{ path string }

// NewStore makes the directory if needed. Without a directory nothing is kept.
func NewStore(dir, name string) (Store, error) {
	if dir == "" {
		return Store{}, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Store{}, fmt.Errorf("simulator state: %w", err)
	}
	return Store{path: filepath.Join(dir, name+".json")}, nil
}

// Load reads the state into v; a file that is not there yet leaves v as it is.
func (s Store) Load(v any) error {
	if s.path == "" {
		return nil
	}
	data, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("simulator state: %w", err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("simulator state %s is damaged (delete it to begin afresh): %w", s.path, err)
	}
	return nil
}

// Save writes the state beside the old one and swaps them, so that a program killed in between leaves a whole file.
func (s Store) Save(v any) error {
	if s.path == "" {
		return nil
	}
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("simulator state: %w", err)
	}
	next := s.path + ".next"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("simulator state: %w", err)
	}
	if err := os.Rename(next, s.path); err != nil {
		return fmt.Errorf("simulator state: %w", err)
	}
	return nil
}

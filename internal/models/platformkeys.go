package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// platformKey gives one of the platform's own data keys; the first call leaves a fresh one behind.
func (s *Store) platformKey(ctx context.Context, name string, fresh func() (vault.WrappedKey, error)) (key vault.WrappedKey, err error) {
	read := func() error {
		return s.app.pool.QueryRow(ctx, `SELECT wrapped FROM platform_keys WHERE name = $1`, name).Scan((*[]byte)(&key))
	}
	if err = read(); errors.Is(err, pgx.ErrNoRows) {
		made, failed := fresh()
		if failed != nil {
			return nil, failed
		}
		_, err = s.app.pool.Exec(ctx, `INSERT INTO platform_keys (name, wrapped, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING`,
			name, []byte(made), s.now())
		if err == nil {
			err = read() // another replica may have been quicker
		}
	}
	if err != nil {
		return nil, fmt.Errorf("models: reading the key named %s: %w", name, err)
	}
	return key, nil
}

package models

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// platformKey gives one of the platform's own data keys; the first call leaves the fresh one behind.
func (s *Store) platformKey(ctx context.Context, name string, fresh vault.WrappedKey) (key vault.WrappedKey, err error) {
	const read = `SELECT wrapped FROM platform_keys WHERE name = $1`
	err = s.app.pool.QueryRow(ctx, `
		WITH made AS (
		    INSERT INTO platform_keys (name, wrapped, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING wrapped)
		SELECT wrapped FROM made UNION ALL (`+read+`)`, name, []byte(fresh), s.now()).Scan((*[]byte)(&key))
	if errors.Is(err, pgx.ErrNoRows) { // another replica made it between our two looks
		err = s.app.pool.QueryRow(ctx, read, name).Scan((*[]byte)(&key))
	}
	if err != nil {
		return nil, fmt.Errorf("models: reading the key named %s: %w", name, err)
	}
	return key, nil
}

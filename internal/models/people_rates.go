package models

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// Rate is how often something may happen: Burst times at once, and one more each Every.
type Rate struct {
	Every time.Duration
	Burst int
}

// AllowRate counts one event of a key and says whether it may happen. All replicas share the count: it is one upsert
// that moves the key's theoretical arrival time (GCRA), by the database's clock. A refused event does not count, so
// that trying on does not prolong the wait.
func (s *Store) AllowRate(ctx context.Context, key []byte, r Rate) (allowed bool, err error) {
	defer explain("AllowRate", &err)
	err = s.app.pool.QueryRow(ctx, `
		INSERT INTO rate_limits (key, tat) VALUES ($1, now() + $2::interval)
		ON CONFLICT (key) DO UPDATE SET tat = greatest(rate_limits.tat, now()) + $2::interval
		 WHERE greatest(rate_limits.tat, now()) - now() <= $3::interval
		RETURNING true`,
		hex.EncodeToString(key), r.Every, r.Every*time.Duration(r.Burst-1)).Scan(&allowed)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return allowed, err
}

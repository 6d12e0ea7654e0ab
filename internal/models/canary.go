package models

import (
	"context"

	"mooring/internal/vault"
)

// Canary gives the value that CheckVault left behind, and leaves none itself: whoever only looks must not decide which
// keyset is the right one. NotFound before the first start.
func (s *Store) Canary(ctx context.Context) (sealed vault.Sealed, err error) {
	defer explain("Canary", &err)
	err = s.app.pool.QueryRow(ctx, `SELECT sealed FROM vault_canaries WHERE name = 'master'`).Scan((*[]byte)(&sealed))
	return sealed, err
}

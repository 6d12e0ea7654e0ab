package models

import (
	"context"

	"github.com/jackc/pgx/v5"

	"mooring/internal/oauth"
)

// ExportQuery asks for versions of fetched data, in the order of connection, block and version.
type ExportQuery struct {
	Block  oauth.Block // "": all
	Newest bool        // only the newest of each block
	After  Snapshot    // the last one of the part before; zero: from the first
	Limit  int
}

// ExportSnapshots gives a part of what was fetched.
func (t *TenantStore) ExportSnapshots(ctx context.Context, q ExportQuery) (list []Snapshot, err error) {
	defer explain("ExportSnapshots", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+snapshotColumns+` FROM snapshots s
			WHERE s.tenant_id = $1 AND ($2 = '' OR s.block = $2) AND (s.connection_id, s.block, s.version) > ($3, $4, $5)
			  AND (NOT $6 OR NOT EXISTS (SELECT FROM snapshots n WHERE n.tenant_id = s.tenant_id AND n.connection_id = s.connection_id
			      AND n.block = s.block AND n.version > s.version))
			ORDER BY s.connection_id, s.block, s.version LIMIT $7`,
			t.tenant, string(q.Block), q.After.ConnectionID, string(q.After.Block), q.After.Version, q.Newest, q.Limit).
			Query(func(rows pgx.Rows) (err error) {
				list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Snapshot, error) { return scanSnapshotAnd(row) })
				return err
			})
	})
	return list, err
}

// ExportPeople gives the tenant's members by their ids: addresses are the people's own.
func (t *TenantStore) ExportPeople(ctx context.Context) (people []Member, err error) {
	defer explain("ExportPeople", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT user_id, '', role, created_at FROM memberships WHERE tenant_id = $1 ORDER BY created_at, user_id`, t.tenant).
			Query(func(rows pgx.Rows) (err error) {
				people, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Member, err error) {
					err = row.Scan(&m.UserID, &m.Email, &m.Role, &m.CreatedAt)
					return m, err
				})
				return err
			})
	})
	return people, err
}

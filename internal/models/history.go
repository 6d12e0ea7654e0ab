package models

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Version is one version of a block beside the one before it.
type Version struct {
	Snapshot
	Before vault.Sealed // the data of the version before; nil: there is none
}

// HistoryQuery asks for a page of the versions of one connection's data.
type HistoryQuery struct {
	Connection uuid.UUID
	Blocks     []oauth.Block
	Before     string // cursor of the page before; empty: the newest
	Limit      int
}

// HistoryPage is a page of versions, newest first, with the connection they belong to.
type HistoryPage struct {
	Connection
	Account  vault.Sealed
	Key      vault.WrappedKey
	Versions []Version
	Next     string // cursor of the next page; empty: this is the last
}

// History gives versions of a connection's data, each with the one before it. One round trip. NotFound for a connection
// that is not the tenant's, Invalid when the cursor was not made by this list.
func (t *TenantStore) History(ctx context.Context, q HistoryQuery) (page HistoryPage, err error) {
	defer explain("History", &err)
	at, block, version, err := parseVersionCursor(q.Before)
	if err != nil {
		return page, err
	}
	err = t.batch(ctx, func(b *pgx.Batch) {
		t.queueOutline(b, q.Connection, &page.Connection, &page.Account)
		t.queueKey(b, &page.Key)
		b.Queue(`
			WITH page AS MATERIALIZED (
			    SELECT * FROM snapshots
			     WHERE tenant_id = $1 AND connection_id = $2 AND block <> 'wallet_flow' AND block = ANY ($3)
			       AND (changed_at, block, version) < ($4, $5, $6)
			     ORDER BY changed_at DESC, block DESC, version DESC LIMIT $7)
			SELECT `+snapshotColumns+`, p.data_sealed
			  FROM page s LEFT JOIN snapshots p ON p.tenant_id = $1 AND p.connection_id = $2 AND p.block = s.block AND p.version = s.version - 1
			 ORDER BY s.changed_at DESC, s.block DESC, s.version DESC`,
			t.tenant, q.Connection, blockNames(q.Blocks), at, block, version, q.Limit+1).Query(func(rows pgx.Rows) (err error) {
			page.Versions, err = pgx.CollectRows(rows, scanVersion)
			return err
		})
	})
	if len(page.Versions) > q.Limit {
		page.Versions = page.Versions[:q.Limit]
		page.Next = versionCursor(page.Versions[q.Limit-1].Snapshot)
	}
	return page, err
}

// Balances gives the newest versions of a connection's balances, newest first. One round trip. NotFound for a connection
// that is not the tenant's.
func (t *TenantStore) Balances(ctx context.Context, id uuid.UUID, limit int) (page HistoryPage, err error) {
	defer explain("Balances", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		t.queueOutline(b, id, &page.Connection, &page.Account)
		t.queueKey(b, &page.Key)
		b.Queue(`SELECT `+snapshotColumns+` FROM snapshots s
			WHERE s.tenant_id = $1 AND s.connection_id = $2 AND s.block = 'wallet' ORDER BY s.version DESC LIMIT $3`,
			t.tenant, id, limit).Query(func(rows pgx.Rows) (err error) {
			page.Versions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (v Version, err error) {
				v.Snapshot, err = scanSnapshotAnd(row)
				return v, err
			})
			return err
		})
	})
	return page, err
}

const (
	coursesShown = 6  // connections whose balances the overview shows over time
	courseLength = 30 // versions of each
)

// queueCourses reads the last versions of the balances of the tenant's newest connections that have any.
func (t *TenantStore) queueCourses(b *pgx.Batch, into *[]Snapshot) {
	b.Queue(`SELECT `+snapshotColumns+`
		  FROM (SELECT c.tenant_id, c.id FROM connections c WHERE c.tenant_id = $1 AND c.state <> 'disconnected'
		           AND EXISTS (SELECT FROM snapshots w WHERE w.tenant_id = c.tenant_id AND w.connection_id = c.id AND w.block = 'wallet')
		         ORDER BY c.created_at DESC, c.id DESC LIMIT $2) c
		 CROSS JOIN LATERAL (SELECT * FROM snapshots v WHERE v.tenant_id = c.tenant_id AND v.connection_id = c.id AND v.block = 'wallet'
		         ORDER BY v.version DESC LIMIT $3) s`, t.tenant, coursesShown, courseLength).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (Snapshot, error) { return scanSnapshotAnd(row) })
		return err
	})
}

// queueVersions reads what has changed in a tenant's merchant and company data, over all its connections.
func queueVersions(b *pgx.Batch, into *[]Version, tenant uuid.UUID) {
	b.Queue(`
		SELECT `+snapshotColumns+`, p.data_sealed FROM snapshots s
		  JOIN snapshots p ON p.tenant_id = s.tenant_id AND p.connection_id = s.connection_id AND p.block = s.block AND p.version = s.version - 1
		 WHERE s.tenant_id = $1 AND s.block IN ('merchant', 'company')
		 ORDER BY s.changed_at DESC, s.connection_id, s.block, s.version DESC LIMIT $2`, tenant, versionsShown).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scanVersion)
		return err
	})
}

func scanVersion(row pgx.CollectableRow) (v Version, err error) {
	v.Snapshot, err = scanSnapshotAnd(row, (*[]byte)(&v.Before))
	return v, err
}

func blockNames(blocks []oauth.Block) []string {
	names := make([]string, 0, len(blocks))
	for _, b := range blocks {
		names = append(names, string(b))
	}
	return names
}

// versionCursor names a place in the list by its last row. It holds nothing that the page does not show.
func versionCursor(s Snapshot) string {
	text := s.ChangedAt.UTC().Format(time.RFC3339Nano) + " " + string(s.Block) + " " + strconv.FormatInt(s.Version, 10)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func parseVersionCursor(text string) (at time.Time, block string, version int64, err error) {
	if text == "" {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), "", 0, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), " ")
	if err == nil && len(parts) == 3 {
		at, err = time.Parse(time.RFC3339Nano, parts[0])
		if block = parts[1]; err == nil && strings.Trim(block, "abcdefghijklmnopqrstuvwxyz_") == "" {
			version, err = strconv.ParseInt(parts[2], 10, 64)
		}
	}
	if err != nil || version == 0 {
		return at, "", 0, errs.New(errs.Invalid, "error.bad_cursor")
	}
	return at, block, version, nil
}

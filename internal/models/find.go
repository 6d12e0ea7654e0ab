package models

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/oauth"
)

// AccountKey is what an external account is found by; it does not tell which it is.
type AccountKey struct {
	Provider    string
	Environment oauth.Environment
	Hash        []byte
}

// longestPart is how many characters of a name the index holds.
const longestPart = 60

const tenantColumns = `p.id, t.name, t.created_at,
	coalesce((SELECT u.email FROM memberships m JOIN users u ON u.id = m.user_id
	           WHERE m.tenant_id = p.id AND m.role = 'owner' ORDER BY m.created_at LIMIT 1), ''), n.live, n.broken,
	x.tenant_id IS NOT NULL, x.destroyed_at IS NOT NULL`

const tenantJoins = ` JOIN tenants t ON t.id = p.id LEFT JOIN closings x ON x.tenant_id = p.id, LATERAL (
	SELECT count(*) FILTER (WHERE c.state <> 'disconnected') AS live,
	       count(*) FILTER (WHERE c.state NOT IN ('disconnected', 'connected')) AS broken
	  FROM connections c WHERE c.tenant_id = p.id) n `

func scanTenantRow(row pgx.CollectableRow) (TenantRow, error) { return scanTenantRowAnd(row) }

func scanTenantRowAnd(row pgx.Row, more ...any) (r TenantRow, err error) {
	err = row.Scan(append([]any{&r.ID, &r.Name, &r.CreatedAt, &r.OwnerEmail, &r.Connections, &r.Attention, &r.Closed, &r.Destroyed}, more...)...)
	return r, err
}

// find searches tenants: first those with a member of exactly this address or an account that is exactly this, then those
// with a word of the name that begins like it, in the order of that word. However many tenants there are, it is a range of
// one index.
func (p *PlatformStore) find(ctx context.Context, search string, q TenantQuery) (page TenantsPage, err error) {
	from, after, err := parseFindCursor(q.Before, search)
	if err != nil {
		return page, err
	}
	providers, environments, hashes := make([]string, 0, len(q.Accounts)), make([]string, 0, len(q.Accounts)), make([][]byte, 0, len(q.Accounts))
	for _, key := range q.Accounts {
		providers, environments, hashes = append(providers, key.Provider), append(environments, string(key.Environment)), append(hashes, key.Hash)
	}
	var parts []string
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH exact AS MATERIALIZED (
			    SELECT m.tenant_id AS id FROM users u JOIN memberships m ON m.user_id = u.id WHERE u.email = $1
			     UNION
			    SELECT a.holder_tenant FROM unnest($2::text[], $3::text[], $4::bytea[]) k (provider, environment, hash)
			      JOIN account_claims a ON a.provider = k.provider AND a.environment = k.environment AND a.account_hash = k.hash),
			named AS MATERIALIZED (
			    SELECT s.tenant_id AS id, s.part FROM tenant_name_parts s
			     WHERE s.part >= $5 AND s.part < $6 AND (s.part, s.tenant_id) > ($7, $8)
			       AND NOT EXISTS (SELECT FROM tenant_name_parts o WHERE o.tenant_id = s.tenant_id AND o.part >= $5 AND o.part < s.part)
			       AND NOT EXISTS (SELECT FROM exact e WHERE e.id = s.tenant_id)
			     ORDER BY s.part, s.tenant_id LIMIT $9),
			page AS (SELECT id, '' AS part FROM exact WHERE $10 UNION ALL SELECT id, part FROM named)
			SELECT `+tenantColumns+`, p.part FROM page p`+tenantJoins+`ORDER BY p.part COLLATE "C", p.id`,
			search, providers, environments, hashes, search, search+"\U0010FFFF", from, after, q.Limit+1, q.Before == "").
			Query(func(rows pgx.Rows) (err error) {
				page.Rows, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r TenantRow, err error) {
					var part string
					r, err = scanTenantRowAnd(row, &part)
					parts = append(parts, part)
					return r, err
				})
				return err
			})
		p.queueFilters(b, TenantsList, &page.Filters)
	})
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(page.Rows[q.Limit-1].ID.String() + parts[q.Limit-1]))
	}
	return page, err
}

// searchText is a search as the index holds names.
func searchText(search string) string {
	runes := []rune(strings.ToLower(strings.TrimSpace(search)))
	return string(runes[:min(longestPart, len(runes))])
}

// parseFindCursor reads a place in the list of what was found; its beginning is that of the range,
// because PostgreSQL enters the index by the place and not by the range. A cursor of another search is refused.
func parseFindCursor(text, search string) (part string, id uuid.UUID, err error) {
	if text == "" {
		return search, uuid.Nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && len(raw) > 36 {
		id, err = uuid.Parse(string(raw[:36]))
		part = string(raw[36:])
	}
	if err != nil || !strings.HasPrefix(part, search) || part == "" {
		return "", uuid.Nil, errs.New(errs.Invalid, "error.bad_cursor")
	}
	return part, id, nil
}

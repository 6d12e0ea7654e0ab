package models

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// PlatformStore is what the platform's admins may do. It works under a role that reads across tenants but has no grant
// on credentials, and it has no method that returns one.
type PlatformStore struct {
	door
	app   door // for what an admin does to a tenant, in a scope that names it
	actor Actor
	now   func() time.Time
}

// Platform gives the admins' store; events name the actor.
func (s *Store) Platform(actor Actor) *PlatformStore {
	return &PlatformStore{door: s.platform, app: s.app, actor: actor, now: s.now}
}

// TenantQuery asks for a page of the tenants' list.
type TenantQuery struct {
	Search   string       // the beginning of a word of the name, or a member's whole address; empty: all
	Accounts []AccountKey // that Search may name exactly
	Before   string       // cursor of the page before; empty: the first
	Limit    int
}

// TenantsPage is a page of the list.
type TenantsPage struct {
	Rows    []TenantRow
	Next    string        // cursor of the next page; empty: this is the last
	Filters []SavedFilter // the actor's, of this list
}

// Tenants lists tenants, newest first, or searches them, by keyset: the page is cut first, counts and owners are looked up
// for its rows alone. Invalid when the cursor was not made by this list.
func (p *PlatformStore) Tenants(ctx context.Context, q TenantQuery) (page TenantsPage, err error) {
	defer explain("Tenants", &err)
	if search := searchText(q.Search); search != "" {
		return p.find(ctx, search, q)
	}
	at, id, err := parseCursor(q.Before)
	if err != nil {
		return page, err
	}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH page AS MATERIALIZED (
			    SELECT id, created_at FROM tenants WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3)
			SELECT `+tenantColumns+` FROM page p`+tenantJoins+`ORDER BY p.created_at DESC, p.id DESC`,
			at, id, q.Limit+1).Query(func(rows pgx.Rows) (err error) {
			page.Rows, err = pgx.CollectRows(rows, scanTenantRow)
			return err
		})
		p.queueFilters(b, TenantsList, &page.Filters)
	})
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		last := page.Rows[q.Limit-1]
		page.Next = cursor(last.CreatedAt, last.ID)
	}
	return page, err
}

// TenantDetail is one tenant with all that an admin's page shows of it.
type TenantDetail struct {
	TenantRow
	Sealing
	Review      ReviewFile
	Members     []Member
	Links       []Connection
	Versions    []Version // that differ from the one before, of merchant and company; newest first
	Timeline    []Event
	Older       uuid.UUID    // where the timeline goes on; zero: nowhere
	Revocations []Revocation // newest first
}

// versionsShown and timelineShown are how much of a tenant's past one page of it tells.
const (
	versionsShown = 12
	timelineShown = 50
)

// Tenant gives one tenant, with its timeline from the event before the given one on (zero: from the newest). One round trip.
func (p *PlatformStore) Tenant(ctx context.Context, id, before uuid.UUID) (d TenantDetail, err error) {
	defer explain("Tenant", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT t.id, t.name, t.created_at, x.tenant_id IS NOT NULL, x.destroyed_at IS NOT NULL
			FROM tenants t LEFT JOIN closings x ON x.tenant_id = t.id WHERE t.id = $1`, id).QueryRow(func(row pgx.Row) error {
			return row.Scan(&d.ID, &d.Name, &d.CreatedAt, &d.Closed, &d.Destroyed)
		})
		b.Queue(`SELECT m.user_id, u.email, m.role, m.created_at, m.seen_at FROM memberships m JOIN users u ON u.id = m.user_id
			WHERE m.tenant_id = $1 ORDER BY m.created_at, m.user_id`, id).Query(func(rows pgx.Rows) (err error) {
			d.Members, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Member])
			return err
		})
		b.Queue(`SELECT `+connectionColumns+` FROM connections c WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC`, id).
			Query(func(rows pgx.Rows) (err error) {
				d.Links, err = pgx.CollectRows(rows, scanConnection)
				return err
			})
		b.Queue(`SELECT wrapped FROM tenant_keys WHERE tenant_id = $1`, id).QueryRow(func(row pgx.Row) error {
			return ignoreNoRows(row.Scan((*[]byte)(&d.Key)))
		})
		queueNewest(b, &d.Snapshots, `s.tenant_id = $1`, id)
		queueEvents(b, &d.Timeline, `SELECT `+eventColumns+` FROM events
			WHERE tenant_id = $1 AND ($2 = '00000000-0000-0000-0000-000000000000'::uuid OR id < $2) ORDER BY id DESC LIMIT $3`, id, before, timelineShown+1)
		queueVersions(b, &d.Versions, id)
		queueRevocations(b, &d.Revocations, `r.tenant_id = $1`, id)
		queueReviewFile(b, &d.Review, id)
	})
	if len(d.Timeline) > timelineShown {
		d.Timeline = d.Timeline[:timelineShown]
		d.Older = d.Timeline[timelineShown-1].ID
	}
	for _, link := range d.Links {
		if link.State != Disconnected {
			d.Connections++
		}
		if link.State != Disconnected && link.State != Connected {
			d.Attention++
		}
	}
	return d, err
}

// cursor names a place in a list by its last row. It holds nothing that the page does not show.
func cursor(at time.Time, id uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append([]byte(at.UTC().Format(time.RFC3339Nano)+" "), id[:]...))
}

func parseCursor(text string) (at time.Time, id uuid.UUID, err error) {
	if text == "" {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max, nil
	}
	bad := errs.New(errs.Invalid, "error.bad_cursor")
	raw, decodeErr := base64.RawURLEncoding.DecodeString(text)
	stamp, rest, found := strings.Cut(string(raw), " ")
	at, timeErr := time.Parse(time.RFC3339Nano, stamp)
	id, idErr := uuid.FromBytes([]byte(rest))
	if decodeErr != nil || !found || timeErr != nil || idErr != nil {
		return at, id, bad
	}
	return at, id, nil
}

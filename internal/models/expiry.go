package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/oauth"
)

// DueWarnings are connections whose end is to be warned of.
const DueWarnings Due = "warnings"

const (
	// endedShown is how long the boards still show what has ended.
	endedShown = 30 * 24 * time.Hour
	// remindAgain is how long a merchant is left alone after a reminder.
	remindAgain = 24 * time.Hour
)

// Warn writes the event that access ends, if the next warning of this end is due and was not given: 14, 7 and 1 days
// before it. One statement decides and moves on to the next, so that asking twice tells once. Where the merchant has to act
// already there is nothing to warn of.
func (t *TenantStore) Warn(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("Warn", &err)
	event, kind := newID(), "connection.expiring"
	return t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`
			WITH due AS (
			    SELECT c.provider, c.account_masked, c.state, c.ends_at, coalesce(c.warned_days, 32767) AS warned,
			           ceil(extract(epoch FROM c.ends_at - $3) / 86400)::int AS days
			      FROM connections c WHERE c.tenant_id = $1 AND c.id = $2 AND c.ends_at IS NOT NULL FOR UPDATE),
			     stage AS (
			    SELECT due.*, (SELECT min(d) FROM unnest(ARRAY[14, 7, 1]) d WHERE due.days <= d) AS near FROM due),
			     moved AS (
			    UPDATE connections c SET warned_days = least(s.near, c.warned_days), warn_at = next_warning(s.ends_at, $3)
			      FROM stage s WHERE c.tenant_id = $1 AND c.id = $2)
			INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
			SELECT $1, $4, $2, $5, $6, $7, jsonb_build_object('provider', provider, 'account', account_masked, 'days', days, 'at', ends_at), $3
			  FROM stage WHERE near < warned AND days > 0 AND state NOT IN ('disconnected', 'needs_you')`,
			t.tenant, id, t.now(), event, t.actor.Kind, orNull(t.actor.ID), kind)
		t.telling.queue(b, t.tenant, event, kind)
	})
}

// Expiring gives the tenant's connections whose access ends, soonest first, and the person's open attempts. One round trip.
func (t *TenantStore) Expiring(ctx context.Context) (conns []Connection, open []Attempt, err error) {
	defer explain("Expiring", &err)
	err = t.batch(ctx, func(b *pgx.Batch) {
		b.Queue(`SELECT `+connectionColumns+` FROM connections c WHERE tenant_id = $1 AND ends_at IS NOT NULL AND state <> 'disconnected'
			ORDER BY ends_at, id`, t.tenant).Query(func(rows pgx.Rows) (err error) {
			conns, err = pgx.CollectRows(rows, scanConnection)
			return err
		})
		t.queueOpenAttempts(b, &open)
	})
	return conns, open, err
}

// ExpiryQuery asks for a page of what ends.
type ExpiryQuery struct {
	Provider string        // only of this; "": of all
	Within   time.Duration // from now
	Before   string        // cursor of the page before; empty: the soonest
	Limit    int
}

// ExpiryRow is a connection that ends.
type ExpiryRow struct {
	Tenant      uuid.UUID
	TenantName  string
	Connection  uuid.UUID
	Provider    string
	Environment oauth.Environment
	Masked      string
	State       State
	EndsAt      time.Time
	RemindedAt  *time.Time // when the staff last reminded of this end
}

// ExpiryPage is a page of what ends, soonest first.
type ExpiryPage struct {
	Rows []ExpiryRow
	Next string // cursor of the next page; empty: this is the last
}

// Expiring lists what ends, over all tenants, soonest first, by keyset. Invalid when the cursor was not made by this list.
func (p *PlatformStore) Expiring(ctx context.Context, q ExpiryQuery) (page ExpiryPage, err error) {
	defer explain("Expiring", &err)
	at, id := p.now().Add(-endedShown), uuid.Nil
	if q.Before != "" {
		if at, id, err = parseCursor(q.Before); err != nil {
			return page, err
		}
	}
	only, args := ``, []any{at, id, p.now().Add(q.Within), q.Limit + 1}
	if q.Provider != "" {
		only, args = ` AND provider = $5`, append(args, q.Provider)
	}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			WITH page AS MATERIALIZED (
			    SELECT * FROM connections
			     WHERE ends_at IS NOT NULL AND (ends_at, id) > ($1, $2) AND ends_at <= $3 AND state <> 'disconnected'`+only+`
			     ORDER BY ends_at, id LIMIT $4)
			SELECT c.tenant_id, t.name, c.id, c.provider, c.environment, c.account_masked, c.state, c.ends_at, c.reminded_at
			  FROM page c JOIN tenants t ON t.id = c.tenant_id ORDER BY c.ends_at, c.id`,
			args...).Query(func(rows pgx.Rows) (err error) {
			page.Rows, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ExpiryRow])
			return err
		})
	})
	if len(page.Rows) > q.Limit {
		page.Rows = page.Rows[:q.Limit]
		last := page.Rows[q.Limit-1]
		page.Next = cursor(last.EndsAt, last.Connection)
	}
	return page, err
}

// MayRemind says whether the merchant may be reminded of the end again.
func (r ExpiryRow) MayRemind(now time.Time) bool {
	return r.RemindedAt == nil || !r.RemindedAt.After(now.Add(-remindAgain))
}

// Remind tells a tenant's people that the access of a connection ends, once a day at most. It writes into the tenant's
// history as the admin who asks, under the role that serves the tenant: the platform's own can change nothing there.
// Conflict when the merchant was reminded within a day, or nothing ends.
func (p *PlatformStore) Remind(ctx context.Context, tenant, connection uuid.UUID) (err error) {
	defer explain("Remind", &err)
	event, kind := newID(), "connection.reminded"
	err = p.app.batch(ctx, scope{tenant: tenant}, func(b *pgx.Batch) {
		b.Queue(`
			WITH hit AS (
			    UPDATE connections SET reminded_at = $3
			     WHERE tenant_id = $1 AND id = $2 AND ends_at IS NOT NULL AND state <> 'disconnected'
			       AND (reminded_at IS NULL OR reminded_at <= $4)
			    RETURNING provider, account_masked, ends_at),
			     told AS (
			    INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
			    SELECT $1, $5, $2, $6, $7, $8, jsonb_build_object('provider', provider, 'account', account_masked, 'at', ends_at), $3 FROM hit)
			SELECT insist(count(*)) FROM hit`,
			tenant, connection, p.now(), p.now().Add(-remindAgain), event, p.actor.Kind, orNull(p.actor.ID), kind)
		p.app.telling.queue(b, tenant, event, kind)
	})
	if violates(err, movedOn) {
		return errs.New(errs.Conflict, "history.reminded_already")
	}
	return err
}

package models

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// CallbackState is how far a stored callback has come.
type CallbackState string

// The states. A callback that is processed or discarded is done.
const (
	CallbackWaiting   CallbackState = "waiting"
	CallbackParked    CallbackState = "parked" // its connection is disconnected: it joins a reconnection within a day
	CallbackDead      CallbackState = "dead"   // every try has failed
	CallbackProcessed CallbackState = "processed"
	CallbackDiscarded CallbackState = "discarded"
)

// Open says whether a callback may still be acted on.
func (s CallbackState) Open() bool { return s != CallbackProcessed && s != CallbackDiscarded }

// InboxRow is a stored callback as the staff see it: all but what it says.
type InboxRow struct {
	ID           uuid.UUID
	Tenant       uuid.UUID
	TenantName   string
	Provider     string
	Account      string // masked; "" if it is not known yet
	Link         bool   // it ends a link attempt; else it is news of a connection
	Verified     bool
	Contradicted bool // another content came under the same serial
	State        CallbackState
	Reason       string
	Calls        int // that it stands for
	Tries        int // that failed
	ReceivedAt   time.Time
	SettledAt    *time.Time // when it came to its state; nil: it waits
}

const inboxColumns = `i.id, i.tenant_id, t.name, i.provider, coalesce(c.account_masked, a.account_masked, ''), i.attempt_id IS NOT NULL,
	i.verified, i.contradicted_at IS NOT NULL, i.state, i.reason, i.calls, i.tries, i.received_at,
	coalesce(i.discarded_at, i.processed_at, i.dead_at, i.parked_at)`

const inboxJoins = ` JOIN tenants t ON t.id = i.tenant_id
	LEFT JOIN connections c ON c.tenant_id = i.tenant_id AND c.id = i.connection_id
	LEFT JOIN attempts a ON a.tenant_id = i.tenant_id AND a.id = i.attempt_id `

func scanInboxRow(row pgx.CollectableRow) (r InboxRow, err error) {
	err = row.Scan(&r.ID, &r.Tenant, &r.TenantName, &r.Provider, &r.Account, &r.Link, &r.Verified, &r.Contradicted,
		&r.State, &r.Reason, &r.Calls, &r.Tries, &r.ReceivedAt, &r.SettledAt)
	return r, err
}

// InboxQuery asks for a page of the inbox.
type InboxQuery struct {
	State    CallbackState // empty: all; CallbackProcessed: what is done
	Provider string        // empty: all
	Tenant   uuid.UUID     // zero: all
	Before   uuid.UUID     // the last row of the page before; zero: the newest
	Limit    int
}

// where words the conditions. The states stand in it as they are, so that the index of what is open can be used.
func (q InboxQuery) where() (sql string, args []any) {
	sql, args = `true`, []any{q.Limit + 1}
	add := func(condition string, value any) {
		args = append(args, value)
		sql += strings.ReplaceAll(condition, "?", "$"+string(rune('0'+len(args))))
	}
	switch q.State {
	case CallbackWaiting, CallbackParked, CallbackDead:
		sql += ` AND i.state = '` + string(q.State) + `'`
	case CallbackProcessed, CallbackDiscarded:
		sql += ` AND i.state IN ('processed', 'discarded')`
	}
	if q.Provider != "" {
		add(` AND i.provider = ?`, q.Provider)
	}
	if q.Tenant != uuid.Nil {
		add(` AND i.tenant_id = ?`, q.Tenant)
	}
	if q.Before != uuid.Nil {
		add(` AND i.id < ?`, q.Before)
	}
	return sql, args
}

// InboxPage is a page of the inbox, newest first.
type InboxPage struct {
	Rows   []InboxRow
	More   bool
	Counts map[CallbackState]int // of what is open; see Capped
}

// Inbox lists stored callbacks. One round trip.
func (p *PlatformStore) Inbox(ctx context.Context, q InboxQuery) (page InboxPage, err error) {
	defer explain("Inbox", &err)
	where, args := q.where()
	page.Counts = map[CallbackState]int{}
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+inboxColumns+` FROM (SELECT i.id, i.tenant_id FROM inbox i WHERE `+where+` ORDER BY i.id DESC LIMIT $1) page
			JOIN inbox i ON i.tenant_id = page.tenant_id AND i.id = page.id`+inboxJoins+`ORDER BY i.id DESC`, args...).
			Query(func(rows pgx.Rows) (err error) {
				page.Rows, err = pgx.CollectRows(rows, scanInboxRow)
				return err
			})
		for _, state := range []CallbackState{CallbackWaiting, CallbackParked, CallbackDead} {
			b.Queue(`SELECT count(*) FROM (SELECT FROM inbox WHERE state = '`+string(state)+`' LIMIT $1) counted`, countCap+1).
				QueryRow(func(row pgx.Row) error {
					var n int
					err := row.Scan(&n)
					page.Counts[state] = n
					return err
				})
		}
	})
	if page.More = len(page.Rows) > q.Limit; page.More {
		page.Rows = page.Rows[:q.Limit]
	}
	return page, err
}

// InboxRow gives one stored callback.
func (p *PlatformStore) InboxRow(ctx context.Context, id uuid.UUID) (r InboxRow, err error) {
	defer explain("InboxRow", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+inboxColumns+` FROM inbox i`+inboxJoins+`WHERE i.id = $1`, id).Query(func(rows pgx.Rows) (err error) {
			r, err = pgx.CollectExactlyOneRow(rows, scanInboxRow)
			return err
		})
	})
	return r, err
}

// ReplayCallback lets a dead callback be acted on again; done says whether it was dead. Doing it twice does it once.
func (p *PlatformStore) ReplayCallback(ctx context.Context, id uuid.UUID) (done bool, err error) {
	defer explain("ReplayCallback", &err)
	return p.settleCallback(ctx, `replay_callback`, "callback.replayed", id)
}

// DiscardCallback gives up a callback that has not been acted on; done says whether there was anything to give up.
func (p *PlatformStore) DiscardCallback(ctx context.Context, id uuid.UUID) (done bool, err error) {
	defer explain("DiscardCallback", &err)
	return p.settleCallback(ctx, `discard_callback`, "callback.discarded", id)
}

// settleCallback calls one of the two functions that the platform's role is granted for the inbox, and records it in the
// tenant's history and in the platform's.
func (p *PlatformStore) settleCallback(ctx context.Context, function, kind string, id uuid.UUID) (done bool, err error) {
	err = p.inTx(ctx, scope{}, func(tx *Tx) error {
		var tenant uuid.UUID
		var connection *uuid.UUID
		var provider string
		err := tx.pgx.QueryRow(ctx, `SELECT tenant_id, connection_id, provider, done FROM `+function+`($1, $2)`, id, p.now()).
			Scan(&tenant, &connection, &provider, &done)
		if err != nil || !done {
			return err
		}
		detail, err := json.Marshal(map[string]string{"provider": provider, "tenant": tenant.String(), "callback": id.String()})
		if err != nil {
			return err
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
				VALUES ($1, $2, $3, $4, $5, $6, jsonb_build_object('provider', $7::text), $8)`,
				tenant, newID(), connection, p.actor.Kind, p.actor.ID, kind, provider, p.now())
			b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5)`,
				newID(), p.actor.ID, kind, detail, p.now())
		})
	})
	return done, err
}

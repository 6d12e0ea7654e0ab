package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/vault"
)

// Endpoint is a system of the platform's that is told of events.
type Endpoint struct {
	ID             uuid.UUID
	URL            string
	Description    string
	Kinds          []string // of events that it wants
	Enabled        bool
	DisabledReason string // admin, gone; "" while enabled
	DisabledAt     *time.Time
	CreatedAt      time.Time
}

// EndpointRow is an endpoint in the admins' list. Of the counts see Capped.
type EndpointRow struct {
	Endpoint
	Waiting int
	Failed  int
}

// SecretVersion is one of an endpoint's secrets, without the secret.
type SecretVersion struct {
	Version   int64
	CreatedAt time.Time
	EndsAt    *time.Time // nil: the newest
}

// DeliveryState says how far a delivery has come.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"
	Delivered       DeliveryState = "delivered"
	DeliveryFailed  DeliveryState = "failed" // given up, until an admin replays it
)

// Delivery is one event for one endpoint.
type Delivery struct {
	ID         uuid.UUID
	EventID    uuid.UUID
	TenantID   uuid.UUID
	TenantName string
	Kind       string
	Body       string
	State      DeliveryState
	Tries      int // since it was made or replayed
	NextAt     *time.Time
	LastStatus int    // 0: there was no answer
	LastError  string // why; "" if the endpoint answered
	CreatedAt  time.Time
	EndedAt    *time.Time
	Log        []DeliveryTry // newest first
}

// DeliveryTry is one try of a delivery.
type DeliveryTry struct {
	Status int       `json:"status"`
	Error  string    `json:"error"`
	TookMS int       `json:"took_ms"`
	At     time.Time `json:"at"`
}

// EndpointDetail is one endpoint with a page of its deliveries, newest first.
type EndpointDetail struct {
	EndpointRow
	Secrets    []SecretVersion // newest first; none that has ended
	Deliveries []Delivery
	Next       uuid.UUID // the page after begins before this delivery; zero: this is the last
}

// DeliveryQuery asks for a page of an endpoint's deliveries.
type DeliveryQuery struct {
	State  DeliveryState // "": all
	Before uuid.UUID     // zero: from the newest
	Limit  int
}

const endpointColumns = `e.id, e.url, e.description, e.kinds, e.enabled, e.disabled_reason, e.disabled_at, e.created_at`

// endpointCounts follow endpointColumns in an EndpointRow. They end one beyond countCap.
const endpointCounts = `
	(SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'waiting' LIMIT 501) w),
	(SELECT count(*) FROM (SELECT FROM deliveries d WHERE d.endpoint_id = e.id AND d.state = 'failed' LIMIT 501) f)`

func (e *Endpoint) fields() []any {
	return []any{&e.ID, &e.URL, &e.Description, &e.Kinds, &e.Enabled, &e.DisabledReason, &e.DisabledAt, &e.CreatedAt}
}

func scanEndpointRow(row pgx.CollectableRow) (r EndpointRow, err error) {
	err = row.Scan(append(r.fields(), &r.Waiting, &r.Failed)...)
	return r, err
}

// Endpoints lists every endpoint, oldest first: there are few.
func (p *PlatformStore) Endpoints(ctx context.Context) (list []EndpointRow, err error) {
	defer explain("Endpoints", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT ` + endpointColumns + `,` + endpointCounts + ` FROM endpoints e ORDER BY e.id`).Query(func(rows pgx.Rows) (err error) {
			list, err = pgx.CollectRows(rows, scanEndpointRow)
			return err
		})
	})
	return list, err
}

// Endpoint gives one endpoint with a page of its deliveries. One round trip.
func (p *PlatformStore) Endpoint(ctx context.Context, id uuid.UUID, q DeliveryQuery) (d EndpointDetail, err error) {
	defer explain("Endpoint", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT `+endpointColumns+`,`+endpointCounts+` FROM endpoints e WHERE e.id = $1`, id).QueryRow(func(row pgx.Row) error {
			return row.Scan(append(d.fields(), &d.Waiting, &d.Failed)...)
		})
		b.Queue(`SELECT version, created_at, ends_at FROM endpoint_secrets
			WHERE endpoint_id = $1 AND (ends_at IS NULL OR ends_at > $2) ORDER BY version DESC`, id, p.now()).Query(func(rows pgx.Rows) (err error) {
			d.Secrets, err = pgx.CollectRows(rows, pgx.RowToStructByPos[SecretVersion])
			return err
		})
		queueDeliveriesOf(b, &d.Deliveries, id, q)
	})
	if len(d.Deliveries) > q.Limit {
		d.Deliveries = d.Deliveries[:q.Limit]
		d.Next = d.Deliveries[q.Limit-1].ID
	}
	return d, err
}

// queueDeliveriesOf reads one row more than the page has, which tells whether there is another page.
func queueDeliveriesOf(b *pgx.Batch, into *[]Delivery, endpoint uuid.UUID, q DeliveryQuery) {
	b.Queue(`
		SELECT d.id, d.event_id, d.tenant_id, t.name, d.kind, d.body, d.state, d.tries, d.next_at, d.last_status, d.last_error,
		       d.created_at, d.ended_at,
		       coalesce((SELECT jsonb_agg(l.line) FROM (
		           SELECT jsonb_build_object('status', r.status, 'error', r.error, 'took_ms', r.took_ms, 'at', r.tried_at) AS line
		             FROM delivery_tries r WHERE r.tenant_id = d.tenant_id AND r.delivery_id = d.id ORDER BY r.id DESC LIMIT 20) l), '[]')
		  FROM deliveries d JOIN tenants t ON t.id = d.tenant_id
		 WHERE d.endpoint_id = $1 AND ($2 = '' OR d.state = $2) AND ($3 = '00000000-0000-0000-0000-000000000000'::uuid OR d.id < $3)
		 ORDER BY d.id DESC LIMIT $4`, endpoint, string(q.State), q.Before, q.Limit+1).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Delivery])
		return err
	})
}

// NewEndpoint is an endpoint about to be made, or what is to be changed of one.
type NewEndpoint struct {
	ID          uuid.UUID
	URL         string
	Host        string // for the event: an address may hold what only its owner should know
	Description string
	Kinds       []string
	Secret      vault.Sealed // sealed at version 1; not for a change
}

// CreateEndpoint makes an endpoint with its first secret. Conflict when it exists already: the form was sent twice.
func (p *PlatformStore) CreateEndpoint(ctx context.Context, n NewEndpoint) (err error) {
	defer explain("CreateEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO endpoints (id, url, description, kinds, created_at) VALUES ($1, $2, $3, $4, $5)`,
			n.ID, n.URL, n.Description, n.Kinds, p.now())
		b.Queue(`INSERT INTO endpoint_secrets (endpoint_id, version, sealed, created_at) VALUES ($1, 1, $2, $3)`, n.ID, []byte(n.Secret), p.now())
		p.queueActed(b, "endpoint.created", n.ID, map[string]any{"host": n.Host, "kinds": n.Kinds})
	})
}

// ChangeEndpoint changes where an endpoint is and what it wants. Conflict when it is gone.
func (p *PlatformStore) ChangeEndpoint(ctx context.Context, n NewEndpoint) (err error) {
	defer explain("ChangeEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE endpoints SET url = $2, description = $3, kinds = $4 WHERE id = $1`, n.ID, n.URL, n.Description, n.Kinds)
		p.queueActed(b, "endpoint.changed", n.ID, map[string]any{"host": n.Host, "kinds": n.Kinds})
	})
}

// EnableEndpoint lets an endpoint be told again. Conflict when it is on, or gone.
func (p *PlatformStore) EnableEndpoint(ctx context.Context, id uuid.UUID, host string) (err error) {
	defer explain("EnableEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE endpoints SET enabled = true, disabled_reason = '', disabled_at = NULL WHERE id = $1 AND NOT enabled`, id)
		p.queueActed(b, "endpoint.enabled", id, map[string]any{"host": host})
	})
}

// DisableEndpoint switches an endpoint off: it is told nothing new, and what waits is given up when its time comes.
// Conflict when it is off, or gone.
func (p *PlatformStore) DisableEndpoint(ctx context.Context, id uuid.UUID, host string) (err error) {
	defer explain("DisableEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE endpoints SET enabled = false, disabled_reason = 'admin', disabled_at = $2 WHERE id = $1 AND enabled`, id, p.now())
		p.queueActed(b, "endpoint.disabled", id, map[string]any{"host": host})
	})
}

// DeleteEndpoint removes an endpoint with its secrets and deliveries. Conflict when it is gone already.
func (p *PlatformStore) DeleteEndpoint(ctx context.Context, id uuid.UUID, host string) (err error) {
	defer explain("DeleteEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `DELETE FROM endpoints WHERE id = $1`, id)
		p.queueActed(b, "endpoint.deleted", id, map[string]any{"host": host})
	})
}

// RotateSecret adds an endpoint's next secret. The one before it signs as well until the given moment, any older one no
// longer. Conflict when the newest is not the one before: somebody else rotated.
func (p *PlatformStore) RotateSecret(ctx context.Context, id uuid.UUID, host string, next int64, sealed vault.Sealed, oldEnds time.Time) (err error) {
	defer explain("RotateSecret", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`UPDATE endpoint_secrets SET ends_at = $3 WHERE endpoint_id = $1 AND version < $2 AND ends_at > $3`, id, next-1, p.now())
		queueOne(b, `UPDATE endpoint_secrets SET ends_at = $3 WHERE endpoint_id = $1 AND version = $2 AND ends_at IS NULL`, id, next-1, oldEnds)
		b.Queue(`INSERT INTO endpoint_secrets (endpoint_id, version, sealed, created_at) VALUES ($1, $2, $3, $4)`, id, next, []byte(sealed), p.now())
		p.queueActed(b, "endpoint.secret_rotated", id, map[string]any{"host": host, "version": next})
	})
}

// EndOldSecret lets the newest secret sign alone from now on. Conflict when it does so already.
func (p *PlatformStore) EndOldSecret(ctx context.Context, id uuid.UUID, host string) (err error) {
	defer explain("EndOldSecret", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE endpoint_secrets SET ends_at = $2 WHERE endpoint_id = $1 AND ends_at > $2`, id, p.now())
		p.queueActed(b, "endpoint.secret_ended", id, map[string]any{"host": host})
	})
}

// TestedEndpoint records that an admin sent an endpoint a test, and what came of it.
func (p *PlatformStore) TestedEndpoint(ctx context.Context, id uuid.UUID, host string, t DeliveryTry) (err error) {
	defer explain("TestedEndpoint", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		p.queueActed(b, "endpoint.tested", id, map[string]any{"host": host, "status": t.Status, "error": t.Error})
	})
}

// Replay asks for failed deliveries.
type Replay struct {
	Endpoint uuid.UUID
	Host     string
	Delivery uuid.UUID // zero: all that failed
	Since    time.Time
	Most     int // so many at once, the oldest first
}

// ReplayDeliveries gives failed deliveries a fresh start and says how many there were. Their ids stay, so a receiver
// that has seen one before can tell.
func (p *PlatformStore) ReplayDeliveries(ctx context.Context, r Replay) (replayed int, err error) {
	defer explain("ReplayDeliveries", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT replay_deliveries($1, $2, $3, $4, $5)`, r.Endpoint, orNull(r.Delivery), r.Since, p.now(), r.Most).
			QueryRow(func(row pgx.Row) error { return row.Scan(&replayed) })
		detail := map[string]any{"host": r.Host, "since": r.Since.UTC().Format(time.RFC3339)}
		if r.Delivery != uuid.Nil {
			detail = map[string]any{"host": r.Host, "delivery": r.Delivery.String()}
		}
		p.queueActed(b, "endpoint.replayed", r.Endpoint, detail)
	})
	return replayed, err
}

// queueActed writes what an admin did to an endpoint, in the transaction that does it.
func (p *PlatformStore) queueActed(b *pgx.Batch, kind string, endpoint uuid.UUID, detail map[string]any) {
	detail["endpoint"] = endpoint.String()
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5)`,
		newID(), orNull(p.actor.ID), kind, detail, p.now())
}

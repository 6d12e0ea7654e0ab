package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// DueDigests are letters to the staff, one for each of them and day; they have no lane and no tenant.
const DueDigests Due = "digests"

// Digest is a letter to one of the staff with what it tells of: what has changed between Since and Until.
type Digest struct {
	ID          uuid.UUID
	Email       string
	Language    string
	TimeZone    string
	Status      string // LetterWaiting until it is finished
	Wanted      bool
	Since       time.Time
	Until       time.Time
	Broken      []ProviderTally // connections that broke and still are, by provider and state
	Recovered   []ProviderTally // connections that had needed their merchant, by provider
	Expiring    int             // connections whose access ends within DigestAhead
	NewExpiring int             // of these, how many came that near
	Dead        int             // callbacks
	Parked      int             // callbacks
	Undelivered int             // outgoing webhooks that were given up
	Unmailed    int             // mails that were refused or given up
	Tenants     int             // that are new
}

// ProviderTally is a count by provider, and by state where there are several.
type ProviderTally struct {
	Provider string
	State    State
	Count    int
}

// DigestAhead is how near an end of access must be for a digest to tell of it.
const DigestAhead = 14 * 24 * time.Hour

// IsNews says whether there is anything to tell. That access is still going to end is none.
func (d Digest) IsNews() bool {
	return len(d.Broken)+len(d.Recovered)+d.NewExpiring+d.Dead+d.Parked+d.Undelivered+d.Unmailed+d.Tenants > 0
}

// Digest gives a digest about to be sent. NotFound if its reader is not of the staff any more. One round trip.
func (p *PlatformStore) Digest(ctx context.Context, id uuid.UUID) (d Digest, err error) {
	defer explain("Digest", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`
			SELECT d.id, u.email, u.language, u.time_zone, d.status, coalesce(c.mail, true), d.since, d.until
			  FROM digests d JOIN platform_admins a ON a.user_id = d.user_id JOIN users u ON u.id = d.user_id
			  LEFT JOIN digest_choices c ON c.user_id = d.user_id WHERE d.id = $1`, id).QueryRow(func(row pgx.Row) error {
			return row.Scan(&d.ID, &d.Email, &d.Language, &d.TimeZone, &d.Status, &d.Wanted, &d.Since, &d.Until)
		})
		tallies := func(into *[]ProviderTally, sql string) {
			b.Queue(sql, id).Query(func(rows pgx.Rows) (err error) {
				*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ProviderTally])
				return err
			})
		}
		tallies(&d.Broken, `
			SELECT c.provider, c.state, count(*) FROM digests d JOIN connections c ON c.state_since >= d.since AND c.state_since < d.until
			 WHERE d.id = $1 AND c.state IN ('needs_you', 'provider', 'ours') GROUP BY 1, 2 ORDER BY 1, 2`)
		tallies(&d.Recovered, `
			SELECT c.provider, '', count(DISTINCT c.id) FROM digests d
			  JOIN events e ON e.created_at >= d.since AND e.created_at < d.until AND e.kind = 'connection.recovered'
			  JOIN connections c ON c.tenant_id = e.tenant_id AND c.id = e.connection_id AND c.state = 'connected'
			 WHERE d.id = $1 GROUP BY 1 ORDER BY 1`)
		b.Queue(`SELECT count(*), count(*) FILTER (WHERE c.ends_at >= d.since + $2::interval) FROM digests d
			JOIN connections c ON c.ends_at >= d.until AND c.ends_at < d.until + $2::interval WHERE d.id = $1`, id, DigestAhead).
			QueryRow(func(row pgx.Row) error { return row.Scan(&d.Expiring, &d.NewExpiring) })
		for _, counted := range digestCounts(&d) {
			b.Queue(`SELECT count(*) FROM digests d JOIN `+counted.sql+` WHERE d.id = $1`, id).
				QueryRow(func(row pgx.Row) error { return row.Scan(counted.into) })
		}
	})
	return d, err
}

type digestCount struct {
	into *int
	sql  string
}

func digestCounts(d *Digest) []digestCount {
	return []digestCount{
		{&d.Dead, `inbox i ON i.state = 'dead' AND i.dead_at >= d.since AND i.dead_at < d.until`},
		{&d.Parked, `inbox i ON i.state = 'parked' AND i.parked_at >= d.since AND i.parked_at < d.until`},
		{&d.Undelivered, `deliveries l ON l.state = 'failed' AND l.ended_at >= d.since AND l.ended_at < d.until`},
		{&d.Unmailed, `mails m ON m.state IN ('refused', 'failed') AND m.ended_at >= d.since AND m.ended_at < d.until`},
		{&d.Tenants, `tenants t ON t.created_at >= d.since AND t.created_at < d.until`},
	}
}

// FinishDigest says how a digest ended. One that has ended already stays as it is.
func (p *PlatformStore) FinishDigest(ctx context.Context, id uuid.UUID, status string) (err error) {
	defer explain("FinishDigest", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`UPDATE digests SET status = $2, finished_at = $3 WHERE id = $1 AND status = 'waiting'`, id, status, p.now())
	})
}

// WantsDigest says whether the actor gets the digest.
func (p *PlatformStore) WantsDigest(ctx context.Context) (wants bool, err error) {
	defer explain("WantsDigest", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`SELECT coalesce((SELECT mail FROM digest_choices WHERE user_id = $1), true)`, p.actor.ID).
			QueryRow(func(row pgx.Row) error { return row.Scan(&wants) })
	})
	return wants, err
}

// ChooseDigest keeps whether the actor wants the digest. What is chosen anew begins on the next day.
func (p *PlatformStore) ChooseDigest(ctx context.Context, wants bool) (err error) {
	defer explain("ChooseDigest", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO digest_choices AS c (user_id, mail, changed_at) VALUES ($1, $2, $3)
			ON CONFLICT (user_id) DO UPDATE SET mail = excluded.mail, changed_at = excluded.changed_at WHERE c.mail <> excluded.mail`,
			p.actor.ID, wants, p.now())
	})
}

package models

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"mooring/internal/oauth"
)

// countCap is where counts over all tenants stop: beyond it a number helps nobody, and costs. The page says "more than".
const countCap = 500

// sightLife is how long a replica's view of a provider is believed in; one that calls nothing tells nothing.
const sightLife = 2 * time.Hour

// ProviderState is what is known of one provider, for the admins' pages.
type ProviderState struct {
	Slug        string
	PausedAt    *time.Time
	PausedBy    string // mail address
	TestedAt    *time.Time
	Test        []ProbeResult
	Connections map[State]int // capped at countCap+1
	Hour, Day   []Tally       // of this hour and the last, and of the last 24
	Replicas    []ReplicaSight
	Queued      int // jobs that wait or run, capped
	Oldest      *time.Time
	NewCodes    int // not acknowledged
	NewDrift    int
}

// ReplicaSight is how one replica sees the provider.
type ReplicaSight struct {
	Replica string
	ProviderSight
	BreakerSince *time.Time
	SeenAt       time.Time
}

// ProbeResult is what a test call of one address found.
type ProbeResult struct {
	Host    string        `json:"host"`
	Outcome string        `json:"outcome"` // a word of outbound's; "ok" is an answer of any kind
	Took    time.Duration `json:"took"`
	Skew    time.Duration `json:"skew"`
	Dated   bool          `json:"dated"`
	Secure  bool          `json:"secure"` // over https, the certificate checked
}

// ProviderCode is a code that nothing explains.
type ProviderCode struct {
	Code           string // "": all that came after the limit
	Kind           oauth.Kind
	Count          int64
	FirstSeen      time.Time
	LastSeen       time.Time
	AcknowledgedAt *time.Time
	AcknowledgedBy string
}

// ProviderRefusal is the last refusal of our clock or our signature.
type ProviderRefusal struct {
	Kind      oauth.Kind
	Code      string
	Facts     []oauth.Fact
	Count     int64
	FirstSeen time.Time
	LastSeen  time.Time
}

// ProviderDrift is one way in which answers differ from the known shape.
type ProviderDrift struct {
	Block          oauth.Block
	Field          string
	Change         string // new, missing or retyped
	Type           string
	FirstSeen      time.Time
	LastSeen       time.Time
	AcknowledgedAt *time.Time
	AcknowledgedBy string
}

// ProviderDetail is a provider with its lists.
type ProviderDetail struct {
	ProviderState
	Codes    []ProviderCode
	Refusals []ProviderRefusal
	Drift    []ProviderDrift
}

// Providers gives the state of the providers, in the order asked for. One round trip, and as much work with 500,000
// connections as with a thousand.
func (p *PlatformStore) Providers(ctx context.Context, slugs []string) (states []ProviderState, err error) {
	defer explain("Providers", &err)
	states = newStates(slugs)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) { p.queueStates(b, slugs, states) })
	return states, err
}

// Provider gives one provider with its lists. One round trip.
func (p *PlatformStore) Provider(ctx context.Context, slug string) (d ProviderDetail, err error) {
	defer explain("Provider", &err)
	slugs := []string{slug}
	states := newStates(slugs)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		p.queueStates(b, slugs, states)
		b.Queue(`SELECT k.code, k.kind, k.count, k.first_seen, k.last_seen, k.acknowledged_at, coalesce(u.email, '')
			  FROM provider_codes k LEFT JOIN users u ON u.id = k.acknowledged_by
			 WHERE k.provider = $1 ORDER BY k.acknowledged_at IS NOT NULL, k.last_seen DESC, k.code LIMIT 201`, slug).Query(func(rows pgx.Rows) (err error) {
			d.Codes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ProviderCode])
			return err
		})
		b.Queue(`SELECT kind, code, facts, count, first_seen, last_seen FROM provider_refusals WHERE provider = $1 ORDER BY last_seen DESC`, slug).
			Query(func(rows pgx.Rows) (err error) {
				d.Refusals, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ProviderRefusal])
				return err
			})
		b.Queue(`SELECT k.block, k.field, k.change, k.type, k.first_seen, k.last_seen, k.acknowledged_at, coalesce(u.email, '')
			  FROM provider_drift k LEFT JOIN users u ON u.id = k.acknowledged_by
			 WHERE k.provider = $1 ORDER BY k.acknowledged_at IS NOT NULL, k.last_seen DESC, k.block, k.field LIMIT 200`, slug).Query(func(rows pgx.Rows) (err error) {
			d.Drift, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ProviderDrift])
			return err
		})
	})
	d.ProviderState = states[0]
	return d, err
}

func newStates(slugs []string) []ProviderState {
	states := make([]ProviderState, len(slugs))
	for i, slug := range slugs {
		states[i] = ProviderState{Slug: slug, Connections: map[State]int{}}
	}
	return states
}

func (p *PlatformStore) queueStates(b *pgx.Batch, slugs []string, states []ProviderState) {
	of := func(slug string) *ProviderState {
		for i := range states {
			if states[i].Slug == slug {
				return &states[i]
			}
		}
		return &ProviderState{} // not asked for
	}
	p.queueControls(b, slugs, of)
	queueCounts(b, slugs, of)
	p.queueHealth(b, slugs, of)
	queueWaiting(b, slugs, of)
}

// queueControls reads what the staff decided, and how much waits to be looked at.
func (p *PlatformStore) queueControls(b *pgx.Batch, slugs []string, of func(string) *ProviderState) {
	b.Queue(`
		SELECT s.slug, c.paused_at, coalesce(u.email, ''), c.tested_at, coalesce(c.test, '[]'),
		       (SELECT count(*) FROM provider_codes k WHERE k.provider = s.slug AND k.acknowledged_at IS NULL),
		       (SELECT count(*) FROM provider_drift k WHERE k.provider = s.slug AND k.acknowledged_at IS NULL)
		  FROM unnest($1::text[]) AS s (slug) LEFT JOIN provider_controls c ON c.provider = s.slug LEFT JOIN users u ON u.id = c.paused_by`,
		slugs).Query(func(rows pgx.Rows) error {
		var slug string
		var got ProviderState
		_, err := pgx.ForEachRow(rows, []any{&slug, &got.PausedAt, &got.PausedBy, &got.TestedAt, &got.Test, &got.NewCodes, &got.NewDrift}, func() error {
			s := of(slug)
			s.PausedAt, s.PausedBy, s.TestedAt, s.NewCodes, s.NewDrift = got.PausedAt, got.PausedBy, got.TestedAt, got.NewCodes, got.NewDrift
			s.Test, got.Test = got.Test, nil
			return nil
		})
		return err
	})
}

// queueCounts counts connections up to the cap.
func queueCounts(b *pgx.Batch, slugs []string, of func(string) *ProviderState) {
	b.Queue(`
		SELECT s.slug, t.state, (SELECT count(*) FROM (SELECT FROM connections c WHERE c.provider = s.slug AND c.state = t.state LIMIT $3) AS few)
		  FROM unnest($1::text[]) AS s (slug), unnest($2::text[]) AS t (state)`,
		slugs, []string{string(Connected), string(NeedsYou), string(Provider), string(Ours), string(Disconnected)}, countCap+1).Query(func(rows pgx.Rows) error {
		var slug string
		var state State
		var n int
		_, err := pgx.ForEachRow(rows, []any{&slug, &state, &n}, func() error {
			of(slug).Connections[state] = n
			return nil
		})
		return err
	})
}

func (p *PlatformStore) queueHealth(b *pgx.Batch, slugs []string, of func(string) *ProviderState) {
	now := p.now()
	b.Queue(`
		SELECT provider, what, word, sum(count)::bigint, coalesce(sum(count) FILTER (WHERE hour >= $2), 0)::bigint
		  FROM provider_health WHERE provider = ANY ($1) AND hour >= $3 GROUP BY 1, 2, 3 ORDER BY 4 DESC, 3`,
		slugs, now.Add(-time.Hour).Truncate(time.Hour), now.Add(-24*time.Hour).Truncate(time.Hour)).Query(func(rows pgx.Rows) error {
		var t Tally
		var hour int64
		_, err := pgx.ForEachRow(rows, []any{&t.Provider, &t.What, &t.Word, &t.Count, &hour}, func() error {
			s := of(t.Provider)
			s.Day = append(s.Day, t)
			if hour > 0 {
				s.Hour = append(s.Hour, Tally{t.Provider, t.What, t.Word, hour})
			}
			return nil
		})
		return err
	})
	b.Queue(`
		SELECT provider, replica, coalesce(skew_ms, 0), CASE WHEN skew_ms IS NULL THEN 0 ELSE samples END, breaker, breaker_since, seen_at
		  FROM provider_replicas WHERE provider = ANY ($1) AND seen_at > $2 ORDER BY seen_at DESC LIMIT 100`,
		slugs, now.Add(-sightLife)).Query(func(rows pgx.Rows) error {
		var r ReplicaSight
		var ms int64
		_, err := pgx.ForEachRow(rows, []any{&r.Provider, &r.Replica, &ms, &r.Samples, &r.Breaker, &r.BreakerSince, &r.SeenAt}, func() error {
			r.Skew = time.Duration(ms) * time.Millisecond
			s := of(r.Provider)
			s.Replicas = append(s.Replicas, r)
			return nil
		})
		return err
	})
}

// queueWaiting counts the syncs that wait or run, up to the cap. Each provider has a queue of its own.
func queueWaiting(b *pgx.Batch, slugs []string, of func(string) *ProviderState) {
	b.Queue(`
		SELECT s.slug, q.n, q.oldest
		  FROM unnest($1::text[]) AS s (slug)
		 CROSS JOIN LATERAL (
		       SELECT count(*) AS n, min(j.created_at) AS oldest
		         FROM (SELECT created_at FROM river.river_job
		                WHERE queue = 'sync_' || s.slug AND state IN ('available', 'pending', 'running', 'retryable', 'scheduled') LIMIT $2) AS j) AS q`,
		slugs, countCap+1).Query(func(rows pgx.Rows) error {
		var slug string
		var n int
		var oldest *time.Time
		_, err := pgx.ForEachRow(rows, []any{&slug, &n, &oldest}, func() error {
			s := of(slug)
			s.Queued, s.Oldest = n, oldest
			oldest = nil
			return nil
		})
		return err
	})
}

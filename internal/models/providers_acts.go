package models

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
	"mooring/internal/oauth"
)

// PauseProvider stops a provider everywhere: it is not offered, and what would be read waits. Conflict when it is
// paused already.
func (p *PlatformStore) PauseProvider(ctx context.Context, slug string) (err error) {
	defer explain("PauseProvider", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `INSERT INTO provider_controls AS c (provider, paused_at, paused_by) VALUES ($1, $2, $3)
			ON CONFLICT (provider) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by WHERE c.paused_at IS NULL`,
			slug, p.now(), p.actor.ID)
		p.queuePlatformEvent(b, "provider.paused", map[string]any{"provider": slug})
		wake(b, ProvidersTopic())
	})
}

// ResumeProvider offers a paused provider again. Conflict when it is not paused.
func (p *PlatformStore) ResumeProvider(ctx context.Context, slug string) (err error) {
	defer explain("ResumeProvider", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE provider_controls SET paused_at = NULL, paused_by = NULL WHERE provider = $1 AND paused_at IS NOT NULL`, slug)
		p.queuePlatformEvent(b, "provider.resumed", map[string]any{"provider": slug})
		wake(b, ProvidersTopic())
	})
}

// SaveProbe keeps what a test call found.
func (p *PlatformStore) SaveProbe(ctx context.Context, slug string, found []ProbeResult) (err error) {
	defer explain("SaveProbe", &err)
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO provider_controls (provider, tested_at, tested_by, test) VALUES ($1, $2, $3, $4)
			ON CONFLICT (provider) DO UPDATE SET tested_at = excluded.tested_at, tested_by = excluded.tested_by, test = excluded.test`,
			slug, p.now(), p.actor.ID, text)
		p.queuePlatformEvent(b, "provider.tested", map[string]any{"provider": slug})
	})
}

// AcknowledgeCode notes that somebody has seen an unknown code. NotFound when there is none such to be seen.
func (p *PlatformStore) AcknowledgeCode(ctx context.Context, slug, code string) (err error) {
	defer explain("AcknowledgeCode", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE provider_codes SET acknowledged_at = $3, acknowledged_by = $4
			WHERE provider = $1 AND code = $2 AND acknowledged_at IS NULL`, slug, code, p.now(), p.actor.ID)
		p.queuePlatformEvent(b, "provider.code_acknowledged", map[string]any{"provider": slug, "code": code})
	})
	return goneMeanwhile(err)
}

// AcknowledgeDrift accepts a difference: a new field or type belongs to the known shape from now on, and a missing one
// may be missing. NotFound when there is none such to be accepted.
func (p *PlatformStore) AcknowledgeDrift(ctx context.Context, slug string, block oauth.Block, field, change string) (err error) {
	defer explain("AcknowledgeDrift", &err)
	err = p.batch(ctx, scope{}, func(b *pgx.Batch) {
		queueOne(b, `UPDATE provider_drift SET acknowledged_at = $5, acknowledged_by = $6
			WHERE provider = $1 AND block = $2 AND field = $3 AND change = $4 AND acknowledged_at IS NULL`,
			slug, string(block), field, change, p.now(), p.actor.ID)
		b.Queue(`INSERT INTO provider_shapes (provider, block, field, parent, type, optional, since)
			SELECT provider, block, field, parent, type, true, $5 FROM provider_drift
			 WHERE provider = $1 AND block = $2 AND field = $3 AND change = $4 ON CONFLICT (provider, block, field, type) DO NOTHING`,
			slug, string(block), field, change, p.now())
		b.Queue(`UPDATE provider_shapes SET optional = true WHERE provider = $1 AND block = $2 AND field = $3`, slug, string(block), field)
		p.queuePlatformEvent(b, "provider.drift_acknowledged", map[string]any{"provider": slug, "block": string(block), "field": field, "change": change})
	})
	return goneMeanwhile(err)
}

func (p *PlatformStore) queuePlatformEvent(b *pgx.Batch, kind string, detail map[string]any) {
	text, err := json.Marshal(detail)
	if err != nil {
		text = []byte("{}") // details are strings of ours
	}
	b.Queue(`INSERT INTO platform_events (id, actor_id, kind, detail, created_at) VALUES ($1, $2, $3, $4, $5)`,
		newID(), orNull(p.actor.ID), kind, text, p.now())
}

// goneMeanwhile answers for what somebody else has acknowledged before.
func goneMeanwhile(err error) error {
	if violates(err, movedOn) {
		return NotFound()
	}
	return err
}

// Capped says whether a count stopped at the cap, and gives it.
func Capped(n int) (shown int, more bool) { return min(n, countCap), n > countCap }

// AllowProbe says whether a provider may be tried now: a test call is harmless, a hundred are not.
func (s *Store) AllowProbe(ctx context.Context, slug string) error {
	allowed, err := s.AllowRate(ctx, []byte("probe:"+slug), Rate{Every: 10 * time.Second, Burst: 3})
	if err != nil {
		return err
	}
	if !allowed {
		return errs.New(errs.TooMany, "error.probe_often")
	}
	return nil
}

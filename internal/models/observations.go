package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/oauth"
)

// ProvidersTopic is what is woken whenever the staff pause or resume a provider.
func ProvidersTopic() uuid.UUID {
	return uuid.UUID{0x01, 0x9a, 6: 0x70, 8: 0x80, 10: 'p', 'r', 'o', 'v', 'i', 'd'}
}

// UnknownCode counts a code that no explanation has, in the transaction that records the failure it came with.
func UnknownCode(provider, code string, kind oauth.Kind, at time.Time) Statement {
	return Statement{SQL: `SELECT note_code($1, $2, $3, $4)`, Args: []any{provider, code, string(kind), at}}
}

// Refusal keeps what was sent and measured when a provider refused our clock or our signature.
func Refusal(provider string, kind oauth.Kind, code string, facts []oauth.Fact, at time.Time) Statement {
	said, err := json.Marshal(facts)
	if err != nil || facts == nil {
		said = []byte("[]") // facts are words and numbers of ours; nothing else gets here
	}
	return Statement{SQL: `SELECT note_refusal($1, $2, $3, $4, $5)`, Args: []any{provider, string(kind), code, said, at}}
}

// What is counted of a provider.
const (
	CountedCall    = "call"    // how a call ended, by its outcome
	CountedRefusal = "refusal" // what the provider refused, by our kind
)

// Tally is how often something happened since the last time it was told.
type Tally struct {
	Provider string
	What     string // CountedCall or CountedRefusal
	Word     string
	Count    int64
}

// ProviderSight is how one replica sees one provider.
type ProviderSight struct {
	Provider string
	Skew     time.Duration // its clock minus ours
	Samples  int           // that Skew is the median of; 0: it told no time
	Breaker  string        // closed, half_open or open
}

// NoteHealth adds what a replica has counted and says how it sees its providers. One round trip.
func (s *Store) NoteHealth(ctx context.Context, replica string, counted []Tally, seen []ProviderSight) (err error) {
	defer explain("NoteHealth", &err)
	now, b := s.now(), &pgx.Batch{}
	if len(counted) > 0 {
		var providers, whats, words []string
		var counts []int64
		for _, t := range counted {
			providers, whats, words, counts = append(providers, t.Provider), append(whats, t.What), append(words, t.Word), append(counts, t.Count)
		}
		b.Queue(`SELECT note_health($1, $2, $3, $4, $5)`, providers, whats, words, counts, now)
	}
	if len(seen) > 0 {
		var providers, breakers []string
		var skews []*int64
		var samples []int
		for _, p := range seen {
			var skew *int64
			if ms := p.Skew.Milliseconds(); p.Samples > 0 {
				skew = &ms
			}
			providers, skews, samples, breakers = append(providers, p.Provider), append(skews, skew), append(samples, p.Samples), append(breakers, p.Breaker)
		}
		b.Queue(`SELECT note_replica($1, $2, $3, $4, $5, $6)`, replica, providers, skews, samples, breakers, now)
	}
	return s.app.pool.SendBatch(ctx, b).Close()
}

// ShapeField is one field of an answer: its name and type, never its value.
type ShapeField struct{ Path, Parent, Type string }

// NoteShape compares the shape of an answer with the known one. Present are the objects that the answer has: a field of
// one that it lacks is not missed.
func (s *Store) NoteShape(ctx context.Context, provider string, block oauth.Block, fields []ShapeField, present []string) (err error) {
	defer explain("NoteShape", &err)
	paths, parents, types := make([]string, 0, len(fields)), make([]string, 0, len(fields)), make([]string, 0, len(fields))
	for _, f := range fields {
		paths, parents, types = append(paths, f.Path), append(parents, f.Parent), append(types, f.Type)
	}
	_, err = s.app.pool.Exec(ctx, `SELECT note_shape($1, $2, $3, $4, $5, $6, $7)`, provider, string(block), paths, parents, types, present, s.now())
	return err
}

// PausedProviders gives the providers that are paused, with the moment since when.
func (s *Store) PausedProviders(ctx context.Context) (paused map[string]time.Time, err error) {
	defer explain("PausedProviders", &err)
	paused = map[string]time.Time{}
	rows, err := s.app.pool.Query(ctx, `SELECT provider, paused_at FROM provider_controls WHERE paused_at IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	var slug string
	var since time.Time
	_, err = pgx.ForEachRow(rows, []any{&slug, &since}, func() error {
		paused[slug] = since
		return nil
	})
	return paused, err
}

// sweepObservations removes old counts and replicas that are gone.
func (s *Store) sweepObservations(ctx context.Context) (removed int64, err error) {
	if err = s.app.pool.QueryRow(ctx, `SELECT sweep_observations($1)`, s.now()).Scan(&removed); err != nil {
		return 0, fmt.Errorf("models: sweeping the observations: %w", err)
	}
	return removed, nil
}

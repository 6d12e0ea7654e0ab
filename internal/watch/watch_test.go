package watch_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"
	"time"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
	"mooring/internal/watch"
)

// book is a store that remembers what it was told.
type book struct {
	told   [][]models.Tally
	shapes int
	away   bool
}

func (b *book) NoteHealth(_ context.Context, _ string, counted []models.Tally, _ []models.ProviderSight) error {
	if b.away {
		return errors.New("the database is away")
	}
	b.told = append(b.told, counted)
	return nil
}

func (b *book) NoteShape(context.Context, string, oauth.Block, []models.ShapeField, []string) error {
	b.shapes++
	return nil
}

func (b *book) PausedProviders(context.Context) (map[string]time.Time, error) { return nil, nil }

func keeper(t *testing.T, now *time.Time) (*watch.Keeper, *book) {
	t.Helper()
	b := &book{}
	k := watch.New(watch.Options{Replica: "pier/1", Now: func() time.Time { return *now }, Log: slog.New(slog.DiscardHandler)})
	if err := k.Open(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return k, b
}

func TestAnIdleReplicaWritesNothingAndNoCountIsLost(t *testing.T) {
	now := time.Now()
	k, b := keeper(t, &now)
	k.Tell(t.Context())
	if len(b.told) != 0 {
		t.Errorf("an idle replica told %v", b.told)
	}
	for range 3 {
		k.Call("fake", outbound.TooLong, time.Second)
	}
	b.away = true
	k.Tell(t.Context())
	b.away = false
	k.Call("fake", outbound.TooLong, time.Second)
	k.Tell(t.Context())
	k.Tell(t.Context())
	want := models.Tally{Provider: "fake", What: models.CountedCall, Word: "timeout", Count: 4}
	if len(b.told) != 1 || len(b.told[0]) != 1 || b.told[0][0] != want {
		t.Errorf("told %v, want once %v", b.told, want)
	}
}

func TestAShapeIsNotedOnceAnHour(t *testing.T) {
	now := time.Now()
	k, b := keeper(t, &now)
	look := func(raw string) { k.Answered(t.Context(), "fake", oauth.BlockWallet, json.RawMessage(raw)) }
	look(`{"list":[{"id":"1"},{"id":"2"}]}`)
	look(`{"list":[{"id":"3"}]}`) // other values, the same shape
	look(`<xml/>`)
	look(`[]`)
	if b.shapes != 1 {
		t.Errorf("%d shapes noted, want 1", b.shapes)
	}
	look(`{"list":[{"id":3}]}`)
	now = now.Add(2 * time.Hour)
	look(`{"list":[{"id":"4"}]}`)
	if b.shapes != 3 {
		t.Errorf("%d shapes noted, want 3", b.shapes)
	}
}

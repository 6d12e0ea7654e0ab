// Package watch owns what the platform observes of its providers while it works with them: how calls end, what is
// refused, whether the clocks agree, how answers are shaped, and which providers the staff have paused.
//
// All of it is counted in memory and told to the database in batches, only when there is something to tell: a replica
// that does nothing writes nothing. What is paused is read when the database says that it has changed, so that asking
// costs no round trip. The calls are outbound's, the rows are models', what a refusal means is connect's.
package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/outbound"
)

// tellEvery is how long counts wait before they are told; a program that is killed loses that much.
const tellEvery = 30 * time.Second

// Store keeps what was observed; models.Store implements it.
type Store interface {
	NoteHealth(ctx context.Context, replica string, counted []models.Tally, seen []models.ProviderSight) error
	NoteShape(ctx context.Context, provider string, block oauth.Block, fields []models.ShapeField, present []string) error
	PausedProviders(ctx context.Context) (map[string]time.Time, error)
}

// Wakes tells when something about an id has changed, on whatever replica. database.Listener implements it.
type Wakes interface {
	Subscribe(topic uuid.UUID) (ch <-chan struct{}, cancel func())
}

// Options are a Keeper's needs. Unknown may be left out.
type Options struct {
	Replica string // a name for this process that people can tell from the others
	Unknown func(provider string)
	Now     func() time.Time
	Log     *slog.Logger
}

// Keeper observes. It is safe for concurrent use; the zero value is not usable.
type Keeper struct {
	Options

	mu     sync.Mutex
	views  map[string]view
	counts map[models.Tally]int64 // Count is zero in the keys
	seen   map[string]bool        // providers called since the last telling
	paused map[string]time.Time
	shapes map[shapeKey]time.Time // noted already, and when
	store  Store
}

// view is a provider's way out, and where it leads.
type view struct {
	client    *outbound.Client
	addresses []string
}

// New makes a keeper that counts from now on; Run tells.
func New(o Options) *Keeper {
	if o.Unknown == nil {
		o.Unknown = func(string) {}
	}
	return &Keeper{
		Options: o, views: map[string]view{}, counts: map[models.Tally]int64{}, seen: map[string]bool{},
		paused: map[string]time.Time{}, shapes: map[shapeKey]time.Time{},
	}
}

// Add makes a provider's client known, with the addresses that a test call tries.
func (k *Keeper) Add(provider string, client *outbound.Client, addresses []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.views[provider] = view{client, addresses}
}

// Call is told of every call when it has ended; it is outbound's Observer.
func (k *Keeper) Call(provider string, outcome outbound.Outcome, _ time.Duration) {
	k.count(models.Tally{Provider: provider, What: models.CountedCall, Word: string(outcome)})
}

// Refused is told what a provider refused. Known says whether its code is explained.
func (k *Keeper) Refused(provider string, kind oauth.Kind, known bool) {
	k.count(models.Tally{Provider: provider, What: models.CountedRefusal, Word: string(kind)})
	if !known {
		k.Unknown(provider)
	}
}

func (k *Keeper) count(t models.Tally) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts[t]++
	k.seen[t.Provider] = true
}

// Paused says since when the staff have paused a provider.
func (k *Keeper) Paused(provider string) (since time.Time, paused bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	since, paused = k.paused[provider]
	return since, paused
}

// Skew is a provider's clock minus ours, as this replica has measured it.
func (k *Keeper) Skew(provider string) (skew time.Duration, known bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	v, ok := k.views[provider]
	if !ok {
		return 0, false
	}
	h := v.client.Health()
	return h.Skew, h.Samples > 0
}

// Open reads what is paused. Nothing is answered before that: a paused provider must not be asked because we have just
// started.
func (k *Keeper) Open(ctx context.Context, store Store) error {
	k.mu.Lock()
	k.store = store
	k.mu.Unlock()
	return k.reread(ctx)
}

func (k *Keeper) reread(ctx context.Context) error {
	paused, err := k.store.PausedProviders(ctx)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.paused = paused
	return nil
}

// Run follows what is paused and tells what was counted until ctx ends, and once more then.
func (k *Keeper) Run(ctx context.Context, wakes Wakes) {
	changed, cancel := wakes.Subscribe(models.ProvidersTopic())
	defer cancel()
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-changed:
			if err := k.reread(ctx); err != nil && ctx.Err() == nil {
				k.Log.WarnContext(ctx, "which providers are paused cannot be read", "error", err)
			}
		case <-tick.C:
			k.Tell(ctx)
		case <-ctx.Done():
			k.tellLast(context.WithoutCancel(ctx))
			return
		}
	}
}

// tellLast does not hold up the end of the program.
func (k *Keeper) tellLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	k.Tell(ctx)
}

// Tell writes what was counted since the last time; nothing, if that is nothing. What could not be written is told the
// next time.
func (k *Keeper) Tell(ctx context.Context) {
	counted, seen := k.take()
	if len(seen) == 0 {
		return
	}
	if err := k.store.NoteHealth(ctx, k.Replica, counted, seen); err != nil {
		k.Log.WarnContext(ctx, "what was observed of the providers could not be kept", "error", err)
		k.putBack(counted)
	}
}

func (k *Keeper) take() (counted []models.Tally, seen []models.ProviderSight) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for t, n := range k.counts {
		t.Count = n
		counted = append(counted, t)
	}
	for provider := range k.seen {
		sight := models.ProviderSight{Provider: provider, Breaker: outbound.BreakerIsClosed}
		if v, ok := k.views[provider]; ok {
			h := v.client.Health()
			sight.Skew, sight.Samples, sight.Breaker = h.Skew, h.Samples, h.Breaker
		}
		seen = append(seen, sight)
	}
	clear(k.counts)
	clear(k.seen)
	return counted, seen
}

func (k *Keeper) putBack(counted []models.Tally) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range counted {
		n := t.Count
		t.Count = 0
		k.counts[t] += n
		k.seen[t.Provider] = true
	}
}

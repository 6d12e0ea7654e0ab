package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"mooring/internal/database"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/vault"
)

// plan is what a replica is told on its input; it never touches a disk.
type plan struct {
	App, Platform, File, Name string
	Reads                     int
	Seed                      uint64
	Canaries                  []canary
}

// canary is a value of one tenant's that must always open.
type canary struct {
	Tenant uuid.UUID
	Sealed []byte
}

func (c canary) place() vault.Place {
	return vault.Place{Tenant: c.Tenant, Field: "credential", Version: 1}
}

// report is what a replica tells every tenth of a second.
type report struct {
	Reads, Failed int64
	Slowest       time.Duration
	Error         string
}

func openStore(ctx context.Context, app, platform string) (*models.Store, error) {
	a, err := database.Open(ctx, app, database.PoolOptions{MaxConns: 9, AppName: "bench"})
	if err != nil {
		return nil, err
	}
	p, err := database.Open(ctx, platform, database.PoolOptions{MaxConns: 2, AppName: "bench"})
	if err != nil {
		return nil, err
	}
	return models.NewStore(models.Options{App: a, Platform: p, Now: time.Now})
}

func follow(file string) (*vault.Vault, error) {
	read := func() ([]byte, error) { return os.ReadFile(file) }
	text, err := read()
	if err != nil {
		return nil, fmt.Errorf("reading the keyset: %w", err)
	}
	v, err := vault.New(text)
	if err == nil {
		v.Follow(read)
	}
	return v, err
}

// beReplica reads until somebody kills it.
func beReplica(ctx context.Context) error {
	var p plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	store, err := openStore(ctx, p.App, p.Platform)
	if err != nil {
		return err
	}
	v, err := follow(p.File)
	if err != nil {
		return err
	}
	keeper := &keys.Keeper{Store: store, Vault: v, Replica: p.Name, Log: slog.New(slog.DiscardHandler)}
	if err := store.CheckVault(ctx, v); err != nil {
		return err
	}
	if err := keeper.Open(ctx); err != nil {
		return err
	}
	go keeper.Run(ctx)
	r := &reader{plan: p, store: store, vault: v}
	r.run(ctx)
	return nil
}

// reader opens canaries at a steady rate, whatever became of the ones before.
type reader struct {
	plan
	store         *models.Store
	vault         *vault.Vault
	reads, failed atomic.Int64
	slowest       atomic.Int64
	mu            sync.Mutex
	last          string
}

func (r *reader) run(ctx context.Context) {
	random := rand.New(rand.NewPCG(r.Seed, 1)) //nolint:gosec // a run must be repeatable
	pace := time.NewTicker(time.Second / time.Duration(r.Reads))
	defer pace.Stop()
	tell := time.NewTicker(time.Second / 10)
	defer tell.Stop()
	out := json.NewEncoder(os.Stdout)
	for {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
			c := r.Canaries[random.IntN(len(r.Canaries))]
			go r.read(ctx, c)
		case <-tell.C:
			r.mu.Lock()
			rep := report{Reads: r.reads.Load(), Failed: r.failed.Load(), Slowest: time.Duration(r.slowest.Load()), Error: r.last}
			r.mu.Unlock()
			if out.Encode(rep) != nil {
				return // nobody listens any more
			}
		}
	}
}

func (r *reader) read(ctx context.Context, c canary) {
	began := time.Now()
	key, err := r.store.ForTenant(c.Tenant, models.Actor{Kind: models.System}).Key(ctx)
	if err == nil {
		var got []byte
		if got, err = r.vault.Open(key, c.place(), c.Sealed); err == nil && string(got) != "canary "+c.Tenant.String() {
			err = vault.ErrSealed
		}
	}
	if took := int64(time.Since(began)); took > r.slowest.Load() {
		r.slowest.Store(took)
	}
	r.reads.Add(1)
	if err != nil {
		r.failed.Add(1)
		r.mu.Lock()
		r.last = err.Error()
		r.mu.Unlock()
	}
}

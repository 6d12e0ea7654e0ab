// Package keys owns the turning of the master keyset: which keys a serving program has loaded, rewrapping what needs an
// older one, and the order of steps in which a key comes and goes. The keyset's file is the operator's; the database
// keeps ids and dates alone. Tenants' data keys turn here as well.
//
// What a key is, and sealing, belongs to vault; the rows belong to models.
package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
	"mooring/internal/vault"
)

const (
	lookEvery     = 2 * time.Second  // at the file
	announceEvery = 30 * time.Second // that this program lives, and with which keys
	batchSize     = 200
)

// Keeper keeps a serving program's keyset current and rewraps what is left to be rewrapped.
type Keeper struct {
	Store   *models.Store
	Vault   *vault.Vault
	Replica string
	Log     *slog.Logger

	lacks atomic.Pointer[error] // what Ready says
}

// Open refuses to go on when a key is missing that rows need, and says which keys are here.
func (k *Keeper) Open(ctx context.Context) error {
	if err := k.Check(ctx); err != nil {
		return err
	}
	return k.Store.AnnounceKeys(ctx, k.Replica, k.Vault.Keys())
}

// Check finds out whether every key is here that rows need; the error says how many rows need the others.
func (k *Keeper) Check(ctx context.Context) error {
	_, err := k.check(ctx)
	return err
}

// Ready says whether every key is here that rows need.
func (k *Keeper) Ready() error {
	if err := k.lacks.Load(); err != nil {
		return *err
	}
	return nil
}

// Run looks at the file, announces, checks and rewraps until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	announce := time.NewTicker(announceEvery)
	defer announce.Stop()
	k.turn(ctx)
	for {
		select {
		case <-ctx.Done():
			k.leave(ctx)
			return
		case <-look.C:
			changed, err := k.Vault.Reread()
			if err != nil {
				k.Log.Error("the keyset was not read again; the one before is kept", "error", err.Error())
			}
			if changed {
				k.Log.Info("the keyset has changed", "seals", k.Vault.Keys().Primary.String(), "keys", len(k.Vault.Keys().All))
				k.turn(ctx)
			}
		case <-announce.C:
			k.turn(ctx)
		}
	}
}

func (k *Keeper) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := k.Store.LeaveKeys(ctx, k.Replica); err != nil {
		k.Log.Warn("saying that the keys are given back", "error", err.Error())
	}
}

// turn announces, checks, and rewraps what needs another key than the newest.
func (k *Keeper) turn(ctx context.Context) {
	err := k.Store.AnnounceKeys(ctx, k.Replica, k.Vault.Keys())
	if err != nil {
		k.failed(ctx, "announcing the keys", err)
		return
	}
	newest, err := k.check(ctx)
	if err != nil {
		k.failed(ctx, "the keys", err)
	}
	if newest != k.Vault.Keys().Primary {
		return // this file is not the one that was turned: wrapping with its key would turn rows back
	}
	done, err := Rewrap(ctx, k.Store, k.Vault, nil)
	if err != nil && !errors.Is(err, ErrBusy) {
		k.failed(ctx, "rewrapping", err)
	}
	if done > 0 {
		k.Log.Info("rewrapped", "tenants", done, "key", newest.String())
	}
}

func (k *Keeper) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		k.Log.Error(what, "error", err.Error())
	}
}

// check finds out whether all keys are here that are needed, and remembers it for Ready. A missing one is looked for in the
// file first.
func (k *Keeper) check(ctx context.Context) (newest vault.KeyID, err error) {
	missing, newest, err := k.Store.MissingKeys(ctx, k.Vault.Keys().All)
	if err == nil && len(missing) > 0 {
		if changed, _ := k.Vault.Reread(); changed { // what could not be read is missing still
			missing, newest, err = k.Store.MissingKeys(ctx, k.Vault.Keys().All)
		}
	}
	if err != nil {
		return newest, err
	}
	if len(missing) == 0 {
		k.lacks.Store(nil)
		return newest, nil
	}
	lacks := k.missing(ctx, missing)
	k.lacks.Store(&lacks)
	return newest, lacks
}

// missing says how much would not open.
func (k *Keeper) missing(ctx context.Context, ids []vault.KeyID) error {
	rows, err := k.Store.KeyRows(ctx)
	if err != nil {
		return err
	}
	var texts []string
	for _, id := range ids {
		texts = append(texts, fmt.Sprintf("key %s, which %d rows need", id, rows[id]))
	}
	return fmt.Errorf("KEYSET: the keyset lacks %s; give this program the keyset that the others have", strings.Join(texts, ", and "))
}

// ErrBusy says that somebody else is rewrapping.
var ErrBusy = errors.New("keys: another program is rewrapping")

// Rewrap wraps everything by the vault's primary key that is not yet, batch by batch; what was done stays done, whoever is
// killed in between. progress may be nil. What does not open is left: the count of its key tells.
func Rewrap(ctx context.Context, store *models.Store, v *vault.Vault, progress func(done int)) (done int, err error) {
	newest := v.Keys().Primary
	if err := store.RewrapOwn(ctx, newest, v); err != nil {
		return 0, err
	}
	rewrap := func(tenant uuid.UUID, key vault.WrappedKey) (vault.WrappedKey, error) {
		if vault.WrappedBy(key) == newest { // nothing to do: somebody was quicker
			return nil, vault.ErrSealed
		}
		return v.Rewrap(key, tenant)
	}
	for after := uuid.Nil; ; {
		r, err := store.RewrapTenants(ctx, newest, after, batchSize, rewrap)
		switch {
		case err != nil:
			return done, err
		case r.Busy:
			return done, ErrBusy
		case r.Seen == 0:
			return done, nil
		}
		after, done = r.Last, done+r.Done
		if progress != nil {
			progress(done)
		}
	}
}

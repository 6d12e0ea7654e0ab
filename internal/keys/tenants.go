package keys

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/vault"
)

const (
	// TurnRest is how long a turn waits for those who hold the tenant's data keyset as it was: before the new key seals, and
	// again before the old one goes. No job runs for more than two minutes, and no request for longer than that.
	TurnRest = 15 * time.Minute

	turnLease   = time.Minute // for one transaction of a turn; then somebody else goes on
	turnsAtOnce = 50
	valuesBatch = 50          // of each column
	lockedAgain = time.Second // rows that were being written have been, by then
	stuckAgain  = time.Hour
	beginTries  = 3 // when the keyset changes between reading and writing it: a turn of the master key rewraps each once
)

// Turner turns tenants' data keys. Every step is one transaction that finds out where the turn stands, so that it does not
// matter who is killed where, or how many are at it.
type Turner struct {
	Store *models.Store
	Vault *vault.Vault
	Rest  time.Duration // TurnRest, but in tests and measurements
	Now   func() time.Time
	Log   *slog.Logger
}

// Begin adds a key to a tenant's data keyset. Conflict when a turn is under way, NotFound when the tenant has no key (any more).
// A keyset that is being rewrapped at this moment is read again.
func (t Turner) Begin(ctx context.Context, tenant uuid.UUID, by string) error {
	for range beginTries {
		err := t.tryBegin(ctx, tenant, by)
		if errs.CodeOf(err) != errs.Conflict {
			return err
		}
		if _, _, underway := t.tenant(tenant).KeyTurn(ctx); errs.CodeOf(underway) != errs.NotFound {
			return err
		}
	}
	return fmt.Errorf("keys: the keyset of tenant %s has changed %d times while a turn was to begin", tenant, beginTries)
}

func (t Turner) tryBegin(ctx context.Context, tenant uuid.UUID, by string) error {
	st := t.tenant(tenant)
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	old, err := t.Vault.DataKeys(key, tenant)
	if err != nil {
		return err
	}
	with, id, err := t.Vault.AddDataKey(key, tenant)
	if err != nil {
		return err
	}
	return st.BeginKeyTurn(ctx, key, with, models.KeyTurn{From: old.Primary, To: id}, t.Now().Add(t.Rest), by)
}

// Beginning counts tenants with which a turn was to begin.
type Beginning struct {
	Begun int
	Left  int // could not begin; the log says why
}

// BeginAll begins with every tenant whose data key is older than before, and tells how far it is after each batch.
func (t Turner) BeginAll(ctx context.Context, before time.Time, by string, tell func(Beginning)) (b Beginning, err error) {
	for after := uuid.Nil; ; {
		tenants, err := t.Store.TenantsToTurn(ctx, before, after, batchSize)
		if err != nil || len(tenants) == 0 {
			return b, err
		}
		for _, tenant := range tenants {
			after = tenant
			switch err := t.Begin(ctx, tenant, by); {
			case err == nil:
				b.Begun++
			case ctx.Err() != nil:
				return b, ctx.Err()
			case !movedOn(err):
				b.Left++
				t.Log.Error("a tenant's data key is not turned", "tenant", tenant.String(), "error", err.Error())
			}
		}
		tell(b)
	}
}

// movedOn says that somebody else was quicker, or that the tenant's key has been destroyed.
func movedOn(err error) bool {
	code := errs.CodeOf(err)
	return code == errs.Conflict || code == errs.NotFound
}

func (t Turner) tenant(id uuid.UUID) *models.TenantStore {
	return t.Store.ForTenant(id, models.Actor{Kind: models.System})
}

// Run takes the steps of turns as they fall due, until ctx ends.
func (t Turner) Run(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			if _, err := t.Work(ctx); err != nil && ctx.Err() == nil {
				t.Log.Error("turning tenants' data keys", "error", err.Error())
			}
		}
	}
}

// Work takes the steps that are due, and gives how many turns it moved on.
func (t Turner) Work(ctx context.Context) (moved int, err error) {
	for {
		due, err := t.Store.ClaimKeyTurns(ctx, t.Now().Add(turnLease), turnsAtOnce)
		if err != nil || len(due) == 0 {
			return moved, err
		}
		for _, tenant := range due {
			if err := t.step(ctx, tenant); err == nil {
				moved++
			} else if !movedOn(err) {
				if ctx.Err() != nil {
					return moved, ctx.Err()
				}
				t.Log.Error("turning a tenant's data key; it is tried again", "tenant", tenant.String(), "error", err.Error())
			}
		}
	}
}

// step takes a turn one step further.
func (t Turner) step(ctx context.Context, tenant uuid.UUID) error {
	st := t.tenant(tenant)
	turn, key, err := st.KeyTurn(ctx)
	if err != nil {
		return err
	}
	if turn.SealingAt == nil {
		sealing, err := t.Vault.PromoteDataKey(key, tenant, turn.To)
		if err != nil {
			return err
		}
		return st.SealAnew(ctx, key, sealing)
	}
	done, stuck, err := t.rewrite(ctx, st, turn, key)
	if err != nil {
		return err
	}
	if turn.RewrittenAt == nil || done > 0 { // who read a value as it was until now may still be about to read the keyset
		return st.RestKeyTurn(ctx, true, stuck, t.Now().Add(t.Rest))
	}
	without, err := t.Vault.RemoveDataKey(key, tenant, turn.From)
	if err != nil {
		return err
	}
	left, err := st.EndKeyTurn(ctx, turn, key, without)
	switch {
	case err != nil || left == 0:
		return err
	case stuck == 0:
		return st.RestKeyTurn(ctx, true, 0, t.Now().Add(lockedAgain))
	}
	t.Log.Error("a tenant's old data key is kept: values that need it do not open at their place", "tenant", tenant.String(), "values", left)
	return st.RestKeyTurn(ctx, true, left, t.Now().Add(stuckAgain))
}

// rewrite walks the tenant's sealed columns until a walk changes nothing. It gives how many values now need the new key, and how
// many did not open.
func (t Turner) rewrite(ctx context.Context, st *models.TenantStore, turn models.KeyTurn, key vault.WrappedKey) (done, stuck int, err error) {
	reseal := func(at vault.Place, sealed vault.Sealed) (vault.Sealed, error) {
		return t.Vault.Reseal(key, at, sealed)
	}
	for walked := 1; walked > 0; done += walked {
		walked, stuck = 0, 0
		for last, more := (models.Resealing{}), true; more; more = last.Seen > 0 {
			if last, err = st.Reseal(ctx, turn.From, last, valuesBatch, t.Now().Add(turnLease), reseal); err != nil {
				return done, stuck, err
			}
			walked, stuck = walked+last.Done, stuck+last.Stuck
		}
	}
	return done, stuck, nil
}

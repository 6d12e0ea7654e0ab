package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mooring/internal/models"
	"mooring/internal/vault"
)

// Rotation turns the keyset in a file, step by step. Each step can be killed: the next run finds out where the last one
// stood, from the file and the database, and goes on.
type Rotation struct {
	File     File
	Store    *models.Store
	Platform *models.PlatformStore
	Say      io.Writer
	Wait     time.Duration // for the serving programs to load a new key
	By       string        // who does this, for the history
	Now      func() time.Time
}

// Run goes on from where things stand: add a key, let every living program load it, let it seal, rewrap. With addOnly it
// stops after the first, for a file that must be carried to other machines.
func (r *Rotation) Run(ctx context.Context, addOnly bool) error {
	text, has, err := r.File.read()
	if err != nil {
		return err
	}
	st, err := r.Platform.MasterKeys(ctx)
	if err != nil {
		return err
	}
	if st.Newest == 0 {
		return errors.New("nothing has been served from this database yet: there is nothing to rotate; `web keys new` makes a keyset")
	}
	if !has.Has(st.Newest) {
		return fmt.Errorf("this file lacks key %s, which seals: bring the keyset here that the serving programs have", st.Newest)
	}
	if has.Primary != st.Newest { // killed between two steps, or the file of a machine that was turned elsewhere
		if err := r.seal(text, st.Newest); err != nil {
			return err
		}
		return r.rewrap(ctx)
	}
	if behind, _ := st.Behind(); behind > 0 {
		return r.rewrap(ctx)
	}
	next, found := unused(has, st)
	if !found {
		if next, err = r.add(ctx, text); err != nil {
			return err
		}
	}
	if addOnly {
		fmt.Fprintf(r.Say, "Give every machine this file, and run `web keys rotate` then. Key %s seals only when every serving program has it.\n", next)
		return nil
	}
	return r.promote(ctx, next)
}

// unused is a key of the file that has never sealed.
func unused(has vault.Keys, st models.KeyStatus) (vault.KeyID, bool) {
	for _, id := range has.All {
		if k, known := st.Key(id); id != has.Primary && (!known || k.PromotedAt == nil) {
			return id, true
		}
	}
	return 0, false
}

func (r *Rotation) add(ctx context.Context, text []byte) (vault.KeyID, error) {
	added, id, err := vault.AddKey(text)
	if err != nil {
		return 0, err
	}
	kept, err := r.File.write(added, r.Now())
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(r.Say, "Key %s was added. The keyset before is kept in %s.\n", id, kept)
	return id, r.Platform.TellKeys(ctx, "keys.added", id, r.By)
}

// promote waits until every living program has the key, and lets it seal: first in the database, which is where everybody
// looks, then in the file.
func (r *Rotation) promote(ctx context.Context, id vault.KeyID) error {
	for until := r.Now().Add(r.Wait); ; {
		without, err := r.Platform.PromoteKey(ctx, id, r.By)
		if err != nil {
			return err
		}
		if without == 0 {
			break
		}
		if r.Now().After(until) {
			return r.notLoaded(ctx, id)
		}
		if err := pause(ctx, time.Second/2); err != nil {
			return err
		}
	}
	text, _, err := r.File.read()
	if err != nil {
		return err
	}
	if err := r.seal(text, id); err != nil {
		return err
	}
	return r.rewrap(ctx)
}

func (r *Rotation) notLoaded(ctx context.Context, id vault.KeyID) error {
	st, err := r.Platform.MasterKeys(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("key %s does not seal yet, because these programs have not loaded it: %s. Give them the file (KEYSET in the environment needs a restart) and run this again; nothing else was changed",
		id, strings.Join(st.Lacking(id), ", "))
}

// seal makes the file say which key seals.
func (r *Rotation) seal(text []byte, id vault.KeyID) error {
	turned, err := vault.Promote(text, id)
	if err != nil {
		return err
	}
	if _, err := r.File.write(turned, r.Now()); err != nil {
		return err
	}
	fmt.Fprintf(r.Say, "Key %s seals from now on.\n", id)
	return nil
}

// rewrap does what the serving programs do as well, and tells how far it is.
func (r *Rotation) rewrap(ctx context.Context) error {
	text, has, err := r.File.read()
	if err != nil {
		return err
	}
	v, err := vault.New(text)
	if err != nil {
		return err
	}
	began := r.Now()
	for {
		st, err := r.Platform.MasterKeys(ctx)
		if err != nil {
			return err
		}
		behind, all := st.Behind()
		fmt.Fprintf(r.Say, "%d of %d rows are on key %s.\n", all-behind, all, has.Primary)
		if behind == 0 {
			return r.finish(ctx, st, r.Now().Sub(began))
		}
		done, err := Rewrap(ctx, r.Store, v, nil)
		switch {
		case errors.Is(err, ErrBusy):
			if err := pause(ctx, time.Second/2); err != nil {
				return err
			}
		case err != nil:
			return err
		case done == 0:
			if st, err = r.Platform.MasterKeys(ctx); err != nil {
				return err
			}
			if behind, _ = st.Behind(); behind > 0 {
				return fmt.Errorf("%d rows do not open with any key here and were left as they are; `web keys status` shows which keys they need", behind)
			}
		}
	}
}

func (r *Rotation) finish(ctx context.Context, st models.KeyStatus, took time.Duration) error {
	fmt.Fprintf(r.Say, "Everything is on key %s, after %s.\n", st.Newest, took.Round(time.Second/10))
	for _, k := range st.Keys {
		if k.ID != st.Newest && k.PromotedAt != nil && k.RetiredAt == nil {
			fmt.Fprintf(r.Say, "Key %s is not needed any more: `web keys retire %s`. Backups made before today still need it.\n", k.ID, k.ID)
		}
	}
	return r.Platform.TellKeys(ctx, "keys.rewrapped", st.Newest, r.By)
}

// Retire takes a key out of use, and out of the file.
func (r *Rotation) Retire(ctx context.Context, id vault.KeyID) error {
	text, has, err := r.File.read()
	if err != nil {
		return err
	}
	st, err := r.Platform.MasterKeys(ctx)
	if err != nil {
		return err
	}
	known, found := st.Key(id)
	switch {
	case !found && !has.Has(id):
		return fmt.Errorf("there is no key %s; `web keys status` lists them", id)
	case id == st.Newest || id == has.Primary:
		return fmt.Errorf("key %s seals: rotate first", id)
	case known.PromotedAt == nil:
		return fmt.Errorf("key %s has never sealed: `web keys rotate` puts it to use", id)
	}
	rows, sealing, err := r.Platform.RetireKey(ctx, id, r.By)
	switch {
	case err != nil:
		return err
	case rows > 0:
		return fmt.Errorf("%d rows still need key %s; it stays. `web keys rotate` rewraps them", rows, id)
	case sealing > 0:
		return fmt.Errorf("%d serving programs still seal with key %s (%s); it stays. Give them the newest file", sealing, id, strings.Join(st.Sealing(id), ", "))
	}
	if !has.Has(id) {
		fmt.Fprintf(r.Say, "Key %s is retired. This file does not have it.\n", id)
		return nil
	}
	if text, err = vault.RemoveKey(text, id); err != nil {
		return err
	}
	kept, err := r.File.write(text, r.Now())
	if err != nil {
		return err
	}
	fmt.Fprintf(r.Say, "Key %s is retired. The keyset before is kept in %s: backups made before may need it.\n", id, kept)
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return fmt.Errorf("keys: stopped; run it again to go on: %w", ctx.Err())
	case <-time.After(d):
		return nil
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"mooring/internal/config"
	"mooring/internal/errs"
	"mooring/internal/keys"
	"mooring/internal/models"
)

type keysRotateTenantsCmd struct {
	Tenant uuid.UUID     `help:"One tenant, by its id." xor:"whose" required:""`
	All    bool          `help:"Every tenant." xor:"whose" required:""`
	Older  time.Duration `help:"With --all: only data keys that are older than this, so that the command goes on where it was stopped." default:"24h"`
	Wait   bool          `help:"Work along and tell how far it is. Without waiting the serving programs do it alone." default:"true" negatable:""`
}

// Run carries out "web keys rotate-tenants".
func (k keysRotateTenantsCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Serving)
	if err != nil {
		return err
	}
	return withStores(ctx, w, c, func(h *house) error {
		if h.vault, err = openVault(h.config, h.log); err != nil {
			return err
		}
		if err := checkCanary(ctx, h.store, h.vault); err != nil {
			return err
		}
		platform := h.store.Platform(models.Actor{Kind: models.System})
		b, err := k.begin(ctx, w.stdout, h, platform)
		if err != nil {
			return err
		}
		if k.Wait {
			if err := k.follow(ctx, w.stdout, h.turner(), platform); ctx.Err() != nil {
				return errors.New("stopped; the serving programs go on, and so does this command when it is run again")
			} else if err != nil {
				return err
			}
		}
		if b.Left > 0 {
			return fmt.Errorf("%d tenants could not begin and keep their old data key; the log says why. Run it again", b.Left)
		}
		return nil
	})
}

// turner turns tenants' data keys with what the house has.
func (h *house) turner() keys.Turner {
	return keys.Turner{Store: h.store, Vault: h.vault, Rest: keys.TurnRest, Now: time.Now, Log: h.log}
}

// begin gives the tenants a new key that only opens. Each of them tells of it in its own history, all together in the platform's.
func (k keysRotateTenantsCmd) begin(ctx context.Context, out io.Writer, h *house, platform *models.PlatformStore) (b keys.Beginning, err error) {
	by := operatorName()
	if k.All {
		b, err = h.turner().BeginAll(ctx, time.Now().Add(-k.Older), by, func(b keys.Beginning) { fmt.Fprintf(out, "%d begun\n", b.Begun) })
	} else {
		switch err = h.turner().Begin(ctx, k.Tenant, by); errs.CodeOf(err) {
		case errs.NotFound:
			return b, fmt.Errorf("there is no tenant %s, or its data key has been destroyed", k.Tenant)
		case errs.Conflict: // it is under way
			err = nil
		default:
			b.Begun = 1
		}
	}
	if err != nil {
		return b, err
	}
	if b.Begun == 0 {
		fmt.Fprintln(out, "No turn begins: none is due, or it is under way.")
		return b, nil
	}
	fmt.Fprintf(out, "%d tenants have a new data key. It seals in %s, when nobody can hold the old keyset any more; the old one goes as long after that.\n",
		b.Begun, keys.TurnRest)
	return b, platform.TellKeyTurns(ctx, b.Begun, by)
}

// follow works along until nothing goes on by itself any more.
func (k keysRotateTenantsCmd) follow(ctx context.Context, out io.Writer, turner keys.Turner, platform *models.PlatformStore) error {
	for said := ""; ; {
		if _, err := turner.Work(ctx); err != nil {
			return err
		}
		st, err := platform.KeyTurns(ctx, k.Tenant)
		if err != nil {
			return err
		}
		if text := turnsText(st); text != said {
			fmt.Fprintln(out, text)
			said = text
		}
		switch {
		case st.Underway() > 0:
		case st.Kept > 0:
			return fmt.Errorf("the old data key of %d tenants is kept: values that need it do not open at their place (/admin/keys names the tenants, the log the numbers)", st.Kept)
		default:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func turnsText(k models.KeyTurns) string {
	return fmt.Sprintf("Tenants' data keys: %d new ones do not seal yet, %d are rewriting, %d rest before the old one goes, %d cannot end, %d have ended. %d values were rewritten so far.",
		k.Waiting, k.Rewriting, k.Resting, k.Kept, k.Ended, k.Rewritten)
}

// tellTurns adds to the status how turning the tenants' data keys stands, if it was ever done.
func tellTurns(out io.Writer, k models.KeyTurns) {
	if k.Underway()+k.Kept+k.Ended > 0 {
		fmt.Fprintf(out, "\n%s\n", turnsText(k))
	}
}

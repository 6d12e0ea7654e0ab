package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"text/tabwriter"
	"time"

	"mooring/internal/config"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/vault"
)

type keysRotateCmd struct {
	Add  bool          `help:"Only add the key, for a file that is then carried to other machines; run it again without this."`
	Wait time.Duration `help:"How long the serving programs have to load the key." default:"1m"`
}

// Run carries out "web keys rotate".
func (k keysRotateCmd) Run(ctx context.Context, w world) error {
	return withRotation(ctx, w, k.Wait, func(r *keys.Rotation) error { return r.Run(ctx, k.Add) })
}

type keysRetireCmd struct {
	ID vault.KeyID `arg:"" help:"The key, as web keys status names it."`
}

// Run carries out "web keys retire".
func (k keysRetireCmd) Run(ctx context.Context, w world) error {
	return withRotation(ctx, w, 0, func(r *keys.Rotation) error { return r.Retire(ctx, k.ID) })
}

func withRotation(ctx context.Context, w world, wait time.Duration, do func(r *keys.Rotation) error) error {
	c, err := load(w.lookup, config.Serving)
	if err != nil {
		return err
	}
	if c.KeysetFile == "" {
		return errors.New("the keyset comes from KEYSET, where nothing can be written: put it into a file, name that in KEYSET_FILE, and restart")
	}
	if _, err := checkKeysetFile(c); err != nil {
		return err
	}
	return withStores(ctx, w, c, func(h *house) error {
		return do(&keys.Rotation{
			File: keys.File(c.KeysetFile), Store: h.store, Platform: h.store.Platform(models.Actor{Kind: models.System}),
			Say: w.stdout, Wait: wait, By: operatorName(), Now: time.Now,
		})
	})
}

// operatorName says who works at the server's command line, as far as the machine knows.
func operatorName() string {
	who, err := user.Current()
	if err != nil {
		return replicaName()
	}
	host, err := os.Hostname()
	if err != nil {
		return who.Username
	}
	return fmt.Sprintf("%.40s@%.40s", who.Username, host)
}

// withStores lets do work in the database as the serving roles do, beside a serving program or without one.
func withStores(ctx context.Context, w world, c config.Config, do func(h *house) error) error {
	at, err := visitDatabase(ctx, c)
	if err != nil {
		return err
	}
	h := &house{config: c, log: newLog(w.stderr, c), addresses: at.addresses}
	h.onStop("the database", at.stop)
	defer h.close(context.WithoutCancel(ctx))
	if err := h.openPools(ctx); err != nil {
		return err
	}
	h.store, err = models.NewStore(models.Options{App: h.app, Platform: h.platform, Now: time.Now, Telling: telling()})
	if err != nil {
		return err
	}
	return do(h)
}

type keysStatusCmd struct{}

// Run carries out "web keys status".
func (keysStatusCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Auditing)
	if err != nil {
		return err
	}
	return withPlatform(ctx, c, func(p *models.PlatformStore) error {
		st, err := p.MasterKeys(ctx)
		if err != nil {
			return err
		}
		return tellKeys(w.stdout, st, time.Now())
	})
}

func tellKeys(out io.Writer, st models.KeyStatus, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tSTATE\tAGE\tROWS")
	for _, k := range st.Keys {
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\n", k.ID, keyState(st, k), keyAge(k, now), k.Rows)
	}
	if st.Nameless > 0 {
		fmt.Fprintf(table, "(none)\tdamaged\t\t%d\n", st.Nameless)
	}
	fmt.Fprintln(table, "\nPROGRAM\tSEALS WITH\tHAS\tSEEN")
	for _, h := range st.Holders {
		fmt.Fprintf(table, "%s\t%s\t%v\t%s ago\n", h.Replica, h.Main, h.Keys, now.Sub(h.SeenAt).Round(time.Second))
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	if behind, all := st.Behind(); behind > 0 {
		fmt.Fprintf(out, "\n%d of %d rows are on key %s.\n", all-behind, all, st.Newest)
	}
	tellTurns(out, st.Turns)
	return nil
}

func keyState(st models.KeyStatus, k models.MasterKey) string {
	switch {
	case k.RetiredAt != nil:
		return "retired"
	case k.ID == st.Newest:
		return "seals"
	case k.AddedAt.IsZero():
		return "unknown"
	case k.PromotedAt == nil:
		return "added"
	}
	return "opens"
}

func keyAge(k models.MasterKey, now time.Time) string {
	if k.AddedAt.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d days", int(now.Sub(k.AddedAt).Hours()/24))
}

// openVault opens the vault with the configured keyset, and has it follow the file.
func openVault(c config.Config, log *slog.Logger) (*vault.Vault, error) {
	warning, err := checkKeysetFile(c)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		log.Warn(warning)
	}
	v, err := vault.New([]byte(c.Keyset.Reveal()))
	if err == nil && c.KeysetFile != "" {
		v.Follow(func() ([]byte, error) { return os.ReadFile(c.KeysetFile) })
		_, err = v.Reread() // the configuration may hold it without the line break at its end
	}
	return v, err
}

// openKeys finds out before the first request whether this keyset opens what is stored, and keeps it current from then on.
func (h *house) openKeys(ctx context.Context) error {
	keeper := &keys.Keeper{Store: h.store, Vault: h.vault, Replica: replicaName(), Log: h.log}
	if err := checkCanary(ctx, h.store, h.vault); err != nil {
		return errors.Join(err, keeper.Check(ctx)) // which key, and how much needs it
	}
	if err := keeper.Open(ctx); err != nil {
		return err
	}
	h.ready.check = func(ctx context.Context) error {
		if err := keeper.Ready(); err != nil {
			return err
		}
		return h.app.Ping(ctx)
	}
	h.run("the keys", keeper.Run)
	h.run("the tenants' keys", h.turner().Run)
	return nil
}

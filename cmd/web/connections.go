package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mooring/internal/config"
	"mooring/internal/connect"
	"mooring/internal/jobs"
	"mooring/internal/models"
	"mooring/internal/watch"
)

const (
	withdrawBatch   = 200
	withdrawWorkers = 4 // the pool is shared with nobody here
)

type connectionsCmd struct {
	Revoke connectionsRevokeCmd `cmd:"" help:"End the access of many connections at once, as after a theft: the credentials are destroyed, the providers told, the merchants asked to reconnect. Goes on where it was stopped."`
}

type connectionsRevokeCmd struct {
	Provider string `help:"One provider's connections." placeholder:"SLUG" xor:"whose" required:""`
	All      bool   `help:"Every provider's." xor:"whose" required:""`
	Yes      bool   `help:"Do it. Without this it only says how many there are."`
}

// Run carries out "web connections revoke".
func (r connectionsRevokeCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Serving)
	if err != nil {
		return err
	}
	if !r.All && !slices.ContainsFunc(c.Providers, func(p config.Provider) bool { return p.Slug == r.Provider }) {
		return misuse{fmt.Errorf("there is no provider %q", r.Provider)}
	}
	return withStores(ctx, w, c, func(h *house) error {
		platform := h.store.Platform(models.Actor{Kind: models.System})
		counts, err := platform.CountToWithdraw(ctx, r.Provider)
		if err != nil {
			return err
		}
		if !r.Yes {
			tellCounts(w.stdout, "Connections that would have to be reconnected:", counts)
			fmt.Fprintln(w.stdout, "Nothing was done. Add --yes to do it; it cannot be undone.")
			return nil
		}
		tellCounts(w.stdout, "Connections:", counts)
		return h.withdraw(ctx, w.stdout, platform, r.Provider, total(counts))
	})
}

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

func tellCounts(out io.Writer, heading string, counts map[string]int) {
	fmt.Fprintln(out, heading)
	for _, word := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "  %-12s %d\n", word, counts[word])
	}
	if len(counts) == 0 {
		fmt.Fprintln(out, "  none")
	}
}

// withdraw ends them batch by batch. The serving programs tell the providers, as they do after every disconnect.
func (h *house) withdraw(ctx context.Context, out io.Writer, platform *models.PlatformStore, slug string, all int) error {
	service, err := h.withdrawer(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	var seen, ended, failed atomic.Int64
	for after := (models.Standing{}); ; {
		batch, err := platform.ToWithdraw(ctx, slug, after, withdrawBatch)
		if err != nil {
			return err
		}
		if len(batch) == 0 {
			break
		}
		after = batch[len(batch)-1]
		var work errgroup.Group
		work.SetLimit(withdrawWorkers)
		for _, one := range batch {
			work.Go(func() error {
				seen.Add(1)
				was, err := service.Withdraw(ctx, h.store.ForTenant(one.Tenant, models.Actor{Kind: models.System}), one.ID)
				if err != nil {
					failed.Add(1)
					h.log.Error("a connection was not withdrawn", "connection", one.ID.String(), "error", err.Error())
					return nil // the others must not wait for it
				}
				if was {
					ended.Add(1)
				}
				return nil
			})
		}
		_ = work.Wait() // every worker answers nil
		if ctx.Err() != nil {
			return fmt.Errorf("stopped after %d; run it again to go on", ended.Load())
		}
		fmt.Fprintf(out, "%d of %d\n", seen.Load(), all)
	}
	if err := platform.TellWithdrawn(ctx, slug, int(ended.Load()), operatorName()); err != nil {
		return err
	}
	fmt.Fprintf(out, "The access of %d connections was ended in %s.\n", ended.Load(), time.Since(began).Round(time.Second/10))
	told, err := platform.CountRevocations(ctx, slug)
	if err != nil {
		return err
	}
	tellCounts(out, "The providers (waiting: told by the serving programs within minutes, tried for three days; no_way: it cannot be told):", told)
	if failed.Load() > 0 {
		return errors.New("some could not be ended, see above; run it again")
	}
	return nil
}

// withdrawer makes as much of the use-cases as ending a connection needs.
func (h *house) withdrawer(ctx context.Context) (*connect.Service, error) {
	var err error
	if h.vault, err = openVault(h.config, h.log); err != nil {
		return nil, err
	}
	if err := checkCanary(ctx, h.store, h.vault); err != nil {
		return nil, err
	}
	h.metrics = newMetrics()
	h.keeper = watch.New(watch.Options{Replica: replicaName(), Unknown: h.metrics.unknownCode, Now: time.Now, Log: h.log})
	registry, err := offer(factories(), h.config, h.keeper, h.observeCall, h.log)
	if err != nil {
		return nil, err
	}
	return connect.New(connect.Deps{
		Vault: h.vault, Providers: registry, Queue: jobs.Queue{Providers: registry.Slugs()}, Watch: h.keeper,
		PublicURL: h.config.PublicURL, Now: time.Now, Log: h.log,
	}), nil
}

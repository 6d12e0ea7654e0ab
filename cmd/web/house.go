package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/accounts"
	"mooring/internal/config"
	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/dispatch"
	"mooring/internal/handlers"
	"mooring/internal/i18n"
	"mooring/internal/jobs"
	"mooring/internal/mail"
	"mooring/internal/models"
	"mooring/internal/notices"
	"mooring/internal/outbound"
	"mooring/internal/secret"
	"mooring/internal/vault"
	"mooring/internal/watch"
)

// house is the running program: every room with its needs, and how each of them ends.
type house struct {
	config  config.Config
	plan    plan
	log     *slog.Logger
	metrics *metrics

	vault     *vault.Vault
	addresses addresses
	died      <-chan struct{} // closed when the private database has ended
	app       *pgxpool.Pool
	platform  *pgxpool.Pool
	store     *models.Store
	bundle    *i18n.Bundle
	accounts  *accounts.Service
	connect   *connect.Service
	dispatch  *dispatch.Service
	notices   *notices.Service
	listener  *database.Listener
	keeper    *watch.Keeper
	ready     *readiness

	stops []stop
}

// stop ends one part.
type stop struct {
	what string
	do   func(ctx context.Context) error
}

// onStop remembers how to end what was just started.
func (h *house) onStop(what string, do func(ctx context.Context) error) {
	h.stops = append(h.stops, stop{what, do})
}

// close ends everything, last started first.
func (h *house) close(ctx context.Context) {
	for _, s := range slices.Backward(h.stops) {
		if err := s.do(ctx); err != nil {
			h.log.Warn("ending "+s.what, "error", err.Error())
		}
	}
	h.stops = nil
}

// furnish opens every room, the lowest first. What it started before it failed is ended by close.
func (h *house) furnish(ctx context.Context) (*handlers.Server, error) {
	var err error
	if h.vault, err = openVault(h.config, h.log); err != nil {
		return nil, err
	}
	if err := h.openDatabase(ctx); err != nil {
		return nil, err
	}
	if h.store, err = models.NewStore(models.Options{App: h.app, Platform: h.platform, Now: time.Now, Telling: telling()}); err != nil {
		return nil, err
	}
	if err := h.openKeys(ctx); err != nil {
		return nil, err
	}
	h.keeper = watch.New(watch.Options{Replica: replicaName(), Unknown: h.metrics.unknownCode, Now: time.Now, Log: h.log})
	registry, err := offer(h.plan.list, h.config, h.keeper, h.observeCall, h.log)
	if err != nil {
		return nil, err
	}
	if err := h.keeper.Open(ctx, h.store); err != nil {
		return nil, err
	}
	h.listener = database.NewListener(h.app)
	h.run("the listener", h.listener.Run)
	h.run("the watch", func(ctx context.Context) { h.keeper.Run(ctx, h.listener) })

	queue := jobs.Queue{Providers: registry.Slugs()}
	h.connect = connect.New(connect.Deps{
		Vault: h.vault, Providers: registry, Queue: queue, Wakes: h.listener, Watch: h.keeper,
		PublicURL: h.config.PublicURL, Now: time.Now, Log: h.log, Refreshed: h.metrics.refreshed,
		RefreshAhead: h.config.RefreshAhead,
	})
	if err := h.openAccounts(queue); err != nil {
		return nil, err
	}
	if err := h.openDispatch(queue); err != nil {
		return nil, err
	}
	if err := h.startJobs(ctx); err != nil {
		return nil, err
	}
	return h.pages()
}

// observeCall counts a call for the metrics and for the admins.
func (h *house) observeCall(provider string, outcome outbound.Outcome, took time.Duration) {
	h.metrics.call(provider, outcome, took)
	h.keeper.Call(provider, outcome, took)
}

// replicaName tells this process from the others, for people: containers have a host name each, and two programs on one
// machine a number.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "replica"
	}
	return fmt.Sprintf("%.40s/%d", host, os.Getpid())
}

// run keeps a part going until the house closes.
func (h *house) run(what string, part func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { part(ctx) })
	h.onStop(what, func(context.Context) error {
		cancel()
		running.Wait()
		return nil
	})
}

// openAccounts opens the rooms that write to people.
func (h *house) openAccounts(queue jobs.Queue) error {
	var err error
	if h.bundle, err = i18n.NewBundle(); err != nil {
		return err
	}
	letters, err := mail.NewComposer(h.bundle)
	if err != nil {
		return err
	}
	deps := accounts.Deps{
		Store: h.store, Vault: h.vault, Queue: queue, Letters: letters,
		PublicURL: h.config.PublicURL, Log: h.log, MailConfigured: !h.config.SMTPURL.IsEmpty(),
	}
	if deps.MailConfigured {
		if deps.Sender, err = mail.NewSMTP(h.config.SMTPURL, h.config.MailFrom); err != nil {
			return err
		}
	} else {
		h.log.Warn("mail is not configured: sign-ups complete at once and nobody can reset a password")
	}
	h.accounts = accounts.New(deps)
	h.notices = notices.New(notices.Deps{
		Queue: queue, Letters: letters, Words: h.bundle, Describe: h.connect.Describe, Sender: deps.Sender,
		MailConfigured: deps.MailConfigured, PublicURL: h.config.PublicURL, Log: h.log,
	})
	return nil
}

// telling is the news that a job is put in for: what somebody may want to be told of.
func telling() models.Telling {
	return models.Telling{Kinds: slices.Concat(notices.Kinds(), dispatch.Kinds()), Job: jobs.Queue{}.TellJob}
}

// openDispatch makes the way to the platform's own systems. They are reached as providers are: under the same guard.
func (h *house) openDispatch(queue jobs.Queue) error {
	allow, err := outbound.ParseAllowlist(h.config.OutboundAllow)
	if err != nil {
		return fmt.Errorf("OUTBOUND_ALLOW: %w", err)
	}
	h.dispatch = dispatch.New(dispatch.Deps{
		Store: h.store, Vault: h.vault, Queue: queue, Allow: allow, Observe: h.metrics.call, Now: time.Now,
	})
	return nil
}

func (h *house) startJobs(ctx context.Context) error {
	runner, err := jobs.NewRunner(jobs.Deps{
		Pool: h.app, Store: h.store, Syncer: h.connect, Inbox: h.connect, Leaver: h.connect, Executor: h.connect, Mailer: h.accounts,
		Tellers: []jobs.Teller{h.notices, h.dispatch}, Notifier: h.notices, Digester: h.notices, Deliverer: h.dispatch,
		Wakes: h.listener, Providers: h.connect.Providers.Slugs(), Observe: h.metrics.job, Log: h.log,
	})
	if err != nil {
		return err
	}
	if err := runner.Start(ctx); err != nil {
		return err
	}
	h.onStop("the jobs", runner.Stop)
	return nil
}

// createAdmin makes a member of the staff as the database's owner, because the serving roles may not.
func (h *house) createAdmin(ctx context.Context, email string, password secret.String) error {
	owner, err := h.addresses.openOwner(ctx)
	if err != nil {
		return err
	}
	defer owner.Close()
	return accounts.CreateAdmin(ctx, owner, email, password, time.Now())
}

// checkCanary finds out before the first request whether this is the keyset that the stored values were sealed with.
func checkCanary(ctx context.Context, store *models.Store, v *vault.Vault) error {
	err := store.CheckVault(ctx, v)
	if errors.Is(err, vault.ErrSealed) {
		return errors.New("KEYSET: this is not the keyset that the stored values were sealed with; nothing would open with it")
	}
	return err
}

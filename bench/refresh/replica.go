package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/jobs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/oauth/chainup"
	"mooring/internal/outbound"
	"mooring/internal/secret"
	"mooring/internal/vault"
)

// plan is what a replica is told on its first line. It travels through a pipe and never to a disk.
type plan struct {
	App, Platform string // the roles' addresses
	Keyset        []byte
	Settings      map[string]string
	Exchange      string // host:port that may be called
	Ahead         time.Duration
	Tenant        uuid.UUID
	Connections   []uuid.UUID
}

// order is one reading to make, and report how it went.
type (
	order  struct{ Seq, Connection int }
	report struct {
		Seq   int
		OK    bool
		Error string
		Took  time.Duration
	}
)

// rooms are a replica's, and for setting up also the command's own.
type rooms struct {
	pools    []*pgxpool.Pool
	store    *models.Store
	listener *database.Listener
	provider oauth.WalletFetcher
	service  *connect.Service
	caller   *outbound.Client
}

func (r *rooms) close() {
	r.caller.Close()
	for _, p := range r.pools {
		p.Close()
	}
}

// furnish opens what web serve opens for this.
func furnish(ctx context.Context, p plan, log *slog.Logger) (*rooms, error) {
	r := &rooms{}
	for _, url := range []string{p.App, p.Platform} {
		pool, err := database.Open(ctx, url, database.PoolOptions{MaxConns: 9, AppName: "bench replica"})
		if err != nil {
			return nil, err
		}
		r.pools = append(r.pools, pool)
	}
	var err error
	if r.store, err = models.NewStore(models.Options{App: r.pools[0], Platform: r.pools[1], Now: time.Now}); err != nil {
		return nil, err
	}
	v, err := vault.New(p.Keyset)
	if err != nil {
		return nil, err
	}
	allow, err := outbound.ParseAllowlist([]string{p.Exchange})
	if err != nil {
		return nil, err
	}
	settings := oauth.Settings{}
	for name, value := range p.Settings {
		settings[name] = secret.New(value)
	}
	f := chainup.Factory()
	r.caller = outbound.New(outbound.Options{Name: f.Describe().Slug, Allow: allow, Now: time.Now})
	made, err := f.New(oauth.Config{Settings: settings, Environment: oauth.Test, Caller: r.caller, Now: time.Now, Log: log})
	if err != nil {
		return nil, err
	}
	r.provider, _ = made.(oauth.WalletFetcher)
	registry, err := connect.NewRegistry([]oauth.Provider{made}, []oauth.Descriptor{f.Describe()})
	if err != nil {
		return nil, err
	}
	r.listener = database.NewListener(r.pools[0])
	r.service = connect.New(connect.Deps{
		Vault: v, Providers: registry, Queue: jobs.Queue{Providers: []string{f.Describe().Slug}}, Wakes: r.listener,
		PublicURL: publicURL, Now: time.Now, Log: log, RefreshAhead: p.Ahead,
	})
	return r, nil
}

// noMail is the mailer of a program that sends none.
type noMail struct{}

// SendLink implements jobs.Mailer.
func (noMail) SendLink(context.Context, uuid.UUID) (string, error) { return models.LetterMoot, nil }

// beReplica reads with the credentials that it is told, until its input ends or somebody kills it.
func beReplica(ctx context.Context, in io.Reader, out io.Writer, log *slog.Logger) error {
	orders := json.NewDecoder(bufio.NewReader(in))
	var p plan
	if err := orders.Decode(&p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	r, err := furnish(ctx, p, log)
	if err != nil {
		return err
	}
	defer r.close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go r.listener.Run(ctx)
	runner, err := jobs.NewRunner(jobs.Deps{
		Pool: r.pools[0], Store: r.store, Syncer: r.service, Mailer: noMail{}, Wakes: r.listener,
		Providers: []string{chainup.Factory().Describe().Slug}, Observe: func(string, string, time.Duration) {}, Log: log,
	})
	if err != nil {
		return err
	}
	if err := runner.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = runner.Stop(ctx) }()

	var writing sync.Mutex
	reports := json.NewEncoder(out)
	tell := func(rep report) {
		writing.Lock()
		defer writing.Unlock()
		_ = reports.Encode(rep) // who no longer listens has ended
	}
	tell(report{Seq: -1, OK: true})
	var reading sync.WaitGroup
	defer reading.Wait()
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return nil // the input has ended
		}
		reading.Go(func() { tell(r.read(ctx, p, o)) })
	}
}

func (r *rooms) read(ctx context.Context, p plan, o order) report {
	began := time.Now()
	st := r.store.ForTenant(p.Tenant, models.Actor{Kind: models.System})
	err := r.service.Use(ctx, st, p.Connections[o.Connection], func(ctx context.Context, cred oauth.Credential) error {
		_, err := r.provider.FetchWallets(ctx, cred)
		return err
	})
	rep := report{Seq: o.Seq, OK: err == nil, Took: time.Since(began)}
	if err != nil {
		rep.Error = err.Error()
	}
	return rep
}

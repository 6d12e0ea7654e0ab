package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/connect"
	"mooring/internal/database"
	"mooring/internal/models"
	"mooring/internal/secret"
	"mooring/internal/simulator/bench"
	exchange "mooring/internal/simulator/chainup"
	"mooring/internal/vault"
)

const (
	publicURL = "https://bench.example"
	appID     = "bench"
)

// world is what the replicas share: the exchange, the database, and the connections in it.
type world struct {
	sim     *exchange.Simulator
	server  *http.Server
	dir     string
	cluster *database.Cluster
	owner   *pgxpool.Pool
	plan    plan
	uids    map[uuid.UUID]string // whose account each connection is
}

// newWorld builds it. What it started before it failed is ended by close.
func newWorld(ctx context.Context, o options, log *slog.Logger) (w *world, err error) {
	w = &world{uids: map[uuid.UUID]string{}, plan: plan{Ahead: o.ahead}}
	if err := w.openExchange(o, log); err != nil {
		return w, err
	}
	if err := w.openDatabase(ctx); err != nil {
		return w, err
	}
	if w.plan.Keyset, err = vault.NewKeyset(); err != nil {
		return w, err
	}
	return w, w.connectAll(ctx, o, log)
}

func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if w.owner != nil {
		w.owner.Close()
	}
	if w.cluster != nil {
		_ = w.cluster.Stop(ctx)
	}
	if w.server != nil {
		_ = w.server.Close()
	}
	_ = os.RemoveAll(w.dir)
}

// openExchange starts the simulator: tokens of the given life, reads for living tokens only, answers to token calls that
// come late. That a refresh token which comes twice ends its family is its way without any switch.
func (w *world) openExchange(o options, log *slog.Logger) (err error) {
	if w.sim, err = exchange.New(exchange.Options{Now: time.Now, Log: log, Crowd: o.credentials}); err != nil {
		return err
	}
	rules := []bench.Rule{{Name: "token_life", Value: int(o.life / time.Second)}, {Name: "token_required"}}
	if o.slow > 0 {
		rules = append(rules, bench.Rule{Name: bench.FaultSlow, Stages: []bench.Stage{bench.Token}, Value: int(o.slow / time.Millisecond)})
	}
	if err := w.sim.Board.Replace(rules); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening a port for the exchange: %w", err)
	}
	w.plan.Exchange = listener.Addr().String()
	w.server = &http.Server{Handler: w.sim.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := w.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the exchange has ended", "error", err)
		}
	}()
	app, err := w.sim.Register(exchange.Registration{AppID: appID, Name: "Bench", RedirectURL: publicURL + "/oauth/" + exchange.Slug + "/callback"})
	if err != nil {
		return err
	}
	w.plan.Settings = map[string]string{
		"BASE_URL": "http://" + w.plan.Exchange, "APP_ID": app.AppID, "PRIVATE_KEY": app.PrivateKey, "PLATFORM_PUBLIC_KEY": app.SaasPublicKey,
	}
	return nil
}

// openDatabase starts a PostgreSQL, and has it write down each marked recovery, which the row itself forgets.
func (w *world) openDatabase(ctx context.Context) (err error) {
	if w.dir, err = os.MkdirTemp("", "mooring-bench-"); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if w.cluster, err = database.StartCluster(ctx, w.dir, database.ClusterOptions{}); err != nil {
		return err
	}
	owner, app, platform := w.cluster.URLs()
	w.plan.App, w.plan.Platform = app, platform
	if _, err := database.Migrate(ctx, owner); err != nil {
		return err
	}
	if w.owner, err = database.Open(ctx, owner, database.PoolOptions{MaxConns: 2, AppName: "bench"}); err != nil {
		return err
	}
	_, err = w.owner.Exec(ctx, `
		CREATE TABLE marks (connection_id uuid NOT NULL, version bigint NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
		CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
		BEGIN INSERT INTO marks (connection_id, version) VALUES (NEW.connection_id, NEW.version); RETURN NULL; END $$;
		CREATE TRIGGER mark AFTER UPDATE ON credentials FOR EACH ROW
		    WHEN (NEW.refresh_state = 'recovering' AND NEW.lease_until IS NOT NULL AND NEW.lease_until IS DISTINCT FROM OLD.lease_until)
		    EXECUTE FUNCTION mark()`)
	return err
}

// connectAll lets one merchant connect every account, as a browser would, and takes a token's life for it: tokens that
// end together would all be renewed in the same moments, and hardly a kill would meet one.
func (w *world) connectAll(ctx context.Context, o options, log *slog.Logger) error {
	r, err := furnish(ctx, w.plan, log)
	if err != nil {
		return err
	}
	defer r.close()
	w.plan.Tenant = uuid.Must(uuid.NewV7())
	person, session := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	key, err := r.service.Vault.NewTenantKey(w.plan.Tenant)
	if err != nil {
		return err
	}
	_, err = w.owner.Exec(ctx, `
		WITH u AS (INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at) VALUES ($2, 'merchant', 'bench@example.com', '', now(), now())),
		     t AS (INSERT INTO tenants (id, name, created_at) VALUES ($1, 'Bench', now())),
		     m AS (INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ($1, $2, 'owner', now()))
		INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ($1, $3, now())`, w.plan.Tenant, person, []byte(key))
	if err != nil {
		return fmt.Errorf("making the merchant: %w", err)
	}
	pace := time.NewTicker(o.life / time.Duration(o.credentials))
	defer pace.Stop()
	for i := range o.credentials {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		uid := strconv.Itoa(20_000_000 + i)
		id, err := w.connectOne(ctx, r, person, session, uid)
		if err != nil {
			return fmt.Errorf("connecting account %s: %w", uid, err)
		}
		w.plan.Connections = append(w.plan.Connections, id)
		w.uids[id] = uid
	}
	return nil
}

func (w *world) connectOne(ctx context.Context, r *rooms, person, session uuid.UUID, uid string) (uuid.UUID, error) {
	st := r.store.ForTenant(w.plan.Tenant, models.Actor{Kind: models.Person, ID: person})
	begun, err := r.service.Begin(ctx, st, connect.BeginRequest{Provider: exchange.Slug, UserID: person, SessionID: session})
	if err != nil {
		return uuid.Nil, err
	}
	away, err := url.Parse(begun.Location)
	if err != nil {
		return uuid.Nil, fmt.Errorf("the address of the exchange: %w", err)
	}
	back, err := w.sim.Authorise(appID, uid, away.Query().Get("state"))
	if err != nil {
		return uuid.Nil, err
	}
	a, err := r.service.Finish(ctx, st, connect.Return{
		Provider: exchange.Slug, Query: back, UserID: person, SessionID: session, Cookies: map[uuid.UUID]secret.String{begun.Attempt: begun.Cookie},
	})
	if err != nil {
		return uuid.Nil, err
	}
	if a.ResultConnection == nil {
		return uuid.Nil, fmt.Errorf("it ended %s (%s)", a.Status, a.Reason)
	}
	return *a.ResultConnection, nil
}

// Package database owns the way to PostgreSQL: the private cluster of a machine that has no other, the pools, applying
// the migrations, the checks that the roles are as weak as they must be, and the wake-ups between replicas.
//
// It knows no table but the two that say which version the schema has. The schema itself belongs to migrations, every
// query to models.
package database

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The roles. The migrations grant to the last two by name; which one logs in where is the deployment's matter.
const (
	OwnerRole    = "mooring_owner"
	AppRole      = "mooring_app"
	PlatformRole = "mooring_platform"
)

const (
	connectTimeout = 5 * time.Second
	pingAfter      = 5 * time.Second // pgx's own second would cost most pages of a quiet site another trip
	defaultMax     = 16              // the knee on two cores: more connections only make the slow ones slower
)

// PoolOptions are a pool's few knobs. Zero values are usable.
type PoolOptions struct {
	MaxConns int32           // 16 if zero; the sum over all replicas stays below the server's max_connections
	AppName  string          // what pg_stat_activity shows
	Tracer   pgx.QueryTracer // counts round trips in tests
}

// Open opens a pool and makes sure that the database answers. The caller closes it. Errors never show a password.
func Open(ctx context.Context, url string, o PoolOptions) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database: the address is malformed: %w", err) // pgx redacts the password
	}
	config.MaxConns = defaultMax
	if o.MaxConns > 0 {
		config.MaxConns = o.MaxConns
	}
	config.MinConns = config.MaxConns / 2 // nobody reconnects under load
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool { return p.IdleDuration > pingAfter }
	config.ConnConfig.Tracer = o.Tracer
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	setParameters(config.ConnConfig, o.AppName)

	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database: opening the pool: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("database: the server does not answer: %w", err)
	}
	return pool, nil
}

// setParameters bounds what one statement or one forgotten transaction can cost everybody else.
func setParameters(c *pgx.ConnConfig, appName string) {
	p := c.RuntimeParams
	p["timezone"] = "UTC"
	if appName != "" {
		p["application_name"] = appName
	}
	for name, value := range map[string]string{
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "60s",
	} {
		if p[name] == "" { // what the address says is the operator's decision
			p[name] = value
		}
	}
}

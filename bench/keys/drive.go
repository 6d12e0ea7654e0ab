package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"mooring/internal/database"
	"mooring/internal/keys"
	"mooring/internal/models"
	"mooring/internal/vault"
)

// world is the database, the keyset's file, and the two replicas.
type world struct {
	plan
	owner    *pgxpool.Pool
	store    *models.Store
	total    report
	replicas [2]*process
	kills    int
}

type process struct {
	cmd  *exec.Cmd
	last report
	up   chan struct{} // closed with its first report
	done chan struct{}
}

func drive(ctx context.Context, o options, began time.Time) error {
	dir, err := os.MkdirTemp("", "mooring-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cluster, err := database.StartCluster(ctx, filepath.Join(dir, "postgres"), database.ClusterOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = cluster.Stop(context.WithoutCancel(ctx)) }()
	w := &world{plan: plan{File: filepath.Join(dir, "keyset"), Reads: max(1, o.reads/2), Seed: o.seed}}
	if err := w.fill(ctx, cluster, o); err != nil {
		return err
	}
	defer w.owner.Close()
	defer func() { w.kill(0); w.kill(1) }()
	for i := range w.replicas {
		if err := w.start(i); err != nil {
			return err
		}
	}
	slowest, err := w.rotate(ctx, o)
	if err != nil {
		return err
	}
	return w.tell(ctx, o, slowest, time.Since(began))
}

// fill makes the keyset, and a data key and a canary for each tenant.
func (w *world) fill(ctx context.Context, cluster *database.Cluster, o options) (err error) {
	var owner string
	owner, w.App, w.Platform = cluster.URLs()
	if _, err = database.Migrate(ctx, owner); err != nil {
		return err
	}
	if w.owner, err = database.Open(ctx, owner, database.PoolOptions{MaxConns: 2, AppName: "bench"}); err != nil {
		return err
	}
	text, err := vault.NewKeyset()
	if err != nil {
		return err
	}
	if err := os.WriteFile(w.File, text, 0o600); err != nil {
		return fmt.Errorf("writing the keyset: %w", err)
	}
	v, err := vault.New(text)
	if err != nil {
		return err
	}
	var tenants, wrapped [][]any
	for range o.tenants {
		c := canary{Tenant: uuid.Must(uuid.NewV7())}
		key, err := v.NewTenantKey(c.Tenant)
		if err != nil {
			return err
		}
		if c.Sealed, err = v.Seal(key, c.place(), []byte("canary "+c.Tenant.String())); err != nil {
			return err
		}
		w.Canaries = append(w.Canaries, c)
		tenants = append(tenants, []any{c.Tenant, "Bench", time.Now()})
		wrapped = append(wrapped, []any{c.Tenant, []byte(key), time.Now()})
	}
	if _, err = w.owner.CopyFrom(ctx, pgx.Identifier{"tenants"}, []string{"id", "name", "created_at"}, pgx.CopyFromRows(tenants)); err != nil {
		return fmt.Errorf("making tenants: %w", err)
	}
	if _, err = w.owner.CopyFrom(ctx, pgx.Identifier{"tenant_keys"}, []string{"tenant_id", "wrapped", "created_at"}, pgx.CopyFromRows(wrapped)); err != nil {
		return fmt.Errorf("making keys: %w", err)
	}
	w.store, err = openStore(ctx, w.App, w.Platform)
	return err
}

// start starts a replica and waits for its first reading.
func (w *world) start(i int) error {
	p := &process{cmd: exec.CommandContext(context.Background(), os.Args[0], "-replica"), up: make(chan struct{}), done: make(chan struct{})} //nolint:gosec // ourselves
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	told := w.plan
	told.Name, told.Seed = fmt.Sprintf("replica %d", i), w.Seed+uint64(i+w.kills)
	if err := json.NewEncoder(in).Encode(told); err != nil {
		return fmt.Errorf("telling a replica: %w", err)
	}
	w.replicas[i] = p
	go p.listen(out)
	select {
	case <-p.up:
		return nil
	case <-p.done:
		return fmt.Errorf("replica %d ended before it read anything", i)
	}
}

func (p *process) listen(out io.Reader) {
	defer close(p.done)
	reports := json.NewDecoder(out)
	for first := true; ; first = false {
		var r report
		if reports.Decode(&r) != nil {
			return
		}
		p.last = r
		if first {
			close(p.up)
		}
	}
}

// kill ends a replica with SIGKILL and adds up what it had read.
func (w *world) kill(i int) {
	p := w.replicas[i]
	if p == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
	w.replicas[i] = nil
	w.total.Reads += p.last.Reads
	w.total.Failed += p.last.Failed
	w.total.Slowest = max(w.total.Slowest, p.last.Slowest)
	if p.last.Error != "" {
		w.total.Error = p.last.Error
	}
}

// rotate takes the operator's steps, and kills one replica after the other while the second and the third turn rewraps.
func (w *world) rotate(ctx context.Context, o options) (slowest time.Duration, err error) {
	platform := w.store.Platform(models.Actor{Kind: models.System})
	for turn := range o.rotations {
		before, err := platform.MasterKeys(ctx)
		if err != nil {
			return slowest, err
		}
		began := time.Now()
		ended := make(chan error, 1)
		r := &keys.Rotation{File: keys.File(w.File), Store: w.store, Platform: platform, Say: io.Discard, Wait: time.Minute, By: "bench", Now: time.Now}
		go func() { ended <- r.Run(ctx, false) }()
		if turn == 1 || turn == 2 {
			if err := w.killMidway(ctx, platform, before.Newest, turn-1); err != nil {
				return slowest, err
			}
		}
		if err := <-ended; err != nil {
			return slowest, err
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest, nil
}

// killMidway waits until some rows are rewrapped and some are not.
func (w *world) killMidway(ctx context.Context, platform *models.PlatformStore, old vault.KeyID, i int) error {
	for {
		st, err := platform.MasterKeys(ctx)
		if err != nil {
			return err
		}
		if behind, all := st.Behind(); st.Newest != old && behind < all {
			if behind > 0 {
				w.kills++
			}
			w.kill(i)
			return w.start(i)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (w *world) tell(ctx context.Context, o options, slowest, took time.Duration) error {
	w.kill(0)
	w.kill(1)
	st, err := w.store.Platform(models.Actor{Kind: models.System}).MasterKeys(ctx)
	if err != nil {
		return err
	}
	var postgres string
	if err := w.owner.QueryRow(ctx, `SELECT current_setting('server_version')`).Scan(&postgres); err != nil {
		return fmt.Errorf("asking for the version: %w", err)
	}
	behind, all := st.Behind()
	line := func(name, format string, args ...any) { fmt.Printf("%-46s %s\n", name, fmt.Sprintf(format, args...)) }
	line("tenants, rotations, readings/s, seed", "%d, %d, %d, %d", o.tenants, o.rotations, o.reads, o.seed)
	line("machine", "%s/%s, %d cores, %s, PostgreSQL %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), postgres)
	line("readings, slowest", "%d, %s", w.total.Reads, w.total.Slowest.Round(time.Millisecond))
	line("longest rotation, whole run", "%s, %s", slowest.Round(time.Millisecond), took.Round(time.Second))
	line("kills in the middle of a rewrapping", "%d      (goal 2)", w.kills)
	line("failed readings", "%d      (goal 0) %s", w.total.Failed, w.total.Error)
	line("rows on the newest key", "%d of %d      (goal all)", all-behind, all)
	if w.total.Failed > 0 || behind > 0 || all <= int64(o.tenants) || w.kills != 2 {
		return errMissed
	}
	return nil
}

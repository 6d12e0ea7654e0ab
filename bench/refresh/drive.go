package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"

	"mooring/internal/simulator/bench"
)

const (
	startTime = 30 * time.Second // a replica has to be ready
	lastWait  = 75 * time.Second // for what was begun: a lease, a recovery, and the due work's word on what a kill left
)

// process is a running replica.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	pending map[int]int // reading -> connection
	ready   bool
}

// driver gives out the readings, kills and starts again, and keeps the tally.
type driver struct {
	options
	w     *world
	log   *slog.Logger
	began time.Time

	mu       sync.Mutex
	replicas []*process
	seq      int
	tally    tally
	calls    []bench.Entry // to the token address
	ended    sync.WaitGroup
}

// drive builds the world, runs it and says whether every goal was reached.
func drive(ctx context.Context, o options, out io.Writer, log *slog.Logger) (reached bool, err error) {
	w, err := newWorld(ctx, o, log)
	defer w.close()
	if err != nil {
		return false, err
	}
	d := &driver{options: o, w: w, log: log, replicas: make([]*process, o.replicas), tally: newTally()}
	defer d.stop()
	for i := range d.replicas {
		if err := d.start(ctx, i); err != nil {
			return false, err
		}
	}
	if err := d.allReady(ctx); err != nil {
		return false, err
	}
	d.began = time.Now()
	d.run(ctx)
	elapsed := time.Since(d.began)
	d.settle(ctx)
	f, err := d.figures(ctx, elapsed)
	if err != nil {
		return false, err
	}
	return f.print(out, o), ctx.Err()
}

// start makes replica i anew and listens to it until it ends.
func (d *driver) start(ctx context.Context, i int) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "-replica") //nolint:gosec // this very program
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	p := &process{cmd: cmd, in: in, orders: json.NewEncoder(in), pending: map[int]int{}}
	d.mu.Lock()
	d.replicas[i] = p
	d.mu.Unlock()
	d.ended.Go(func() { d.listen(p, out) })
	if err := p.orders.Encode(d.w.plan); err != nil {
		return fmt.Errorf("starting a replica: %w", err)
	}
	return nil
}

// listen takes a replica's reports. What it had not reported when it ended was cut off by the kill.
func (d *driver) listen(p *process, out io.Reader) {
	for reports := json.NewDecoder(out); ; {
		var r report
		if err := reports.Decode(&r); err != nil {
			break
		}
		d.mu.Lock()
		if connection, ours := p.pending[r.Seq]; ours {
			delete(p.pending, r.Seq)
			d.tally.note(connection, r)
		}
		p.ready = true
		d.mu.Unlock()
	}
	d.mu.Lock()
	d.tally.cutOff += len(p.pending)
	p.pending, p.ready = nil, false
	d.mu.Unlock()
	_ = p.cmd.Wait() // how it ended is known: we ended it
}

func (d *driver) allReady(ctx context.Context) error {
	deadline := time.After(startTime)
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case <-tick.C:
			if d.count(func(p *process) bool { return p.ready }) == d.options.replicas {
				tick.Stop()
				return nil
			}
		case <-deadline:
			return fmt.Errorf("the replicas were not ready in %v", startTime)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (d *driver) count(which func(*process) bool) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.replicas {
		if which(p) {
			n++
		}
	}
	return n
}

// run reads and kills until the time is over.
func (d *driver) run(ctx context.Context) {
	chance := rand.New(rand.NewPCG(d.seed, 0)) //nolint:gosec // a run can be repeated by its seed
	end := time.After(time.Duration(d.minutes * float64(time.Minute)))
	reads := time.NewTicker(time.Second / time.Duration(d.reads))
	defer reads.Stop()
	look := time.NewTicker(time.Second)
	defer look.Stop()
	pause := func() time.Duration { return d.killEvery/2 + time.Duration(chance.Int64N(int64(d.killEvery))) }
	given := 0
	kill := time.NewTimer(pause())
	defer kill.Stop()
	for {
		select {
		case <-reads.C: // a busy machine swallows ticks: the rate is kept all the same
			for due := int(time.Since(d.began).Seconds() * float64(d.reads)); given < due; given++ {
				d.read(chance)
			}
		case <-kill.C:
			d.kill(ctx, chance.IntN(len(d.replicas)))
			kill.Reset(pause())
		case <-look.C:
			d.collect()
		case <-end:
			return
		case <-ctx.Done():
			return
		}
	}
}

// read gives one reading to a replica that is up.
func (d *driver) read(chance *rand.Rand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	connection := chance.IntN(len(d.w.plan.Connections))
	first := chance.IntN(len(d.replicas))
	for i := range d.replicas {
		p := d.replicas[(first+i)%len(d.replicas)]
		if !p.ready {
			continue
		}
		d.seq++
		p.pending[d.seq] = connection
		_ = p.orders.Encode(order{Seq: d.seq, Connection: connection}) // one that was killed just now: cut off
		return
	}
	d.tally.nobody++
}

// kill ends a replica as nothing can be caught, and starts it again.
func (d *driver) kill(ctx context.Context, i int) {
	d.mu.Lock()
	p := d.replicas[i]
	up := p.ready
	if up {
		d.tally.kills = append(d.tally.kills, time.Now())
		p.ready = false
		_ = p.cmd.Process.Kill()
	}
	d.mu.Unlock()
	if !up {
		return
	}
	if err := d.start(ctx, i); err != nil {
		d.log.Error("a replica does not come back", "error", err)
	}
}

// collect takes the token calls from the exchange's ledger, which remembers the newest ones only.
func (d *driver) collect() {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := d.tally.seen
	entries, _ := d.w.sim.Ledger.After(after)
	for _, e := range entries {
		d.tally.seen = e.Seq
		if e.Stage == bench.Token && e.At.After(d.began) {
			d.calls = append(d.calls, e)
		}
	}
}

// settle waits for what was begun, so that a reading under a dead one's lease is counted, and for the due work.
func (d *driver) settle(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	deadline := time.After(lastWait)
	for {
		select {
		case <-tick.C:
			d.collect()
			idle := d.count(func(p *process) bool { return len(p.pending) == 0 }) == len(d.replicas)
			if idle && !d.inDoubt(ctx) {
				return
			}
		case <-deadline:
			return
		case <-ctx.Done():
			return
		}
	}
}

// inDoubt says whether some renewal's outcome is still unknown.
func (d *driver) inDoubt(ctx context.Context) bool {
	var open bool
	err := d.w.owner.QueryRow(ctx, `SELECT EXISTS (SELECT FROM credentials WHERE refresh_state IN ('asked', 'recovering'))`).Scan(&open)
	return err == nil && open
}

// stop ends the replicas in good order.
func (d *driver) stop() {
	d.mu.Lock()
	for _, p := range d.replicas {
		if p != nil {
			_ = p.in.Close()
		}
	}
	d.mu.Unlock()
	d.ended.Wait()
}

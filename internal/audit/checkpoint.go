package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// line is one line of a checkpoint file: the head of a chain, or the sum of a tenant's credential versions.
type line struct {
	At          time.Time  `json:"at"`
	Chain       *uuid.UUID `json:"chain,omitempty"`
	Seq         int64      `json:"seq,omitempty"`
	Hash        string     `json:"hash,omitempty"`
	Tenant      *uuid.UUID `json:"tenant,omitempty"`
	Credentials int64      `json:"credentials,omitempty"`
}

// Checkpoints is what is known outside the database.
type Checkpoints struct {
	Heads       map[uuid.UUID]map[int64][]byte // hash by chain and place
	Credentials map[uuid.UUID]int64            // sum of versions by tenant, the largest ever seen
	Newest      time.Time                      // zero: there are none
	Damaged     int                            // lines that make no sense, as a crash while writing leaves one
}

// of restricts the checkpoints to one chain; nil: all.
func (c Checkpoints) of(only *uuid.UUID) Checkpoints {
	if only == nil {
		return c
	}
	one := Checkpoints{Heads: map[uuid.UUID]map[int64][]byte{}, Credentials: c.Credentials, Newest: c.Newest, Damaged: c.Damaged}
	if heads, found := c.Heads[*only]; found {
		one.Heads[*only] = heads
	}
	return one
}

// newest gives the last place of a chain that a checkpoint knows.
func (c Checkpoints) newest(chain uuid.UUID) (last int64) {
	for seq := range c.Heads[chain] {
		last = max(last, seq)
	}
	return last
}

// Load reads every checkpoint file of a folder. A folder that is not there holds none. A line that makes no sense is
// counted and passed over.
func Load(dir string) (Checkpoints, error) {
	known := Checkpoints{Heads: map[uuid.UUID]map[int64][]byte{}, Credentials: map[uuid.UUID]int64{}}
	files, err := filepath.Glob(filepath.Join(dir, "heads-*.jsonl"))
	if err != nil {
		return known, fmt.Errorf("audit: %w", err)
	}
	slices.Sort(files)
	for _, file := range files {
		if err := known.read(file); err != nil {
			return known, err
		}
	}
	return known, nil
}

func (c *Checkpoints) read(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("audit: reading checkpoints: %w", err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if len(lines.Bytes()) > 0 && !c.add(lines.Bytes()) {
			c.Damaged++
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("audit: reading checkpoints: %w", err)
	}
	return nil
}

func (c *Checkpoints) add(text []byte) bool {
	var l line
	if json.Unmarshal(text, &l) != nil {
		return false
	}
	hash, err := hex.DecodeString(l.Hash)
	switch {
	case l.Chain != nil && err == nil && len(hash) == len(beginning):
		if c.Heads[*l.Chain] == nil {
			c.Heads[*l.Chain] = map[int64][]byte{}
		}
		c.Heads[*l.Chain][l.Seq] = hash
	case l.Tenant != nil:
		c.Credentials[*l.Tenant] = max(c.Credentials[*l.Tenant], l.Credentials)
	default:
		return false
	}
	if l.At.After(c.Newest) {
		c.Newest = l.At
	}
	return true
}

// Writer keeps the heads outside the database.
type Writer struct {
	Dir   string
	Store *models.PlatformStore
	Every time.Duration
	Now   func() time.Time
	Log   *slog.Logger
	// Failed is called when a checkpoint could not be written, for a metric. The work goes on without: a full disk must
	// not stop merchants.
	Failed func()

	since       time.Time // heads that moved before are written; by the database's clock
	heads       map[uuid.UUID]int64
	credentials map[uuid.UUID]int64 // both as last written
}

// Run writes a checkpoint at once, then every so often, and a last one when the context ends.
func (w *Writer) Run(ctx context.Context) {
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for {
		w.try(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.last(ctx)
			return
		}
	}
}

// last writes what has moved since the checkpoint before, although the program is being asked to end.
func (w *Writer) last(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	w.try(ctx)
}

func (w *Writer) try(ctx context.Context) {
	if err := w.Write(ctx); err != nil && ctx.Err() == nil {
		w.Failed()
		w.Log.ErrorContext(ctx, "a checkpoint of the audit chains could not be written", "error", err)
	}
}

// overlap makes sure that a transaction which was still committing is not passed over.
const overlap = time.Minute

// Write appends the heads that have moved, and sees to it that they are on the disk.
func (w *Writer) Write(ctx context.Context) error {
	if w.heads == nil {
		known, err := Load(w.Dir)
		if err != nil {
			return err
		}
		w.since, w.heads, w.credentials = known.Newest, map[uuid.UUID]int64{}, known.Credentials
		for chain := range known.Heads {
			w.heads[chain] = known.newest(chain)
		}
	}
	heads, err := w.Store.MovedHeads(ctx, w.since.Add(-overlap))
	if err != nil {
		return err
	}
	heads = slices.DeleteFunc(heads, func(h models.AuditHead) bool { return h.Seq <= w.heads[h.Chain] })
	sums, err := w.Store.CredentialVersions(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(sums, func(tenant uuid.UUID, sum int64) bool { return sum <= w.credentials[tenant] })
	if err := w.append(heads, sums); err != nil {
		return err
	}
	for _, head := range heads {
		w.heads[head.Chain], w.since = head.Seq, head.MovedAt
	}
	maps.Copy(w.credentials, sums)
	return nil
}

// append writes to the month's file.
func (w *Writer) append(heads []models.AuditHead, sums map[uuid.UUID]int64) (err error) {
	if len(heads)+len(sums) == 0 {
		return nil
	}
	now := w.Now().UTC()
	text := bytes.NewBufferString("\n") // ends what a crash may have cut off; empty lines say nothing
	encode := json.NewEncoder(text)
	for _, head := range heads {
		err = errors.Join(err, encode.Encode(line{At: head.MovedAt, Chain: &head.Chain, Seq: head.Seq, Hash: hex.EncodeToString(head.Hash)}))
	}
	for tenant, sum := range sums {
		err = errors.Join(err, encode.Encode(line{At: w.since, Tenant: &tenant, Credentials: sum}))
	}
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(w.Dir, "heads-"+now.Format("2006-01")+".jsonl"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text.Bytes()); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return f.Sync()
}

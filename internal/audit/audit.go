// Package audit owns the proof that the history is whole: how a link of a chain is hashed, checkpoints of the chains' heads
// outside the database, and the search for what was changed behind the program's back.
//
// The links are made by the database's triggers (migrations), in the transaction of the change; here they are computed a
// second time. What happened is models' and the pages' business.
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// Finding is one thing that is not as it was written.
type Finding struct {
	Kind  Kind
	Chain uuid.UUID // the tenant; zero: the platform's own events
	Seq   int64     // place in the chain; 0: none
	Event uuid.UUID // zero: none
}

// Kind says what is wrong; pages and commands have a sentence for each.
type Kind string

// The kinds of findings.
const (
	Edited     Kind = "edited"     // the event, its place or what came before it is not what was hashed
	Removed    Kind = "removed"    // a link is there whose event is gone
	Gap        Kind = "gap"        // links are missing in the middle
	Shortened  Kind = "shortened"  // the chain ends before its head, or before a checkpoint
	Unlinked   Kind = "unlinked"   // an event that no chain knows
	Rewritten  Kind = "rewritten"  // the chain fits together, but a checkpoint knew another one
	RolledBack Kind = "rolledback" // a tenant's credentials are older than a checkpoint knew
)

// String names the finding for an operator.
func (f Finding) String() string {
	whose := "the platform's chain"
	if f.Chain != uuid.Nil {
		whose = "tenant " + f.Chain.String()
	}
	text := fmt.Sprintf("%s: %s", f.Kind, whose)
	if f.Seq > 0 {
		text += ", entry " + strconv.FormatInt(f.Seq, 10)
	}
	if f.Event != uuid.Nil {
		text += ", event " + f.Event.String()
	}
	return text
}

// Report is what a verification found.
type Report struct {
	Chains      int
	Entries     int
	Checkpoints int // heads known outside the database that were compared
	Findings    []Finding
	More        bool // there were more findings than are told
}

// Intact says whether everything is as it was written.
func (r Report) Intact() bool { return len(r.Findings) == 0 }

// toldAtMost bounds the findings of one report: after so many nobody reads on.
const toldAtMost = 100

func (r *Report) find(f Finding) {
	if len(r.Findings) >= toldAtMost {
		r.More = true
		return
	}
	r.Findings = append(r.Findings, f)
}

// beginning is the hash before the first link.
var beginning = make([]byte, sha256.Size) //nolint:gochecknoglobals // never written

// Hash computes a link from the one before it (nil: none) and the entry's fields, each with its length in front, so that no
// two histories run together to the same bytes.
func Hash(before []byte, e models.AuditEntry) []byte {
	if before == nil {
		before = beginning
	}
	chain, seq, event := e.Chain.String(), strconv.FormatInt(e.Seq, 10), e.Event.String()
	text := append([]byte{}, before...)
	for _, field := range append([]*string{&chain, &seq, &event}, e.Fields...) {
		if field == nil {
			text = append(text, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		text = binary.BigEndian.AppendUint32(text, uint32(len(*field)))
		text = append(text, *field...)
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// pageOf is how many entries are read at once.
const pageOf = 2000

// Verify walks over every chain, or over one, and compares it with itself, its head and the checkpoints.
func Verify(ctx context.Context, p *models.PlatformStore, only *uuid.UUID, known Checkpoints) (r Report, err error) {
	err = p.Audit(ctx, func(v models.AuditView) error {
		heads, err := v.Heads(ctx, only)
		if err != nil {
			return err
		}
		w := newWalk(&r, heads, known.of(only))
		if err := w.entries(ctx, v, only); err != nil {
			return err
		}
		w.finish()
		unlinked, err := v.Unlinked(ctx, only, toldAtMost)
		if err != nil {
			return err
		}
		for _, e := range unlinked {
			r.find(Finding{Kind: Unlinked, Chain: e.Chain, Event: e.Event})
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	sums, err := p.CredentialVersions(ctx)
	for tenant, sum := range known.Credentials {
		if (only == nil || *only == tenant) && sums[tenant] < sum {
			r.find(Finding{Kind: RolledBack, Chain: tenant})
		}
	}
	return r, err
}

// walk is a verification on its way through the chains.
type walk struct {
	report *Report
	heads  map[uuid.UUID]models.AuditHead
	known  Checkpoints
	last   models.AuditEntry // of the chain at hand; Seq 0: none yet
	ended  map[uuid.UUID]bool
}

func newWalk(r *Report, heads []models.AuditHead, known Checkpoints) *walk {
	w := &walk{report: r, heads: map[uuid.UUID]models.AuditHead{}, known: known, ended: map[uuid.UUID]bool{}}
	for _, head := range heads {
		w.heads[head.Chain] = head
	}
	return w
}

func (w *walk) entries(ctx context.Context, v models.AuditView, only *uuid.UUID) error {
	for {
		page, err := v.Entries(ctx, only, w.last.Chain, w.last.Seq, pageOf)
		if err != nil {
			return err
		}
		for _, e := range page {
			w.entry(e)
		}
		if len(page) < pageOf {
			return nil
		}
	}
}

func (w *walk) entry(e models.AuditEntry) {
	if w.report.Entries == 0 || e.Chain != w.last.Chain {
		w.endChain()
		w.report.Chains++
		w.last = models.AuditEntry{Chain: e.Chain}
	}
	w.report.Entries++
	at := Finding{Chain: e.Chain, Seq: e.Seq, Event: e.Event}
	switch {
	case e.Seq != w.last.Seq+1:
		at.Kind = Gap
		w.report.find(at)
	case e.Fields == nil:
		at.Kind = Removed
		w.report.find(at)
	case !bytes.Equal(Hash(w.last.Hash, e), e.Hash):
		at.Kind = Edited
		w.report.find(at)
	}
	if hash, found := w.known.Heads[e.Chain][e.Seq]; found {
		w.report.Checkpoints++
		if !bytes.Equal(hash, e.Hash) {
			at.Kind = Rewritten
			w.report.find(at)
		}
	}
	w.last = e
}

// endChain compares the end of the chain at hand with its head and with the newest checkpoint.
func (w *walk) endChain() {
	if w.report.Entries == 0 {
		return
	}
	w.ended[w.last.Chain] = true
	head, found := w.heads[w.last.Chain]
	if !found || head.Seq != w.last.Seq || !bytes.Equal(head.Hash, w.last.Hash) || w.known.newest(w.last.Chain) > w.last.Seq {
		w.report.find(Finding{Kind: Shortened, Chain: w.last.Chain, Seq: w.last.Seq})
	}
}

// finish ends the last chain, and finds those that are gone altogether.
func (w *walk) finish() {
	w.endChain()
	for chain := range w.heads {
		w.missing(chain)
	}
	for chain := range w.known.Heads {
		w.missing(chain)
	}
}

func (w *walk) missing(chain uuid.UUID) {
	if !w.ended[chain] {
		w.ended[chain] = true
		w.report.find(Finding{Kind: Shortened, Chain: chain})
	}
}

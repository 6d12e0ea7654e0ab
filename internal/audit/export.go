package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// exported is one line of an export: the event as it was hashed, and the link's hash. Who has the lines of a chain from its
// first one on can compute every hash again, without the database; the checkpoints say which end it must have.
type exported struct {
	Chain      uuid.UUID `json:"chain"`
	Seq        int64     `json:"seq"`
	Event      uuid.UUID `json:"event"`
	Connection *string   `json:"connection"`
	ActorKind  *string   `json:"actor_kind"`
	Actor      *string   `json:"actor"`
	Kind       *string   `json:"kind"`
	Detail     *string   `json:"detail"` // a text: its very bytes are hashed
	At         *string   `json:"at_us"`  // microseconds since 1970, UTC
	Hash       string    `json:"hash"`
}

func (e exported) entry() (models.AuditEntry, error) {
	hash, err := hex.DecodeString(e.Hash)
	return models.AuditEntry{
		Chain: e.Chain, Seq: e.Seq, Event: e.Event, Hash: hash,
		Fields: []*string{e.Connection, e.ActorKind, e.Actor, e.Kind, e.Detail, e.At},
	}, err
}

// Export writes a chain, one JSON object a line, oldest first, as it is at one moment.
func Export(ctx context.Context, p *models.PlatformStore, chain uuid.UUID, to io.Writer) error {
	encode := json.NewEncoder(to)
	return p.Audit(ctx, func(v models.AuditView) error {
		for after := int64(0); ; {
			page, err := v.Entries(ctx, &chain, chain, after, pageOf)
			if err != nil {
				return err
			}
			for _, e := range page {
				line := exported{Chain: e.Chain, Seq: e.Seq, Event: e.Event, Hash: hex.EncodeToString(e.Hash)}
				if f := e.Fields; f != nil {
					line.Connection, line.ActorKind, line.Actor, line.Kind, line.Detail, line.At = f[0], f[1], f[2], f[3], f[4], f[5]
				}
				if err := encode.Encode(line); err != nil {
					return fmt.Errorf("audit: exporting: %w", err)
				}
				after = e.Seq
			}
			if len(page) < pageOf {
				return nil
			}
		}
	})
}

// VerifyExport checks an export against itself and the checkpoints, without a database. That it reaches to a chain's end
// can be told by a checkpoint only.
func VerifyExport(from io.Reader, known Checkpoints) (r Report, err error) {
	last := map[uuid.UUID]models.AuditEntry{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		var line exported
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return r, fmt.Errorf("audit: line %d is not of an export: %w", n, err)
		}
		e, err := line.entry()
		if err != nil {
			return r, fmt.Errorf("audit: line %d is not of an export: %w", n, err)
		}
		before, begun := last[e.Chain]
		if !begun {
			r.Chains++
		}
		r.Entries++
		at := Finding{Chain: e.Chain, Seq: e.Seq, Event: e.Event}
		switch {
		case e.Seq != before.Seq+1:
			at.Kind = Gap
			r.find(at)
		case !bytes.Equal(Hash(before.Hash, e), e.Hash):
			at.Kind = Edited
			r.find(at)
		}
		if hash, found := known.Heads[e.Chain][e.Seq]; found {
			r.Checkpoints++
			if !bytes.Equal(hash, e.Hash) {
				at.Kind = Rewritten
				r.find(at)
			}
		}
		last[e.Chain] = e
	}
	if err := lines.Err(); err != nil {
		return r, fmt.Errorf("audit: reading the export: %w", err)
	}
	for chain, e := range last {
		if known.newest(chain) > e.Seq {
			r.find(Finding{Kind: Shortened, Chain: chain, Seq: e.Seq})
		}
	}
	return r, nil
}

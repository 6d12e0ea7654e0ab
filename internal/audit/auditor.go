package audit

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"mooring/internal/models"
)

// Auditor is the proof for the pages: the chains of the store against the checkpoints of one folder.
type Auditor struct{ Dir string }

// Verify walks over every chain, or over one, and says when the newest checkpoint was written.
func (a Auditor) Verify(ctx context.Context, p *models.PlatformStore, only *uuid.UUID) (r Report, newest time.Time, err error) {
	known, err := Load(a.Dir)
	if err != nil {
		return r, newest, err
	}
	r, err = Verify(ctx, p, only, known)
	return r, known.Newest, err
}

// Export writes a chain with its proof.
func (a Auditor) Export(ctx context.Context, p *models.PlatformStore, chain uuid.UUID, to io.Writer) error {
	return Export(ctx, p, chain, to)
}

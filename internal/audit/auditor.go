package audit

import (
	"context"
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

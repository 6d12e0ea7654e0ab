package jobs

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"mooring/internal/mail"
	"mooring/internal/models"
)

// Digester sends one of the staff what is new; notices.Service is the real one.
type Digester interface {
	SendDigest(ctx context.Context, st *models.PlatformStore, digest uuid.UUID) (end string, err error)
}

// digestArgs asks for one digest.
type digestArgs struct {
	Digest uuid.UUID `json:"digest"`
}

// Kind implements river.JobArgs.
func (digestArgs) Kind() string { return "digest" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (digestArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueMail, MaxAttempts: mailTries}
}

type digestWorker struct {
	river.WorkerDefaults[digestArgs]
	deps Deps
}

// Work implements river.Worker.
func (w *digestWorker) Work(ctx context.Context, job *river.Job[digestArgs]) error {
	return w.deps.mailed(ctx, job.JobRow, func() (string, error) {
		return w.deps.Digester.SendDigest(ctx, w.deps.Store.Platform(models.Actor{Kind: models.System}), job.Args.Digest)
	})
}

// mailed observes the sending of a mail and notes how it ended where the staff look. A note that cannot be written costs
// no letter: it would be sent twice for that.
func (d Deps) mailed(ctx context.Context, job *rivertype.JobRow, send func() (end string, err error)) error {
	return d.observed(job.Kind, func() error {
		end, err := send()
		switch {
		case errors.Is(err, mail.ErrRefused):
			end = models.LetterRefused
		case err != nil && job.Attempt >= job.MaxAttempts:
			end = models.MailFailed
		case err != nil:
			end = models.LetterWaiting
		}
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTime)
		defer cancel()
		if noteErr := d.Store.NoteMail(noting, job.ID, job.EncodedArgs, end, mail.Fault(err)); noteErr != nil {
			d.Log.WarnContext(ctx, "noting how a mail ended failed", "job", job.ID, "error", noteErr)
		}
		return err
	})
}

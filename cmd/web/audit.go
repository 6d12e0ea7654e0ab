package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"mooring/internal/audit"
	"mooring/internal/config"
	"mooring/internal/database"
	"mooring/internal/models"
)

// checkpointEvery bounds how much of a chain's end could be removed without a checkpoint knowing.
const checkpointEvery = 5 * time.Minute

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Compute every chain of the history again and compare it with the checkpoints outside the database."`
	Export auditExportCmd `cmd:"" help:"Write a chain of the history with its proof, one JSON object a line."`
}

type auditVerifyCmd struct {
	Tenant *uuid.UUID `help:"One tenant's chain alone; the zero id is the platform's own." placeholder:"ID"`
	File   string     `help:"Check an export instead of the database." placeholder:"FILE"`
}

// Run carries out "web audit verify". What it finds it prints, and ends with code 1.
func (a auditVerifyCmd) Run(ctx context.Context, w world) error {
	c, err := load(w.lookup, config.Auditing)
	if err != nil {
		return err
	}
	known, err := audit.Load(c.AuditDir)
	if err != nil {
		return err
	}
	var report audit.Report
	if a.File != "" {
		report, err = verifyFile(a.File, known)
	} else {
		err = withPlatform(ctx, c, func(p *models.PlatformStore) (err error) {
			report, err = audit.Verify(ctx, p, a.Tenant, known)
			return err
		})
	}
	if err != nil {
		return err
	}
	return tell(w.stdout, report, known)
}

func verifyFile(name string, known audit.Checkpoints) (audit.Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return audit.Report{}, fmt.Errorf("--file: %w", err)
	}
	defer func() { _ = f.Close() }()
	return audit.VerifyExport(f, known)
}

func tell(out io.Writer, r audit.Report, known audit.Checkpoints) error {
	for _, f := range r.Findings {
		fmt.Fprintln(out, f)
	}
	if r.More {
		fmt.Fprintln(out, "and more")
	}
	fmt.Fprintf(out, "%d entries in %d chains were computed again, %d of them compared with checkpoints.\n", r.Entries, r.Chains, r.Checkpoints)
	if known.Newest.IsZero() {
		fmt.Fprintln(out, "There are no checkpoints (AUDIT_CHECKPOINTS): a chain that was cut off or computed anew would not be noticed.")
	}
	if known.Damaged > 0 {
		fmt.Fprintf(out, "%d lines of the checkpoints make no sense, as a crash while writing leaves one.\n", known.Damaged)
	}
	if !r.Intact() {
		fmt.Fprintln(out, "The history was changed.")
		return errTold
	}
	fmt.Fprintln(out, "The history is as it was written.")
	return nil
}

type auditExportCmd struct {
	Tenant   *uuid.UUID `help:"The tenant whose chain is written." placeholder:"ID" xor:"chain" required:""`
	Platform bool       `help:"The platform's own chain." xor:"chain" required:""`
	Out      string     `help:"File to write; it must not be there yet. Without it the chain is printed." placeholder:"FILE"`
}

// Run carries out "web audit export".
func (a auditExportCmd) Run(ctx context.Context, w world) (err error) {
	c, err := load(w.lookup, config.Auditing)
	if err != nil {
		return err
	}
	chain := uuid.Nil
	if a.Tenant != nil {
		chain = *a.Tenant
	}
	out := w.stdout
	if a.Out != "" {
		f, openErr := os.OpenFile(a.Out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if openErr != nil {
			return fmt.Errorf("--out: %w", openErr)
		}
		defer func() { err = errors.Join(err, f.Close()) }() // what the disk did not take must not pass for an export
		out = f
	}
	return withPlatform(ctx, c, func(p *models.PlatformStore) error { return audit.Export(ctx, p, chain, out) })
}

// withPlatform lets do read as the platform's role, beside a serving program or without one.
func withPlatform(ctx context.Context, c config.Config, do func(p *models.PlatformStore) error) error {
	at, err := visitDatabase(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = at.stop(context.WithoutCancel(ctx)) }()
	pool, err := openPool(ctx, "PLATFORM_DATABASE_URL", at.platform, platformConns, database.CheckPlatformRole)
	if err != nil {
		return err
	}
	defer pool.Close()
	store, err := models.NewStore(models.Options{App: pool, Platform: pool, Now: time.Now}) // nothing here asks as the other role
	if err != nil {
		return err
	}
	return do(store.Platform(models.Actor{Kind: models.System}))
}

// startCheckpoints keeps the heads of the chains outside the database from now on.
func (h *house) startCheckpoints() {
	w := &audit.Writer{
		Dir: h.config.AuditDir, Store: h.store.Platform(models.Actor{Kind: models.System}), Every: checkpointEvery,
		Now: time.Now, Log: h.log, Failed: h.metrics.checkpointFailed,
	}
	h.run("the audit checkpoints", w.Run)
}

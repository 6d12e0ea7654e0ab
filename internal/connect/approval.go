package connect

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
)

// CarryOut does what was approved, connection by connection, as whoever had asked for it; jobs calls it. What is done is
// noted as it goes, so that a program which was stopped is followed by one that does the rest. The acts themselves can be
// repeated: a merchant is reminded once a day, and access that has ended stays so.
func (s *Service) CarryOut(ctx context.Context, store *models.Store, approval uuid.UUID) error {
	platform := store.Platform(models.Actor{Kind: models.System})
	u, err := platform.Undertaking(ctx, approval)
	if err != nil {
		return ignore(err, errs.NotFound) // it has ended
	}
	asker := models.Actor{Kind: models.Staff, ID: u.AskedBy}
	for _, one := range u.Left {
		err := s.carryOut(ctx, store, asker, u.Act, one)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		outcome := "done"
		switch errs.CodeOf(err) {
		case "":
		case errs.Conflict, errs.NotFound:
			outcome = "skipped"
		default:
			outcome = "failed" // the others must not wait for it
			s.Log.ErrorContext(ctx, "an approved act failed", "approval", approval, "act", string(u.Act), "connection", one.ID, "error", err)
		}
		if err := platform.NoteTarget(ctx, approval, one.ID, outcome); err != nil {
			return err
		}
	}
	return ignore(platform.FinishApproval(ctx, approval), errs.Conflict)
}

func (s *Service) carryOut(ctx context.Context, store *models.Store, asker models.Actor, act models.Act, one models.Standing) error {
	switch act {
	case models.ActRemind:
		return store.Platform(asker).Remind(ctx, one.Tenant, one.ID)
	case models.ActWithdraw:
		ended, err := s.Withdraw(ctx, store.ForTenant(one.Tenant, asker), one.ID)
		if err == nil && !ended {
			return errs.New(errs.Conflict, "approval.nothing")
		}
		return err
	}
	return errors.New("connect: " + string(act) + " is not carried out in the background")
}

// RevealAll opens all personal values of the connections that an approved act lists. Which they were stands in the tenant's
// history before anything is shown.
func (s *Service) RevealAll(ctx context.Context, p *models.PlatformStore, act models.ApprovalFile) ([]ConnectionView, error) {
	tenant, err := p.Tenant(ctx, *act.Tenant, uuid.Nil)
	if err != nil {
		return nil, err
	}
	var seen []ConnectionView
	var events []models.NewEvent
	for _, view := range s.OpenTenant(tenant) {
		if view.CreatedAt.After(act.AskedAt) {
			continue // nobody has decided on this one
		}
		var shown []BlockView
		for _, block := range view.Blocks {
			fields := block.PersonalFields()
			if len(fields) == 0 || block.Broken {
				continue
			}
			shown = append(shown, block)
			events = append(events, models.NewEvent{Kind: "connection.revealed", Connection: view.ID, Detail: map[string]any{
				"provider": view.Connection.Provider, "account": view.AccountMasked, "block": block.Block,
				"fields": fields, "reason": otherReason, "note": oneLine(act.Reason), "approval": act.ID,
			}})
		}
		if view.Blocks = shown; len(shown) > 0 {
			seen = append(seen, view)
		}
	}
	if len(events) == 0 {
		return nil, errs.New(errs.Conflict, "reveal.nothing")
	}
	return seen, p.TellRevealed(ctx, *act.Tenant, events)
}

package models

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"mooring/internal/errs"
)

// By hand a connection is fetched so many times in a row at most, and once more each so often.
const (
	AskBurst = 5
	AskEvery = 3 * time.Minute
)

// AskAgainAt says from when on the connection may be fetched by hand; a time that has passed is now.
func (c Connection) AskAgainAt() time.Time {
	if c.syncAskedTill == nil {
		return time.Time{}
	}
	return c.syncAskedTill.Add(-(AskBurst - 1) * AskEvery)
}

// PauseSync ends the fetching by itself, until it is resumed. What is on its way goes on, and by hand it can be fetched
// all the same. NotFound for a connection that is not the tenant's, Conflict for one that is disconnected.
func (t *TenantStore) PauseSync(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("PauseSync", &err)
	return t.setPaused(ctx, id, true)
}

// ResumeSync lets a paused connection fall due again: at once, if its time has passed meanwhile. Errors as PauseSync.
func (t *TenantStore) ResumeSync(ctx context.Context, id uuid.UUID) (err error) {
	defer explain("ResumeSync", &err)
	return t.setPaused(ctx, id, false)
}

// setPaused is harmless where it is so already: nothing changes, nothing is told.
func (t *TenantStore) setPaused(ctx context.Context, id uuid.UUID, pause bool) error {
	return t.inTx(ctx, func(tx *Tx) error {
		var c Connection
		err := tx.pgx.QueryRow(ctx, `SELECT provider, account_masked, state, sync_paused_at FROM connections
			WHERE tenant_id = $1 AND id = $2 FOR UPDATE`, t.tenant, id).Scan(&c.Provider, &c.AccountMasked, &c.State, &c.SyncPausedAt)
		switch {
		case err != nil:
			return err
		case c.State == Disconnected:
			return errs.New(errs.Conflict, "error.disconnected")
		case pause == (c.SyncPausedAt != nil):
			return nil
		}
		event, since := "connection.resumed", time.Time{}
		if pause {
			event, since = "connection.paused", t.now()
		}
		return tx.batch(ctx, func(b *pgx.Batch) {
			b.Queue(`UPDATE connections SET sync_paused_at = $3 WHERE tenant_id = $1 AND id = $2`, t.tenant, id, timeOrNull(since))
			t.queueEvent(b, NewEvent{Kind: event, Connection: id,
				Detail: map[string]any{"provider": c.Provider, "account": c.AccountMasked}})
			wake(b, id)
			if !pause {
				wakeDue(b, t.now(), t.now())
			}
		})
	})
}

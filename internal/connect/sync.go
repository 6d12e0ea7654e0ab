package connect

import (
	"bytes"
	"context"
	"errors"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Sync reads everything the provider offers for one connection. jobs calls it. An error means: try again later; what
// trying again cannot mend is written into the connection's state instead.
func (s *Service) Sync(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	detail, err := st.Connection(ctx, id)
	if err != nil {
		return ignore(err, errs.NotFound) // the tenant is gone: nothing to do any more
	}
	p, offered := s.Providers.offered[detail.Provider]
	if !offered {
		return st.EndSync(ctx, id, failed(detail.Connection, models.Ours, ReasonNotOffered, ""))
	}
	if detail.State != models.Disconnected && len(detail.Credential) == 0 { // taken out by hand: nothing to sync with
		return st.EndSync(ctx, id, failed(detail.Connection, models.Ours, ReasonSealedBroken, ""))
	}
	wanted := fetches(p)
	work, err := st.BeginSync(ctx, id, len(wanted))
	if err != nil {
		return ignore(err, errs.Conflict) // another sync has it, or it was disconnected
	}
	run := &syncRun{Service: s, st: st, work: work, provider: p}
	cause := run.fetchAll(ctx, wanted)
	return run.end(context.WithoutCancel(ctx), cause)
}

// syncRun is one sync on its way.
type syncRun struct {
	*Service
	st       *models.TenantStore
	work     models.Work
	provider oauth.Provider
	read     int
	changed  int
}

// fetchAll reads block by block. A block that fails does not keep the others from being read, unless the failure is
// about the access itself; the first failure is the one reported.
func (r *syncRun) fetchAll(ctx context.Context, wanted []fetch) (first error) {
	access := r.access(r.st, r.work.ID)
	for _, f := range wanted {
		var got fetched
		err := access.read(ctx, func(ctx context.Context, cred oauth.Credential) (err error) {
			got, err = f.read(ctx, cred)
			return err
		})
		if err == nil {
			err = r.keep(ctx, f.block, got)
		}
		switch kind := oauth.KindOf(err); {
		case err == nil:
			r.read++
		case kind == oauth.NotFound: // the provider has nothing of this kind
		case kind == oauth.Permission:
			first = errors.Join(first, err)
		default:
			return errors.Join(first, err)
		}
	}
	return first
}

// keep stores a reading as a new version, or notes that the newest one was seen again.
func (r *syncRun) keep(ctx context.Context, block oauth.Block, got fetched) error {
	conn := r.work.Connection
	hash, err := r.Vault.Hash("content", conn.TenantID.String(), string(block), string(got.data))
	if err != nil {
		return err
	}
	last := newest(r.work.Snapshots, conn.ID, block)
	if last != nil && bytes.Equal(last.ContentHash, hash) && r.opens(*last) {
		return r.st.TouchSnapshot(ctx, *last, got.providerAsOf)
	}
	n := models.NewSnapshot{
		Connection: conn.ID, Block: block, Version: 1, ContentHash: hash,
		ProviderAsOf: got.providerAsOf, SourceZone: got.sourceZone, Partial: got.partial,
	}
	if last != nil {
		n.Version = last.Version + 1
	}
	if n.Data, err = r.Vault.Seal(r.work.Key, dataPlace(conn, block, n.Version), got.data); err != nil {
		return err
	}
	if n.Raw, err = r.Vault.Seal(r.work.Key, place(conn.TenantID, conn.ID, conn.Provider, "raw:"+string(block), n.Version), got.raw); err != nil {
		return err
	}
	r.changed++
	return r.st.SaveSnapshot(ctx, n)
}

// opens says whether a stored version is intact: one that was tampered with is replaced by what the provider says now.
func (r *syncRun) opens(s models.Snapshot) bool {
	_, err := r.Vault.Open(r.work.Key, dataPlace(r.work.Connection, s.Block, s.Version), s.Data)
	return err == nil
}

func dataPlace(c models.Connection, block oauth.Block, version int64) vault.Place {
	return place(c.TenantID, c.ID, c.Provider, "data:"+string(block), version)
}

func newest(all []models.Snapshot, connection uuid.UUID, block oauth.Block) *models.Snapshot {
	for i := range all {
		if all[i].ConnectionID == connection && all[i].Block == block {
			return &all[i]
		}
	}
	return nil
}

// end writes how the sync went. Transient failures are given back, so that the job is tried again.
func (r *syncRun) end(ctx context.Context, cause error) error {
	conn := r.work.Connection
	if cause == nil {
		detail := map[string]any{"provider": conn.Provider, "blocks": r.read, "changed": r.changed}
		return r.st.EndSync(ctx, conn.ID, models.SyncResult{
			State: models.Connected, Complete: true,
			Event: models.NewEvent{Kind: "connection.synced", Connection: conn.ID, Detail: detail},
		})
	}
	state, reason := verdict(cause, r.provider.Descriptor().Flow)
	code := ""
	if e, ok := errors.AsType[*oauth.Error](cause); ok {
		code = e.Code
	}
	r.Log.WarnContext(ctx, "a sync failed", "provider", conn.Provider, "connection", conn.ID, "reason", reason, "error", cause)
	if err := r.st.EndSync(ctx, conn.ID, failed(conn, state, reason, code)); err != nil {
		return err
	}
	if state == models.Provider {
		return cause
	}
	return nil
}

func failed(c models.Connection, state models.State, reason, code string) models.SyncResult {
	kind := "connection.sync_failed"
	if reason == ReasonSealedBroken {
		kind = "connection.sealed_broken"
	}
	detail := map[string]any{"provider": c.Provider, "reason": reason}
	if code != "" {
		detail["code"] = code
	}
	return models.SyncResult{
		State: state, Reason: reason, Code: code,
		Event: models.NewEvent{Kind: kind, Connection: c.ID, Detail: detail},
	}
}

// verdict says who must act on a failure. Credentials that a person pasted are theirs to mend; a client's are ours.
func verdict(cause error, flow oauth.Flow) (models.State, string) {
	if errors.Is(cause, vault.ErrSealed) {
		return models.Ours, ReasonSealedBroken
	}
	kind := oauth.KindOf(cause)
	if kind == oauth.AuthConfig && flow != oauth.FlowRedirect {
		return models.NeedsYou, string(kind)
	}
	switch kind {
	case oauth.NeedsReauth, oauth.AccountMismatch, oauth.Permission, oauth.AuthExpired:
		return models.NeedsYou, string(kind)
	case oauth.AuthConfig, oauth.ClockSkew, oauth.Replay, oauth.Signature, oauth.BadRequest:
		return models.Ours, string(kind)
	case "":
		return models.Provider, ReasonInternal
	}
	return models.Provider, string(kind)
}

func ignore(err error, code errs.Code) error {
	if errs.CodeOf(err) == code {
		return nil
	}
	return err
}

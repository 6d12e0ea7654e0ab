package connect

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"mooring/internal/errs"
	"mooring/internal/models"
	"mooring/internal/oauth"
	"mooring/internal/vault"
)

// Sync reads everything the provider offers for one connection, and says when it is read next. jobs calls it. What
// failed is written into the connection, with the time of its next try; an error means that not even that succeeded.
func (s *Service) Sync(ctx context.Context, st *models.TenantStore, id uuid.UUID) error {
	work, err := st.BeginSync(ctx, id, s.Providers.blocks)
	if err != nil {
		return ignore(err, errs.Conflict) // another sync has it, or it was disconnected, or the tenant is gone
	}
	run := &syncRun{Service: s, st: st, work: work, provider: s.Providers.offered[work.Provider]}
	lasting := context.WithoutCancel(ctx)
	switch {
	case run.provider == nil:
		return run.fail(lasting, models.Ours, ReasonNotOffered, nil)
	case len(work.Credential.Sealed) == 0: // taken out by hand: nothing to sync with
		return run.fail(lasting, models.Ours, ReasonSealedBroken, nil)
	}
	if _, paused := s.Watch.Paused(work.Provider); paused {
		return st.LeaveSync(lasting, id, s.Now().Add(spread(pausedRest)))
	}
	cause := run.fetchAll(ctx, fetches(run.provider))
	if cause != nil && errors.Is(ctx.Err(), context.Canceled) {
		return st.LeaveSync(lasting, id, s.Now()) // this program ends: that is nobody's failure, and another one goes on
	}
	return run.end(lasting, cause)
}

// syncRun is one sync on its way.
type syncRun struct {
	*Service
	st       *models.TenantStore
	work     models.Work
	provider oauth.Provider
	read     int
	changed  int
	refused  []oauth.Block // for want of permission
}

// fetchAll reads block by block. A block that fails does not keep the others from being read, unless the failure is
// about the access itself; the first failure is the one reported.
func (r *syncRun) fetchAll(ctx context.Context, wanted []fetch) (first error) {
	access := r.access(r.st, r.work.ID)
	if err := access.take(r.work.Credential); err != nil {
		return err
	}
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
			r.refused = append(r.refused, f.block)
			first = errors.Join(first, err)
		default:
			return errors.Join(first, err)
		}
	}
	return first
}

// keep stores a reading as a new version, or notes that the newest one was seen again. One that does not open any more was
// tampered with, and is replaced by what the provider says now.
func (r *syncRun) keep(ctx context.Context, block oauth.Block, got fetched) error {
	conn := r.work.Connection
	r.Watch.Answered(ctx, conn.Provider, block, got.raw)
	hash, err := r.Vault.Hash("content", conn.TenantID.String(), string(block), string(got.data))
	if err != nil {
		return err
	}
	last := newest(r.work.Snapshots, conn.ID, block)
	var before BlockView
	if last != nil {
		before = r.openBlock(conn, r.work.Key, *last)
	}
	if last != nil && bytes.Equal(last.ContentHash, hash) && !before.Broken {
		return r.st.TouchSnapshot(ctx, *last, got.providerAsOf)
	}
	n := models.NewSnapshot{
		Connection: conn.ID, Block: block, Version: 1, ContentHash: hash,
		ProviderAsOf: got.providerAsOf, SourceZone: got.sourceZone, Partial: got.partial,
	}
	if last != nil {
		n.Version = last.Version + 1
		n.Fields, n.Event = changed(conn, before, got.data)
	}
	if n.Data, err = r.Vault.Seal(r.work.Key, dataPlace(conn, block, n.Version), got.data); err != nil {
		return err
	}
	if n.Raw, err = r.Vault.Seal(r.work.Key, rawPlace(conn, block, n.Version), got.raw); err != nil {
		return err
	}
	r.changed++
	return r.st.SaveSnapshot(ctx, n)
}

func dataPlace(c models.Connection, block oauth.Block, version int64) vault.Place {
	return place(c.TenantID, c.ID, c.Provider, "data:"+string(block), version)
}

func rawPlace(c models.Connection, block oauth.Block, version int64) vault.Place {
	return place(c.TenantID, c.ID, c.Provider, "raw:"+string(block), version)
}

func newest(all []models.Snapshot, connection uuid.UUID, block oauth.Block) *models.Snapshot {
	for i := range all {
		if all[i].ConnectionID == connection && all[i].Block == block {
			return &all[i]
		}
	}
	return nil
}

// end writes how the sync went, and when the next one is.
func (r *syncRun) end(ctx context.Context, cause error) error {
	if cause != nil {
		state, reason := verdict(cause, r.provider.Descriptor())
		return r.fail(ctx, state, reason, cause)
	}
	conn := r.work.Connection
	result := models.SyncResult{State: models.Connected, Complete: true, Refused: []oauth.Block{}, Next: r.Now().Add(spread(Every(r.provider.Descriptor())))}
	if r.work.Asked || r.changed > 0 || conn.State != models.Connected { // an hourly "nothing new" is no news
		result.Event = models.NewEvent{Kind: "connection.synced", Connection: conn.ID,
			Detail: map[string]any{"provider": conn.Provider, "blocks": r.read, "changed": r.changed}}
	}
	return r.st.EndSync(ctx, conn.ID, result)
}

// fail writes what went wrong, who must act, and when it is tried again, if that can help.
func (r *syncRun) fail(ctx context.Context, state models.State, reason string, cause error) error {
	conn := r.work.Connection
	code := ""
	if e, ok := errors.AsType[*oauth.Error](cause); ok {
		code = e.Code
	}
	r.Log.WarnContext(ctx, "a sync failed", "provider", conn.Provider, "connection", conn.ID, "reason", reason, "error", cause)
	result := failed(conn, state, reason, code)
	result.Refused = r.refused
	result.Also = r.observed(conn.Provider, cause)
	if !r.work.Asked && state == conn.State && reason == conn.Reason { // still: told already
		result.Event = models.NewEvent{}
	}
	d, _, _ := r.Providers.Describe(conn.Provider)
	switch {
	case state == models.Provider:
		result.Passing = true
		result.Next = r.Now().Add(spread(restAfter(conn.SyncFailures, cause, Every(d))))
	case heals(state, reason):
		result.Next = r.Now().Add(spread(Every(d)))
	}
	return r.st.EndSync(ctx, conn.ID, result)
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

// Pasted says whether what was refused is what the person filled in, which is theirs to mend: the signing key of a link
// flow, the credentials of a key flow. Where the platform has a secret of its own there, credentials that are refused
// are the platform's.
func Pasted(kind oauth.Kind, d oauth.Descriptor) bool {
	switch d.Flow {
	case oauth.FlowKey:
		return kind == oauth.AuthConfig && !slices.ContainsFunc(d.Settings, func(s oauth.Setting) bool { return s.Secret })
	case oauth.FlowLink:
		return kind == oauth.Signature
	}
	return false
}

// verdict says who must act on a failure.
func verdict(cause error, d oauth.Descriptor) (models.State, string) {
	if errors.Is(cause, vault.ErrSealed) {
		return models.Ours, ReasonSealedBroken
	}
	kind := oauth.KindOf(cause)
	if Pasted(kind, d) {
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

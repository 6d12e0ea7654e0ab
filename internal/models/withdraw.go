package models

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Withdrawn is the reason of a connection whose credential was destroyed because it may be in wrong hands. It keeps its
// account and data, and nothing but reconnecting mends it.
const Withdrawn = "security"

// Withdraw destroys a connection's credential and puts apart what the provider is told with, in one round trip; the
// connection then needs its merchant. Conflict when the credential is no longer the one that Leaving gave, or the
// connection was disconnected or withdrawn before.
func (t *TenantStore) Withdraw(ctx context.Context, p Parting) (err error) {
	defer explain("Withdraw", &err)
	return t.batch(ctx, func(b *pgx.Batch) {
		t.queueTurn(b, turn{
			connection: p.ID, state: NeedsYou, reason: Withdrawn,
			set:   `, credential_version = c.credential_version + 1, sync_state = 'idle', next_sync_at = NULL`,
			where: `AND c.state <> 'disconnected' AND NOT (c.state = 'needs_you' AND c.reason = 'security') AND c.credential_version = $10`,
			args:  []any{p.CredentialVersion},
		})
		b.Queue(`DELETE FROM credentials WHERE tenant_id = $1 AND connection_id = $2`, t.tenant, p.ID)
		t.queueRevocation(b, p.Connection, p.Revocation)
		t.queueEvent(b, NewEvent{Kind: "connection.withdrawn", Connection: p.ID, Detail: map[string]any{"provider": p.Provider, "account": p.AccountMasked}})
		wake(b, p.ID)
		wakeDue(b, t.now(), t.now())
	})
}

// Standing names a connection and its tenant.
type Standing struct {
	Tenant, ID uuid.UUID
	Provider   string
}

// ToWithdraw gives connections that still have their credential, of one provider or, with an empty slug, of all: after a
// place in their order, so that one that cannot be withdrawn holds up nobody.
func (p *PlatformStore) ToWithdraw(ctx context.Context, slug string, after Standing, most int) (all []Standing, err error) {
	defer explain("ToWithdraw", &err)
	rows, err := p.pool.Query(ctx, `SELECT tenant_id, id, provider FROM connections
		WHERE ($1 = '' OR provider = $1) AND state <> 'disconnected' AND NOT (state = 'needs_you' AND reason = 'security')
		  AND (tenant_id, id) > ($2, $3) ORDER BY tenant_id, id LIMIT $4`, slug, after.Tenant, after.ID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Standing])
}

// CountToWithdraw counts them, by provider.
func (p *PlatformStore) CountToWithdraw(ctx context.Context, slug string) (counts map[string]int, err error) {
	defer explain("CountToWithdraw", &err)
	return p.countBy(ctx, `SELECT provider, count(*)::int FROM connections
		WHERE ($1 = '' OR provider = $1) AND state <> 'disconnected' AND NOT (state = 'needs_you' AND reason = 'security') GROUP BY 1`, slug)
}

// CountRevocations says how far telling the providers has come for connections that were withdrawn and are not reconnected.
func (p *PlatformStore) CountRevocations(ctx context.Context, slug string) (counts map[string]int, err error) {
	defer explain("CountRevocations", &err)
	return p.countBy(ctx, `SELECT r.state, count(*)::int FROM connections c JOIN revocations r ON r.tenant_id = c.tenant_id AND r.connection_id = c.id
		WHERE ($1 = '' OR c.provider = $1) AND c.state = 'needs_you' AND c.reason = 'security' AND r.created_at >= c.state_since GROUP BY 1`, slug)
}

func (p *PlatformStore) countBy(ctx context.Context, sql, slug string) (counts map[string]int, err error) {
	rows, err := p.pool.Query(ctx, sql, slug)
	if err != nil {
		return nil, err
	}
	counts = map[string]int{}
	var word string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&word, &n}, func() error { counts[word] = n; return nil })
	return counts, err
}

// TellWithdrawn writes down that many connections were withdrawn at once.
func (p *PlatformStore) TellWithdrawn(ctx context.Context, slug string, count int, by string) (err error) {
	defer explain("TellWithdrawn", &err)
	return p.batch(ctx, scope{}, func(b *pgx.Batch) {
		p.queuePlatformEvent(b, "connections.withdrawn", map[string]any{"provider": slug, "changed": count, "by": by})
	})
}

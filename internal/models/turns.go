package models

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// turn is a connection's state about to be written.
type turn struct {
	connection uuid.UUID
	state      State
	reason     string
	code       string
	set        string // further assignments, with placeholders from $10 on
	where      string // further conditions, likewise
	args       []any
}

// queueTurn moves a connection into a state, in the one place that tells when this is news: that the merchant must act
// who had not to, and that what was broken works again. The database decides by the state that it finds, so that of two
// who report the same trouble only one is told. An outage does not hide that the merchant must act. Exactly one row must be
// hit.
func (t *TenantStore) queueTurn(b *pgx.Batch, to turn) {
	event := newID()
	b.Queue(`
		WITH old AS (
		    SELECT c.state, c.state_since, c.provider, c.account_masked, c.state = 'needs_you' AND $3 = 'provider' AS stays
		      FROM connections c WHERE c.tenant_id = $1 AND c.id = $2 `+to.where+` FOR UPDATE),
		     hit AS (
		    UPDATE connections c
		       SET state = CASE WHEN stays THEN c.state ELSE $3 END, reason = CASE WHEN stays THEN c.reason ELSE $4 END,
		           state_since = CASE WHEN stays OR c.state = $3 THEN c.state_since ELSE $5 END `+to.set+`
		      FROM old
		     WHERE c.tenant_id = $1 AND c.id = $2
		    RETURNING 1),
		     news AS (
		    SELECT 'connection.needs_you' AS kind, jsonb_build_object('provider', provider, 'account', account_masked,
		           'reason', $4::text, 'code', $6::text) AS detail
		      FROM old WHERE $3 = 'needs_you' AND state <> 'needs_you'
		     UNION ALL
		    SELECT 'connection.recovered', jsonb_build_object('provider', provider, 'account', account_masked, 'since', state_since)
		      FROM old WHERE $3 = 'connected' AND state NOT IN ('connected', 'disconnected')),
		     told AS (
		    INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
		    SELECT $1, $7, $2, $8, $9, kind, detail, $5 FROM news)
		SELECT insist(count(*)) FROM hit`,
		append([]any{t.tenant, to.connection, to.state, to.reason, t.now(), to.code, event, t.actor.Kind, orNull(t.actor.ID)}, to.args...)...)
	switch to.state { // which of the two it can have been; the job finds out whether it was
	case NeedsYou:
		t.telling.queue(b, t.tenant, event, "connection.needs_you")
	case Connected:
		t.telling.queue(b, t.tenant, event, "connection.recovered")
	}
}

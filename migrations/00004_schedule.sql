-- When each connection is fetched next.
--
-- Due work is found by an index that holds only what can fall due, so that looking costs the same beside a million
-- connections whose time has not come. Each kind of due work is two functions: claim_due_<kind>(before, most) takes the
-- rows that are due and gives each its next time in the same statement (the lease: a row whose worker dies comes back by
-- itself), and next_due_<kind>() says how long everybody may sleep.

-- +goose Up
ALTER TABLE connections
    ADD COLUMN next_sync_at    timestamptz,
    ADD COLUMN sync_paused_at  timestamptz,
    ADD COLUMN sync_failures   int NOT NULL DEFAULT 0,
    ADD COLUMN sync_asked_till timestamptz;
COMMENT ON COLUMN connections.next_sync_at IS 'When it is fetched next by itself; NULL: not before somebody has acted. While a sync is on its way, when it is believed lost.';
COMMENT ON COLUMN connections.sync_paused_at IS 'Since when the merchant wants no fetching by itself; NULL: it goes on.';
COMMENT ON COLUMN connections.sync_failures IS 'Passing failures in a row: how long to rest before the next try.';
COMMENT ON COLUMN connections.sync_asked_till IS 'How far fetching by hand is used up (GCRA''s theoretical arrival time); NULL: never asked.';

UPDATE connections SET next_sync_at = now() + random() * interval '1 hour' WHERE state NOT IN ('disconnected', 'needs_you');

CREATE INDEX connections_due ON connections (next_sync_at)
    WHERE next_sync_at IS NOT NULL AND sync_paused_at IS NULL AND state <> 'disconnected';
COMMENT ON INDEX connections_due IS 'What can fall due, in the order in which it does.';

-- The settings keep the plan on the index whatever the statistics say: they are old exactly when much has changed.
-- +goose StatementBegin
CREATE FUNCTION claim_due_syncs(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE connections c SET next_sync_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM connections d
            WHERE d.next_sync_at <= before AND d.sync_paused_at IS NULL AND d.state <> 'disconnected'
            ORDER BY d.next_sync_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.id, c.provider;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION claim_due_syncs(timestamptz, int) IS 'Takes connections that are due for fetching; the lane is their provider. What is not fetched within ten minutes falls due again.';

CREATE FUNCTION next_due_syncs() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT next_sync_at FROM connections
     WHERE next_sync_at IS NOT NULL AND sync_paused_at IS NULL AND state <> 'disconnected'
     ORDER BY next_sync_at LIMIT 1
$$;
COMMENT ON FUNCTION next_due_syncs() IS 'When the next connection falls due; NULL: none will by itself.';

REVOKE EXECUTE ON FUNCTION claim_due_syncs(timestamptz, int), next_due_syncs() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_due_syncs(timestamptz, int), next_due_syncs() TO mooring_app;

-- +goose Down
DROP FUNCTION next_due_syncs(), claim_due_syncs(timestamptz, int);
DROP INDEX connections_due;
ALTER TABLE connections
    DROP COLUMN sync_asked_till,
    DROP COLUMN sync_failures,
    DROP COLUMN sync_paused_at,
    DROP COLUMN next_sync_at;

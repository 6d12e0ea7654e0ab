-- What goes on after a connection was disconnected: telling the provider, and erasing the data.
--
-- The credential is destroyed at once for our use. What the provider is told with is kept apart from it, sealed for a
-- place of its own that no sync and no refresh can open, until the provider has confirmed or its time is over. Data that
-- the person wants erased stays readable for as long as that can be undone, and is erased by due work then: two functions
-- for each kind, claim_due_<kind>(before, most) and next_due_<kind>().

-- +goose Up
ALTER TABLE connections
    ADD COLUMN erase_at     timestamptz,
    ADD COLUMN erase_due_at timestamptz,
    ADD COLUMN erased_at    timestamptz;
COMMENT ON COLUMN connections.erase_at IS 'When the data of a disconnected connection is erased, until then it can be undone; NULL: it is kept.';
COMMENT ON COLUMN connections.erase_due_at IS 'When erasing is tried next: erase_at, and later if that try was lost.';
COMMENT ON COLUMN connections.erased_at IS 'When its data was erased. The row stays, for the history to refer to.';
CREATE INDEX connections_erasing ON connections (erase_due_at) WHERE erase_due_at IS NOT NULL;
COMMENT ON INDEX connections_erasing IS 'What is to be erased, in the order in which it falls due.';

CREATE TABLE revocations (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    provider      text        NOT NULL,
    state         text        NOT NULL CHECK (state IN ('waiting', 'confirmed', 'given_up', 'no_way', 'unreadable')),
    sealed        bytea,
    tries         int         NOT NULL DEFAULT 0,
    reason        text        NOT NULL DEFAULT '',
    next_at       timestamptz,
    until_at      timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE,
    CHECK ((state = 'waiting') = (sealed IS NOT NULL)),
    CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
    CHECK ((state = 'waiting') = (ended_at IS NULL))
);
COMMENT ON TABLE revocations IS 'Telling a provider that access has ended: tried until it confirms or the time is over. One per disconnection, and one for each token that a refresh brought back too late.';
COMMENT ON COLUMN revocations.state IS 'waiting: not confirmed yet. confirmed: by the provider. given_up: the time is over. no_way: this provider cannot be told. unreadable: there was nothing left to tell it with.';
COMMENT ON COLUMN revocations.sealed IS 'The credential, to revoke it and for nothing else; gone when the state is no longer waiting.';
COMMENT ON COLUMN revocations.reason IS 'Why the last try failed, as the kind of a provider error.';
COMMENT ON COLUMN revocations.until_at IS 'After this nobody tries any more.';
CREATE INDEX revocations_connection ON revocations (tenant_id, connection_id, id DESC);
CREATE INDEX revocations_due ON revocations (next_at) WHERE next_at IS NOT NULL;
COMMENT ON INDEX revocations_due IS 'Whom to tell, in the order in which it falls due.';

ALTER TABLE revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON revocations TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON revocations FOR SELECT TO mooring_platform USING (true);
GRANT SELECT, INSERT, UPDATE ON revocations TO mooring_app;
GRANT SELECT (tenant_id, id, connection_id, provider, state, tries, reason, next_at, until_at, created_at, ended_at)
    ON revocations TO mooring_platform;                          -- never what was sealed

-- +goose StatementBegin
CREATE FUNCTION erase_connection(wanted uuid, at timestamptz) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE connections c SET account_sealed = '', erase_at = NULL, erase_due_at = NULL, erased_at = at
     WHERE c.tenant_id = current_tenant() AND c.id = wanted AND c.state = 'disconnected' AND c.erase_at <= at;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM snapshots s WHERE s.tenant_id = current_tenant() AND s.connection_id = wanted;
    DELETE FROM inbox i WHERE i.tenant_id = current_tenant()
       AND (i.connection_id = wanted OR i.attempt_id IN (
           SELECT a.id FROM attempts a WHERE a.tenant_id = current_tenant() AND wanted IN (a.connection_id, a.result_connection)));
    RETURN 1;
END
$$;

CREATE FUNCTION claim_due_erasures(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE connections c SET erase_due_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM connections d WHERE d.erase_due_at <= before
            ORDER BY d.erase_due_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.id, c.provider;
END
$$;

CREATE FUNCTION claim_due_revocations(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE revocations r SET next_at = before + interval '10 minutes'
     WHERE r.ctid = ANY (ARRAY(
           SELECT d.ctid FROM revocations d WHERE d.next_at <= before
            ORDER BY d.next_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING r.tenant_id, r.id, r.provider;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION erase_connection(uuid, timestamptz) IS 'Erases what a disconnected connection of the current tenant holds, if its time has come: the serving role cannot delete data in any other way. 1 if it did, else 0.';
COMMENT ON FUNCTION claim_due_erasures(timestamptz, int) IS 'Takes connections whose data is to be erased. What is not erased within ten minutes falls due again.';
COMMENT ON FUNCTION claim_due_revocations(timestamptz, int) IS 'Takes revocations to try. What has not ended or been put off within ten minutes falls due again.';

CREATE FUNCTION next_due_erasures() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT erase_due_at FROM connections WHERE erase_due_at IS NOT NULL ORDER BY erase_due_at LIMIT 1 $$;
COMMENT ON FUNCTION next_due_erasures() IS 'When the next erasure falls due; NULL: none will by itself.';

CREATE FUNCTION next_due_revocations() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT next_at FROM revocations WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1 $$;
COMMENT ON FUNCTION next_due_revocations() IS 'When the next revocation falls due; NULL: none will by itself.';

REVOKE EXECUTE ON FUNCTION erase_connection(uuid, timestamptz), claim_due_erasures(timestamptz, int), claim_due_revocations(timestamptz, int),
    next_due_erasures(), next_due_revocations() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_connection(uuid, timestamptz), claim_due_erasures(timestamptz, int), claim_due_revocations(timestamptz, int),
    next_due_erasures(), next_due_revocations() TO mooring_app;

-- +goose Down
DROP FUNCTION next_due_revocations(), next_due_erasures(), claim_due_revocations(timestamptz, int), claim_due_erasures(timestamptz, int),
    erase_connection(uuid, timestamptz);
DROP TABLE revocations;
DROP INDEX connections_erasing;
ALTER TABLE connections
    DROP COLUMN erased_at,
    DROP COLUMN erase_due_at,
    DROP COLUMN erase_at;

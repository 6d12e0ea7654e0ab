-- What the platform's own systems are told: endpoints, the secrets they verify with, and every delivery.
--
-- Endpoints belong to the platform, deliveries to the tenant whose event they tell of, so they are erased with it. The
-- admins' role makes secrets and never reads one; the serving role reads them to sign and cannot make any. Secrets are
-- sealed under a data key of the platform's own, which the master keyset wraps as it wraps the tenants'. A delivery that
-- is tried again is a job in river's tables, where the admins' role has no grant: replay_deliveries is its door.

-- +goose Up
CREATE TABLE platform_keys (
    name       text        PRIMARY KEY,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE platform_keys IS 'The platform''s own data keysets, wrapped by the master keyset and bound to the zero id where a tenant''s is bound to the tenant.';

CREATE TABLE endpoints (
    id              uuid        PRIMARY KEY,
    url             text        NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    description     text        NOT NULL DEFAULT '' CHECK (length(description) <= 200),
    kinds           text[]      NOT NULL CHECK (cardinality(kinds) > 0),
    enabled         boolean     NOT NULL DEFAULT true,
    disabled_reason text        NOT NULL DEFAULT '' CHECK (disabled_reason IN ('', 'admin', 'gone')),
    disabled_at     timestamptz,
    created_at      timestamptz NOT NULL,
    CHECK (enabled = (disabled_reason = ''))
);
COMMENT ON TABLE endpoints IS 'Systems of the platform''s that are told of events over HTTP.';
COMMENT ON COLUMN endpoints.kinds IS 'Which kinds of events it wants.';
COMMENT ON COLUMN endpoints.disabled_reason IS 'Why it is told nothing: an admin switched it off (admin), or it answered 410 (gone).';

CREATE TABLE endpoint_secrets (
    endpoint_id uuid        NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    version     bigint      NOT NULL,
    sealed      bytea       NOT NULL,
    created_at  timestamptz NOT NULL,
    ends_at     timestamptz,
    PRIMARY KEY (endpoint_id, version)
);
COMMENT ON TABLE endpoint_secrets IS 'What deliveries are signed with. Two live side by side while a receiver changes over; the platform''s role cannot read them.';
COMMENT ON COLUMN endpoint_secrets.ends_at IS 'From then on it signs nothing; NULL for the newest.';
CREATE UNIQUE INDEX endpoint_secrets_newest ON endpoint_secrets (endpoint_id) WHERE ends_at IS NULL;
COMMENT ON INDEX endpoint_secrets_newest IS 'One secret without an end: two rotations at once cannot both win.';
CREATE INDEX endpoint_secrets_end ON endpoint_secrets (ends_at) WHERE ends_at IS NOT NULL;

CREATE TABLE deliveries (
    tenant_id   uuid        NOT NULL,
    id          uuid        NOT NULL,
    endpoint_id uuid        NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    event_id    uuid        NOT NULL,
    kind        text        NOT NULL,
    body        text        NOT NULL,
    state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    tries       int         NOT NULL DEFAULT 0,
    next_at     timestamptz,
    last_status int         NOT NULL DEFAULT 0,
    last_error  text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, endpoint_id, event_id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES events ON DELETE CASCADE
);
COMMENT ON TABLE deliveries IS 'One event for one endpoint: told once, repeated until it is taken or given up.';
COMMENT ON COLUMN deliveries.body IS 'The very bytes that are signed, the same on every try. Never a secret, never an unmasked account.';
COMMENT ON COLUMN deliveries.state IS 'waiting for a try, delivered, or failed: given up, until an admin replays it.';
COMMENT ON COLUMN deliveries.tries IS 'Since it was made, or replayed.';
COMMENT ON COLUMN deliveries.last_error IS 'Why the last try was none, as a word; empty if the endpoint answered.';
CREATE INDEX deliveries_newest ON deliveries (endpoint_id, id DESC);
CREATE INDEX deliveries_state ON deliveries (endpoint_id, state, id DESC);
CREATE INDEX deliveries_event ON deliveries (tenant_id, event_id);
CREATE INDEX deliveries_end ON deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE delivery_tries (
    tenant_id   uuid        NOT NULL,
    delivery_id uuid        NOT NULL,
    id          uuid        NOT NULL,
    status      int         NOT NULL,
    error       text        NOT NULL,
    took_ms     int         NOT NULL,
    tried_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, id),
    FOREIGN KEY (tenant_id, delivery_id) REFERENCES deliveries ON DELETE CASCADE
);
COMMENT ON TABLE delivery_tries IS 'Each try of a delivery and what came of it. What the endpoint said beyond its status is not kept.';

-- +goose StatementBegin
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['deliveries', 'delivery_tries'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY own_tenant ON %I TO mooring_app USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', tenant_table);
        EXECUTE format('CREATE POLICY platform_reads ON %I FOR SELECT TO mooring_platform USING (true)', tenant_table);
    END LOOP;
END
$$;
-- +goose StatementEnd

GRANT SELECT, INSERT                                 ON platform_keys    TO mooring_app;
GRANT SELECT, UPDATE (enabled, disabled_reason, disabled_at) ON endpoints TO mooring_app; -- an endpoint that answers 410 is switched off
GRANT SELECT                                         ON endpoint_secrets TO mooring_app;
GRANT SELECT, INSERT, UPDATE                         ON deliveries       TO mooring_app;
GRANT SELECT, INSERT                                 ON delivery_tries   TO mooring_app;
GRANT SELECT, INSERT, UPDATE, DELETE                 ON endpoints        TO mooring_platform;
GRANT SELECT (endpoint_id, version, created_at, ends_at), INSERT, UPDATE (ends_at) ON endpoint_secrets TO mooring_platform;
GRANT SELECT                                         ON deliveries, delivery_tries TO mooring_platform;

-- +goose StatementBegin
CREATE FUNCTION replay_deliveries(endpoint uuid, single uuid, since timestamptz, moment timestamptz, most int) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    replayed bigint;
BEGIN
    WITH chosen AS (
        SELECT d.tenant_id, d.id FROM deliveries d
         WHERE d.endpoint_id = endpoint AND d.state = 'failed' AND (single IS NULL OR d.id = single) AND d.created_at >= since
         ORDER BY d.id LIMIT most FOR UPDATE),
    again AS (
        UPDATE deliveries d SET state = 'waiting', tries = 0, next_at = moment, ended_at = NULL
          FROM chosen c WHERE d.tenant_id = c.tenant_id AND d.id = c.id
        RETURNING d.tenant_id, d.id),
    jobs AS (
        INSERT INTO river.river_job (kind, args, queue, max_attempts)
        SELECT 'deliver', jsonb_build_object('tenant', a.tenant_id, 'delivery', a.id), 'deliver', 25 FROM again a RETURNING 1)
    SELECT count(*) INTO replayed FROM jobs;
    PERFORM pg_notify('river.river_insert', json_build_object('queue', 'deliver')::text) WHERE replayed > 0;
    RETURN replayed;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION replay_deliveries(uuid, uuid, timestamptz, timestamptz, int) IS 'Gives failed deliveries of an endpoint (one, or the oldest since a moment) a fresh start, and the jobs for it; says how many.';
REVOKE EXECUTE ON FUNCTION replay_deliveries(uuid, uuid, timestamptz, timestamptz, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION replay_deliveries(uuid, uuid, timestamptz, timestamptz, int) TO mooring_platform;

CREATE FUNCTION sweep_outgoing(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH s AS (DELETE FROM endpoint_secrets WHERE ends_at < before RETURNING 1),
         d AS (DELETE FROM deliveries
                WHERE ended_at < before - CASE state WHEN 'failed' THEN interval '90 days' ELSE interval '30 days' END RETURNING 1)
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM d)
    $$;
COMMENT ON FUNCTION sweep_outgoing(timestamptz) IS 'Destroys secrets that have ended, and forgets deliveries: what was taken after 30 days, what was given up after 90.';
REVOKE EXECUTE ON FUNCTION sweep_outgoing(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_outgoing(timestamptz) TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_outgoing(timestamptz);
DROP FUNCTION replay_deliveries(uuid, uuid, timestamptz, timestamptz, int);
DROP TABLE delivery_tries, deliveries, endpoint_secrets, endpoints, platform_keys;

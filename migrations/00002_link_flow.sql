-- Links that a person opens elsewhere, and the callbacks that end them.
--
-- An attempt keeps what it needs to know its callback by, and the inbox keeps every callback that was believed, under a
-- key that a repeat cannot take again. A callback comes from a provider's server: there is no session, and no tenant is
-- known before the token in its address is looked up. open_callback is the door for that, as open_session is for people.

-- +goose Up
ALTER TABLE attempts
    ADD COLUMN callback_hash bytea UNIQUE,
    ADD COLUMN serial        text NOT NULL DEFAULT '',
    ADD COLUMN link_sealed   bytea,
    ADD COLUMN kept_sealed   bytea;
COMMENT ON COLUMN attempts.callback_hash IS 'SHA-256 of the 256-bit token in the address that the provider''s server calls; NULL where the browser comes back.';
COMMENT ON COLUMN attempts.serial IS 'The provider''s name for this attempt, no secret; a callback under another one is refused.';
COMMENT ON COLUMN attempts.link_sealed IS 'What the person opens; gone when the attempt ends.';
COMMENT ON COLUMN attempts.kept_sealed IS 'What a callback is verified with, the merchant''s keys included. Outlives the end, for the provider repeats until it is answered; sweep destroys it.';
CREATE INDEX attempts_kept ON attempts (expires_at) WHERE kept_sealed IS NOT NULL;
COMMENT ON INDEX attempts_kept IS 'Whose keys sweep has still to destroy.';

CREATE TABLE inbox (
    tenant_id         uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id                uuid        NOT NULL,
    attempt_id        uuid,
    connection_id     uuid,
    binding           uuid        NOT NULL GENERATED ALWAYS AS (coalesce(attempt_id, connection_id)) STORED,
    provider          text        NOT NULL,
    serial            text        NOT NULL,
    verified          boolean     NOT NULL,
    content_hash      bytea       NOT NULL,
    body_sealed       bytea       NOT NULL,
    credential_sealed bytea,
    received_at       timestamptz NOT NULL,
    processed_at      timestamptz,
    contradicted_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider, binding, serial),
    CHECK (num_nonnulls(attempt_id, connection_id) = 1),
    FOREIGN KEY (tenant_id, attempt_id) REFERENCES attempts ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE inbox IS 'What providers'' servers sent of their own accord: stored before it is answered, then acted on once.';
COMMENT ON COLUMN inbox.binding IS 'What the address belongs to. With provider and serial it is the key that a repeat cannot take again.';
COMMENT ON COLUMN inbox.verified IS 'Whether the provider''s signature held. What is not verified changes no data.';
COMMENT ON COLUMN inbox.content_hash IS 'Keyed hash of what it says: tells a repeat from another content under the same serial without opening either.';
COMMENT ON COLUMN inbox.body_sealed IS 'The very bytes, for whoever must find out later what was said.';
COMMENT ON COLUMN inbox.credential_sealed IS 'What it brought, until it has been acted on.';
COMMENT ON COLUMN inbox.processed_at IS 'When it was acted on; at once, if there was nothing left to do.';
COMMENT ON COLUMN inbox.contradicted_at IS 'When another content first came under the same serial. That one was not believed.';
CREATE INDEX inbox_attempt ON inbox (tenant_id, attempt_id);
CREATE INDEX inbox_connection ON inbox (tenant_id, connection_id);
CREATE INDEX inbox_waiting ON inbox (received_at) WHERE credential_sealed IS NOT NULL;
COMMENT ON INDEX inbox_waiting IS 'What has not been acted on; sweep destroys it when nobody can wait for it any more.';

ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON inbox TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON inbox FOR SELECT TO mooring_platform USING (true);
GRANT SELECT, INSERT, UPDATE ON inbox TO mooring_app;
GRANT SELECT (tenant_id, id, attempt_id, connection_id, provider, serial, verified, received_at, processed_at, contradicted_at)
    ON inbox TO mooring_platform;                                -- never what was sealed

-- +goose StatementBegin
CREATE FUNCTION open_callback(presented bytea)
    RETURNS TABLE (tenant_id uuid, attempt_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bound attempts%ROWTYPE;
BEGIN
    SELECT * INTO bound FROM attempts a WHERE a.callback_hash = presented;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM set_config('app.user_id', '', true), set_config('app.tenant_id', bound.tenant_id::text, true);
    RETURN QUERY SELECT bound.tenant_id, bound.id;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION open_callback(bytea) IS 'What the token of a callback''s address is bound to; opens the rest of the transaction for its tenant and for no person.';
REVOKE EXECUTE ON FUNCTION open_callback(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_callback(bytea) TO mooring_app;

CREATE OR REPLACE FUNCTION sweep(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH s AS (DELETE FROM sessions       WHERE expires_at < before RETURNING 1),
         l AS (DELETE FROM one_time_links WHERE expires_at < before RETURNING 1),
         a AS (DELETE FROM attempts       WHERE expires_at < before - interval '30 days' RETURNING 1),
         k AS (UPDATE attempts SET kept_sealed = NULL, link_sealed = NULL
                WHERE kept_sealed IS NOT NULL
                  AND expires_at < before - interval '2 days' AND expires_at >= before - interval '30 days'),
         c AS (UPDATE inbox SET credential_sealed = NULL, processed_at = before
                WHERE credential_sealed IS NOT NULL AND received_at < before - interval '2 days'),
         r AS (DELETE FROM rate_limits    WHERE tat < before RETURNING 1)
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM l) + (SELECT count(*) FROM a) + (SELECT count(*) FROM r)
    $$;
COMMENT ON FUNCTION sweep(timestamptz) IS 'Removes what has ended: sessions and links at once, what a link attempt and its callback kept after 2 days (a provider repeats for one), attempts after 30 days (they answer "what happened to my try?").';

-- +goose Down
CREATE OR REPLACE FUNCTION sweep(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH s AS (DELETE FROM sessions       WHERE expires_at < before RETURNING 1),
         l AS (DELETE FROM one_time_links WHERE expires_at < before RETURNING 1),
         a AS (DELETE FROM attempts       WHERE expires_at < before - interval '30 days' RETURNING 1),
         r AS (DELETE FROM rate_limits    WHERE tat < before RETURNING 1)
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM l) + (SELECT count(*) FROM a) + (SELECT count(*) FROM r)
    $$;
COMMENT ON FUNCTION sweep(timestamptz) IS 'Removes what has ended: sessions and links at once, attempts after 30 days (they answer "what happened to my try?").';
DROP FUNCTION open_callback(bytea);
DROP TABLE inbox;
ALTER TABLE attempts
    DROP COLUMN callback_hash,
    DROP COLUMN serial,
    DROP COLUMN link_sealed,
    DROP COLUMN kept_sealed;

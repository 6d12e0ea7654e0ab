-- Callbacks that are about a connection, and what becomes of a callback that cannot be acted on.
--
-- A connection whose provider sends news has an address of its own. Renewing it leaves the old one open for a while, so
-- that nothing is lost while the new one is being registered. News is not believed: it makes the connection be read
-- again, so one row that waits stands for every call until then, and a flood of calls is one reading.
--
-- A row's state is derived from what has happened to it, so that a program of before, which knows less, cannot
-- contradict it. The staff may replay and discard through two functions; they see no content.

-- +goose Up
CREATE TABLE callback_addresses (
    tenant_id     uuid        NOT NULL,
    id            uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    token_hash    bytea       NOT NULL UNIQUE,
    token_sealed  bytea       NOT NULL,
    created_at    timestamptz NOT NULL,
    ends_at       timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE callback_addresses IS 'Where a provider''s server sends news of a connection. The platform''s role has no grant here.';
COMMENT ON COLUMN callback_addresses.token_hash IS 'SHA-256 of the 256-bit token in the address: finds it.';
COMMENT ON COLUMN callback_addresses.token_sealed IS 'The token, for showing it to the merchant.';
COMMENT ON COLUMN callback_addresses.ends_at IS 'Until when a renewed address is still answered; NULL: it is the current one.';
CREATE UNIQUE INDEX callback_addresses_current ON callback_addresses (tenant_id, connection_id) WHERE ends_at IS NULL;
COMMENT ON INDEX callback_addresses_current IS 'A connection has one current address.';
CREATE INDEX callback_addresses_connection ON callback_addresses (tenant_id, connection_id);
CREATE INDEX callback_addresses_end ON callback_addresses (ends_at) WHERE ends_at IS NOT NULL;

ALTER TABLE callback_addresses ENABLE ROW LEVEL SECURITY;
ALTER TABLE callback_addresses FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON callback_addresses TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
GRANT SELECT, INSERT, UPDATE ON callback_addresses TO mooring_app;

ALTER TABLE inbox
    ADD COLUMN calls        int  NOT NULL DEFAULT 1,
    ADD COLUMN tries        int  NOT NULL DEFAULT 0,
    ADD COLUMN reason       text NOT NULL DEFAULT '',
    ADD COLUMN parked_at    timestamptz,
    ADD COLUMN dead_at      timestamptz,
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN state        text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN discarded_at IS NOT NULL THEN 'discarded'
             WHEN processed_at IS NOT NULL THEN 'processed'
             WHEN dead_at IS NOT NULL THEN 'dead'
             WHEN parked_at IS NOT NULL THEN 'parked'
             ELSE 'waiting' END) STORED;
COMMENT ON COLUMN inbox.calls IS 'How many calls the row stands for. News that comes while other news of the connection waits is counted, not kept.';
COMMENT ON COLUMN inbox.tries IS 'How often acting on it has failed.';
COMMENT ON COLUMN inbox.reason IS 'Why the last try failed, or why it was discarded: the kind of a provider error or a word of ours.';
COMMENT ON COLUMN inbox.parked_at IS 'When it was put aside because its connection was disconnected. It joins a reconnection within a day.';
COMMENT ON COLUMN inbox.dead_at IS 'When every try had failed. Nothing happens to it any more but by the staff.';
COMMENT ON COLUMN inbox.discarded_at IS 'When it was given up: by the staff, or by time. Its content is gone.';
COMMENT ON COLUMN inbox.state IS 'What the times beside it come to.';
CREATE UNIQUE INDEX inbox_news ON inbox (tenant_id, connection_id) WHERE connection_id IS NOT NULL AND state IN ('waiting', 'parked');
COMMENT ON INDEX inbox_news IS 'News of a connection waits once, however often it comes.';
CREATE INDEX inbox_newest ON inbox (id DESC);
COMMENT ON INDEX inbox_newest IS 'The admins'' list, newest first, by keyset; and by id, which is a UUIDv7, what is old enough to go.';
CREATE INDEX inbox_provider ON inbox (provider, id DESC);
CREATE INDEX inbox_open ON inbox (state, id DESC) WHERE state IN ('waiting', 'parked', 'dead');
COMMENT ON INDEX inbox_open IS 'What somebody may have to look at: few, beside what has been processed.';
GRANT SELECT (calls, tries, reason, parked_at, dead_at, discarded_at, state) ON inbox TO mooring_platform;

DROP FUNCTION open_callback(bytea);
-- +goose StatementBegin
CREATE FUNCTION open_callback(presented bytea)
    RETURNS TABLE (tenant_id uuid, attempt_id uuid, connection_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    tenant     uuid;
    attempt    uuid;
    connection uuid;
BEGIN
    SELECT a.tenant_id, a.id INTO tenant, attempt FROM attempts a WHERE a.callback_hash = presented;
    IF NOT FOUND THEN
        SELECT c.tenant_id, c.connection_id INTO tenant, connection FROM callback_addresses c WHERE c.token_hash = presented;
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    PERFORM set_config('app.user_id', '', true), set_config('app.tenant_id', tenant::text, true);
    RETURN QUERY SELECT tenant, attempt, connection;
END
$$;

CREATE FUNCTION replay_callback(wanted uuid, at timestamptz)
    RETURNS TABLE (tenant_id uuid, connection_id uuid, provider text, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    row inbox%ROWTYPE;
BEGIN
    SELECT * INTO row FROM inbox i WHERE i.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF row.state = 'dead' AND row.connection_id IS NOT NULL AND EXISTS (
        SELECT FROM inbox w WHERE w.tenant_id = row.tenant_id AND w.connection_id = row.connection_id AND w.state IN ('waiting', 'parked')) THEN
        UPDATE inbox i SET processed_at = at WHERE i.tenant_id = row.tenant_id AND i.id = row.id; -- the newer news brings the same reading
    ELSIF row.state = 'dead' THEN
        UPDATE inbox i SET dead_at = NULL, tries = 0, reason = '' WHERE i.tenant_id = row.tenant_id AND i.id = row.id;
        INSERT INTO river.river_job (kind, args, queue, max_attempts)
        VALUES ('callback', jsonb_build_object('tenant', row.tenant_id, 'callback', row.id), 'callback', 8);
        PERFORM pg_notify('river.river_insert', json_build_object('queue', 'callback')::text);
    END IF;
    RETURN QUERY SELECT row.tenant_id, row.connection_id, row.provider, row.state = 'dead';
END
$$;

CREATE FUNCTION discard_callback(wanted uuid, at timestamptz)
    RETURNS TABLE (tenant_id uuid, connection_id uuid, provider text, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    row inbox%ROWTYPE;
BEGIN
    SELECT * INTO row FROM inbox i WHERE i.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF row.state IN ('waiting', 'parked', 'dead') THEN
        UPDATE inbox i SET discarded_at = at, body_sealed = '', credential_sealed = NULL
         WHERE i.tenant_id = row.tenant_id AND i.id = row.id;
    END IF;
    RETURN QUERY SELECT row.tenant_id, row.connection_id, row.provider, row.state IN ('waiting', 'parked', 'dead');
END
$$;

CREATE FUNCTION sweep_inbox(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
    more bigint;
BEGIN
    UPDATE inbox SET discarded_at = before, reason = 'parked_long', body_sealed = '', credential_sealed = NULL
     WHERE state = 'parked' AND parked_at < before - interval '24 hours';
    UPDATE inbox SET discarded_at = before, reason = 'link_over', body_sealed = '', credential_sealed = NULL
     WHERE credential_sealed IS NOT NULL AND received_at < before - interval '2 days';
    UPDATE inbox SET dead_at = before, reason = 'stuck' WHERE state = 'waiting' AND received_at < before - interval '24 hours';
    DELETE FROM inbox WHERE connection_id IS NOT NULL
       AND id < (lpad(to_hex((extract(epoch FROM before - interval '30 days') * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
    GET DIAGNOSTICS gone = ROW_COUNT;
    DELETE FROM callback_addresses WHERE ends_at < before;
    GET DIAGNOSTICS more = ROW_COUNT;
    RETURN gone + more;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION open_callback(bytea) IS 'What the token of a callback''s address is bound to, an attempt or a connection; opens the rest of the transaction for its tenant and for no person.';
COMMENT ON FUNCTION replay_callback(uuid, timestamptz) IS 'Lets a dead callback be acted on again, with the job that does; says whether it was dead. Of no callback: no row.';
COMMENT ON FUNCTION discard_callback(uuid, timestamptz) IS 'Gives up a callback that has not been acted on and destroys its content; says whether there was anything to give up.';
COMMENT ON FUNCTION sweep_inbox(timestamptz) IS 'Discards what was parked for a day and what a link''s callback kept for two, buries what has waited for a day without anybody working on it, and removes news after 30 days (links'' callbacks go with their attempts) and addresses that have ended.';
REVOKE EXECUTE ON FUNCTION open_callback(bytea), replay_callback(uuid, timestamptz), discard_callback(uuid, timestamptz), sweep_inbox(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_callback(bytea), sweep_inbox(timestamptz) TO mooring_app;
GRANT EXECUTE ON FUNCTION replay_callback(uuid, timestamptz), discard_callback(uuid, timestamptz) TO mooring_platform;

-- +goose Down
DROP FUNCTION sweep_inbox(timestamptz), discard_callback(uuid, timestamptz), replay_callback(uuid, timestamptz), open_callback(bytea);
DELETE FROM inbox WHERE connection_id IS NOT NULL;               -- the program of before cannot answer for these
DROP INDEX inbox_open, inbox_provider, inbox_newest, inbox_news;
ALTER TABLE inbox
    DROP COLUMN state,
    DROP COLUMN discarded_at,
    DROP COLUMN dead_at,
    DROP COLUMN parked_at,
    DROP COLUMN reason,
    DROP COLUMN tries,
    DROP COLUMN calls;
DROP TABLE callback_addresses;
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

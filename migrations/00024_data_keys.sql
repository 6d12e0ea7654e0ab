-- Turning the tenants' own data keys, and rewrapping what a closed tenant leaves.
--
-- A tenant's data keyset holds every key that its rows need, in one wrapped value: deleting that value ends all of them. A turn
-- adds a key, lets it seal when nobody can hold the keyset as it was before, rewrites the rows, and takes the old key out when
-- no row needs it. Which key a row needs is read from the row itself (sealing_key). From then on a trigger keeps out what
-- would need the destroyed key: a program that slept through it all can fail, and can lose nothing.
--
-- A parting key is wrapped by the master key like a data key, and from now on rewrapped and counted like one.

-- +goose Up
CREATE TABLE key_turns (
    tenant_id    uuid        NOT NULL REFERENCES tenant_keys ON DELETE CASCADE,
    from_key     bigint      NOT NULL,
    to_key       bigint      NOT NULL,
    begun_at     timestamptz NOT NULL,
    sealing_at   timestamptz,
    rewritten_at timestamptz,
    ended_at     timestamptz,
    due_at       timestamptz,
    rewritten    int         NOT NULL DEFAULT 0,
    stuck        int         NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, from_key),
    CHECK ((due_at IS NULL) = (ended_at IS NOT NULL))
);
COMMENT ON TABLE key_turns IS 'Each turn of a tenant''s data key, from the key before to the one after; the keys themselves are in tenant_keys, wrapped. Goes with them.';
COMMENT ON COLUMN key_turns.sealing_at IS 'When the new key began to seal. NULL: it only opens, until nobody can hold the keyset without it.';
COMMENT ON COLUMN key_turns.rewritten_at IS 'When the rows had been rewritten. The old key stays a while longer, for whoever still seals with it.';
COMMENT ON COLUMN key_turns.ended_at IS 'When the old key was destroyed; nothing can be written with it any more.';
COMMENT ON COLUMN key_turns.due_at IS 'When the next step is tried.';
COMMENT ON COLUMN key_turns.rewritten IS 'Values that were sealed anew.';
COMMENT ON COLUMN key_turns.stuck IS 'Values that name the old key and do not open at their place; the old key is kept while there are any.';
CREATE UNIQUE INDEX key_turns_open ON key_turns (tenant_id) WHERE ended_at IS NULL;
COMMENT ON INDEX key_turns_open IS 'One turn at a time.';
CREATE INDEX key_turns_due ON key_turns (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE key_turns ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_turns FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON key_turns TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON key_turns FOR SELECT TO mooring_platform USING (true);
GRANT SELECT, INSERT, UPDATE ON key_turns TO mooring_app;
GRANT SELECT ON key_turns TO mooring_platform;

ALTER TABLE closings ADD COLUMN parting_master bigint GENERATED ALWAYS AS (wrapping_key(parting_key)) STORED;
COMMENT ON COLUMN closings.parting_master IS 'The master key that opens the parting key, as the ciphertext says.';
CREATE INDEX closings_parting ON closings (parting_master) WHERE parting_key IS NOT NULL;
GRANT UPDATE (parting_key) ON closings TO mooring_app;

-- +goose StatementBegin
CREATE FUNCTION tenants_to_turn(before timestamptz, after uuid, most int) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT k.tenant_id FROM tenant_keys k
     WHERE k.tenant_id > after AND k.created_at < before
       AND NOT EXISTS (SELECT FROM key_turns t WHERE t.tenant_id = k.tenant_id AND (t.ended_at IS NULL OR t.begun_at >= before))
     ORDER BY k.tenant_id LIMIT most
$$;

CREATE FUNCTION claim_key_turns(at timestamptz, until timestamptz, most int) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE key_turns t SET due_at = until
     WHERE t.ctid = ANY (ARRAY(
           SELECT d.ctid FROM key_turns d WHERE d.due_at <= at
            ORDER BY d.due_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING t.tenant_id;
END
$$;

CREATE FUNCTION refuse_destroyed_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    needed bigint[];
    turn   record;
BEGIN
    CASE TG_TABLE_NAME
        WHEN 'attempts' THEN
            needed := ARRAY[sealing_key(NEW.verifier_sealed), sealing_key(NEW.returned_sealed), sealing_key(NEW.link_sealed), sealing_key(NEW.kept_sealed)];
        WHEN 'callback_addresses' THEN
            needed := ARRAY[sealing_key(NEW.token_sealed)];
        WHEN 'connections' THEN
            needed := ARRAY[sealing_key(NEW.account_sealed)];
        WHEN 'credentials' THEN
            needed := ARRAY[sealing_key(NEW.sealed), sealing_key(NEW.previous_sealed)];
        WHEN 'inbox' THEN
            needed := ARRAY[sealing_key(NEW.body_sealed), sealing_key(NEW.credential_sealed)];
        WHEN 'revocations' THEN
            needed := ARRAY[sealing_key(NEW.sealed)];
        WHEN 'snapshots' THEN
            needed := ARRAY[sealing_key(NEW.data_sealed), sealing_key(NEW.raw_sealed)];
    END CASE;
    FOR turn IN SELECT t.from_key, t.ended_at FROM key_turns t
                 WHERE t.tenant_id = NEW.tenant_id AND t.from_key = ANY (needed) FOR KEY SHARE LOOP -- waits for an end that is on its way
        IF turn.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'data key % has been destroyed', turn.from_key USING ERRCODE = 'MR005';
        END IF;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION refuse_retired_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    needed bigint;
BEGIN
    IF TG_TABLE_NAME = 'vault_canaries' THEN
        needed := sealing_key(NEW.sealed);
    ELSIF TG_TABLE_NAME = 'closings' THEN
        needed := wrapping_key(NEW.parting_key);
    ELSE
        needed := wrapping_key(NEW.wrapped);
    END IF;
    IF EXISTS (SELECT FROM master_keys k WHERE k.id = needed AND k.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'master key % has been retired', needed USING ERRCODE = 'MR004';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION master_keys_needed() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE used AS (
        (SELECT min(master_key) AS k FROM tenant_keys)
        UNION ALL
        SELECT (SELECT min(t.master_key) FROM tenant_keys t WHERE t.master_key > u.k) FROM used u WHERE u.k IS NOT NULL)
    SELECT k FROM used WHERE k IS NOT NULL
     UNION SELECT parting_master FROM closings WHERE parting_key IS NOT NULL AND parting_master IS NOT NULL
     UNION SELECT master_key FROM platform_keys WHERE master_key IS NOT NULL
     UNION SELECT master_key FROM vault_canaries WHERE master_key IS NOT NULL
     UNION (SELECT id FROM master_keys WHERE promoted_at IS NOT NULL AND retired_at IS NULL ORDER BY promoted_at DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION master_key_rows() RETURNS TABLE (key bigint, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(k, 0), sum(c)::bigint FROM (
        SELECT master_key AS k, count(*) AS c FROM tenant_keys GROUP BY 1
         UNION ALL SELECT parting_master, count(*) FROM closings WHERE parting_key IS NOT NULL GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM platform_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM vault_canaries GROUP BY 1) rows
     GROUP BY 1
$$;

CREATE OR REPLACE FUNCTION tenants_to_rewrap(newest bigint, after uuid, most int) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    (SELECT tenant_id FROM tenant_keys WHERE master_key <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most)
     UNION
    (SELECT tenant_id FROM closings WHERE parting_key IS NOT NULL AND parting_master <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most)
     ORDER BY tenant_id LIMIT most
$$;

CREATE OR REPLACE FUNCTION retire_master_key(wanted bigint, at timestamptz, living timestamptz) RETURNS TABLE (rows_left bigint, sealing bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE tenant_keys, closings, platform_keys, vault_canaries, key_holders IN SHARE ROW EXCLUSIVE MODE;
    rows_left := coalesce((SELECT r.n FROM master_key_rows() r WHERE r.key = wanted), 0);
    sealing := (SELECT count(*) FROM key_holders h WHERE h.seen_at > living AND h.main = wanted);
    IF rows_left = 0 AND sealing = 0 THEN
        UPDATE master_keys k SET retired_at = coalesce(k.retired_at, at) WHERE k.id = wanted;
    END IF;
    RETURN NEXT;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION tenants_to_turn(timestamptz, uuid, int) IS 'Tenants whose data key is older than that and not being turned, by id.';
COMMENT ON FUNCTION claim_key_turns(timestamptz, timestamptz, int) IS 'Takes turns whose next step is due. What has not moved on by then falls due again.';
COMMENT ON FUNCTION refuse_destroyed_key() IS 'Keeps out what would need a data key that is gone: a program that slept may still seal with it.';

CREATE TRIGGER retired BEFORE INSERT OR UPDATE OF parting_key ON closings FOR EACH ROW EXECUTE FUNCTION refuse_retired_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF verifier_sealed, returned_sealed, link_sealed, kept_sealed ON attempts FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF token_sealed ON callback_addresses FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF account_sealed ON connections FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF sealed, previous_sealed ON credentials FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF body_sealed, credential_sealed ON inbox FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF sealed ON revocations FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();
CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF data_sealed, raw_sealed ON snapshots FOR EACH ROW EXECUTE FUNCTION refuse_destroyed_key();

REVOKE EXECUTE ON FUNCTION tenants_to_turn(timestamptz, uuid, int), claim_key_turns(timestamptz, timestamptz, int), refuse_destroyed_key() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_to_turn(timestamptz, uuid, int), claim_key_turns(timestamptz, timestamptz, int) TO mooring_app;

-- +goose Down
DROP TRIGGER destroyed ON snapshots;
DROP TRIGGER destroyed ON revocations;
DROP TRIGGER destroyed ON inbox;
DROP TRIGGER destroyed ON credentials;
DROP TRIGGER destroyed ON connections;
DROP TRIGGER destroyed ON callback_addresses;
DROP TRIGGER destroyed ON attempts;
DROP TRIGGER retired ON closings;
DROP FUNCTION refuse_destroyed_key(), claim_key_turns(timestamptz, timestamptz, int), tenants_to_turn(timestamptz, uuid, int);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_retired_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    needed bigint;
BEGIN
    IF TG_TABLE_NAME = 'vault_canaries' THEN
        needed := sealing_key(NEW.sealed);
    ELSE
        needed := wrapping_key(NEW.wrapped);
    END IF;
    IF EXISTS (SELECT FROM master_keys k WHERE k.id = needed AND k.retired_at IS NOT NULL) THEN
        RAISE EXCEPTION 'master key % has been retired', needed USING ERRCODE = 'MR003';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION master_keys_needed() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE used AS (
        (SELECT min(master_key) AS k FROM tenant_keys)
        UNION ALL
        SELECT (SELECT min(t.master_key) FROM tenant_keys t WHERE t.master_key > u.k) FROM used u WHERE u.k IS NOT NULL)
    SELECT k FROM used WHERE k IS NOT NULL
     UNION SELECT master_key FROM platform_keys WHERE master_key IS NOT NULL
     UNION SELECT master_key FROM vault_canaries WHERE master_key IS NOT NULL
     UNION (SELECT id FROM master_keys WHERE promoted_at IS NOT NULL AND retired_at IS NULL ORDER BY promoted_at DESC LIMIT 1)
$$;

CREATE OR REPLACE FUNCTION master_key_rows() RETURNS TABLE (key bigint, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(k, 0), sum(c)::bigint FROM (
        SELECT master_key AS k, count(*) AS c FROM tenant_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM platform_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM vault_canaries GROUP BY 1) rows
     GROUP BY 1
$$;

CREATE OR REPLACE FUNCTION tenants_to_rewrap(newest bigint, after uuid, most int) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT tenant_id FROM tenant_keys WHERE master_key <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most
$$;

CREATE OR REPLACE FUNCTION retire_master_key(wanted bigint, at timestamptz, living timestamptz) RETURNS TABLE (rows_left bigint, sealing bigint)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE tenant_keys, platform_keys, vault_canaries, key_holders IN SHARE ROW EXCLUSIVE MODE;
    rows_left := coalesce((SELECT r.n FROM master_key_rows() r WHERE r.key = wanted), 0);
    sealing := (SELECT count(*) FROM key_holders h WHERE h.seen_at > living AND h.main = wanted);
    IF rows_left = 0 AND sealing = 0 THEN
        UPDATE master_keys k SET retired_at = coalesce(k.retired_at, at) WHERE k.id = wanted;
    END IF;
    RETURN NEXT;
END
$$;
-- +goose StatementEnd
REVOKE UPDATE (parting_key) ON closings FROM mooring_app;
DROP INDEX closings_parting;
ALTER TABLE closings DROP COLUMN parting_master;
DROP TABLE key_turns;

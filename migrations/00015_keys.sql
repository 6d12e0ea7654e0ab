-- Turning the master keyset while everybody reads.
--
-- Which master key a row needs is read from the ciphertext itself, so it can never say anything else than what is
-- true. What the serving programs know, and which key was made primary when, stands beside it: a key becomes primary only when
-- every living program has loaded it, and is retired only when no row needs it. Once retired, nothing can be written with
-- it any more, whatever a program believes that slept through it all.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION sealing_key(sealed bytea, at int DEFAULT 0) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(sealed) >= at + 5 AND get_byte(sealed, at) = 1
                THEN (get_byte(sealed, at + 1)::bigint << 24) | (get_byte(sealed, at + 2) << 16) | (get_byte(sealed, at + 3) << 8) | get_byte(sealed, at + 4) END;

CREATE FUNCTION wrapping_key(wrapped bytea) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(wrapped) >= 16 AND get_byte(wrapped, 0) = 18
                THEN sealing_key(wrapped, CASE WHEN get_byte(wrapped, 1) < 128 THEN 2 WHEN get_byte(wrapped, 2) < 128 THEN 3 ELSE 4 END) END;
-- +goose StatementEnd
COMMENT ON FUNCTION sealing_key(bytea, int) IS 'The key that a ciphertext names: one byte 1 and the id in four. NULL: it names none.';
COMMENT ON FUNCTION wrapping_key(bytea) IS 'The master key that a wrapped keyset names: its first field (tag 0x12, its length) is the ciphertext. NULL: it names none.';

REVOKE EXECUTE ON FUNCTION sealing_key(bytea, int), wrapping_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sealing_key(bytea, int), wrapping_key(bytea) TO mooring_app, mooring_platform; -- who writes a row computes its columns

ALTER TABLE tenant_keys ADD COLUMN master_key bigint GENERATED ALWAYS AS (wrapping_key(wrapped)) STORED;
ALTER TABLE platform_keys ADD COLUMN master_key bigint GENERATED ALWAYS AS (wrapping_key(wrapped)) STORED;
ALTER TABLE vault_canaries ADD COLUMN master_key bigint GENERATED ALWAYS AS (sealing_key(sealed)) STORED;
COMMENT ON COLUMN tenant_keys.master_key IS 'The master key that opens it, as the ciphertext says.';
COMMENT ON COLUMN platform_keys.master_key IS 'The master key that opens it, as the ciphertext says.';
COMMENT ON COLUMN vault_canaries.master_key IS 'The master key that opens it, as the ciphertext says.';
CREATE INDEX tenant_keys_master ON tenant_keys (master_key);
COMMENT ON INDEX tenant_keys_master IS 'How many rows need which key, and which keys are needed at all, without looking at the rows.';

CREATE TABLE master_keys (
    id          bigint      PRIMARY KEY,
    added_at    timestamptz NOT NULL,
    promoted_at timestamptz,
    retired_at  timestamptz,
    CHECK (retired_at IS NULL OR promoted_at IS NOT NULL)
);
COMMENT ON TABLE master_keys IS 'What is known of each master key, by its id; the keys themselves are never in the database.';
COMMENT ON COLUMN master_keys.promoted_at IS 'When it was allowed to seal; the newest one does. NULL: it was added and opens nothing yet.';
COMMENT ON COLUMN master_keys.retired_at IS 'From then on nothing can be written that needs it.';

CREATE TABLE key_holders (
    replica text        PRIMARY KEY,
    keys    bigint[]    NOT NULL,
    main    bigint      NOT NULL,
    seen_at timestamptz NOT NULL
);
COMMENT ON TABLE key_holders IS 'Which master keys each serving program has loaded. One that has not said so for a while is gone.';
COMMENT ON COLUMN key_holders.main IS 'The one that it seals with.';

GRANT SELECT, INSERT, UPDATE, DELETE ON key_holders TO mooring_app;
GRANT SELECT, INSERT ON master_keys TO mooring_app;
GRANT UPDATE (wrapped) ON tenant_keys, platform_keys TO mooring_app;
GRANT UPDATE (sealed) ON vault_canaries TO mooring_app;
GRANT SELECT ON master_keys, key_holders TO mooring_platform;

-- +goose StatementBegin
CREATE FUNCTION refuse_retired_key() RETURNS trigger
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

CREATE FUNCTION master_keys_needed() RETURNS SETOF bigint
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

CREATE FUNCTION master_key_rows() RETURNS TABLE (key bigint, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT coalesce(k, 0), sum(c)::bigint FROM (
        SELECT master_key AS k, count(*) AS c FROM tenant_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM platform_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM vault_canaries GROUP BY 1) rows
     GROUP BY 1
$$;

CREATE FUNCTION tenants_to_rewrap(newest bigint, after uuid, most int) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT tenant_id FROM tenant_keys WHERE master_key <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most
$$;

CREATE FUNCTION promote_master_key(wanted bigint, at timestamptz, living timestamptz) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    without bigint;
BEGIN
    LOCK TABLE key_holders IN SHARE ROW EXCLUSIVE MODE;
    SELECT count(*) INTO without FROM key_holders h WHERE h.seen_at > living AND wanted <> ALL (h.keys);
    IF without = 0 THEN
        INSERT INTO master_keys AS k (id, added_at, promoted_at) VALUES (wanted, at, at)
        ON CONFLICT (id) DO UPDATE SET promoted_at = at WHERE k.promoted_at IS NULL;
    END IF;
    RETURN without;
END
$$;

CREATE FUNCTION retire_master_key(wanted bigint, at timestamptz, living timestamptz) RETURNS TABLE (rows_left bigint, sealing bigint)
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
COMMENT ON FUNCTION refuse_retired_key() IS 'Keeps out what would need a key that is gone: a program that slept may still seal with it.';
COMMENT ON FUNCTION master_keys_needed() IS 'The master keys that a serving program must have: those that rows need, and the one that seals. One look per key, not per row.';
COMMENT ON FUNCTION master_key_rows() IS 'How many rows need each master key; 0: rows that name none.';
COMMENT ON FUNCTION tenants_to_rewrap(bigint, uuid, int) IS 'Tenants whose data keyset is not wrapped by the newest key, by id.';
COMMENT ON FUNCTION promote_master_key(bigint, timestamptz, timestamptz) IS 'Lets a key seal from now on, if every living program has it; gives how many have not.';
COMMENT ON FUNCTION retire_master_key(bigint, timestamptz, timestamptz) IS 'Ends a key, if no row needs it and no living program seals with it; gives how many do. Writers wait for the answer, so that none comes between counting and ending.';

CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON tenant_keys FOR EACH ROW EXECUTE FUNCTION refuse_retired_key();
CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON platform_keys FOR EACH ROW EXECUTE FUNCTION refuse_retired_key();
CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON vault_canaries FOR EACH ROW EXECUTE FUNCTION refuse_retired_key();

REVOKE EXECUTE ON FUNCTION refuse_retired_key(), master_keys_needed(), master_key_rows(), tenants_to_rewrap(bigint, uuid, int),
    promote_master_key(bigint, timestamptz, timestamptz), retire_master_key(bigint, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION master_keys_needed(), master_key_rows(), tenants_to_rewrap(bigint, uuid, int) TO mooring_app;
GRANT EXECUTE ON FUNCTION master_key_rows(), promote_master_key(bigint, timestamptz, timestamptz),
    retire_master_key(bigint, timestamptz, timestamptz) TO mooring_platform;

-- +goose Down
DROP TRIGGER retired ON vault_canaries;
DROP TRIGGER retired ON platform_keys;
DROP TRIGGER retired ON tenant_keys;
DROP FUNCTION retire_master_key(bigint, timestamptz, timestamptz), promote_master_key(bigint, timestamptz, timestamptz),
    tenants_to_rewrap(bigint, uuid, int), master_key_rows(), master_keys_needed(), refuse_retired_key();
DROP TABLE key_holders, master_keys;
REVOKE UPDATE (sealed) ON vault_canaries FROM mooring_app;
REVOKE UPDATE (wrapped) ON tenant_keys, platform_keys FROM mooring_app;
ALTER TABLE vault_canaries DROP COLUMN master_key;
ALTER TABLE platform_keys DROP COLUMN master_key;
ALTER TABLE tenant_keys DROP COLUMN master_key;
DROP FUNCTION wrapping_key(bytea), sealing_key(bytea, int);

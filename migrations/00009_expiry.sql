-- What ends when, who was told of it, and which fields of a version differ from the one before.
--
-- When access ends is known where a credential is stored, but credentials are closed to the platform's role and too wide for
-- lists. The end therefore stands in the connection as well, and a trigger keeps it true whoever stores the credential.
-- Warnings are due work: the row says when the next one is due, and the statement that writes the event moves it on.

-- +goose Up
ALTER TABLE connections
    ADD COLUMN ends_at     timestamptz,
    ADD COLUMN warn_at     timestamptz,
    ADD COLUMN warned_days smallint,
    ADD COLUMN reminded_at timestamptz;
COMMENT ON COLUMN connections.ends_at IS 'When access ends unless a person acts; follows credentials.expires_at. NULL: not known, or nobody has to act.';
COMMENT ON COLUMN connections.warn_at IS 'When the next warning of that end is due; NULL: none is.';
COMMENT ON COLUMN connections.warned_days IS 'The nearest warning that was given of this end, in days before it; NULL: none yet.';
COMMENT ON COLUMN connections.reminded_at IS 'When the platform''s staff last reminded the merchant of this end.';

CREATE INDEX connections_ending ON connections (ends_at, id) WHERE ends_at IS NOT NULL;
COMMENT ON INDEX connections_ending IS 'The boards, soonest end first, by keyset.';
CREATE INDEX connections_warn ON connections (warn_at) WHERE warn_at IS NOT NULL;
COMMENT ON INDEX connections_warn IS 'Warnings that can fall due, in the order in which they do.';

CREATE FUNCTION next_warning(ends timestamptz, after timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT min(ends - days * interval '24 hours') FROM unnest(ARRAY[14, 7, 1]) days WHERE ends - days * interval '24 hours' > after
$$;
COMMENT ON FUNCTION next_warning(timestamptz, timestamptz) IS 'When the next warning of an end is due: 14, 7 and 1 days before it.';

-- +goose StatementBegin
CREATE FUNCTION follow_expiry() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE connections SET ends_at = NULL, warn_at = NULL, warned_days = NULL, reminded_at = NULL
         WHERE tenant_id = OLD.tenant_id AND id = OLD.connection_id AND ends_at IS NOT NULL;
    ELSE
        UPDATE connections SET ends_at = NEW.expires_at, warn_at = next_warning(NEW.expires_at, NEW.updated_at),
               warned_days = NULL, reminded_at = NULL
         WHERE tenant_id = NEW.tenant_id AND id = NEW.connection_id AND ends_at IS DISTINCT FROM NEW.expires_at;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION follow_expiry() IS 'Keeps the end of access in the connection the one of its credential. Another end is warned of anew.';

CREATE TRIGGER follow_expiry AFTER INSERT OR UPDATE OF expires_at OR DELETE ON credentials
    FOR EACH ROW EXECUTE FUNCTION follow_expiry();

UPDATE connections c SET ends_at = k.expires_at, warn_at = next_warning(k.expires_at, now())
  FROM credentials k WHERE k.tenant_id = c.tenant_id AND k.connection_id = c.id AND k.expires_at IS NOT NULL;

-- +goose StatementBegin
CREATE FUNCTION claim_due_warnings(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE connections c SET warn_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM connections d WHERE d.warn_at <= before ORDER BY d.warn_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.id, c.provider;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION claim_due_warnings(timestamptz, int) IS 'Takes connections whose end is to be warned of. What is not warned of within ten minutes falls due again.';

CREATE FUNCTION next_due_warnings() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT warn_at FROM connections WHERE warn_at IS NOT NULL ORDER BY warn_at LIMIT 1
$$;
COMMENT ON FUNCTION next_due_warnings() IS 'When the next warning falls due; NULL: none will by itself.';

REVOKE EXECUTE ON FUNCTION next_warning(timestamptz, timestamptz), follow_expiry(), claim_due_warnings(timestamptz, int),
    next_due_warnings() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION next_warning(timestamptz, timestamptz), claim_due_warnings(timestamptz, int), next_due_warnings() TO mooring_app;

ALTER TABLE snapshots ADD COLUMN changed_fields text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN snapshots.changed_fields IS 'Names of the fields that differ from the version before; names only, so that a page can point at them without opening it.';
CREATE INDEX snapshots_changed ON snapshots (tenant_id, connection_id, changed_at DESC, block DESC, version DESC) WHERE block <> 'wallet_flow';
COMMENT ON INDEX snapshots_changed IS 'The history of a connection''s data, newest first, by keyset; movements of money are a list already.';

-- +goose Down
DROP INDEX snapshots_changed;
ALTER TABLE snapshots DROP COLUMN changed_fields;
DROP FUNCTION next_due_warnings(), claim_due_warnings(timestamptz, int);
DROP TRIGGER follow_expiry ON credentials;
DROP FUNCTION follow_expiry(), next_warning(timestamptz, timestamptz);
DROP INDEX connections_warn, connections_ending;
ALTER TABLE connections
    DROP COLUMN reminded_at,
    DROP COLUMN warned_days,
    DROP COLUMN warn_at,
    DROP COLUMN ends_at;

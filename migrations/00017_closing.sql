-- Closing a tenant.
--
-- A tenant with a row in closings is closed: its sessions have ended, nothing is connected in it any more, and its people
-- see that it is closed. Until destroy_at that can be undone. Then its data key is deleted with everything that it sealed;
-- the history, which names no person, stays. What the providers are still told with outlives the key for some days at
-- most, under a key of its own that opens nothing else.

-- +goose Up
CREATE TABLE closings (
    tenant_id      uuid        PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    closed_at      timestamptz NOT NULL,
    closed_by      uuid        NOT NULL,
    destroy_at     timestamptz NOT NULL,
    destroyed_at   timestamptz,
    due_at         timestamptz,
    connections    int         NOT NULL,
    master_version bigint      NOT NULL,
    audit_seq      bigint      NOT NULL,
    audit_hash     bytea       NOT NULL,
    parting_key    bytea
);
COMMENT ON TABLE closings IS 'Tenants that are closed. Deleting the row reopens one, as long as its key has not been destroyed.';
COMMENT ON COLUMN closings.destroy_at IS 'When the data key is destroyed; until then closing can be undone.';
COMMENT ON COLUMN closings.due_at IS 'When the next step is tried: ending the connections, destroying the key, forgetting the parting key. NULL: all is done.';
COMMENT ON COLUMN closings.connections IS 'How many connections there were to end.';
COMMENT ON COLUMN closings.master_version IS 'The version of the master keyset that wrapped the data key; backups of the key are readable until it is destroyed.';
COMMENT ON COLUMN closings.audit_seq IS 'The newest entry of the tenant''s history at the last step, with its hash beside it: what the receipt names.';
COMMENT ON COLUMN closings.audit_hash IS 'That entry''s hash in its chain.';
COMMENT ON COLUMN closings.parting_key IS 'Opens what the providers are still told with after the data key was destroyed, and nothing else.';
CREATE INDEX closings_due ON closings (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE closings ENABLE ROW LEVEL SECURITY;
ALTER TABLE closings FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON closings TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON closings FOR SELECT TO mooring_platform USING (true);
GRANT SELECT ON closings TO mooring_app;
GRANT SELECT (tenant_id, closed_at, closed_by, destroy_at, destroyed_at, due_at, connections, master_version, audit_seq, audit_hash)
    ON closings TO mooring_platform;

-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check '
        || replace(purposes, '''known''::text', '''known''::text, ''closed''::text');
END
$$;

CREATE FUNCTION close_tenant(at timestamptz, by_person uuid, destroy timestamptz, version bigint) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM tenants t WHERE t.id = current_tenant() FOR NO KEY UPDATE;
    INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, due_at, connections, master_version, audit_seq, audit_hash)
    SELECT current_tenant(), at, by_person, destroy, at,
           (SELECT count(*) FROM connections c WHERE c.tenant_id = current_tenant() AND c.state <> 'disconnected'), version, coalesce(h.seq, 0), coalesce(h.hash, '')
      FROM (SELECT current_tenant() AS id) t LEFT JOIN audit_heads h ON h.chain = t.id;  -- closed already: a unique violation
    DELETE FROM sessions s WHERE s.tenant_id = current_tenant();
    UPDATE attempts a SET status = 'cancelled', finished_at = at, returned_sealed = NULL, verifier_sealed = '', link_sealed = NULL
     WHERE a.tenant_id = current_tenant() AND a.status IN ('pending', 'exchanging', 'returned');
    RETURN QUERY
    INSERT INTO one_time_links (id, purpose, email, user_id, language, created_at, expires_at)
    SELECT gen_random_uuid(), 'closed', u.email, u.id, u.language, now(), now() + interval '30 days'
      FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = current_tenant() AND m.role = 'owner'
    RETURNING one_time_links.id;
END
$$;

CREATE FUNCTION reopen_tenant(at timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH gone AS (DELETE FROM closings c WHERE c.tenant_id = current_tenant() AND c.destroyed_at IS NULL AND c.destroy_at > at RETURNING 1)
       SELECT count(*) FROM gone $$;

CREATE FUNCTION destroy_tenant(at timestamptz, parting bytea, version bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE closings c
       SET destroyed_at = at, parting_key = parting, master_version = version, audit_seq = h.seq, audit_hash = h.hash,
           due_at = CASE WHEN parting IS NULL THEN NULL ELSE at + interval '1 hour' END
      FROM audit_heads h
     WHERE h.chain = current_tenant() AND c.tenant_id = current_tenant() AND c.destroyed_at IS NULL AND c.destroy_at <= at
       AND NOT EXISTS (SELECT FROM connections d WHERE d.tenant_id = current_tenant() AND d.state <> 'disconnected');
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    DELETE FROM tenant_keys k WHERE k.tenant_id = current_tenant();
    DELETE FROM snapshots s WHERE s.tenant_id = current_tenant();
    DELETE FROM inbox i WHERE i.tenant_id = current_tenant();
    DELETE FROM callback_addresses a WHERE a.tenant_id = current_tenant();
    DELETE FROM credentials d WHERE d.tenant_id = current_tenant();
    UPDATE connections c SET account_sealed = '', erase_at = NULL, erase_due_at = NULL, erased_at = coalesce(c.erased_at, at)
     WHERE c.tenant_id = current_tenant();
    UPDATE attempts a SET verifier_sealed = '', returned_sealed = NULL, link_sealed = NULL, kept_sealed = NULL
     WHERE a.tenant_id = current_tenant();
    RETURN 1;
END
$$;

CREATE FUNCTION rest_closing(at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE closings c
       SET parting_key = CASE WHEN w.waits THEN c.parting_key END,
           due_at = CASE WHEN c.destroyed_at IS NULL THEN greatest(c.destroy_at, at + interval '1 minute') WHEN w.waits THEN at + interval '1 hour' END
      FROM (SELECT EXISTS (SELECT FROM revocations r WHERE r.tenant_id = current_tenant() AND r.state = 'waiting') AS waits) w
     WHERE c.tenant_id = current_tenant()
    $$;

CREATE FUNCTION refuse_closed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM tenants t WHERE t.id = NEW.tenant_id FOR SHARE;         -- waits for a closing that is on its way
    IF EXISTS (SELECT FROM closings c WHERE c.tenant_id = NEW.tenant_id) THEN
        RAISE EXCEPTION 'the tenant is closed' USING ERRCODE = 'MR001';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION claim_due_closings(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE closings c SET due_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM closings d WHERE d.due_at <= before
            ORDER BY d.due_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.tenant_id, ''::text;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION close_tenant(timestamptz, uuid, timestamptz, bigint) IS 'Closes the current tenant: its sessions and open attempts end. Gives the letters to its owners that are to be sent.';
COMMENT ON FUNCTION reopen_tenant(timestamptz) IS 'Undoes closing the current tenant while its key has not been destroyed. 1 if it did, else 0.';
COMMENT ON FUNCTION destroy_tenant(timestamptz, bytea, bigint) IS 'Deletes the current tenant''s data key and everything that it sealed, if its time has come and nothing is connected. 1 if it did, else 0.';
COMMENT ON FUNCTION rest_closing(timestamptz) IS 'Says when the current tenant''s closing has its next step, and forgets the parting key when no provider waits to be told.';
COMMENT ON FUNCTION refuse_closed() IS 'Nothing is connected in a closed tenant, whoever was on the way.';
COMMENT ON FUNCTION claim_due_closings(timestamptz, int) IS 'Takes closings whose next step is due. What has not moved on within ten minutes falls due again.';

CREATE FUNCTION next_due_closings() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT due_at FROM closings WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1 $$;
COMMENT ON FUNCTION next_due_closings() IS 'When the next step of a closing falls due; NULL: none will by itself.';

CREATE FUNCTION is_closed(wanted uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT EXISTS (SELECT FROM closings WHERE tenant_id = wanted) $$;
COMMENT ON FUNCTION is_closed(uuid) IS 'Whether a tenant is closed: at sign-in, a person who works elsewhere too goes there.';

CREATE TRIGGER closed_new BEFORE INSERT ON connections FOR EACH ROW EXECUTE FUNCTION refuse_closed();
CREATE TRIGGER closed_again BEFORE UPDATE OF state ON connections FOR EACH ROW
    WHEN (OLD.state = 'disconnected' AND NEW.state <> 'disconnected') EXECUTE FUNCTION refuse_closed();

REVOKE EXECUTE ON FUNCTION close_tenant(timestamptz, uuid, timestamptz, bigint), reopen_tenant(timestamptz),
    destroy_tenant(timestamptz, bytea, bigint), rest_closing(timestamptz), refuse_closed(), claim_due_closings(timestamptz, int),
    next_due_closings(), is_closed(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION close_tenant(timestamptz, uuid, timestamptz, bigint), reopen_tenant(timestamptz),
    destroy_tenant(timestamptz, bytea, bigint), rest_closing(timestamptz), claim_due_closings(timestamptz, int),
    next_due_closings(), is_closed(uuid) TO mooring_app;

-- +goose Down
DROP TRIGGER closed_again ON connections;
DROP TRIGGER closed_new ON connections;
DROP FUNCTION is_closed(uuid), next_due_closings(), claim_due_closings(timestamptz, int), refuse_closed(), rest_closing(timestamptz),
    destroy_tenant(timestamptz, bytea, bigint), reopen_tenant(timestamptz), close_tenant(timestamptz, uuid, timestamptz, bigint);
DELETE FROM one_time_links WHERE purpose = 'closed';
-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check '
        || replace(purposes, ', ''closed''::text', '');
END
$$;
-- +goose StatementEnd
DROP TABLE closings;

-- What the migrations add up to, for readers. Written by `make schema`; a test compares it.

CREATE FUNCTION public.audit_field(value text) RETURNS bytea
    LANGUAGE sql STABLE
    RETURN CASE WHEN (value IS NULL) THEN '\xffffffff'::bytea ELSE (int4send(octet_length(convert_to(value, 'UTF8'::name))) || convert_to(value, 'UTF8'::name)) END;

COMMENT ON FUNCTION public.audit_field(value text) IS 'A field as it is hashed: its length in four bytes, then its bytes; NULL is a length that no text has.';

CREATE FUNCTION public.begin_view(session uuid, wanted uuid, life interval, fresh_token bytea) RETURNS timestamp with time zone
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    ends timestamptz;
BEGIN
    UPDATE sessions s SET viewing = wanted, viewing_since = now(), viewing_until = now() + life, token_hash = fresh_token
     WHERE s.id = session AND s.user_id = current_person() AND s.tenant_id IS NULL
       AND NOT EXISTS (SELECT FROM memberships m WHERE m.tenant_id = wanted AND m.user_id = s.user_id)
       AND EXISTS (SELECT FROM platform_admins a WHERE a.user_id = s.user_id AND a.roles && '{reviewer,operator}'::text[])
       AND NOT is_closed(wanted)
    RETURNING s.viewing_until INTO ends;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nobody may look there like that' USING ERRCODE = 'MR001';
    END IF;
    RETURN ends;
END
$$;

COMMENT ON FUNCTION public.begin_view(session uuid, wanted uuid, life interval, fresh_token bytea) IS 'The current person, one of the staff, looks at a tenant from now on, in this session and under a new token; fails with MR001 unless they may. Gives when it ends.';

CREATE FUNCTION public.cancel_job(wanted bigint, at timestamp with time zone) RETURNS TABLE(kind text, tenant uuid, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    found_kind text; ids jsonb; did boolean;
BEGIN
    SELECT j.kind, j.args, j.state IN ('available', 'pending', 'scheduled', 'retryable') INTO found_kind, ids, did
      FROM river.river_job j WHERE j.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF did THEN
        UPDATE river.river_job j SET state = 'cancelled', finalized_at = now() WHERE j.id = wanted;
        UPDATE mails m SET state = 'cancelled', ended_at = at WHERE m.job = wanted;
        UPDATE notice_letters n SET status = 'moot', finished_at = at
         WHERE n.tenant_id = (ids->>'tenant')::uuid AND n.user_id = (ids->>'user')::uuid AND n.id = (ids->>'letter')::uuid AND n.status = 'waiting';
        UPDATE digests d SET status = 'moot', finished_at = at WHERE d.id = (ids->>'digest')::uuid AND d.status = 'waiting';
        UPDATE inbox i SET dead_at = at, reason = 'job_cancelled'
         WHERE i.tenant_id = (ids->>'tenant')::uuid AND i.id = (ids->>'callback')::uuid AND i.state = 'waiting';
        UPDATE deliveries d SET state = 'failed', next_at = NULL, ended_at = at
         WHERE d.tenant_id = (ids->>'tenant')::uuid AND d.id = (ids->>'delivery')::uuid AND d.state = 'waiting';
    END IF;
    RETURN QUERY SELECT found_kind, (ids->>'tenant')::uuid, did;
END
$$;

COMMENT ON FUNCTION public.cancel_job(wanted bigint, at timestamp with time zone) IS 'Ends a job that waits; what it was for is marked as given up, so that it can be taken up again where it is listed. One that runs is left alone.';

CREATE FUNCTION public.claim_account(p text, e text, h bytea, connection uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO account_claims AS c (provider, environment, account_hash, holder_tenant, holder_connection, claimed_at)
    VALUES (p, e, h, current_tenant(), connection, now())
    ON CONFLICT (provider, environment, account_hash)
    DO UPDATE SET holder_connection = excluded.holder_connection WHERE c.holder_tenant = current_tenant();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the account is claimed' USING ERRCODE = 'MR002';
    END IF;
END
$$;

COMMENT ON FUNCTION public.claim_account(p text, e text, h bytea, connection uuid) IS 'The current tenant holds the account from now on; fails with MR002 when another does, without telling which.';

CREATE FUNCTION public.claim_due_alarms(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    WITH loud AS (
        UPDATE approvals a SET alarm_at = NULL
         WHERE a.id IN (SELECT d.id FROM approvals d WHERE d.alarm_at <= before ORDER BY d.alarm_at FOR UPDATE SKIP LOCKED LIMIT most)
        RETURNING a.asked_by)
    INSERT INTO one_time_links AS letter (id, purpose, email, user_id, language, created_at, expires_at)
    SELECT gen_random_uuid(), 'alarm', u.email, u.id, u.language, now(), now() + interval '7 days'
      FROM loud JOIN platform_admins s ON s.user_id <> loud.asked_by JOIN users u ON u.id = s.user_id
    RETURNING NULL::uuid, letter.id, '';
END
$$;

COMMENT ON FUNCTION public.claim_due_alarms(before timestamp with time zone, most integer) IS 'Makes the letters that tell all other members of the staff that one of them went alone.';

CREATE FUNCTION public.claim_due_approvals(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE approvals a SET due_at = before + interval '5 minutes'
     WHERE a.id IN (SELECT d.id FROM approvals d WHERE d.due_at <= before ORDER BY d.due_at FOR UPDATE SKIP LOCKED LIMIT most)
    RETURNING NULL::uuid, a.id, '';
END
$$;

COMMENT ON FUNCTION public.claim_due_approvals(before timestamp with time zone, most integer) IS 'Takes acts to be carried out. One whose worker dies falls due again in five minutes, and goes on with what is left.';

CREATE FUNCTION public.claim_due_closings(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE closings c SET due_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM closings d WHERE d.due_at <= before
            ORDER BY d.due_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.tenant_id, ''::text;
END
$$;

COMMENT ON FUNCTION public.claim_due_closings(before timestamp with time zone, most integer) IS 'Takes closings whose next step is due. What has not moved on within ten minutes falls due again.';

CREATE FUNCTION public.claim_due_digests(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY
    INSERT INTO digests AS made (user_id, day, id, since, until)
    SELECT due.user_id, due.day, gen_random_uuid(),
           greatest(coalesce((SELECT max(b.until) FROM digests b WHERE b.user_id = due.user_id), before - interval '24 hours'),
                    before - interval '7 days'), before
      FROM (SELECT a.user_id, greatest(a.created_at, c.changed_at) AS from_when, zone,
                   ((before AT TIME ZONE zone) - interval '8 hours')::date AS day
              FROM platform_admins a JOIN users u ON u.id = a.user_id LEFT JOIN digest_choices c ON c.user_id = a.user_id,
                   LATERAL (SELECT digest_zone(u.language, u.time_zone) AS zone) z
             WHERE coalesce(c.mail, true)) due
     WHERE (due.day + time '08:00') AT TIME ZONE due.zone > due.from_when
       AND NOT EXISTS (SELECT FROM digests d WHERE d.user_id = due.user_id AND d.day = due.day)
     LIMIT most
    ON CONFLICT DO NOTHING
    RETURNING NULL::uuid, made.id, '';
END
$$;

COMMENT ON FUNCTION public.claim_due_digests(before timestamp with time zone, most integer) IS 'Makes today''s digests of those who want one, once it is eight where they are. The key of a person and a day lets one replica make it. Whoever joins or chooses later begins on the next day.';

CREATE FUNCTION public.claim_due_erasures(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE connections c SET erase_due_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM connections d WHERE d.erase_due_at <= before
            ORDER BY d.erase_due_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.id, c.provider;
END
$$;

COMMENT ON FUNCTION public.claim_due_erasures(before timestamp with time zone, most integer) IS 'Takes connections whose data is to be erased. What is not erased within ten minutes falls due again.';

CREATE FUNCTION public.claim_due_refreshes(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE credentials k SET next_refresh_at = before + interval '1 minute'
     WHERE k.ctid = ANY (ARRAY(
           SELECT d.ctid FROM credentials d WHERE d.next_refresh_at <= before
            ORDER BY d.next_refresh_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING k.tenant_id, k.connection_id,
              (SELECT c.provider FROM connections c WHERE c.tenant_id = k.tenant_id AND c.id = k.connection_id);
END
$$;

COMMENT ON FUNCTION public.claim_due_refreshes(before timestamp with time zone, most integer) IS 'Takes credentials that are to be looked at now; the lane is their provider. What is not dealt with in a minute falls due again.';

CREATE FUNCTION public.claim_due_revocations(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE revocations r SET next_at = before + interval '10 minutes'
     WHERE r.ctid = ANY (ARRAY(
           SELECT d.ctid FROM revocations d WHERE d.next_at <= before
            ORDER BY d.next_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING r.tenant_id, r.id, r.provider;
END
$$;

COMMENT ON FUNCTION public.claim_due_revocations(before timestamp with time zone, most integer) IS 'Takes revocations to try. What has not ended or been put off within ten minutes falls due again.';

CREATE FUNCTION public.claim_due_syncs(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
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

COMMENT ON FUNCTION public.claim_due_syncs(before timestamp with time zone, most integer) IS 'Takes connections that are due for fetching; the lane is their provider. What is not fetched within ten minutes falls due again.';

CREATE FUNCTION public.claim_due_warnings(before timestamp with time zone, most integer) RETURNS TABLE(tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE connections c SET warn_at = before + interval '10 minutes'
     WHERE c.ctid = ANY (ARRAY(
           SELECT d.ctid FROM connections d WHERE d.warn_at <= before ORDER BY d.warn_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING c.tenant_id, c.id, c.provider;
END
$$;

COMMENT ON FUNCTION public.claim_due_warnings(before timestamp with time zone, most integer) IS 'Takes connections whose end is to be warned of. What is not warned of within ten minutes falls due again.';

CREATE FUNCTION public.claim_key_turns(at timestamp with time zone, until timestamp with time zone, most integer) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    SET enable_seqscan TO 'off'
    AS $$
BEGIN
    RETURN QUERY
    UPDATE key_turns t SET due_at = until
     WHERE t.ctid = ANY (ARRAY(
           SELECT d.ctid FROM key_turns d WHERE d.due_at <= at
            ORDER BY d.due_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED))
    RETURNING t.tenant_id;
END
$$;

COMMENT ON FUNCTION public.claim_key_turns(at timestamp with time zone, until timestamp with time zone, most integer) IS 'Takes turns whose next step is due. What has not moved on by then falls due again.';

CREATE FUNCTION public.close_tenant(at timestamp with time zone, by_person uuid, destroy timestamp with time zone, version bigint) RETURNS SETOF uuid
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.close_tenant(at timestamp with time zone, by_person uuid, destroy timestamp with time zone, version bigint) IS 'Closes the current tenant: its sessions and open attempts end. Gives the letters to its owners that are to be sent.';

CREATE FUNCTION public.colleagues() RETURNS TABLE(user_id uuid, email text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT u.id, u.email FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = current_tenant() $$;

COMMENT ON FUNCTION public.colleagues() IS 'The addresses of the current tenant''s members, and nothing else of them: the policy on users shows a person to themselves only.';

CREATE FUNCTION public.count_jobs(most integer) RETURNS TABLE(kind text, state text, number bigint, oldest timestamp with time zone, full_up boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $_$
DECLARE
    counted text;
BEGIN
    FOR counted IN SELECT unnest(enum_range(NULL::river.river_job_state))::text LOOP
        RETURN QUERY EXECUTE format( -- planned for each state by itself: what is right for the most frequent one reads the whole table for a rare one
            'SELECT j.kind, %1$L, count(*), min(j.created_at), sum(count(*)) OVER () >= $1
               FROM (SELECT r.kind, r.created_at FROM river.river_job r WHERE r.state = %1$L ORDER BY r.id LIMIT $1) j GROUP BY j.kind', counted)
            USING most;
    END LOOP;
END
$_$;

COMMENT ON FUNCTION public.count_jobs(most integer) IS 'Jobs by kind and state. Of each state no more than that many are counted, the oldest: full_up says that there may be more.';

CREATE FUNCTION public.current_person() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.user_id'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.current_person() IS 'The person this transaction was opened for, or NULL.';

CREATE FUNCTION public.current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid;

COMMENT ON FUNCTION public.current_tenant() IS 'The tenant this transaction was opened for, or NULL: no tenant, no row.';

CREATE FUNCTION public.destroy_tenant(at timestamp with time zone, parting bytea, version bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.destroy_tenant(at timestamp with time zone, parting bytea, version bigint) IS 'Deletes the current tenant''s data key and everything that it sealed, if its time has come and nothing is connected. 1 if it did, else 0.';

CREATE FUNCTION public.digest_zone(language text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (language = 'zh-CN'::text) THEN 'Asia/Shanghai'::text ELSE 'UTC'::text END;

COMMENT ON FUNCTION public.digest_zone(language text) IS 'Where it must be eight in the morning for a reader of that language.';

CREATE FUNCTION public.digest_zone(language text, chosen text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
BEGIN
    IF chosen <> '' THEN
        PERFORM now() AT TIME ZONE chosen;
        RETURN chosen;
    END IF;
    RETURN digest_zone(language);
EXCEPTION WHEN invalid_parameter_value THEN -- the server's zones are not the program's: nobody's letter may stop all others
    RETURN digest_zone(language);
END
$$;

COMMENT ON FUNCTION public.digest_zone(language text, chosen text) IS 'Where one of the staff lives: the zone they chose, as far as the server knows it, else that of their language.';

CREATE FUNCTION public.discard_callback(wanted uuid, at timestamp with time zone) RETURNS TABLE(tenant_id uuid, connection_id uuid, provider text, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.discard_callback(wanted uuid, at timestamp with time zone) IS 'Gives up a callback that has not been acted on and destroys its content; says whether there was anything to give up.';

CREATE FUNCTION public.erase_connection(wanted uuid, at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.erase_connection(wanted uuid, at timestamp with time zone) IS 'Erases what a disconnected connection of the current tenant holds, if its time has come: the serving role cannot delete data in any other way. 1 if it did, else 0.';

CREATE FUNCTION public.error_words(told text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN "left"(regexp_replace(regexp_replace(regexp_replace(regexp_replace(told, '\S+(://|@)\S+'::text, '…'::text, 'g'::text), '"[^"]*"'::text, '"…"'::text, 'g'::text), '\S*[[:alnum:]_-]{28,}\S*'::text, '…'::text, 'g'::text), '[0-9]{6,}'::text, '…'::text, 'g'::text), 160);

COMMENT ON FUNCTION public.error_words(told text) IS 'An error''s text without what could be a value: addresses, what is quoted, what is long, long numbers. It was scrubbed where it was made; this is the second look.';

CREATE FUNCTION public.event_id() RETURNS uuid
    LANGUAGE sql
    AS $$
    SELECT encode(overlay(uuid_send(gen_random_uuid())
               PLACING substring(int8send(us / 1000) FROM 3) || int2send((28672 + us % 1000 * 4)::int2) FROM 1 FOR 8), 'hex')::uuid
      FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) t
    $$;

COMMENT ON FUNCTION public.event_id() IS 'A UUIDv7, to the microsecond, for an event that the database itself writes: events sort by their ids.';

CREATE FUNCTION public.follow_expiry() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.follow_expiry() IS 'Keeps the end of access in the connection the one of its credential. Another end is warned of anew.';

CREATE FUNCTION public.index_jobs() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    CREATE INDEX IF NOT EXISTS river_job_list_kind ON river.river_job (kind, id DESC);
    CREATE INDEX IF NOT EXISTS river_job_list_state ON river.river_job (state, id DESC) INCLUDE (kind, created_at); -- counting reads nothing else
END
$$;

COMMENT ON FUNCTION public.index_jobs() IS 'Makes the indexes that the admins'' list of jobs needs on river''s table, which is made after this schema: the program calls it when both are there.';

CREATE FUNCTION public.insist(rows bigint) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
BEGIN
    IF rows <> 1 THEN
        RAISE EXCEPTION 'the row has moved on' USING ERRCODE = 'MR001';
    END IF;
END
$$;

COMMENT ON FUNCTION public.insist(rows bigint) IS 'Fails with MR001 unless exactly one row was hit, so that a batch sent in one round trip is all or nothing.';

CREATE FUNCTION public.is_closed(wanted uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT EXISTS (SELECT FROM closings WHERE tenant_id = wanted) $$;

COMMENT ON FUNCTION public.is_closed(wanted uuid) IS 'Whether a tenant is closed: at sign-in, a person who works elsewhere too goes there.';

CREATE FUNCTION public.jobs_next(ids bigint[]) RETURNS TABLE(id bigint, next_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    RETURN QUERY SELECT j.id, j.scheduled_at FROM unnest(ids) wanted (id) JOIN river.river_job j ON j.id = wanted.id;
END
$$;

COMMENT ON FUNCTION public.jobs_next(ids bigint[]) IS 'When some jobs run next; what is not there is left out.';

CREATE FUNCTION public.keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM tenants WHERE id = OLD.tenant_id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM memberships WHERE tenant_id = OLD.tenant_id AND role = 'owner') THEN
        RAISE EXCEPTION 'the tenant would have no owner' USING ERRCODE = 'MR003';
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.keep_an_owner() IS 'Fails with MR003 when the serving role takes the last owner away. Whoever mends by hand may.';

CREATE FUNCTION public.keep_name_parts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM tenant_name_parts WHERE tenant_id = NEW.id;
    END IF;
    INSERT INTO tenant_name_parts (part, tenant_id) SELECT p, NEW.id FROM name_parts(NEW.name) p;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.keep_name_parts() IS 'Keeps the parts of a tenant''s name those of its name.';

CREATE FUNCTION public.link_event(chain_id uuid, id uuid, connection uuid, actor_kind text, actor uuid, kind text, detail jsonb, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    head audit_heads%ROWTYPE;
    sum  bytea;
BEGIN
    INSERT INTO audit_heads AS h (chain, seq, hash, moved_at) VALUES (chain_id, 1, decode(repeat('00', 32), 'hex'), clock_timestamp())
    ON CONFLICT (chain) DO UPDATE SET seq = h.seq + 1, moved_at = clock_timestamp()
    RETURNING * INTO head;
    sum := sha256(head.hash || audit_field(chain_id::text) || audit_field(head.seq::text) || audit_field(id::text)
        || audit_field(connection::text) || audit_field(actor_kind) || audit_field(actor::text) || audit_field(kind)
        || audit_field(detail::text) || audit_field(((extract(epoch FROM at) * 1000000)::bigint)::text));
    INSERT INTO audit_links (chain, seq, event_id, hash) VALUES (chain_id, head.seq, id, sum);
    UPDATE audit_heads SET hash = sum WHERE chain = chain_id;
END
$$;

COMMENT ON FUNCTION public.link_event(chain_id uuid, id uuid, connection uuid, actor_kind text, actor uuid, kind text, detail jsonb, at timestamp with time zone) IS 'Links one event at the end of its chain. Nobody is granted it: the triggers alone call it.';

CREATE FUNCTION public.link_platform_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM link_event('00000000-0000-0000-0000-000000000000', NEW.id, NULL, NULL, NEW.actor_id, NEW.kind, NEW.detail, NEW.created_at);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.link_platform_event() IS 'Links an event of the platform when its transaction commits.';

CREATE FUNCTION public.link_tenant_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM link_event(NEW.tenant_id, NEW.id, NEW.connection_id, NEW.actor_kind, NEW.actor_id, NEW.kind, NEW.detail, NEW.created_at);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.link_tenant_event() IS 'Links a tenant''s event when its transaction commits.';

CREATE FUNCTION public.list_is_frozen() RETURNS trigger
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF EXISTS (SELECT FROM approvals WHERE id = NEW.approval) THEN
        RAISE EXCEPTION 'what an approval concerns is listed when it is asked for' USING ERRCODE = 'MR001';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.list_is_frozen() IS 'Refuses connections that are added to an act after it was asked for: the second of the staff has decided on a list.';

CREATE FUNCTION public.list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most integer) RETURNS TABLE(id bigint, kind text, queue text, state text, tries integer, most_tries integer, created_at timestamp with time zone, next_at timestamp with time zone, tried_at timestamp with time zone, ended_at timestamp with time zone, tenant uuid, about uuid, fault text, failed_at timestamp with time zone)
    LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET plan_cache_mode TO 'force_custom_plan'
    AS $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY coalesce(wanted_states, ARRAY['']) LOOP -- one by one, because an index gives the newest of one state alone
        RETURN QUERY
        SELECT j.id, j.kind, j.queue, j.state::text, j.attempt::int, j.max_attempts::int, j.created_at, j.scheduled_at, j.attempted_at,
               j.finalized_at, (j.args->>'tenant')::uuid,
               coalesce(j.args->>'connection', j.args->>'callback', j.args->>'delivery', j.args->>'event', j.args->>'letter',
                        j.args->>'link', j.args->>'revocation', j.args->>'closing', j.args->>'digest', j.args->>'approval')::uuid,
               coalesce(error_words(j.errors[array_upper(j.errors, 1)]->>'error'), ''),
               (j.errors[array_upper(j.errors, 1)]->>'at')::timestamptz
          FROM river.river_job j
         WHERE (single IS NULL OR j.id = single) AND (wanted_kind = '' OR j.kind = wanted_kind)
           AND (wanted = '' OR j.state = nullif(wanted, '')::river.river_job_state) AND (below = 0 OR j.id < below)
         ORDER BY j.id DESC LIMIT most;
    END LOOP;
END
$$;

COMMENT ON FUNCTION public.list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most integer) IS 'Jobs, of each wanted state the newest, or the single one: ids and times, and the last error without values. Never arguments as they are.';

CREATE FUNCTION public.log_mail(of_job bigint, ids jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO mails (job, kind, tenant, address, created_at)
    SELECT of_job, l.purpose, NULL, masked_address(l.email), now() FROM one_time_links l WHERE l.id = (ids->>'link')::uuid
    UNION ALL
    SELECT of_job, n.kind, n.tenant_id, masked_address(u.email), now() FROM notice_letters n JOIN users u ON u.id = n.user_id
     WHERE n.tenant_id = (ids->>'tenant')::uuid AND n.user_id = (ids->>'user')::uuid AND n.id = (ids->>'letter')::uuid
    UNION ALL
    SELECT of_job, 'digest', NULL, masked_address(u.email), now() FROM digests d JOIN users u ON u.id = d.user_id
     WHERE d.id = (ids->>'digest')::uuid
    ON CONFLICT DO NOTHING;
END
$$;

COMMENT ON FUNCTION public.log_mail(of_job bigint, ids jsonb) IS 'Makes the record of a mail whose job was put in; of a mail that is there already, nothing.';

CREATE FUNCTION public.masked_address(address text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (POSITION(('@'::text) IN (address)) = 0) THEN '***'::text ELSE ((("left"(split_part(address, '@'::text, 1), 1) || '***@'::text) || "left"(split_part(address, '@'::text, 2), 1)) || '***'::text) END;

COMMENT ON FUNCTION public.masked_address(address text) IS 'An address as mail.MaskAddress writes it.';

CREATE FUNCTION public.master_key_rows() RETURNS TABLE(key bigint, n bigint)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT coalesce(k, 0), sum(c)::bigint FROM (
        SELECT master_key AS k, count(*) AS c FROM tenant_keys GROUP BY 1
         UNION ALL SELECT parting_master, count(*) FROM closings WHERE parting_key IS NOT NULL GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM platform_keys GROUP BY 1
         UNION ALL SELECT master_key, count(*) FROM vault_canaries GROUP BY 1) rows
     GROUP BY 1
$$;

COMMENT ON FUNCTION public.master_key_rows() IS 'How many rows need each master key; 0: rows that name none.';

CREATE FUNCTION public.master_keys_needed() RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.master_keys_needed() IS 'The master keys that a serving program must have: those that rows need, and the one that seals. One look per key, not per row.';

CREATE FUNCTION public.name_parts(name text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT DISTINCT left(substr(n, i), 60)
      FROM (SELECT lower(name)) AS l (n), generate_series(1, length(n)) AS i
     WHERE i = 1 OR (substr(n, i, 1) !~ '\s' AND
           (substr(n, i - 1, 1) ~ '[[:space:][:punct:]]' OR ascii(substr(n, i, 1)) >= 11904)) -- from there on scripts without spaces
$$;

COMMENT ON FUNCTION public.name_parts(name text) IS 'A name in lower case from the start of each of its words on.';

CREATE FUNCTION public.next_due_alarms() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT min(alarm_at) FROM approvals WHERE alarm_at IS NOT NULL $$;

COMMENT ON FUNCTION public.next_due_alarms() IS 'When the next letters of an alarm are to be made; NULL: none.';

CREATE FUNCTION public.next_due_approvals() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT min(due_at) FROM approvals WHERE due_at IS NOT NULL $$;

COMMENT ON FUNCTION public.next_due_approvals() IS 'When the next act is to be carried out; NULL: none.';

CREATE FUNCTION public.next_due_closings() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT due_at FROM closings WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1 $$;

COMMENT ON FUNCTION public.next_due_closings() IS 'When the next step of a closing falls due; NULL: none will by itself.';

CREATE FUNCTION public.next_due_digests() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT min((((now() AT TIME ZONE zone) - interval '8 hours')::date + 1 + time '08:00') AT TIME ZONE zone)
      FROM platform_admins a JOIN users u ON u.id = a.user_id, LATERAL (SELECT digest_zone(u.language, u.time_zone) AS zone) z
$$;

COMMENT ON FUNCTION public.next_due_digests() IS 'When it is eight again for any of the staff; NULL: there are none.';

CREATE FUNCTION public.next_due_erasures() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT erase_due_at FROM connections WHERE erase_due_at IS NOT NULL ORDER BY erase_due_at LIMIT 1 $$;

COMMENT ON FUNCTION public.next_due_erasures() IS 'When the next erasure falls due; NULL: none will by itself.';

CREATE FUNCTION public.next_due_refreshes() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT next_refresh_at FROM credentials WHERE next_refresh_at IS NOT NULL ORDER BY next_refresh_at LIMIT 1
$$;

COMMENT ON FUNCTION public.next_due_refreshes() IS 'When the next credential is to be looked at; NULL: none will by itself.';

CREATE FUNCTION public.next_due_revocations() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT next_at FROM revocations WHERE next_at IS NOT NULL ORDER BY next_at LIMIT 1 $$;

COMMENT ON FUNCTION public.next_due_revocations() IS 'When the next revocation falls due; NULL: none will by itself.';

CREATE FUNCTION public.next_due_syncs() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT next_sync_at FROM connections
     WHERE next_sync_at IS NOT NULL AND sync_paused_at IS NULL AND state <> 'disconnected'
     ORDER BY next_sync_at LIMIT 1
$$;

COMMENT ON FUNCTION public.next_due_syncs() IS 'When the next connection falls due; NULL: none will by itself.';

CREATE FUNCTION public.next_due_warnings() RETURNS timestamp with time zone
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT warn_at FROM connections WHERE warn_at IS NOT NULL ORDER BY warn_at LIMIT 1
$$;

COMMENT ON FUNCTION public.next_due_warnings() IS 'When the next warning falls due; NULL: none will by itself.';

CREATE FUNCTION public.next_warning(ends timestamp with time zone, after timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT min(ends - days * interval '24 hours') FROM unnest(ARRAY[14, 7, 1]) days WHERE ends - days * interval '24 hours' > after
$$;

COMMENT ON FUNCTION public.next_warning(ends timestamp with time zone, after timestamp with time zone) IS 'When the next warning of an end is due: 14, 7 and 1 days before it.';

CREATE FUNCTION public.note_code(p text, c text, k text, at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    INSERT INTO provider_codes AS known (provider, code, kind, count, first_seen, last_seen)
    SELECT p, CASE WHEN EXISTS (SELECT FROM provider_codes WHERE provider = p AND code = left(c, 40))
                     OR (SELECT count(*) FROM provider_codes WHERE provider = p) < 200 THEN left(c, 40) ELSE '' END, k, 1, at, at
    ON CONFLICT (provider, code) DO UPDATE
       SET count = known.count + 1, kind = excluded.kind, last_seen = greatest(known.last_seen, excluded.last_seen)
    $$;

COMMENT ON FUNCTION public.note_code(p text, c text, k text, at timestamp with time zone) IS 'Counts a code that nothing explains; a provider that makes up codes fills 200 rows and no more.';

CREATE FUNCTION public.note_health(providers text[], whats text[], words text[], counts bigint[], at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    INSERT INTO provider_health AS known (provider, hour, what, word, count)
    SELECT provider, date_trunc('hour', at), what, word, n FROM unnest(providers, whats, words, counts) AS counted (provider, what, word, n)
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (provider, hour, what, word) DO UPDATE SET count = known.count + excluded.count
    $$;

COMMENT ON FUNCTION public.note_health(providers text[], whats text[], words text[], counts bigint[], at timestamp with time zone) IS 'Adds what a replica has counted; in one order everywhere, so that replicas do not lock each other out.';

CREATE FUNCTION public.note_mail(of_job bigint, ids jsonb, ending text, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM log_mail(of_job, ids);
    UPDATE mails SET state = ending, fault = why, tries = tries + 1, tried_at = now(),
           ended_at = CASE WHEN ending <> 'waiting' THEN now() END
     WHERE job = of_job;
END
$$;

COMMENT ON FUNCTION public.note_mail(of_job bigint, ids jsonb, ending text, why text) IS 'Says how a try to send a mail ended; waiting means that it is tried again.';

CREATE FUNCTION public.note_refusal(p text, k text, c text, said jsonb, at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    INSERT INTO provider_refusals AS known (provider, kind, code, facts, count, first_seen, last_seen) VALUES (p, k, left(c, 40), said, 1, at, at)
    ON CONFLICT (provider, kind) DO UPDATE
       SET code = excluded.code, facts = excluded.facts, count = known.count + 1, last_seen = greatest(known.last_seen, excluded.last_seen)
    $$;

COMMENT ON FUNCTION public.note_refusal(p text, k text, c text, said jsonb, at timestamp with time zone) IS 'Keeps the newest refusal of its kind.';

CREATE FUNCTION public.note_replica(name text, providers text[], skews bigint[], taken integer[], breakers text[], at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    INSERT INTO provider_replicas AS known (provider, replica, skew_ms, samples, breaker, breaker_since, seen_at)
    SELECT provider, name, skew, n, state, at, at FROM unnest(providers, skews, taken, breakers) AS seen (provider, skew, n, state)
    ON CONFLICT (provider, replica) DO UPDATE
       SET skew_ms = excluded.skew_ms, samples = excluded.samples, breaker = excluded.breaker, seen_at = excluded.seen_at,
           breaker_since = CASE WHEN known.breaker = excluded.breaker THEN known.breaker_since ELSE excluded.breaker_since END
    $$;

COMMENT ON FUNCTION public.note_replica(name text, providers text[], skews bigint[], taken integer[], breakers text[], at timestamp with time zone) IS 'Says how one replica sees its providers.';

CREATE FUNCTION public.note_shape(p text, b text, fields text[], parents text[], types text[], present text[], at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM provider_shapes WHERE provider = p AND block = b) THEN
        INSERT INTO provider_shapes (provider, block, field, parent, type, since)
        SELECT p, b, f, u, t, at FROM unnest(fields, parents, types) AS seen (f, u, t) ON CONFLICT DO NOTHING;
        RETURN;
    END IF;
    INSERT INTO provider_drift AS known (provider, block, field, change, type, parent, first_seen, last_seen)
    SELECT p, b, found.f, found.change, found.t, found.u, at, at
      FROM (SELECT f, min(t) AS t, min(u) AS u,
                   CASE WHEN EXISTS (SELECT FROM provider_shapes k WHERE k.provider = p AND k.block = b AND k.field = f) THEN 'retyped' ELSE 'new' END AS change
              FROM unnest(fields, parents, types) AS seen (f, u, t)
             WHERE NOT EXISTS (SELECT FROM provider_shapes k WHERE k.provider = p AND k.block = b AND k.field = f AND (k.type IN (t, 'null') OR t = 'null'))
             GROUP BY f
            UNION ALL
            SELECT k.field, min(k.type), min(k.parent), 'missing' FROM provider_shapes k
             WHERE k.provider = p AND k.block = b AND k.parent = ANY (present) AND NOT k.field = ANY (fields)
             GROUP BY k.field HAVING NOT bool_or(k.optional)) AS found
     WHERE EXISTS (SELECT FROM provider_drift d WHERE d.provider = p AND d.block = b AND d.field = found.f AND d.change = found.change)
        OR (SELECT count(*) FROM provider_drift d WHERE d.provider = p AND d.block = b) < 200
     ORDER BY 3, 4 LIMIT 200
    ON CONFLICT (provider, block, field, change) DO UPDATE
       SET type = excluded.type, last_seen = greatest(known.last_seen, excluded.last_seen);
END
$$;

COMMENT ON FUNCTION public.note_shape(p text, b text, fields text[], parents text[], types text[], present text[], at timestamp with time zone) IS 'Compares the shape of an answer with the known one; the first of all is the known one.';

CREATE FUNCTION public.open_callback(presented bytea) RETURNS TABLE(tenant_id uuid, attempt_id uuid, connection_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.open_callback(presented bytea) IS 'What the token of a callback''s address is bound to, an attempt or a connection; opens the rest of the transaction for its tenant and for no person.';

CREATE FUNCTION public.open_session(presented bytea, idle interval) RETURNS TABLE(session_id uuid, user_id uuid, tenant_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    opened sessions%ROWTYPE;
BEGIN
    SELECT * INTO opened FROM sessions s
     WHERE s.token_hash = presented AND s.expires_at > now() AND s.seen_at > now() - idle;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF opened.seen_at < now() - interval '1 minute' THEN            -- one write a minute, not one a page
        UPDATE sessions s SET seen_at = now() WHERE s.id = opened.id;
    END IF;
    IF opened.viewing IS NOT NULL AND view_over(opened) THEN
        UPDATE sessions s SET viewing = NULL WHERE s.id = opened.id AND s.viewing_since = opened.viewing_since;
        opened.viewing := NULL;
    END IF;
    PERFORM set_config('app.user_id', opened.user_id::text, true),
            set_config('app.tenant_id', coalesce(coalesce(opened.tenant_id, opened.viewing)::text, ''), true);
    RETURN QUERY SELECT opened.id, opened.user_id, opened.tenant_id;
END
$$;

COMMENT ON FUNCTION public.open_session(presented bytea, idle interval) IS 'The session behind a cookie; opens the rest of the transaction for its person and for the tenant that they work in, or look at.';

CREATE FUNCTION public.person_by_email(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT id FROM users WHERE email = wanted $$;

COMMENT ON FUNCTION public.person_by_email(wanted text) IS 'Whose address it is, at sign-in and when a password is forgotten.';

CREATE FUNCTION public.person_by_passkey(presented bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT user_id FROM factors WHERE handle = presented $$;

COMMENT ON FUNCTION public.person_by_passkey(presented bytea) IS 'Whose passkey it is, at sign-in without an address.';

CREATE FUNCTION public.promote_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.promote_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) IS 'Lets a key seal from now on, if every living program has it; gives how many have not.';

CREATE FUNCTION public.refuse_closed() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    PERFORM FROM tenants t WHERE t.id = NEW.tenant_id FOR SHARE;         -- waits for a closing that is on its way
    IF EXISTS (SELECT FROM closings c WHERE c.tenant_id = NEW.tenant_id) THEN
        RAISE EXCEPTION 'the tenant is closed' USING ERRCODE = 'MR001';
    END IF;
    RETURN NEW;
END
$$;

COMMENT ON FUNCTION public.refuse_closed() IS 'Nothing is connected in a closed tenant, whoever was on the way.';

CREATE FUNCTION public.refuse_destroyed_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.refuse_destroyed_key() IS 'Keeps out what would need a data key that is gone: a program that slept may still seal with it.';

CREATE FUNCTION public.refuse_retired_key() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.refuse_retired_key() IS 'Keeps out what would need a key that is gone: a program that slept may still seal with it.';

CREATE FUNCTION public.release_account(p text, e text, h bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ DELETE FROM account_claims WHERE provider = p AND environment = e AND account_hash = h AND holder_tenant = current_tenant() $$;

COMMENT ON FUNCTION public.release_account(p text, e text, h bytea) IS 'Gives the account free when the current tenant disconnects it.';

CREATE FUNCTION public.reopen_tenant(at timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ WITH gone AS (DELETE FROM closings c WHERE c.tenant_id = current_tenant() AND c.destroyed_at IS NULL AND c.destroy_at > at RETURNING 1)
       SELECT count(*) FROM gone $$;

COMMENT ON FUNCTION public.reopen_tenant(at timestamp with time zone) IS 'Undoes closing the current tenant while its key has not been destroyed. 1 if it did, else 0.';

CREATE FUNCTION public.replay_callback(wanted uuid, at timestamp with time zone) RETURNS TABLE(tenant_id uuid, connection_id uuid, provider text, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.replay_callback(wanted uuid, at timestamp with time zone) IS 'Lets a dead callback be acted on again, with the job that does; says whether it was dead. Of no callback: no row.';

CREATE FUNCTION public.replay_deliveries(endpoint uuid, single uuid, since timestamp with time zone, moment timestamp with time zone, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.replay_deliveries(endpoint uuid, single uuid, since timestamp with time zone, moment timestamp with time zone, most integer) IS 'Gives failed deliveries of an endpoint (one, or the oldest since a moment) a fresh start, and the jobs for it; says how many.';

CREATE FUNCTION public.rest_closing(at timestamp with time zone) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    UPDATE closings c
       SET parting_key = CASE WHEN w.waits THEN c.parting_key END,
           due_at = CASE WHEN c.destroyed_at IS NULL THEN greatest(c.destroy_at, at + interval '1 minute') WHEN w.waits THEN at + interval '1 hour' END
      FROM (SELECT EXISTS (SELECT FROM revocations r WHERE r.tenant_id = current_tenant() AND r.state = 'waiting') AS waits) w
     WHERE c.tenant_id = current_tenant()
    $$;

COMMENT ON FUNCTION public.rest_closing(at timestamp with time zone) IS 'Says when the current tenant''s closing has its next step, and forgets the parting key when no provider waits to be told.';

CREATE FUNCTION public.resubmit_review(event uuid, by_kind text, by_id uuid, at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    UPDATE reviews r SET state = e.to_state, since = at, version = r.version + 1, reason = '', message = '', deadline = NULL
      FROM review_edges e
     WHERE r.tenant_id = current_tenant() AND e.act = 'resubmit' AND e.actor_kind = 'merchant' AND e.from_state = r.state;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM review_items WHERE tenant_id = current_tenant();
    INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, created_at)
    VALUES (current_tenant(), event, by_kind, by_id, 'review.resubmitted', at);
    RETURN true;
END
$$;

COMMENT ON FUNCTION public.resubmit_review(event uuid, by_kind text, by_id uuid, at timestamp with time zone) IS 'Gives the current tenant''s review back to the staff, with its event; says whether anything was asked of the tenant.';

CREATE FUNCTION public.retire_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) RETURNS TABLE(rows_left bigint, sealing bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.retire_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) IS 'Ends a key, if no row needs it and no living program seals with it; gives how many do. Writers wait for the answer, so that none comes between counting and ending.';

CREATE FUNCTION public.retry_job(wanted bigint) RETURNS TABLE(kind text, tenant uuid, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
    found_kind text; found_queue text; found_state text; ids jsonb; did boolean := false;
BEGIN
    SELECT j.kind, j.queue, j.state::text, j.args INTO found_kind, found_queue, found_state, ids
      FROM river.river_job j WHERE j.id = wanted FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF found_state IN ('scheduled', 'retryable')
       OR found_state IN ('cancelled', 'discarded') AND found_kind NOT IN ('callback', 'deliver') THEN -- those are replayed where they are listed
        BEGIN
            UPDATE river.river_job j SET state = 'available', scheduled_at = now(), finalized_at = NULL,
                   max_attempts = greatest(j.max_attempts, j.attempt + 1)
             WHERE j.id = wanted;
            UPDATE notice_letters n SET status = 'waiting', finished_at = NULL
             WHERE n.tenant_id = (ids->>'tenant')::uuid AND n.user_id = (ids->>'user')::uuid AND n.id = (ids->>'letter')::uuid
               AND n.status IN ('refused', 'moot');
            UPDATE digests d SET status = 'waiting', finished_at = NULL
             WHERE d.id = (ids->>'digest')::uuid AND d.status IN ('refused', 'moot');
            UPDATE mails m SET state = 'waiting', ended_at = NULL WHERE m.job = wanted;
            PERFORM pg_notify('river.river_insert', json_build_object('queue', found_queue)::text);
            did := true;
        EXCEPTION WHEN unique_violation THEN
            did := false; -- another job for the same thing waits already
        END;
    END IF;
    RETURN QUERY SELECT found_kind, (ids->>'tenant')::uuid, did;
END
$$;

COMMENT ON FUNCTION public.retry_job(wanted bigint) IS 'Lets a job that rests or has ended run at once; says whether it did. Callbacks and deliveries that have ended are replayed by their own functions.';

CREATE FUNCTION public.review_progress(deed text, connection uuid, event uuid, by_kind text, by_id uuid, at timestamp with time zone) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF deed = 'connected' THEN
        INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES (current_tenant(), 'linked', at, at) ON CONFLICT DO NOTHING;
    END IF;
    PERFORM FROM reviews r WHERE r.tenant_id = current_tenant() AND r.state = 'needs_more' FOR UPDATE; -- two deeds at once: the second sees the first
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE review_items i SET done_at = at
      FROM connections c
     WHERE c.tenant_id = current_tenant() AND c.id = connection AND i.tenant_id = current_tenant() AND i.done_at IS NULL
       AND CASE i.kind WHEN 'connect'   THEN deed = 'connected' AND i.provider = c.provider
                       WHEN 'reconnect' THEN deed = 'connected' AND i.connection_id = c.id
                       ELSE deed = 'fetched' AND i.connection_id = c.id END;
    IF FOUND AND NOT EXISTS (SELECT FROM review_items i WHERE i.tenant_id = current_tenant() AND i.done_at IS NULL) THEN
        PERFORM resubmit_review(event, by_kind, by_id, at);
    END IF;
END
$$;

COMMENT ON FUNCTION public.review_progress(deed text, connection uuid, event uuid, by_kind text, by_id uuid, at timestamp with time zone) IS 'A connection of the current tenant was connected or fetched: begins its review, ticks what was asked, and gives the review back with the last tick.';

CREATE FUNCTION public.sealing_key(sealed bytea, at integer DEFAULT 0) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((octet_length(sealed) >= (at + 5)) AND (get_byte(sealed, at) = 1)) THEN (((((get_byte(sealed, (at + 1)))::bigint << 24) | ((get_byte(sealed, (at + 2)) << 16))::bigint) | ((get_byte(sealed, (at + 3)) << 8))::bigint) | (get_byte(sealed, (at + 4)))::bigint) ELSE NULL::bigint END;

COMMENT ON FUNCTION public.sealing_key(sealed bytea, at integer) IS 'The key that a ciphertext names: one byte 1 and the id in four. NULL: it names none.';

CREATE FUNCTION public.seen_at_work() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    UPDATE memberships m SET seen_at = now()
      FROM (SELECT tenant_id, user_id FROM memberships
             WHERE tenant_id = NEW.tenant_id AND user_id = NEW.user_id FOR NO KEY UPDATE SKIP LOCKED) here
     WHERE m.tenant_id = here.tenant_id AND m.user_id = here.user_id;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.seen_at_work() IS 'Carries the presence of a session over to the membership, which outlives it.';

CREATE FUNCTION public.step_done() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE invitations SET done_at = now()
     WHERE tenant_id = NEW.tenant_id AND provider = NEW.provider AND accepted_by = NEW.user_id AND done_at IS NULL AND revoked_at IS NULL;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.step_done() IS 'Ends the steps that a finished attempt was asked for in.';

CREATE FUNCTION public.sweep(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.sweep(before timestamp with time zone) IS 'Removes what has ended: sessions and links at once, what a link attempt and its callback kept after 2 days (a provider repeats for one), attempts after 30 days (they answer "what happened to my try?").';

CREATE FUNCTION public.sweep_inbox(before timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

COMMENT ON FUNCTION public.sweep_inbox(before timestamp with time zone) IS 'Discards what was parked for a day and what a link''s callback kept for two, buries what has waited for a day without anybody working on it, and removes news after 30 days (links'' callbacks go with their attempts) and addresses that have ended.';

CREATE FUNCTION public.sweep_invitations(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ WITH i AS (DELETE FROM invitations WHERE expires_at < before - interval '30 days' RETURNING 1) SELECT count(*) FROM i $$;

COMMENT ON FUNCTION public.sweep_invitations(before timestamp with time zone) IS 'Removes invitations 30 days after their end; the history keeps what became of them.';

CREATE FUNCTION public.sweep_mails(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    WITH m AS (DELETE FROM mails   WHERE created_at < before - interval '90 days' RETURNING 1),
         d AS (DELETE FROM digests WHERE day < (before - interval '90 days')::date RETURNING 1)
    SELECT (SELECT count(*) FROM m) + (SELECT count(*) FROM d)
    $$;

COMMENT ON FUNCTION public.sweep_mails(before timestamp with time zone) IS 'Forgets mails and digests after 90 days.';

CREATE FUNCTION public.sweep_notices(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    WITH n AS (DELETE FROM notices        WHERE created_at < before - interval '180 days' RETURNING 1),
         l AS (DELETE FROM notice_letters WHERE due_at     < before - interval '180 days' RETURNING 1)
    SELECT (SELECT count(*) FROM n) + (SELECT count(*) FROM l)
    $$;

COMMENT ON FUNCTION public.sweep_notices(before timestamp with time zone) IS 'Removes notices and letters after 180 days; the events they told of stay.';

CREATE FUNCTION public.sweep_observations(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    WITH h AS (DELETE FROM provider_health   WHERE hour    < before - interval '8 days' RETURNING 1),
         r AS (DELETE FROM provider_replicas WHERE seen_at < before - interval '1 day'  RETURNING 1)
    SELECT (SELECT count(*) FROM h) + (SELECT count(*) FROM r)
    $$;

COMMENT ON FUNCTION public.sweep_observations(before timestamp with time zone) IS 'Removes counts after 8 days and replicas that nobody has heard of for one.';

CREATE FUNCTION public.sweep_outgoing(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    WITH s AS (DELETE FROM endpoint_secrets WHERE ends_at < before RETURNING 1),
         d AS (DELETE FROM deliveries
                WHERE ended_at < before - CASE state WHEN 'failed' THEN interval '90 days' ELSE interval '30 days' END RETURNING 1)
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM d)
    $$;

COMMENT ON FUNCTION public.sweep_outgoing(before timestamp with time zone) IS 'Destroys secrets that have ended, and forgets deliveries: what was taken after 30 days, what was given up after 90.';

CREATE FUNCTION public.sweep_tickets(before timestamp with time zone) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ WITH t AS (DELETE FROM tickets WHERE expires_at < before RETURNING 1) SELECT count(*) FROM t $$;

COMMENT ON FUNCTION public.sweep_tickets(before timestamp with time zone) IS 'Removes tickets that nobody took in time.';

CREATE FUNCTION public.sweep_views() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ WITH over AS (UPDATE sessions s SET viewing = NULL WHERE s.viewing IS NOT NULL AND view_over(s) RETURNING 1) SELECT count(*) FROM over $$;

COMMENT ON FUNCTION public.sweep_views() IS 'Ends the views that are over and that nobody has come back to.';

CREATE FUNCTION public.tell_of(of_tenant uuid, event uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = of_tenant AND e.id = event AND e.actor_kind = 'staff') THEN
        RETURN;
    END IF;
    INSERT INTO river.river_job (kind, args, queue, max_attempts)
    VALUES ('tell', jsonb_build_object('tenant', of_tenant, 'event', event), 'tell', 8);
    PERFORM pg_notify('river.river_insert', json_build_object('queue', 'tell')::text);
END
$$;

COMMENT ON FUNCTION public.tell_of(of_tenant uuid, event uuid) IS 'Puts in the job that tells of an event which the staff have written into a tenant''s history; of no other.';

CREATE FUNCTION public.tenants_of(person uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT m.tenant_id FROM memberships m WHERE m.user_id = person ORDER BY m.created_at, m.tenant_id $$;

COMMENT ON FUNCTION public.tenants_of(person uuid) IS 'Where a person works, oldest membership first.';

CREATE FUNCTION public.tenants_to_rewrap(newest bigint, after uuid, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    (SELECT tenant_id FROM tenant_keys WHERE master_key <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most)
     UNION
    (SELECT tenant_id FROM closings WHERE parting_key IS NOT NULL AND parting_master <> newest AND tenant_id > after ORDER BY tenant_id LIMIT most)
     ORDER BY tenant_id LIMIT most
$$;

COMMENT ON FUNCTION public.tenants_to_rewrap(newest bigint, after uuid, most integer) IS 'Tenants whose data keyset is not wrapped by the newest key, by id.';

CREATE FUNCTION public.tenants_to_turn(before timestamp with time zone, after uuid, most integer) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT k.tenant_id FROM tenant_keys k
     WHERE k.tenant_id > after AND k.created_at < before
       AND NOT EXISTS (SELECT FROM key_turns t WHERE t.tenant_id = k.tenant_id AND (t.ended_at IS NULL OR t.begun_at >= before))
     ORDER BY k.tenant_id LIMIT most
$$;

COMMENT ON FUNCTION public.tenants_to_turn(before timestamp with time zone, after uuid, most integer) IS 'Tenants whose data key is older than that and not being turned, by id.';

CREATE FUNCTION public.view_ended() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
    INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, detail, created_at)
    SELECT OLD.viewing, event_id(), 'staff', OLD.user_id, 'tenant.view_ended',
           jsonb_build_object('by', coalesce((SELECT u.email FROM users u WHERE u.id = OLD.user_id), ''),
               'since', to_char(OLD.viewing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
           least(now(), OLD.viewing_until);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION public.view_ended() IS 'Tells the tenant that a view has ended, however it did.';

CREATE TABLE public.sessions (
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    tenant_id uuid,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    user_agent text DEFAULT ''::text NOT NULL,
    address text DEFAULT ''::text NOT NULL,
    proved_at timestamp with time zone DEFAULT now() NOT NULL,
    viewing uuid,
    viewing_since timestamp with time zone,
    viewing_until timestamp with time zone,
    CONSTRAINT sessions_viewing CHECK (((viewing IS NULL) OR ((tenant_id IS NULL) AND (viewing_since IS NOT NULL) AND (viewing_until IS NOT NULL))))
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.sessions IS 'One row per signed-in browser; deleting the row ends the session on every replica at once.';

COMMENT ON COLUMN public.sessions.id IS 'Stays when the token rotates: attempts are bound to it.';

COMMENT ON COLUMN public.sessions.token_hash IS 'SHA-256 of the 256-bit cookie value.';

COMMENT ON COLUMN public.sessions.tenant_id IS 'The tenant the person works in; NULL for staff. Losing the membership ends the session.';

COMMENT ON COLUMN public.sessions.expires_at IS 'Absolute end; idleness is measured by seen_at.';

COMMENT ON COLUMN public.sessions.proved_at IS 'When the person last proved in this session who they are; what is sensitive wants that to be recent.';

COMMENT ON COLUMN public.sessions.viewing IS 'The tenant whose pages a member of the staff sees as a viewer would; whoever works in a tenant of their own has none.';

COMMENT ON COLUMN public.sessions.viewing_since IS 'When that began.';

COMMENT ON COLUMN public.sessions.viewing_until IS 'When it ends, whatever happens until then.';

CREATE FUNCTION public.view_over(s public.sessions) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT s.viewing_until <= now() OR is_closed(s.viewing)
        OR NOT EXISTS (SELECT FROM platform_admins a WHERE a.user_id = s.user_id AND a.roles && '{reviewer,operator}'::text[])
    $$;

COMMENT ON FUNCTION public.view_over(s public.sessions) IS 'Whether a view has ended by itself: by time, by the closing of the tenant, by the loss of the role.';

CREATE FUNCTION public.waiting_approvals() RETURNS integer[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
    SELECT ARRAY[(SELECT count(*)::int FROM approvals WHERE state = 'open' AND expires_at > now()),
                 (SELECT count(*)::int FROM approvals WHERE alone AND reviewed_at IS NULL)]
     WHERE EXISTS (SELECT FROM platform_admins WHERE user_id = current_person())
$$;

COMMENT ON FUNCTION public.waiting_approvals() IS 'How many acts wait for a decision, and how many were done alone and wait for their review; NULL for whoever is not of the staff. Every page of theirs tells it.';

CREATE FUNCTION public.workplaces() RETURNS TABLE(tenant_id uuid, name text, role text)
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$ SELECT t.id, t.name, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant_id
        WHERE m.user_id = current_person() ORDER BY m.seen_at DESC NULLS LAST, m.created_at, t.id $$;

COMMENT ON FUNCTION public.workplaces() IS 'Where the current person works, the tenant they were in last first.';

CREATE FUNCTION public.wrapping_key(wrapped bytea) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN ((octet_length(wrapped) >= 16) AND (get_byte(wrapped, 0) = 18)) THEN public.sealing_key(wrapped, CASE WHEN (get_byte(wrapped, 1) < 128) THEN 2 WHEN (get_byte(wrapped, 2) < 128) THEN 3 ELSE 4 END) ELSE NULL::bigint END;

COMMENT ON FUNCTION public.wrapping_key(wrapped bytea) IS 'The master key that a wrapped keyset names: its first field (tag 0x12, its length) is the ciphertext. NULL: it names none.';

CREATE TABLE public.account_claims (
    provider text NOT NULL,
    environment text NOT NULL,
    account_hash bytea NOT NULL,
    holder_tenant uuid NOT NULL,
    holder_connection uuid NOT NULL,
    claimed_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.account_claims FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.account_claims IS 'Which tenant holds an external account. Outside the tenants'' tables, reached only through claim_account and release_account.';

CREATE TABLE public.approval_targets (
    approval uuid NOT NULL,
    tenant uuid NOT NULL,
    connection uuid NOT NULL,
    outcome text,
    done_at timestamp with time zone,
    CONSTRAINT approval_targets_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'skipped'::text, 'failed'::text])))
);

COMMENT ON TABLE public.approval_targets IS 'The connections that an act concerns, listed when it was asked for.';

COMMENT ON COLUMN public.approval_targets.outcome IS 'NULL: not yet. skipped: there was nothing to do any more.';

CREATE TABLE public.approvals (
    id uuid NOT NULL,
    act text NOT NULL,
    state text DEFAULT 'open'::text NOT NULL,
    tenant uuid,
    provider text DEFAULT ''::text NOT NULL,
    within_days integer DEFAULT 0 NOT NULL,
    reason text NOT NULL,
    number integer NOT NULL,
    asked_by uuid NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    alone boolean DEFAULT false NOT NULL,
    alarm_at timestamp with time zone,
    decided_by uuid,
    decided_at timestamp with time zone,
    note text DEFAULT ''::text NOT NULL,
    until_at timestamp with time zone,
    due_at timestamp with time zone,
    done_at timestamp with time zone,
    reviewed_by uuid,
    reviewed_at timestamp with time zone,
    review_note text DEFAULT ''::text NOT NULL,
    CONSTRAINT approvals_act_check CHECK ((act = ANY (ARRAY['remind'::text, 'withdraw'::text, 'export'::text, 'reveal'::text]))),
    CONSTRAINT approvals_check CHECK (((reviewed_by IS NULL) = (reviewed_at IS NULL))),
    CONSTRAINT approvals_check1 CHECK ((alone OR (reviewed_at IS NULL))),
    CONSTRAINT approvals_note_check CHECK ((length(note) <= 500)),
    CONSTRAINT approvals_reason_check CHECK (((length(reason) >= 1) AND (length(reason) <= 500))),
    CONSTRAINT approvals_review_note_check CHECK ((length(review_note) <= 500)),
    CONSTRAINT approvals_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'done'::text, 'declined'::text, 'cancelled'::text]))),
    CONSTRAINT four_eyes CHECK ((decided_by <> asked_by)),
    CONSTRAINT others_review CHECK ((reviewed_by <> asked_by)),
    CONSTRAINT two_decide CHECK (((state = ANY (ARRAY['open'::text, 'cancelled'::text])) OR alone OR (decided_by IS NOT NULL)))
);

ALTER TABLE ONLY public.approvals FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.approvals IS 'Acts of the staff that want a second one of them: who asked for what and why, who decided, what came of it.';

COMMENT ON COLUMN public.approvals.act IS 'remind: tell many merchants that access ends. withdraw: end the access of many connections. export: take a chain of the history along. reveal: look at all personal values of a merchant.';

COMMENT ON COLUMN public.approvals.state IS 'Past expires_at an open one has expired, and past until_at an approved one is over; both are read from the clock.';

COMMENT ON COLUMN public.approvals.tenant IS 'What it is narrowed to, with provider and within_days; of an export, NULL is the platform''s own chain.';

COMMENT ON COLUMN public.approvals.number IS 'How many it concerned when it was asked for: connections, or entries of the chain.';

COMMENT ON COLUMN public.approvals.alone IS 'Nobody else decided: break-glass. Somebody else has to review it.';

COMMENT ON COLUMN public.approvals.alarm_at IS 'When the other members of the staff are to be told; NULL: they have been, or need not be.';

COMMENT ON COLUMN public.approvals.until_at IS 'Until when an export can be taken, or values be looked at.';

COMMENT ON COLUMN public.approvals.due_at IS 'When the act is carried out, or gone on with; NULL: it is not done in the background, or all is done.';

CREATE TABLE public.attempts (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    session_id uuid NOT NULL,
    provider text NOT NULL,
    environment text NOT NULL,
    connection_id uuid,
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    arrival_hash bytea,
    verifier_sealed bytea NOT NULL,
    status text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    provider_code text DEFAULT ''::text NOT NULL,
    account_masked text DEFAULT ''::text NOT NULL,
    returned_sealed bytea,
    result_connection uuid,
    created_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone,
    finished_at timestamp with time zone,
    expires_at timestamp with time zone NOT NULL,
    callback_hash bytea,
    serial text DEFAULT ''::text NOT NULL,
    link_sealed bytea,
    kept_sealed bytea,
    CONSTRAINT attempts_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'exchanging'::text, 'returned'::text, 'stored'::text, 'denied'::text, 'failed'::text, 'cancelled'::text])))
);

ALTER TABLE ONLY public.attempts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.attempts IS 'One try to connect an account: who began it in which browser, and how it ended.';

COMMENT ON COLUMN public.attempts.session_id IS 'The session that began. No foreign key: a session that has ended refuses the arrival by not being there.';

COMMENT ON COLUMN public.attempts.connection_id IS 'Set when an existing connection is being reconnected; the account must then be the same.';

COMMENT ON COLUMN public.attempts.state_hash IS 'SHA-256 of the 256-bit state that the provider echoes.';

COMMENT ON COLUMN public.attempts.browser_hash IS 'SHA-256 of the flow cookie: the browser that returns must be the one that left.';

COMMENT ON COLUMN public.attempts.arrival_hash IS 'SHA-256 of the code that consumed it: tells a reloaded callback from another one where no state is echoed.';

COMMENT ON COLUMN public.attempts.returned_sealed IS 'Account and credential that came back without our state, waiting for the person to confirm; gone when the attempt ends.';

COMMENT ON COLUMN public.attempts.callback_hash IS 'SHA-256 of the 256-bit token in the address that the provider''s server calls; NULL where the browser comes back.';

COMMENT ON COLUMN public.attempts.serial IS 'The provider''s name for this attempt, no secret; a callback under another one is refused.';

COMMENT ON COLUMN public.attempts.link_sealed IS 'What the person opens; gone when the attempt ends.';

COMMENT ON COLUMN public.attempts.kept_sealed IS 'What a callback is verified with, the merchant''s keys included. Outlives the end, for the provider repeats until it is answered; sweep destroys it.';

CREATE TABLE public.audit_heads (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    moved_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.audit_heads IS 'The newest link of each chain; what the checkpoints outside the database are made from.';

COMMENT ON COLUMN public.audit_heads.chain IS 'The tenant, or the zero id for the platform''s own events.';

COMMENT ON COLUMN public.audit_heads.hash IS 'The newest link''s hash.';

CREATE TABLE public.audit_links (
    chain uuid NOT NULL,
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    hash bytea NOT NULL
);

COMMENT ON TABLE public.audit_links IS 'One link per event, in the order in which they were committed.';

COMMENT ON COLUMN public.audit_links.hash IS 'SHA-256 over the hash before it and every field of the event, each with its length in front.';

CREATE TABLE public.callback_addresses (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    token_sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone
);

ALTER TABLE ONLY public.callback_addresses FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.callback_addresses IS 'Where a provider''s server sends news of a connection. The platform''s role has no grant here.';

COMMENT ON COLUMN public.callback_addresses.token_hash IS 'SHA-256 of the 256-bit token in the address: finds it.';

COMMENT ON COLUMN public.callback_addresses.token_sealed IS 'The token, for showing it to the merchant.';

COMMENT ON COLUMN public.callback_addresses.ends_at IS 'Until when a renewed address is still answered; NULL: it is the current one.';

CREATE TABLE public.closings (
    tenant_id uuid NOT NULL,
    closed_at timestamp with time zone NOT NULL,
    closed_by uuid NOT NULL,
    destroy_at timestamp with time zone NOT NULL,
    destroyed_at timestamp with time zone,
    due_at timestamp with time zone,
    connections integer NOT NULL,
    master_version bigint NOT NULL,
    audit_seq bigint NOT NULL,
    audit_hash bytea NOT NULL,
    parting_key bytea,
    parting_master bigint GENERATED ALWAYS AS (public.wrapping_key(parting_key)) STORED
);

ALTER TABLE ONLY public.closings FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.closings IS 'Tenants that are closed. Deleting the row reopens one, as long as its key has not been destroyed.';

COMMENT ON COLUMN public.closings.destroy_at IS 'When the data key is destroyed; until then closing can be undone.';

COMMENT ON COLUMN public.closings.due_at IS 'When the next step is tried: ending the connections, destroying the key, forgetting the parting key. NULL: all is done.';

COMMENT ON COLUMN public.closings.connections IS 'How many connections there were to end.';

COMMENT ON COLUMN public.closings.master_version IS 'The version of the master keyset that wrapped the data key; backups of the key are readable until it is destroyed.';

COMMENT ON COLUMN public.closings.audit_seq IS 'The newest entry of the tenant''s history at the last step, with its hash beside it: what the receipt names.';

COMMENT ON COLUMN public.closings.audit_hash IS 'That entry''s hash in its chain.';

COMMENT ON COLUMN public.closings.parting_key IS 'Opens what the providers are still told with after the data key was destroyed, and nothing else.';

COMMENT ON COLUMN public.closings.parting_master IS 'The master key that opens the parting key, as the ciphertext says.';

CREATE TABLE public.connections (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    provider text NOT NULL,
    environment text NOT NULL,
    account_hash bytea NOT NULL,
    account_masked text NOT NULL,
    account_sealed bytea NOT NULL,
    state text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    state_since timestamp with time zone NOT NULL,
    credential_version bigint NOT NULL,
    sync_state text DEFAULT 'idle'::text NOT NULL,
    sync_done integer DEFAULT 0 NOT NULL,
    sync_total integer DEFAULT 0 NOT NULL,
    sync_since timestamp with time zone,
    synced_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    next_sync_at timestamp with time zone,
    sync_paused_at timestamp with time zone,
    sync_failures integer DEFAULT 0 NOT NULL,
    sync_asked_till timestamp with time zone,
    erase_at timestamp with time zone,
    erase_due_at timestamp with time zone,
    erased_at timestamp with time zone,
    ends_at timestamp with time zone,
    warn_at timestamp with time zone,
    warned_days smallint,
    reminded_at timestamp with time zone,
    label text DEFAULT ''::text NOT NULL,
    refused text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT connections_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text]))),
    CONSTRAINT connections_label_check CHECK ((char_length(label) <= 60)),
    CONSTRAINT connections_state_check CHECK ((state = ANY (ARRAY['connected'::text, 'needs_you'::text, 'provider'::text, 'ours'::text, 'disconnected'::text]))),
    CONSTRAINT connections_sync_state_check CHECK ((sync_state = ANY (ARRAY['idle'::text, 'queued'::text, 'running'::text])))
);

ALTER TABLE ONLY public.connections FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.connections IS 'A tenant''s link to one account at one provider. Narrow on purpose: ciphertext that lists do not need lives in credentials and snapshots.';

COMMENT ON COLUMN public.connections.account_hash IS 'Keyed hash of the external account: finds the same account again without telling which it is.';

COMMENT ON COLUMN public.connections.state IS 'Who must act: nobody (connected), the merchant (needs_you), the provider, we (ours); or disconnected.';

COMMENT ON COLUMN public.connections.reason IS 'Why, as the kind of a provider error or a word of ours; the page has a sentence for each.';

COMMENT ON COLUMN public.connections.credential_version IS 'The version the credential must have: putting an older ciphertext back does not open.';

COMMENT ON COLUMN public.connections.synced_at IS 'When the last sync read everything it wanted to.';

COMMENT ON COLUMN public.connections.next_sync_at IS 'When it is fetched next by itself; NULL: not before somebody has acted. While a sync is on its way, when it is believed lost.';

COMMENT ON COLUMN public.connections.sync_paused_at IS 'Since when the merchant wants no fetching by itself; NULL: it goes on.';

COMMENT ON COLUMN public.connections.sync_failures IS 'Passing failures in a row: how long to rest before the next try.';

COMMENT ON COLUMN public.connections.sync_asked_till IS 'How far fetching by hand is used up (GCRA''s theoretical arrival time); NULL: never asked.';

COMMENT ON COLUMN public.connections.erase_at IS 'When the data of a disconnected connection is erased, until then it can be undone; NULL: it is kept.';

COMMENT ON COLUMN public.connections.erase_due_at IS 'When erasing is tried next: erase_at, and later if that try was lost.';

COMMENT ON COLUMN public.connections.erased_at IS 'When its data was erased. The row stays, for the history to refer to.';

COMMENT ON COLUMN public.connections.ends_at IS 'When access ends unless a person acts; follows credentials.expires_at. NULL: not known, or nobody has to act.';

COMMENT ON COLUMN public.connections.warn_at IS 'When the next warning of that end is due; NULL: none is.';

COMMENT ON COLUMN public.connections.warned_days IS 'The nearest warning that was given of this end, in days before it; NULL: none yet.';

COMMENT ON COLUMN public.connections.reminded_at IS 'When the platform''s staff last reminded the merchant of this end.';

COMMENT ON COLUMN public.connections.label IS 'What its tenant calls the account; empty: nothing of their own.';

COMMENT ON COLUMN public.connections.refused IS 'The blocks that the last reading was refused for want of permission. A reading that broke off for another reason, or a reading before this was kept, leaves it as it was.';

CREATE TABLE public.credentials (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamp with time zone,
    updated_at timestamp with time zone NOT NULL,
    fence bigint DEFAULT 0 NOT NULL,
    lease_until timestamp with time zone,
    refresh_state text DEFAULT ''::text NOT NULL,
    refresh_failures integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    next_refresh_at timestamp with time zone,
    previous_version bigint,
    previous_sealed bytea,
    CONSTRAINT credentials_check CHECK ((num_nonnulls(previous_version, previous_sealed) <> 1)),
    CONSTRAINT credentials_refresh_state_check CHECK ((refresh_state = ANY (ARRAY[''::text, 'asked'::text, 'recovering'::text, 'refused'::text])))
);

ALTER TABLE ONLY public.credentials FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.credentials IS 'What opens the account at the provider, sealed. The platform''s role has no grant here.';

COMMENT ON COLUMN public.credentials.expires_at IS 'When access ends unless a person acts: of a token that is renewed by itself, the end of what renews it. NULL if the provider does not say.';

COMMENT ON COLUMN public.credentials.fence IS 'Grows with every lease. A holder writes only under the number it was given.';

COMMENT ON COLUMN public.credentials.lease_until IS 'Until when one holder renews this credential, longer than its call may take; NULL: nobody does.';

COMMENT ON COLUMN public.credentials.refresh_state IS 'Empty: nothing is open. asked: the provider was asked, the outcome is not known. recovering: asked once more with the same token, and marked so. refused: the provider has refused this version for certain and is not asked again.';

COMMENT ON COLUMN public.credentials.refresh_failures IS 'Failures in a row since the last renewal.';

COMMENT ON COLUMN public.credentials.retry_at IS 'Not before this, while the token at hand is still good.';

COMMENT ON COLUMN public.credentials.next_refresh_at IS 'When somebody must look without being asked by a read: ahead of the end of a long-lived token, or at the end of a lease. NULL for short-lived tokens, which are renewed when they are read with.';

COMMENT ON COLUMN public.credentials.previous_sealed IS 'The credential before this one, sealed at previous_version, until this one has worked once.';

CREATE TABLE public.deliveries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    event_id uuid NOT NULL,
    kind text NOT NULL,
    body text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    next_at timestamp with time zone,
    last_status integer DEFAULT 0 NOT NULL,
    last_error text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.deliveries FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.deliveries IS 'One event for one endpoint: told once, repeated until it is taken or given up.';

COMMENT ON COLUMN public.deliveries.body IS 'The very bytes that are signed, the same on every try. Never a secret, never an unmasked account.';

COMMENT ON COLUMN public.deliveries.state IS 'waiting for a try, delivered, or failed: given up, until an admin replays it.';

COMMENT ON COLUMN public.deliveries.tries IS 'Since it was made, or replayed.';

COMMENT ON COLUMN public.deliveries.last_error IS 'Why the last try was none, as a word; empty if the endpoint answered.';

CREATE TABLE public.delivery_tries (
    tenant_id uuid NOT NULL,
    delivery_id uuid NOT NULL,
    id uuid NOT NULL,
    status integer NOT NULL,
    error text NOT NULL,
    took_ms integer NOT NULL,
    tried_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.delivery_tries FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.delivery_tries IS 'Each try of a delivery and what came of it. What the endpoint said beyond its status is not kept.';

CREATE TABLE public.digest_choices (
    user_id uuid NOT NULL,
    mail boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.digest_choices IS 'Whether one of the staff wants the digest. No row: yes.';

CREATE TABLE public.digests (
    user_id uuid NOT NULL,
    day date NOT NULL,
    id uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT digests_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'sent'::text, 'moot'::text, 'refused'::text, 'not_sent'::text])))
);

COMMENT ON TABLE public.digests IS 'One letter to one of the staff about one day. Its words are found when it is sent.';

COMMENT ON COLUMN public.digests.day IS 'The day on which it is sent, where its reader is.';

COMMENT ON COLUMN public.digests.since IS 'It tells of what happened from here, which is where the one before ended, to until.';

COMMENT ON COLUMN public.digests.status IS 'As notice_letters.status; moot: there was nothing to tell.';

CREATE TABLE public.endpoint_secrets (
    endpoint_id uuid NOT NULL,
    version bigint NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone
);

COMMENT ON TABLE public.endpoint_secrets IS 'What deliveries are signed with. Two live side by side while a receiver changes over; the platform''s role cannot read them.';

COMMENT ON COLUMN public.endpoint_secrets.ends_at IS 'From then on it signs nothing; NULL for the newest.';

CREATE TABLE public.endpoints (
    id uuid NOT NULL,
    url text NOT NULL,
    description text DEFAULT ''::text NOT NULL,
    kinds text[] NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    disabled_reason text DEFAULT ''::text NOT NULL,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT endpoints_check CHECK ((enabled = (disabled_reason = ''::text))),
    CONSTRAINT endpoints_description_check CHECK ((length(description) <= 200)),
    CONSTRAINT endpoints_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY[''::text, 'admin'::text, 'gone'::text]))),
    CONSTRAINT endpoints_kinds_check CHECK ((cardinality(kinds) > 0)),
    CONSTRAINT endpoints_url_check CHECK (((length(url) >= 1) AND (length(url) <= 2000)))
);

COMMENT ON TABLE public.endpoints IS 'Systems of the platform''s that are told of events over HTTP.';

COMMENT ON COLUMN public.endpoints.kinds IS 'Which kinds of events it wants.';

COMMENT ON COLUMN public.endpoints.disabled_reason IS 'Why it is told nothing: an admin switched it off (admin), or it answered 410 (gone).';

CREATE TABLE public.events (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid,
    actor_kind text NOT NULL,
    actor_id uuid,
    kind text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT events_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['person'::text, 'staff'::text, 'system'::text])))
);

ALTER TABLE ONLY public.events FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.events IS 'What happened in a tenant, written in the same transaction as the change; the serving roles may only add.';

COMMENT ON COLUMN public.events.detail IS 'Values for the sentence on the page; never a secret, never an unmasked account.';

CREATE TABLE public.factors (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    label text NOT NULL,
    secret_sealed bytea,
    last_step bigint DEFAULT 0 NOT NULL,
    handle bytea,
    credential jsonb,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT factors_check CHECK (((kind = 'totp'::text) = (secret_sealed IS NOT NULL))),
    CONSTRAINT factors_check1 CHECK (((kind = 'passkey'::text) = ((handle IS NOT NULL) AND (credential IS NOT NULL)))),
    CONSTRAINT factors_kind_check CHECK ((kind = ANY (ARRAY['totp'::text, 'passkey'::text]))),
    CONSTRAINT factors_label_check CHECK (((length(label) >= 1) AND (length(label) <= 60)))
);

ALTER TABLE ONLY public.factors FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.factors IS 'What a person proves themselves with besides the password.';

COMMENT ON COLUMN public.factors.last_step IS 'The newest 30-second step of which a code was taken: no code is taken twice.';

COMMENT ON COLUMN public.factors.handle IS 'The passkey''s credential id.';

COMMENT ON COLUMN public.factors.credential IS 'The passkey''s public half with its counters; nothing of it is secret.';

CREATE TABLE public.goose_db_version (
    id integer NOT NULL,
    version_id bigint NOT NULL,
    is_applied boolean NOT NULL,
    tstamp timestamp without time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE public.goose_db_version IS 'Which migrations have been applied. goose makes the table before the first of them.';

ALTER TABLE public.goose_db_version ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.goose_db_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.inbox (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    attempt_id uuid,
    connection_id uuid,
    binding uuid GENERATED ALWAYS AS (COALESCE(attempt_id, connection_id)) STORED NOT NULL,
    provider text NOT NULL,
    serial text NOT NULL,
    verified boolean NOT NULL,
    content_hash bytea NOT NULL,
    body_sealed bytea NOT NULL,
    credential_sealed bytea,
    received_at timestamp with time zone NOT NULL,
    processed_at timestamp with time zone,
    contradicted_at timestamp with time zone,
    calls integer DEFAULT 1 NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    parked_at timestamp with time zone,
    dead_at timestamp with time zone,
    discarded_at timestamp with time zone,
    state text GENERATED ALWAYS AS (
CASE
    WHEN (discarded_at IS NOT NULL) THEN 'discarded'::text
    WHEN (processed_at IS NOT NULL) THEN 'processed'::text
    WHEN (dead_at IS NOT NULL) THEN 'dead'::text
    WHEN (parked_at IS NOT NULL) THEN 'parked'::text
    ELSE 'waiting'::text
END) STORED NOT NULL,
    CONSTRAINT inbox_check CHECK ((num_nonnulls(attempt_id, connection_id) = 1))
);

ALTER TABLE ONLY public.inbox FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.inbox IS 'What providers'' servers sent of their own accord: stored before it is answered, then acted on once.';

COMMENT ON COLUMN public.inbox.binding IS 'What the address belongs to. With provider and serial it is the key that a repeat cannot take again.';

COMMENT ON COLUMN public.inbox.verified IS 'Whether the provider''s signature held. What is not verified changes no data.';

COMMENT ON COLUMN public.inbox.content_hash IS 'Keyed hash of what it says: tells a repeat from another content under the same serial without opening either.';

COMMENT ON COLUMN public.inbox.body_sealed IS 'The very bytes, for whoever must find out later what was said.';

COMMENT ON COLUMN public.inbox.credential_sealed IS 'What it brought, until it has been acted on.';

COMMENT ON COLUMN public.inbox.processed_at IS 'When it was acted on; at once, if there was nothing left to do.';

COMMENT ON COLUMN public.inbox.contradicted_at IS 'When another content first came under the same serial. That one was not believed.';

COMMENT ON COLUMN public.inbox.calls IS 'How many calls the row stands for. News that comes while other news of the connection waits is counted, not kept.';

COMMENT ON COLUMN public.inbox.tries IS 'How often acting on it has failed.';

COMMENT ON COLUMN public.inbox.reason IS 'Why the last try failed, or why it was discarded: the kind of a provider error or a word of ours.';

COMMENT ON COLUMN public.inbox.parked_at IS 'When it was put aside because its connection was disconnected. It joins a reconnection within a day.';

COMMENT ON COLUMN public.inbox.dead_at IS 'When every try had failed. Nothing happens to it any more but by the staff.';

COMMENT ON COLUMN public.inbox.discarded_at IS 'When it was given up: by the staff, or by time. Its content is gone.';

COMMENT ON COLUMN public.inbox.state IS 'What the times beside it come to.';

CREATE TABLE public.invitations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    provider text DEFAULT ''::text NOT NULL,
    joins boolean NOT NULL,
    language text NOT NULL,
    invited_by uuid NOT NULL,
    life interval NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    asked_at timestamp with time zone,
    accepted_at timestamp with time zone,
    accepted_by uuid,
    done_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT invitations_check CHECK (((accepted_at IS NULL) = (accepted_by IS NULL))),
    CONSTRAINT invitations_email_check CHECK (((length(email) >= 3) AND (length(email) <= 254))),
    CONSTRAINT invitations_language_check CHECK ((language = ANY (ARRAY['zh-CN'::text, 'en'::text]))),
    CONSTRAINT invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'operator'::text, 'viewer'::text])))
);

ALTER TABLE ONLY public.invitations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.invitations IS 'Who is asked to join a tenant, or to do one step in it.';

COMMENT ON COLUMN public.invitations.email IS 'Canonical address; only the person who has it can accept.';

COMMENT ON COLUMN public.invitations.provider IS 'The step: where an account is to be connected; empty for a plain invitation.';

COMMENT ON COLUMN public.invitations.joins IS 'Accepting makes a member. False: the addressee was one already, and must still be.';

COMMENT ON COLUMN public.invitations.invited_by IS 'Who sent it last. No foreign key: it is told even when they are gone.';

COMMENT ON COLUMN public.invitations.life IS 'How long its link works, as the sender chose; sending again begins it anew.';

COMMENT ON COLUMN public.invitations.asked_at IS 'When the addressee of an expired link asked for a new one.';

COMMENT ON COLUMN public.invitations.done_at IS 'When the person who accepted a step had connected.';

CREATE TABLE public.key_holders (
    replica text NOT NULL,
    keys bigint[] NOT NULL,
    main bigint NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.key_holders IS 'Which master keys each serving program has loaded. One that has not said so for a while is gone.';

COMMENT ON COLUMN public.key_holders.main IS 'The one that it seals with.';

CREATE TABLE public.key_turns (
    tenant_id uuid NOT NULL,
    from_key bigint NOT NULL,
    to_key bigint NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    sealing_at timestamp with time zone,
    rewritten_at timestamp with time zone,
    ended_at timestamp with time zone,
    due_at timestamp with time zone,
    rewritten integer DEFAULT 0 NOT NULL,
    stuck integer DEFAULT 0 NOT NULL,
    CONSTRAINT key_turns_check CHECK (((due_at IS NULL) = (ended_at IS NOT NULL)))
);

ALTER TABLE ONLY public.key_turns FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.key_turns IS 'Each turn of a tenant''s data key, from the key before to the one after; the keys themselves are in tenant_keys, wrapped. Goes with them.';

COMMENT ON COLUMN public.key_turns.sealing_at IS 'When the new key began to seal. NULL: it only opens, until nobody can hold the keyset without it.';

COMMENT ON COLUMN public.key_turns.rewritten_at IS 'When the rows had been rewritten. The old key stays a while longer, for whoever still seals with it.';

COMMENT ON COLUMN public.key_turns.ended_at IS 'When the old key was destroyed; nothing can be written with it any more.';

COMMENT ON COLUMN public.key_turns.due_at IS 'When the next step is tried.';

COMMENT ON COLUMN public.key_turns.rewritten IS 'Values that were sealed anew.';

COMMENT ON COLUMN public.key_turns.stuck IS 'Values that name the old key and do not open at their place; the old key is kept while there are any.';

CREATE TABLE public.mails (
    job bigint NOT NULL,
    kind text NOT NULL,
    tenant uuid,
    address text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    fault text DEFAULT ''::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    tried_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT mails_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'moot'::text, 'not_sent'::text, 'refused'::text, 'failed'::text, 'cancelled'::text])))
);

COMMENT ON TABLE public.mails IS 'Every mail that was put on its way and what became of it. The platform''s own record: tenants have no row of theirs here to see.';

COMMENT ON COLUMN public.mails.job IS 'The job that sends it; ids of jobs only grow.';

COMMENT ON COLUMN public.mails.kind IS 'What it is about: the purpose of a link, the kind of a notice, or digest.';

COMMENT ON COLUMN public.mails.tenant IS 'Whose connection it is about; NULL for links and digests.';

COMMENT ON COLUMN public.mails.address IS 'Masked: enough to recognise one''s own, not enough to write to it.';

COMMENT ON COLUMN public.mails.state IS 'waiting; sent; moot: not true or not wanted any more; not_sent: no mail is configured; refused for good by the mail server; failed: every try has; cancelled by the staff.';

COMMENT ON COLUMN public.mails.fault IS 'Why the last try did not work, as a word.';

CREATE TABLE public.master_keys (
    id bigint NOT NULL,
    added_at timestamp with time zone NOT NULL,
    promoted_at timestamp with time zone,
    retired_at timestamp with time zone,
    CONSTRAINT master_keys_check CHECK (((retired_at IS NULL) OR (promoted_at IS NOT NULL)))
);

COMMENT ON TABLE public.master_keys IS 'What is known of each master key, by its id; the keys themselves are never in the database.';

COMMENT ON COLUMN public.master_keys.promoted_at IS 'When it was allowed to seal; the newest one does. NULL: it was added and opens nothing yet.';

COMMENT ON COLUMN public.master_keys.retired_at IS 'From then on nothing can be written that needs it.';

CREATE TABLE public.memberships (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    user_kind text DEFAULT 'merchant'::text NOT NULL,
    role text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone,
    CONSTRAINT memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'operator'::text, 'viewer'::text]))),
    CONSTRAINT memberships_user_kind_check CHECK ((user_kind = 'merchant'::text))
);

ALTER TABLE ONLY public.memberships FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.memberships IS 'Who works in which tenant, and as what.';

COMMENT ON COLUMN public.memberships.seen_at IS 'When the person last worked in this tenant; signing in leads to the one seen last.';

CREATE TABLE public.notice_choices (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    kind text NOT NULL,
    mail boolean NOT NULL
);

ALTER TABLE ONLY public.notice_choices FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.notice_choices IS 'Whether a member wants mail of a kind. No row: what their role suggests.';

CREATE TABLE public.notice_letters (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    connection_id uuid,
    kind text NOT NULL,
    key text NOT NULL,
    due_at timestamp with time zone NOT NULL,
    status text DEFAULT 'waiting'::text NOT NULL,
    finished_at timestamp with time zone,
    CONSTRAINT notice_letters_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'sent'::text, 'moot'::text, 'refused'::text, 'not_sent'::text])))
);

ALTER TABLE ONLY public.notice_letters FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.notice_letters IS 'One letter to one member about one event. Address, language and words are found when it is sent.';

COMMENT ON COLUMN public.notice_letters.connection_id IS 'What it is about; NULL: the whole business.';

COMMENT ON COLUMN public.notice_letters.key IS 'What there is one letter of: a kind about a connection in a quiet time, a deadline, a recovery. A moot one makes room.';

COMMENT ON COLUMN public.notice_letters.due_at IS 'Not before this: what comes too soon after the one before waits, and may be moot by then.';

COMMENT ON COLUMN public.notice_letters.status IS 'waiting; sent; moot: no longer true or wanted when it was to be sent; refused for good by the mail server; not_sent: no mail is configured.';

CREATE TABLE public.notices (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    event_id uuid NOT NULL,
    connection_id uuid,
    kind text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    read_at timestamp with time zone
);

ALTER TABLE ONLY public.notices FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.notices IS 'What a member is told in the app. The sentence is made when it is shown, in the reader''s language.';

COMMENT ON COLUMN public.notices.connection_id IS 'What it is about; NULL: the whole business.';

COMMENT ON COLUMN public.notices.kind IS 'The event''s kind.';

COMMENT ON COLUMN public.notices.detail IS 'The event''s detail; never a secret, never an unmasked account.';

COMMENT ON COLUMN public.notices.created_at IS 'When it happened, which is when the event was written.';

CREATE TABLE public.one_time_links (
    id uuid NOT NULL,
    purpose text NOT NULL,
    email text NOT NULL,
    user_id uuid,
    business_name text DEFAULT ''::text NOT NULL,
    password_hash text DEFAULT ''::text NOT NULL,
    language text NOT NULL,
    token_hash bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    invited_to uuid,
    invitation_id uuid,
    CONSTRAINT one_time_links_check CHECK ((((purpose = 'invitation'::text) = (invitation_id IS NOT NULL)) AND ((invited_to IS NULL) = (invitation_id IS NULL)))),
    CONSTRAINT one_time_links_purpose_check CHECK ((purpose = ANY (ARRAY['signup'::text, 'reset'::text, 'known'::text, 'alarm'::text, 'closed'::text, 'invitation'::text])))
);

COMMENT ON TABLE public.one_time_links IS 'Links sent by mail: finish a sign-up, set a new password, or tell that the address is known already.';

COMMENT ON COLUMN public.one_time_links.token_hash IS 'SHA-256 of the link''s token, minted when the mail is sent; NULL until then.';

COMMENT ON COLUMN public.one_time_links.invited_to IS 'The tenant of the invitation that the link opens.';

CREATE TABLE public.platform_admins (
    user_id uuid NOT NULL,
    user_kind text DEFAULT 'staff'::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    roles text[] DEFAULT '{reviewer,operator,auditor,security}'::text[] NOT NULL,
    CONSTRAINT platform_admins_roles_check CHECK (((cardinality(roles) > 0) AND (roles <@ '{reviewer,operator,auditor,security}'::text[]))),
    CONSTRAINT platform_admins_user_kind_check CHECK ((user_kind = 'staff'::text))
);

ALTER TABLE ONLY public.platform_admins FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.platform_admins IS 'Staff who may open the admin pages.';

COMMENT ON COLUMN public.platform_admins.roles IS 'reviewer: decides on merchants. operator: keeps providers, callbacks, webhooks and jobs running. auditor: reads and proves the history. security: keys, and what protects people.';

CREATE TABLE public.platform_events (
    id uuid NOT NULL,
    actor_id uuid,
    kind text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.platform_events IS 'What happened to the platform itself, outside any tenant; add only.';

CREATE TABLE public.platform_keys (
    name text NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    master_key bigint GENERATED ALWAYS AS (public.wrapping_key(wrapped)) STORED
);

COMMENT ON TABLE public.platform_keys IS 'The platform''s own data keysets, wrapped by the master keyset and bound to the zero id where a tenant''s is bound to the tenant.';

COMMENT ON COLUMN public.platform_keys.master_key IS 'The master key that opens it, as the ciphertext says.';

CREATE TABLE public.provider_codes (
    provider text NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    count bigint NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    CONSTRAINT provider_codes_code_check CHECK ((length(code) <= 40))
);

COMMENT ON TABLE public.provider_codes IS 'Codes of refusals that no entry of the dictionary explains, shortened; never a provider''s prose.';

COMMENT ON COLUMN public.provider_codes.code IS 'As sent, cleaned and cut; '''' stands for all that came after the first 200 of a provider.';

COMMENT ON COLUMN public.provider_codes.kind IS 'What we took it for, the last time.';

CREATE TABLE public.provider_controls (
    provider text NOT NULL,
    paused_at timestamp with time zone,
    paused_by uuid,
    tested_at timestamp with time zone,
    tested_by uuid,
    test jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT provider_controls_check CHECK (((paused_at IS NULL) = (paused_by IS NULL)))
);

COMMENT ON TABLE public.provider_controls IS 'What the staff have decided about a provider; one without a row is as its settings make it.';

COMMENT ON COLUMN public.provider_controls.paused_at IS 'Since when it is not offered and not read; NULL: it is not paused.';

COMMENT ON COLUMN public.provider_controls.test IS 'What the last test call found, one entry per address: host, outcome, milliseconds, skew.';

CREATE TABLE public.provider_drift (
    provider text NOT NULL,
    block text NOT NULL,
    field text NOT NULL,
    change text NOT NULL,
    type text NOT NULL,
    parent text NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by uuid,
    CONSTRAINT provider_drift_change_check CHECK ((change = ANY (ARRAY['new'::text, 'missing'::text, 'retyped'::text])))
);

COMMENT ON TABLE public.provider_drift IS 'How answers differ from the known shape: names of fields and types, never a value.';

CREATE TABLE public.provider_health (
    provider text NOT NULL,
    hour timestamp with time zone NOT NULL,
    what text NOT NULL,
    word text NOT NULL,
    count bigint NOT NULL,
    CONSTRAINT provider_health_what_check CHECK ((what = ANY (ARRAY['call'::text, 'refusal'::text])))
);

COMMENT ON TABLE public.provider_health IS 'How calls ended and what was refused, by the hour; replicas add what they have counted every half minute.';

COMMENT ON COLUMN public.provider_health.word IS 'The outcome of a call, or the kind of a refusal.';

CREATE TABLE public.provider_refusals (
    provider text NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    facts jsonb NOT NULL,
    count bigint NOT NULL,
    first_seen timestamp with time zone NOT NULL,
    last_seen timestamp with time zone NOT NULL,
    CONSTRAINT provider_refusals_kind_check CHECK ((kind = ANY (ARRAY['clock_skew'::text, 'signature'::text, 'replay'::text])))
);

COMMENT ON TABLE public.provider_refusals IS 'The last refusal of a clock or a signature per provider: what was sent and measured. No key, no content.';

CREATE TABLE public.provider_replicas (
    provider text NOT NULL,
    replica text NOT NULL,
    skew_ms bigint,
    samples integer NOT NULL,
    breaker text NOT NULL,
    breaker_since timestamp with time zone,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT provider_replicas_breaker_check CHECK ((breaker = ANY (ARRAY['closed'::text, 'half_open'::text, 'open'::text])))
);

COMMENT ON TABLE public.provider_replicas IS 'Each replica''s own view of a provider: measured clock and breaker. One that calls nothing writes nothing.';

COMMENT ON COLUMN public.provider_replicas.skew_ms IS 'The provider''s clock minus ours, the median of the last answers that told the time; NULL: none did.';

CREATE TABLE public.provider_shapes (
    provider text NOT NULL,
    block text NOT NULL,
    field text NOT NULL,
    parent text NOT NULL,
    type text NOT NULL,
    optional boolean DEFAULT false NOT NULL,
    since timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.provider_shapes IS 'The known shape of a provider''s answers: that of the first one, and what the staff have accepted since.';

COMMENT ON COLUMN public.provider_shapes.parent IS 'The object that the field stands in: where that is absent, the field is not missed.';

CREATE UNLOGGED TABLE public.rate_limits (
    key text NOT NULL,
    tat timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.rate_limits IS 'Limits shared by all replicas (GCRA): the theoretical arrival time of the next event per key. Keys are hashes.';

CREATE TABLE public.recovery_codes (
    user_id uuid NOT NULL,
    code_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.recovery_codes FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.recovery_codes IS 'Stand in for a lost factor, each once.';

COMMENT ON COLUMN public.recovery_codes.code_hash IS 'Keyed hash of the code.';

CREATE TABLE public.review_edges (
    act text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    actor_kind text NOT NULL,
    CONSTRAINT review_edges_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['staff'::text, 'merchant'::text])))
);

COMMENT ON TABLE public.review_edges IS 'The legal steps of a review: who may bring it from which state into which.';

CREATE TABLE public.review_items (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    provider text NOT NULL,
    connection_id uuid,
    done_at timestamp with time zone,
    CONSTRAINT review_items_check CHECK (((kind = 'connect'::text) = (connection_id IS NULL))),
    CONSTRAINT review_items_kind_check CHECK ((kind = ANY (ARRAY['connect'::text, 'reconnect'::text, 'refresh'::text])))
);

ALTER TABLE ONLY public.review_items FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.review_items IS 'What is asked of the merchant: an account to connect, a connection to renew, data to fetch.';

COMMENT ON COLUMN public.review_items.done_at IS 'When the deed was done; NULL: it is still asked for.';

CREATE TABLE public.review_notes (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    author uuid,
    note text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT review_notes_note_check CHECK (((length(note) >= 1) AND (length(note) <= 2000)))
);

ALTER TABLE ONLY public.review_notes FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.review_notes IS 'What the staff write to each other about a tenant. The merchants'' role has no grant here.';

CREATE TABLE public.reviews (
    tenant_id uuid NOT NULL,
    state text NOT NULL,
    waits_on text GENERATED ALWAYS AS (
CASE state
    WHEN 'linked'::text THEN 'us'::text
    WHEN 'in_review'::text THEN 'us'::text
    WHEN 'needs_more'::text THEN 'merchant'::text
    ELSE 'nobody'::text
END) STORED NOT NULL,
    since timestamp with time zone NOT NULL,
    linked_at timestamp with time zone NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    message text DEFAULT ''::text NOT NULL,
    deadline timestamp with time zone,
    assignee uuid,
    CONSTRAINT reviews_message_check CHECK ((length(message) <= 1000)),
    CONSTRAINT reviews_state_check CHECK ((state = ANY (ARRAY['linked'::text, 'in_review'::text, 'needs_more'::text, 'approved'::text, 'rejected'::text])))
);

ALTER TABLE ONLY public.reviews FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.reviews IS 'Where the staff''s review of a tenant stands.';

COMMENT ON COLUMN public.reviews.waits_on IS 'Whose turn it is.';

COMMENT ON COLUMN public.reviews.since IS 'When it came into its state.';

COMMENT ON COLUMN public.reviews.version IS 'Counts the steps: a decision holds for what its maker has seen.';

COMMENT ON COLUMN public.reviews.reason IS 'Code of the reason; the pages have a sentence for each.';

COMMENT ON COLUMN public.reviews.message IS 'What the staff wrote to the merchant besides.';

COMMENT ON COLUMN public.reviews.deadline IS 'Until when the merchant is asked to do it.';

CREATE TABLE public.revocations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    connection_id uuid NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    sealed bytea,
    tries integer DEFAULT 0 NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    next_at timestamp with time zone,
    until_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT revocations_check CHECK (((state = 'waiting'::text) = (sealed IS NOT NULL))),
    CONSTRAINT revocations_check1 CHECK (((state = 'waiting'::text) = (next_at IS NOT NULL))),
    CONSTRAINT revocations_check2 CHECK (((state = 'waiting'::text) = (ended_at IS NULL))),
    CONSTRAINT revocations_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'confirmed'::text, 'given_up'::text, 'no_way'::text, 'unreadable'::text])))
);

ALTER TABLE ONLY public.revocations FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.revocations IS 'Telling a provider that access has ended: tried until it confirms or the time is over. One per disconnection, and one for each token that a refresh brought back too late.';

COMMENT ON COLUMN public.revocations.state IS 'waiting: not confirmed yet. confirmed: by the provider. given_up: the time is over. no_way: this provider cannot be told. unreadable: there was nothing left to tell it with.';

COMMENT ON COLUMN public.revocations.sealed IS 'The credential, to revoke it and for nothing else; gone when the state is no longer waiting.';

COMMENT ON COLUMN public.revocations.reason IS 'Why the last try failed, as the kind of a provider error.';

COMMENT ON COLUMN public.revocations.until_at IS 'After this nobody tries any more.';

CREATE TABLE public.saved_filters (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    list text NOT NULL,
    name text NOT NULL,
    query text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT saved_filters_list_check CHECK ((list = ANY (ARRAY['work'::text, 'tenants'::text, 'connections'::text]))),
    CONSTRAINT saved_filters_name_check CHECK (((char_length(name) >= 1) AND (char_length(name) <= 40))),
    CONSTRAINT saved_filters_query_check CHECK (((char_length(query) >= 1) AND (char_length(query) <= 2000)))
);

COMMENT ON TABLE public.saved_filters IS 'What one of the staff narrows a list to again and again. Their own alone: nobody else sees it, and it is no part of the history.';

COMMENT ON COLUMN public.saved_filters.list IS 'Which list it is of.';

COMMENT ON COLUMN public.saved_filters.query IS 'The list''s address behind the question mark, without the place in the list.';

CREATE TABLE public.snapshots (
    tenant_id uuid NOT NULL,
    connection_id uuid NOT NULL,
    block text NOT NULL,
    version bigint NOT NULL,
    data_sealed bytea NOT NULL,
    raw_sealed bytea NOT NULL,
    content_hash bytea NOT NULL,
    provider_as_of timestamp with time zone,
    source_zone text NOT NULL,
    partial boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    changed_fields text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT snapshots_block_check CHECK ((block = ANY (ARRAY['merchant'::text, 'company'::text, 'user'::text, 'wallet'::text, 'wallet_flow'::text])))
);

ALTER TABLE ONLY public.snapshots FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.snapshots IS 'What a provider told, version by version; an unchanged answer only moves fetched_at of the newest.';

COMMENT ON COLUMN public.snapshots.content_hash IS 'Keyed hash of the normalised data: tells whether anything changed without opening it.';

COMMENT ON COLUMN public.snapshots.changed_fields IS 'Names of the fields that differ from the version before; names only, so that a page can point at them without opening it.';

CREATE TABLE public.tenant_keys (
    tenant_id uuid NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    master_key bigint GENERATED ALWAYS AS (public.wrapping_key(wrapped)) STORED
);

ALTER TABLE ONLY public.tenant_keys FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tenant_keys IS 'A data keyset per tenant, wrapped by the master keyset. Deleting the row makes all that the tenant sealed unreadable.';

COMMENT ON COLUMN public.tenant_keys.master_key IS 'The master key that opens it, as the ciphertext says.';

CREATE TABLE public.tenant_name_parts (
    part text NOT NULL COLLATE pg_catalog."C",
    tenant_id uuid NOT NULL
);

ALTER TABLE ONLY public.tenant_name_parts FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tenant_name_parts IS 'Each tenant''s name in lower case from the start of each word on: searching is a range of the primary key.';

CREATE TABLE public.tenants (
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT tenants_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200)))
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.tenants IS 'A merchant''s business: the unit of ownership and isolation.';

CREATE TABLE public.tickets (
    token_hash bytea NOT NULL,
    purpose text NOT NULL,
    user_id uuid,
    session_id uuid,
    data jsonb DEFAULT '{}'::jsonb NOT NULL,
    sealed bytea,
    tries integer DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT tickets_purpose_check CHECK ((purpose = ANY (ARRAY['signin'::text, 'passkey_signin'::text, 'passkey_add'::text, 'passkey_prove'::text, 'totp_add'::text])))
);

COMMENT ON TABLE public.tickets IS 'The middle of what takes two requests; whoever holds the token may go on with it, once.';

COMMENT ON COLUMN public.tickets.token_hash IS 'SHA-256 of the 256-bit token in the browser''s cookie.';

COMMENT ON COLUMN public.tickets.session_id IS 'The session that began it; NULL while nobody is signed in.';

COMMENT ON COLUMN public.tickets.data IS 'A passkey''s challenge with its conditions.';

COMMENT ON COLUMN public.tickets.sealed IS 'The secret of an authenticator app that has not shown a code yet.';

CREATE TABLE public.users (
    id uuid NOT NULL,
    kind text NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    language text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    password_changed_at timestamp with time zone NOT NULL,
    time_zone text DEFAULT ''::text NOT NULL,
    CONSTRAINT users_email_check CHECK (((length(email) >= 3) AND (length(email) <= 254))),
    CONSTRAINT users_kind_check CHECK ((kind = ANY (ARRAY['merchant'::text, 'staff'::text]))),
    CONSTRAINT users_language_check CHECK ((language = ANY (ARRAY[''::text, 'zh-CN'::text, 'en'::text]))),
    CONSTRAINT users_time_zone_check CHECK ((length(time_zone) <= 64))
);

ALTER TABLE ONLY public.users FORCE ROW LEVEL SECURITY;

COMMENT ON TABLE public.users IS 'People who sign in: a merchant''s or the platform''s staff, never both.';

COMMENT ON COLUMN public.users.email IS 'Canonical form: NFKC, lower case, as accounts.Canonical makes it.';

COMMENT ON COLUMN public.users.password_hash IS 'argon2id in PHC form.';

COMMENT ON COLUMN public.users.time_zone IS 'A name of the time zone database; empty: where readers of the person''s language are taken to live.';

CREATE TABLE public.vault_canaries (
    name text NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    master_key bigint GENERATED ALWAYS AS (public.sealing_key(sealed)) STORED
);

COMMENT ON TABLE public.vault_canaries IS 'A known value sealed by the master keyset: a wrong key is noticed at start, not at the first request.';

COMMENT ON COLUMN public.vault_canaries.master_key IS 'The master key that opens it, as the ciphertext says.';

ALTER TABLE ONLY public.account_claims
    ADD CONSTRAINT account_claims_pkey PRIMARY KEY (provider, environment, account_hash);

ALTER TABLE ONLY public.approval_targets
    ADD CONSTRAINT approval_targets_pkey PRIMARY KEY (approval, connection);

ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_callback_hash_key UNIQUE (callback_hash);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_state_hash_key UNIQUE (state_hash);

ALTER TABLE ONLY public.audit_heads
    ADD CONSTRAINT audit_heads_pkey PRIMARY KEY (chain);

ALTER TABLE ONLY public.audit_links
    ADD CONSTRAINT audit_links_chain_event_id_key UNIQUE (chain, event_id);

ALTER TABLE ONLY public.audit_links
    ADD CONSTRAINT audit_links_pkey PRIMARY KEY (chain, seq);

ALTER TABLE ONLY public.callback_addresses
    ADD CONSTRAINT callback_addresses_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.callback_addresses
    ADD CONSTRAINT callback_addresses_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_tenant_id_provider_environment_account_hash_key UNIQUE (tenant_id, provider, environment, account_hash);

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_pkey PRIMARY KEY (tenant_id, connection_id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_tenant_id_endpoint_id_event_id_key UNIQUE (tenant_id, endpoint_id, event_id);

ALTER TABLE ONLY public.delivery_tries
    ADD CONSTRAINT delivery_tries_pkey PRIMARY KEY (tenant_id, delivery_id, id);

ALTER TABLE ONLY public.digest_choices
    ADD CONSTRAINT digest_choices_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.digests
    ADD CONSTRAINT digests_id_key UNIQUE (id);

ALTER TABLE ONLY public.digests
    ADD CONSTRAINT digests_pkey PRIMARY KEY (user_id, day);

ALTER TABLE ONLY public.endpoint_secrets
    ADD CONSTRAINT endpoint_secrets_pkey PRIMARY KEY (endpoint_id, version);

ALTER TABLE ONLY public.endpoints
    ADD CONSTRAINT endpoints_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.factors
    ADD CONSTRAINT factors_handle_key UNIQUE (handle);

ALTER TABLE ONLY public.factors
    ADD CONSTRAINT factors_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY public.goose_db_version
    ADD CONSTRAINT goose_db_version_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_tenant_id_provider_binding_serial_key UNIQUE (tenant_id, provider, binding, serial);

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.key_holders
    ADD CONSTRAINT key_holders_pkey PRIMARY KEY (replica);

ALTER TABLE ONLY public.key_turns
    ADD CONSTRAINT key_turns_pkey PRIMARY KEY (tenant_id, from_key);

ALTER TABLE ONLY public.mails
    ADD CONSTRAINT mails_pkey PRIMARY KEY (job);

ALTER TABLE ONLY public.master_keys
    ADD CONSTRAINT master_keys_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_pkey PRIMARY KEY (tenant_id, user_id);

ALTER TABLE ONLY public.notice_choices
    ADD CONSTRAINT notice_choices_pkey PRIMARY KEY (tenant_id, user_id, kind);

ALTER TABLE ONLY public.notice_letters
    ADD CONSTRAINT notice_letters_pkey PRIMARY KEY (tenant_id, user_id, id);

ALTER TABLE ONLY public.notice_letters
    ADD CONSTRAINT notice_letters_tenant_id_user_id_event_id_key UNIQUE (tenant_id, user_id, event_id);

ALTER TABLE ONLY public.notice_letters
    ADD CONSTRAINT notice_letters_tenant_id_user_id_key_key UNIQUE (tenant_id, user_id, key);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_pkey PRIMARY KEY (tenant_id, user_id, id);

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_tenant_id_user_id_event_id_key UNIQUE (tenant_id, user_id, event_id);

ALTER TABLE ONLY public.one_time_links
    ADD CONSTRAINT one_time_links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.one_time_links
    ADD CONSTRAINT one_time_links_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.platform_admins
    ADD CONSTRAINT platform_admins_pkey PRIMARY KEY (user_id);

ALTER TABLE ONLY public.platform_events
    ADD CONSTRAINT platform_events_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.platform_keys
    ADD CONSTRAINT platform_keys_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.provider_codes
    ADD CONSTRAINT provider_codes_pkey PRIMARY KEY (provider, code);

ALTER TABLE ONLY public.provider_controls
    ADD CONSTRAINT provider_controls_pkey PRIMARY KEY (provider);

ALTER TABLE ONLY public.provider_drift
    ADD CONSTRAINT provider_drift_pkey PRIMARY KEY (provider, block, field, change);

ALTER TABLE ONLY public.provider_health
    ADD CONSTRAINT provider_health_pkey PRIMARY KEY (provider, hour, what, word);

ALTER TABLE ONLY public.provider_refusals
    ADD CONSTRAINT provider_refusals_pkey PRIMARY KEY (provider, kind);

ALTER TABLE ONLY public.provider_replicas
    ADD CONSTRAINT provider_replicas_pkey PRIMARY KEY (provider, replica);

ALTER TABLE ONLY public.provider_shapes
    ADD CONSTRAINT provider_shapes_pkey PRIMARY KEY (provider, block, field, type);

ALTER TABLE ONLY public.rate_limits
    ADD CONSTRAINT rate_limits_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, code_hash);

ALTER TABLE ONLY public.review_edges
    ADD CONSTRAINT review_edges_pkey PRIMARY KEY (act, from_state);

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.review_notes
    ADD CONSTRAINT review_notes_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.saved_filters
    ADD CONSTRAINT saved_filters_pkey PRIMARY KEY (user_id, id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.snapshots
    ADD CONSTRAINT snapshots_pkey PRIMARY KEY (tenant_id, connection_id, block, version);

ALTER TABLE ONLY public.tenant_keys
    ADD CONSTRAINT tenant_keys_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.tenant_name_parts
    ADD CONSTRAINT tenant_name_parts_pkey PRIMARY KEY (part, tenant_id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_id_kind_key UNIQUE (id, kind);

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.vault_canaries
    ADD CONSTRAINT vault_canaries_pkey PRIMARY KEY (name);

CREATE INDEX account_claims_holder ON public.account_claims USING btree (holder_tenant, holder_connection);

CREATE INDEX approval_targets_connection ON public.approval_targets USING btree (tenant, connection);

CREATE INDEX approval_targets_left ON public.approval_targets USING btree (approval) WHERE (outcome IS NULL);

CREATE INDEX approvals_due ON public.approvals USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX approvals_loud ON public.approvals USING btree (alarm_at) WHERE (alarm_at IS NOT NULL);

CREATE INDEX approvals_unreviewed ON public.approvals USING btree (id) WHERE (alone AND (reviewed_at IS NULL));

CREATE INDEX approvals_waiting ON public.approvals USING btree (expires_at) WHERE (state = 'open'::text);

CREATE INDEX attempts_end ON public.attempts USING btree (expires_at);

CREATE INDEX attempts_kept ON public.attempts USING btree (expires_at) WHERE (kept_sealed IS NOT NULL);

COMMENT ON INDEX public.attempts_kept IS 'Whose keys sweep has still to destroy.';

CREATE INDEX attempts_newest ON public.attempts USING btree (tenant_id, created_at DESC);

CREATE INDEX audit_heads_moved ON public.audit_heads USING btree (moved_at);

CREATE INDEX callback_addresses_connection ON public.callback_addresses USING btree (tenant_id, connection_id);

CREATE UNIQUE INDEX callback_addresses_current ON public.callback_addresses USING btree (tenant_id, connection_id) WHERE (ends_at IS NULL);

COMMENT ON INDEX public.callback_addresses_current IS 'A connection has one current address.';

CREATE INDEX callback_addresses_end ON public.callback_addresses USING btree (ends_at) WHERE (ends_at IS NOT NULL);

CREATE INDEX closings_due ON public.closings USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX closings_parting ON public.closings USING btree (parting_master) WHERE (parting_key IS NOT NULL);

CREATE INDEX connections_broken ON public.connections USING btree (state_since) WHERE (state = ANY (ARRAY['needs_you'::text, 'provider'::text, 'ours'::text]));

COMMENT ON INDEX public.connections_broken IS 'What has broken since, and still is: for the digest.';

CREATE INDEX connections_due ON public.connections USING btree (next_sync_at) WHERE ((next_sync_at IS NOT NULL) AND (sync_paused_at IS NULL) AND (state <> 'disconnected'::text));

COMMENT ON INDEX public.connections_due IS 'What can fall due, in the order in which it does.';

CREATE INDEX connections_ending ON public.connections USING btree (ends_at, id) WHERE (ends_at IS NOT NULL);

COMMENT ON INDEX public.connections_ending IS 'The boards, soonest end first, by keyset.';

CREATE INDEX connections_ending_provider ON public.connections USING btree (provider, ends_at, id) WHERE ((ends_at IS NOT NULL) AND (state <> 'disconnected'::text));

COMMENT ON INDEX public.connections_ending_provider IS 'The admins'' board of what ends, narrowed to a provider.';

CREATE INDEX connections_erasing ON public.connections USING btree (erase_due_at) WHERE (erase_due_at IS NOT NULL);

COMMENT ON INDEX public.connections_erasing IS 'What is to be erased, in the order in which it falls due.';

CREATE INDEX connections_list ON public.connections USING btree (state_since DESC, id DESC);

COMMENT ON INDEX public.connections_list IS 'The admins'' list, newest turn first, by keyset; likewise the three beside it, one for each way of narrowing it.';

CREATE INDEX connections_list_both ON public.connections USING btree (provider, state, state_since DESC, id DESC);

CREATE INDEX connections_list_provider ON public.connections USING btree (provider, state_since DESC, id DESC);

CREATE INDEX connections_list_state ON public.connections USING btree (state, state_since DESC, id DESC);

CREATE INDEX connections_provider_state ON public.connections USING btree (provider, state);

COMMENT ON INDEX public.connections_provider_state IS 'Counts per provider and state, capped, without reading the rows.';

CREATE INDEX connections_warn ON public.connections USING btree (warn_at) WHERE (warn_at IS NOT NULL);

COMMENT ON INDEX public.connections_warn IS 'Warnings that can fall due, in the order in which they do.';

CREATE INDEX credentials_due ON public.credentials USING btree (next_refresh_at) WHERE (next_refresh_at IS NOT NULL);

COMMENT ON INDEX public.credentials_due IS 'Due work is found here, however many credentials are not due.';

CREATE INDEX deliveries_end ON public.deliveries USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE INDEX deliveries_event ON public.deliveries USING btree (tenant_id, event_id);

CREATE INDEX deliveries_lost ON public.deliveries USING btree (ended_at) WHERE (state = 'failed'::text);

CREATE INDEX deliveries_newest ON public.deliveries USING btree (endpoint_id, id DESC);

CREATE INDEX deliveries_state ON public.deliveries USING btree (endpoint_id, state, id DESC);

CREATE INDEX endpoint_secrets_end ON public.endpoint_secrets USING btree (ends_at) WHERE (ends_at IS NOT NULL);

CREATE UNIQUE INDEX endpoint_secrets_newest ON public.endpoint_secrets USING btree (endpoint_id) WHERE (ends_at IS NULL);

COMMENT ON INDEX public.endpoint_secrets_newest IS 'One secret without an end: two rotations at once cannot both win.';

CREATE INDEX events_actor ON public.events USING btree (actor_id, id DESC);

CREATE INDEX events_connection ON public.events USING btree (tenant_id, connection_id, id DESC);

CREATE INDEX events_kind ON public.events USING btree (kind, id DESC);

CREATE INDEX events_newest ON public.events USING btree (id DESC);

CREATE INDEX events_recovered ON public.events USING btree (created_at) WHERE (kind = 'connection.recovered'::text);

CREATE INDEX inbox_attempt ON public.inbox USING btree (tenant_id, attempt_id);

CREATE INDEX inbox_connection ON public.inbox USING btree (tenant_id, connection_id);

CREATE INDEX inbox_newest ON public.inbox USING btree (id DESC);

COMMENT ON INDEX public.inbox_newest IS 'The admins'' list, newest first, by keyset; and by id, which is a UUIDv7, what is old enough to go.';

CREATE UNIQUE INDEX inbox_news ON public.inbox USING btree (tenant_id, connection_id) WHERE ((connection_id IS NOT NULL) AND (state = ANY (ARRAY['waiting'::text, 'parked'::text])));

COMMENT ON INDEX public.inbox_news IS 'News of a connection waits once, however often it comes.';

CREATE INDEX inbox_open ON public.inbox USING btree (state, id DESC) WHERE (state = ANY (ARRAY['waiting'::text, 'parked'::text, 'dead'::text]));

COMMENT ON INDEX public.inbox_open IS 'What somebody may have to look at: few, beside what has been processed.';

CREATE INDEX inbox_open_provider ON public.inbox USING btree (provider, state, id DESC) WHERE (state = ANY (ARRAY['waiting'::text, 'parked'::text, 'dead'::text]));

COMMENT ON INDEX public.inbox_open_provider IS 'The admins'' list of what is open, narrowed to a provider.';

CREATE INDEX inbox_provider ON public.inbox USING btree (provider, id DESC);

CREATE INDEX inbox_waiting ON public.inbox USING btree (received_at) WHERE (credential_sealed IS NOT NULL);

COMMENT ON INDEX public.inbox_waiting IS 'What has not been acted on; sweep destroys it when nobody can wait for it any more.';

CREATE INDEX invitations_end ON public.invitations USING btree (expires_at);

CREATE UNIQUE INDEX invitations_open ON public.invitations USING btree (tenant_id, email, provider) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX invitations_step ON public.invitations USING btree (tenant_id, provider, accepted_by) WHERE ((provider <> ''::text) AND (done_at IS NULL));

CREATE INDEX key_turns_due ON public.key_turns USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE UNIQUE INDEX key_turns_open ON public.key_turns USING btree (tenant_id) WHERE (ended_at IS NULL);

COMMENT ON INDEX public.key_turns_open IS 'One turn at a time.';

CREATE INDEX mails_age ON public.mails USING btree (created_at);

CREATE INDEX mails_lost ON public.mails USING btree (ended_at) WHERE (state = ANY (ARRAY['refused'::text, 'failed'::text]));

COMMENT ON INDEX public.mails_lost IS 'What a digest tells of.';

CREATE INDEX mails_state ON public.mails USING btree (state, job DESC);

CREATE INDEX mails_tenant ON public.mails USING btree (tenant) WHERE (tenant IS NOT NULL);

CREATE INDEX memberships_user ON public.memberships USING btree (user_id);

CREATE INDEX notice_letters_age ON public.notice_letters USING btree (due_at);

CREATE INDEX notice_letters_before ON public.notice_letters USING btree (tenant_id, user_id, connection_id, kind, due_at DESC);

COMMENT ON INDEX public.notice_letters_before IS 'The letter before this one, which the quiet time is counted from.';

CREATE INDEX notice_letters_connection ON public.notice_letters USING btree (tenant_id, connection_id) WHERE (status = 'sent'::text);

COMMENT ON INDEX public.notice_letters_connection IS 'The letters about a connection, for its timeline.';

CREATE INDEX notices_age ON public.notices USING btree (created_at);

CREATE INDEX notices_connection ON public.notices USING btree (tenant_id, connection_id);

CREATE INDEX notices_unread ON public.notices USING btree (tenant_id, user_id, id) WHERE (read_at IS NULL);

COMMENT ON INDEX public.notices_unread IS 'The count in the head of every page, and the unread ones in front of the list.';

CREATE INDEX one_time_links_end ON public.one_time_links USING btree (expires_at);

CREATE INDEX one_time_links_invitation ON public.one_time_links USING btree (invited_to, invitation_id);

CREATE INDEX platform_events_actor ON public.platform_events USING btree (actor_id, id DESC);

COMMENT ON INDEX public.platform_events_actor IS 'What one of the staff did, as events_actor has it for the tenants'' history.';

CREATE INDEX provider_health_hour ON public.provider_health USING btree (hour);

CREATE INDEX review_items_connection ON public.review_items USING btree (tenant_id, connection_id);

CREATE INDEX reviews_assignee_state ON public.reviews USING btree (assignee, state, since, tenant_id);

CREATE INDEX reviews_assignee_turn ON public.reviews USING btree (assignee, waits_on, since, tenant_id);

CREATE INDEX reviews_state ON public.reviews USING btree (state, since, tenant_id);

COMMENT ON INDEX public.reviews_state IS 'The work list, longest waiting first, by keyset; likewise the three beside it, one for each way of narrowing it.';

CREATE INDEX reviews_turn ON public.reviews USING btree (waits_on, since, tenant_id);

CREATE INDEX revocations_connection ON public.revocations USING btree (tenant_id, connection_id, id DESC);

CREATE INDEX revocations_due ON public.revocations USING btree (next_at) WHERE (next_at IS NOT NULL);

COMMENT ON INDEX public.revocations_due IS 'Whom to tell, in the order in which it falls due.';

CREATE UNIQUE INDEX saved_filters_name ON public.saved_filters USING btree (user_id, list, lower(name));

COMMENT ON INDEX public.saved_filters_name IS 'A name means one filter.';

CREATE INDEX sessions_end ON public.sessions USING btree (expires_at);

CREATE INDEX sessions_member ON public.sessions USING btree (tenant_id, user_id);

CREATE INDEX sessions_user ON public.sessions USING btree (user_id);

CREATE INDEX sessions_views ON public.sessions USING btree (viewing) WHERE (viewing IS NOT NULL);

CREATE INDEX snapshots_changed ON public.snapshots USING btree (tenant_id, connection_id, changed_at DESC, block DESC, version DESC) WHERE (block <> 'wallet_flow'::text);

COMMENT ON INDEX public.snapshots_changed IS 'The history of a connection''s data, newest first, by keyset; movements of money are a list already.';

CREATE INDEX tenant_keys_master ON public.tenant_keys USING btree (master_key);

COMMENT ON INDEX public.tenant_keys_master IS 'How many rows need which key, and which keys are needed at all, without looking at the rows.';

CREATE INDEX tenant_name_parts_tenant ON public.tenant_name_parts USING btree (tenant_id);

CREATE INDEX tenants_newest ON public.tenants USING btree (created_at DESC, id DESC);

COMMENT ON INDEX public.tenants_newest IS 'The admins'' list, newest first, by keyset.';

CREATE INDEX tickets_end ON public.tickets USING btree (expires_at);

CREATE INDEX tickets_session ON public.tickets USING btree (session_id);

CREATE INDEX tickets_user ON public.tickets USING btree (user_id);

CREATE TRIGGER approval_targets_frozen BEFORE INSERT ON public.approval_targets FOR EACH ROW EXECUTE FUNCTION public.list_is_frozen();

CREATE TRIGGER attempts_step AFTER UPDATE OF status ON public.attempts FOR EACH ROW WHEN (((new.status = 'stored'::text) AND (old.status <> 'stored'::text))) EXECUTE FUNCTION public.step_done();

CREATE TRIGGER closed_again BEFORE UPDATE OF state ON public.connections FOR EACH ROW WHEN (((old.state = 'disconnected'::text) AND (new.state <> 'disconnected'::text))) EXECUTE FUNCTION public.refuse_closed();

CREATE TRIGGER closed_new BEFORE INSERT ON public.connections FOR EACH ROW EXECUTE FUNCTION public.refuse_closed();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF verifier_sealed, returned_sealed, link_sealed, kept_sealed ON public.attempts FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF token_sealed ON public.callback_addresses FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF account_sealed ON public.connections FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF sealed, previous_sealed ON public.credentials FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF body_sealed, credential_sealed ON public.inbox FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF sealed ON public.revocations FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER destroyed BEFORE INSERT OR UPDATE OF data_sealed, raw_sealed ON public.snapshots FOR EACH ROW EXECUTE FUNCTION public.refuse_destroyed_key();

CREATE TRIGGER follow_expiry AFTER INSERT OR DELETE OR UPDATE OF expires_at ON public.credentials FOR EACH ROW EXECUTE FUNCTION public.follow_expiry();

CREATE CONSTRAINT TRIGGER link AFTER INSERT ON public.events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.link_tenant_event();

CREATE CONSTRAINT TRIGGER link AFTER INSERT ON public.platform_events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.link_platform_event();

CREATE TRIGGER memberships_owner_changed AFTER UPDATE OF role ON public.memberships FOR EACH ROW WHEN (((old.role = 'owner'::text) AND (new.role <> 'owner'::text) AND (CURRENT_USER = 'mooring_app'::name))) EXECUTE FUNCTION public.keep_an_owner();

CREATE TRIGGER memberships_owner_left AFTER DELETE ON public.memberships FOR EACH ROW WHEN (((old.role = 'owner'::text) AND (CURRENT_USER = 'mooring_app'::name))) EXECUTE FUNCTION public.keep_an_owner();

CREATE TRIGGER name_parts AFTER INSERT OR UPDATE OF name ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.keep_name_parts();

CREATE TRIGGER retired BEFORE INSERT OR UPDATE OF parting_key ON public.closings FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_key();

CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON public.platform_keys FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_key();

CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON public.tenant_keys FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_key();

CREATE TRIGGER retired BEFORE INSERT OR UPDATE ON public.vault_canaries FOR EACH ROW EXECUTE FUNCTION public.refuse_retired_key();

CREATE TRIGGER sessions_seen AFTER INSERT OR UPDATE OF seen_at, tenant_id ON public.sessions FOR EACH ROW WHEN ((new.tenant_id IS NOT NULL)) EXECUTE FUNCTION public.seen_at_work();

CREATE TRIGGER sessions_view_changed AFTER UPDATE OF viewing, viewing_since ON public.sessions FOR EACH ROW WHEN (((old.viewing IS NOT NULL) AND ((new.viewing IS NULL) OR (new.viewing_since <> old.viewing_since)))) EXECUTE FUNCTION public.view_ended();

CREATE TRIGGER sessions_view_gone AFTER DELETE ON public.sessions FOR EACH ROW WHEN ((old.viewing IS NOT NULL)) EXECUTE FUNCTION public.view_ended();

ALTER TABLE ONLY public.account_claims
    ADD CONSTRAINT account_claims_holder_tenant_holder_connection_fkey FOREIGN KEY (holder_tenant, holder_connection) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.approval_targets
    ADD CONSTRAINT approval_targets_approval_fkey FOREIGN KEY (approval) REFERENCES public.approvals(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.approval_targets
    ADD CONSTRAINT approval_targets_tenant_connection_fkey FOREIGN KEY (tenant, connection) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_asked_by_fkey FOREIGN KEY (asked_by) REFERENCES public.users(id);

ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES public.users(id);

ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_reviewed_by_fkey FOREIGN KEY (reviewed_by) REFERENCES public.users(id);

ALTER TABLE ONLY public.approvals
    ADD CONSTRAINT approvals_tenant_fkey FOREIGN KEY (tenant) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_tenant_id_result_connection_fkey FOREIGN KEY (tenant_id, result_connection) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.memberships(tenant_id, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.callback_addresses
    ADD CONSTRAINT callback_addresses_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.closings
    ADD CONSTRAINT closings_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.connections
    ADD CONSTRAINT connections_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.credentials
    ADD CONSTRAINT credentials_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_tenant_id_event_id_fkey FOREIGN KEY (tenant_id, event_id) REFERENCES public.events(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.delivery_tries
    ADD CONSTRAINT delivery_tries_tenant_id_delivery_id_fkey FOREIGN KEY (tenant_id, delivery_id) REFERENCES public.deliveries(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.digest_choices
    ADD CONSTRAINT digest_choices_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.digests
    ADD CONSTRAINT digests_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.endpoint_secrets
    ADD CONSTRAINT endpoint_secrets_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.events
    ADD CONSTRAINT events_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.factors
    ADD CONSTRAINT factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_tenant_id_attempt_id_fkey FOREIGN KEY (tenant_id, attempt_id) REFERENCES public.attempts(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.inbox
    ADD CONSTRAINT inbox_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.invitations
    ADD CONSTRAINT invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.key_turns
    ADD CONSTRAINT key_turns_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant_keys(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.mails
    ADD CONSTRAINT mails_tenant_fkey FOREIGN KEY (tenant) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.memberships
    ADD CONSTRAINT memberships_user_id_user_kind_fkey FOREIGN KEY (user_id, user_kind) REFERENCES public.users(id, kind) ON DELETE CASCADE;

ALTER TABLE ONLY public.notice_choices
    ADD CONSTRAINT notice_choices_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.memberships(tenant_id, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notice_letters
    ADD CONSTRAINT notice_letters_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notice_letters
    ADD CONSTRAINT notice_letters_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.memberships(tenant_id, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.notices
    ADD CONSTRAINT notices_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.memberships(tenant_id, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.one_time_links
    ADD CONSTRAINT one_time_links_invited_to_invitation_id_fkey FOREIGN KEY (invited_to, invitation_id) REFERENCES public.invitations(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.one_time_links
    ADD CONSTRAINT one_time_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.platform_admins
    ADD CONSTRAINT platform_admins_user_id_user_kind_fkey FOREIGN KEY (user_id, user_kind) REFERENCES public.users(id, kind) ON DELETE CASCADE;

ALTER TABLE ONLY public.recovery_codes
    ADD CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_items
    ADD CONSTRAINT review_items_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.reviews(tenant_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_notes
    ADD CONSTRAINT review_notes_author_fkey FOREIGN KEY (author) REFERENCES public.users(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.review_notes
    ADD CONSTRAINT review_notes_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_assignee_fkey FOREIGN KEY (assignee) REFERENCES public.platform_admins(user_id) ON DELETE SET NULL;

ALTER TABLE ONLY public.reviews
    ADD CONSTRAINT reviews_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.revocations
    ADD CONSTRAINT revocations_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.saved_filters
    ADD CONSTRAINT saved_filters_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.platform_admins(user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_user_id_fkey FOREIGN KEY (tenant_id, user_id) REFERENCES public.memberships(tenant_id, user_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_viewing_fkey FOREIGN KEY (viewing) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.snapshots
    ADD CONSTRAINT snapshots_tenant_id_connection_id_fkey FOREIGN KEY (tenant_id, connection_id) REFERENCES public.connections(tenant_id, id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tenant_keys
    ADD CONSTRAINT tenant_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tenant_name_parts
    ADD CONSTRAINT tenant_name_parts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users(id) ON DELETE CASCADE;

ALTER TABLE public.account_claims ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.approvals ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.callback_addresses ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.closings ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.connections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.credentials ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.deliveries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.delivery_tries ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.factors ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.inbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.key_turns ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.memberships ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notice_choices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notice_letters ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.notices ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_person ON public.factors TO mooring_app USING ((user_id = ( SELECT public.current_person() AS current_person))) WITH CHECK ((user_id = ( SELECT public.current_person() AS current_person)));

CREATE POLICY own_person ON public.platform_admins FOR SELECT TO mooring_app USING ((user_id = ( SELECT public.current_person() AS current_person)));

CREATE POLICY own_person ON public.recovery_codes TO mooring_app USING ((user_id = ( SELECT public.current_person() AS current_person))) WITH CHECK ((user_id = ( SELECT public.current_person() AS current_person)));

CREATE POLICY own_person ON public.sessions TO mooring_app USING ((user_id = ( SELECT public.current_person() AS current_person))) WITH CHECK ((user_id = ( SELECT public.current_person() AS current_person)));

CREATE POLICY own_person ON public.users TO mooring_app USING ((id = ( SELECT public.current_person() AS current_person))) WITH CHECK ((id = ( SELECT public.current_person() AS current_person)));

CREATE POLICY own_tenant ON public.attempts TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.callback_addresses TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.closings TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.connections TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.credentials TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.deliveries TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.delivery_tries TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.events TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.inbox TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.invitations TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.key_turns TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.memberships TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.notice_choices TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.notice_letters TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.notices TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.review_items TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.review_notes TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.reviews TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.revocations TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.snapshots TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.tenant_keys TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.tenant_name_parts TO mooring_app USING ((tenant_id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((tenant_id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY own_tenant ON public.tenants TO mooring_app USING ((id = ( SELECT public.current_tenant() AS current_tenant))) WITH CHECK ((id = ( SELECT public.current_tenant() AS current_tenant)));

CREATE POLICY platform_adds ON public.events FOR INSERT TO mooring_platform WITH CHECK ((actor_kind = 'staff'::text));

CREATE POLICY platform_adds ON public.review_items FOR INSERT TO mooring_platform WITH CHECK (true);

CREATE POLICY platform_adds ON public.review_notes FOR INSERT TO mooring_platform WITH CHECK (true);

ALTER TABLE public.platform_admins ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_asks ON public.approvals FOR INSERT TO mooring_platform WITH CHECK (((decided_by IS NULL) AND (reviewed_by IS NULL) AND
CASE
    WHEN alone THEN ((state = 'approved'::text) AND (alarm_at IS NOT NULL))
    ELSE (state = 'open'::text)
END));

COMMENT ON POLICY platform_asks ON public.approvals IS 'Nothing begins decided, and nobody goes alone without the alarm.';

CREATE POLICY platform_moves ON public.approvals FOR UPDATE TO mooring_platform USING (true);

CREATE POLICY platform_moves ON public.reviews FOR UPDATE TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.account_claims FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.approvals FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.attempts FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.closings FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.connections FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.deliveries FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.delivery_tries FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.events FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.inbox FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.invitations FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.key_turns FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.memberships FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.notice_choices FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.notice_letters FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.notices FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.platform_admins FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.review_items FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.review_notes FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.reviews FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.revocations FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.snapshots FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.tenant_keys FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.tenant_name_parts FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.tenants FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_reads ON public.users FOR SELECT TO mooring_platform USING (true);

CREATE POLICY platform_removes ON public.review_items FOR DELETE TO mooring_platform USING (true);

ALTER TABLE public.recovery_codes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.review_notes ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reviews ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.revocations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.snapshots ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_keys ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_name_parts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.users ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA public TO mooring_app;
GRANT USAGE ON SCHEMA public TO mooring_platform;

REVOKE ALL ON FUNCTION public.audit_field(value text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.begin_view(session uuid, wanted uuid, life interval, fresh_token bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.begin_view(session uuid, wanted uuid, life interval, fresh_token bytea) TO mooring_app;

REVOKE ALL ON FUNCTION public.cancel_job(wanted bigint, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.cancel_job(wanted bigint, at timestamp with time zone) TO mooring_platform;

REVOKE ALL ON FUNCTION public.claim_account(p text, e text, h bytea, connection uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_account(p text, e text, h bytea, connection uuid) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_alarms(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_alarms(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_approvals(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_approvals(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_closings(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_closings(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_digests(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_digests(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_erasures(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_erasures(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_refreshes(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_refreshes(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_revocations(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_revocations(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_syncs(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_syncs(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_due_warnings(before timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_due_warnings(before timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.claim_key_turns(at timestamp with time zone, until timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.claim_key_turns(at timestamp with time zone, until timestamp with time zone, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.close_tenant(at timestamp with time zone, by_person uuid, destroy timestamp with time zone, version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.close_tenant(at timestamp with time zone, by_person uuid, destroy timestamp with time zone, version bigint) TO mooring_app;

REVOKE ALL ON FUNCTION public.colleagues() FROM PUBLIC;
GRANT ALL ON FUNCTION public.colleagues() TO mooring_app;

REVOKE ALL ON FUNCTION public.count_jobs(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.count_jobs(most integer) TO mooring_platform;

REVOKE ALL ON FUNCTION public.current_person() FROM PUBLIC;
GRANT ALL ON FUNCTION public.current_person() TO mooring_app;
GRANT ALL ON FUNCTION public.current_person() TO mooring_platform;

REVOKE ALL ON FUNCTION public.current_tenant() FROM PUBLIC;
GRANT ALL ON FUNCTION public.current_tenant() TO mooring_app;
GRANT ALL ON FUNCTION public.current_tenant() TO mooring_platform;

REVOKE ALL ON FUNCTION public.destroy_tenant(at timestamp with time zone, parting bytea, version bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.destroy_tenant(at timestamp with time zone, parting bytea, version bigint) TO mooring_app;

REVOKE ALL ON FUNCTION public.digest_zone(language text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.digest_zone(language text, chosen text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.discard_callback(wanted uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.discard_callback(wanted uuid, at timestamp with time zone) TO mooring_platform;

REVOKE ALL ON FUNCTION public.erase_connection(wanted uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.erase_connection(wanted uuid, at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.error_words(told text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.event_id() FROM PUBLIC;
GRANT ALL ON FUNCTION public.event_id() TO mooring_app;

REVOKE ALL ON FUNCTION public.follow_expiry() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.index_jobs() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.insist(rows bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.insist(rows bigint) TO mooring_app;
GRANT ALL ON FUNCTION public.insist(rows bigint) TO mooring_platform;

REVOKE ALL ON FUNCTION public.is_closed(wanted uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.is_closed(wanted uuid) TO mooring_app;

REVOKE ALL ON FUNCTION public.jobs_next(ids bigint[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.jobs_next(ids bigint[]) TO mooring_platform;

REVOKE ALL ON FUNCTION public.keep_an_owner() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_name_parts() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.link_event(chain_id uuid, id uuid, connection uuid, actor_kind text, actor uuid, kind text, detail jsonb, at timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.link_platform_event() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.link_tenant_event() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.list_is_frozen() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most integer) TO mooring_platform;

REVOKE ALL ON FUNCTION public.log_mail(of_job bigint, ids jsonb) FROM PUBLIC;
GRANT ALL ON FUNCTION public.log_mail(of_job bigint, ids jsonb) TO mooring_app;

REVOKE ALL ON FUNCTION public.masked_address(address text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.master_key_rows() FROM PUBLIC;
GRANT ALL ON FUNCTION public.master_key_rows() TO mooring_app;
GRANT ALL ON FUNCTION public.master_key_rows() TO mooring_platform;

REVOKE ALL ON FUNCTION public.master_keys_needed() FROM PUBLIC;
GRANT ALL ON FUNCTION public.master_keys_needed() TO mooring_app;

REVOKE ALL ON FUNCTION public.name_parts(name text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.next_due_alarms() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_alarms() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_approvals() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_approvals() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_closings() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_closings() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_digests() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_digests() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_erasures() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_erasures() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_refreshes() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_refreshes() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_revocations() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_revocations() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_syncs() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_syncs() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_due_warnings() FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_due_warnings() TO mooring_app;

REVOKE ALL ON FUNCTION public.next_warning(ends timestamp with time zone, after timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.next_warning(ends timestamp with time zone, after timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_code(p text, c text, k text, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_code(p text, c text, k text, at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_health(providers text[], whats text[], words text[], counts bigint[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_health(providers text[], whats text[], words text[], counts bigint[], at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_mail(of_job bigint, ids jsonb, ending text, why text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_mail(of_job bigint, ids jsonb, ending text, why text) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_refusal(p text, k text, c text, said jsonb, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_refusal(p text, k text, c text, said jsonb, at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_replica(name text, providers text[], skews bigint[], taken integer[], breakers text[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_replica(name text, providers text[], skews bigint[], taken integer[], breakers text[], at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.note_shape(p text, b text, fields text[], parents text[], types text[], present text[], at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.note_shape(p text, b text, fields text[], parents text[], types text[], present text[], at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.open_callback(presented bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_callback(presented bytea) TO mooring_app;

REVOKE ALL ON FUNCTION public.open_session(presented bytea, idle interval) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_session(presented bytea, idle interval) TO mooring_app;

REVOKE ALL ON FUNCTION public.person_by_email(wanted text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.person_by_email(wanted text) TO mooring_app;

REVOKE ALL ON FUNCTION public.person_by_passkey(presented bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.person_by_passkey(presented bytea) TO mooring_app;

REVOKE ALL ON FUNCTION public.promote_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.promote_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) TO mooring_platform;

REVOKE ALL ON FUNCTION public.refuse_closed() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_destroyed_key() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_retired_key() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.release_account(p text, e text, h bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.release_account(p text, e text, h bytea) TO mooring_app;

REVOKE ALL ON FUNCTION public.reopen_tenant(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.reopen_tenant(at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.replay_callback(wanted uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.replay_callback(wanted uuid, at timestamp with time zone) TO mooring_platform;

REVOKE ALL ON FUNCTION public.replay_deliveries(endpoint uuid, single uuid, since timestamp with time zone, moment timestamp with time zone, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.replay_deliveries(endpoint uuid, single uuid, since timestamp with time zone, moment timestamp with time zone, most integer) TO mooring_platform;

REVOKE ALL ON FUNCTION public.rest_closing(at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.rest_closing(at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.resubmit_review(event uuid, by_kind text, by_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.resubmit_review(event uuid, by_kind text, by_id uuid, at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.retire_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retire_master_key(wanted bigint, at timestamp with time zone, living timestamp with time zone) TO mooring_platform;

REVOKE ALL ON FUNCTION public.retry_job(wanted bigint) FROM PUBLIC;
GRANT ALL ON FUNCTION public.retry_job(wanted bigint) TO mooring_platform;

REVOKE ALL ON FUNCTION public.review_progress(deed text, connection uuid, event uuid, by_kind text, by_id uuid, at timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.review_progress(deed text, connection uuid, event uuid, by_kind text, by_id uuid, at timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sealing_key(sealed bytea, at integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sealing_key(sealed bytea, at integer) TO mooring_app;
GRANT ALL ON FUNCTION public.sealing_key(sealed bytea, at integer) TO mooring_platform;

REVOKE ALL ON FUNCTION public.seen_at_work() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.step_done() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.sweep(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_inbox(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_inbox(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_invitations(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_invitations(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_mails(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_mails(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_notices(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_notices(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_observations(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_observations(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_outgoing(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_outgoing(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_tickets(before timestamp with time zone) FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_tickets(before timestamp with time zone) TO mooring_app;

REVOKE ALL ON FUNCTION public.sweep_views() FROM PUBLIC;
GRANT ALL ON FUNCTION public.sweep_views() TO mooring_app;

REVOKE ALL ON FUNCTION public.tell_of(of_tenant uuid, event uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tell_of(of_tenant uuid, event uuid) TO mooring_platform;

REVOKE ALL ON FUNCTION public.tenants_of(person uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_of(person uuid) TO mooring_app;

REVOKE ALL ON FUNCTION public.tenants_to_rewrap(newest bigint, after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_to_rewrap(newest bigint, after uuid, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.tenants_to_turn(before timestamp with time zone, after uuid, most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.tenants_to_turn(before timestamp with time zone, after uuid, most integer) TO mooring_app;

REVOKE ALL ON FUNCTION public.view_ended() FROM PUBLIC;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO mooring_app;

REVOKE ALL ON FUNCTION public.view_over(s public.sessions) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.waiting_approvals() FROM PUBLIC;
GRANT ALL ON FUNCTION public.waiting_approvals() TO mooring_app;

REVOKE ALL ON FUNCTION public.workplaces() FROM PUBLIC;
GRANT ALL ON FUNCTION public.workplaces() TO mooring_app;

REVOKE ALL ON FUNCTION public.wrapping_key(wrapped bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.wrapping_key(wrapped bytea) TO mooring_app;
GRANT ALL ON FUNCTION public.wrapping_key(wrapped bytea) TO mooring_platform;

GRANT SELECT ON TABLE public.account_claims TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.approval_targets TO mooring_platform;

GRANT UPDATE(outcome) ON TABLE public.approval_targets TO mooring_platform;

GRANT UPDATE(done_at) ON TABLE public.approval_targets TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(state) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(decided_by) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(decided_at) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(note) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(until_at) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(due_at) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(done_at) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(reviewed_by) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(reviewed_at) ON TABLE public.approvals TO mooring_platform;

GRANT UPDATE(review_note) ON TABLE public.approvals TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.attempts TO mooring_app;
GRANT SELECT ON TABLE public.attempts TO mooring_platform;

GRANT SELECT ON TABLE public.audit_heads TO mooring_platform;

GRANT SELECT ON TABLE public.audit_links TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.callback_addresses TO mooring_app;

GRANT SELECT ON TABLE public.closings TO mooring_app;

GRANT SELECT(tenant_id) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(closed_at) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(closed_by) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(destroy_at) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(destroyed_at) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(due_at) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(connections) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(master_version) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(audit_seq) ON TABLE public.closings TO mooring_platform;

GRANT SELECT(audit_hash) ON TABLE public.closings TO mooring_platform;

GRANT UPDATE(parting_key) ON TABLE public.closings TO mooring_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.connections TO mooring_app;
GRANT SELECT ON TABLE public.connections TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.credentials TO mooring_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.deliveries TO mooring_app;
GRANT SELECT ON TABLE public.deliveries TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.delivery_tries TO mooring_app;
GRANT SELECT ON TABLE public.delivery_tries TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.digest_choices TO mooring_platform;

GRANT SELECT ON TABLE public.digests TO mooring_platform;

GRANT UPDATE(status) ON TABLE public.digests TO mooring_platform;

GRANT UPDATE(finished_at) ON TABLE public.digests TO mooring_platform;

GRANT SELECT ON TABLE public.endpoint_secrets TO mooring_app;
GRANT INSERT ON TABLE public.endpoint_secrets TO mooring_platform;

GRANT SELECT(endpoint_id) ON TABLE public.endpoint_secrets TO mooring_platform;

GRANT SELECT(version) ON TABLE public.endpoint_secrets TO mooring_platform;

GRANT SELECT(created_at) ON TABLE public.endpoint_secrets TO mooring_platform;

GRANT SELECT(ends_at),UPDATE(ends_at) ON TABLE public.endpoint_secrets TO mooring_platform;

GRANT SELECT ON TABLE public.endpoints TO mooring_app;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.endpoints TO mooring_platform;

GRANT UPDATE(enabled) ON TABLE public.endpoints TO mooring_app;

GRANT UPDATE(disabled_reason) ON TABLE public.endpoints TO mooring_app;

GRANT UPDATE(disabled_at) ON TABLE public.endpoints TO mooring_app;

GRANT SELECT,INSERT ON TABLE public.events TO mooring_app;
GRANT SELECT,INSERT ON TABLE public.events TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.factors TO mooring_app;

GRANT SELECT ON TABLE public.goose_db_version TO mooring_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.inbox TO mooring_app;

GRANT SELECT(tenant_id) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(id) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(attempt_id) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(connection_id) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(provider) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(serial) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(verified) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(received_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(processed_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(contradicted_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(calls) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(tries) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(reason) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(parked_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(dead_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(discarded_at) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT(state) ON TABLE public.inbox TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invitations TO mooring_app;
GRANT SELECT ON TABLE public.invitations TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.key_holders TO mooring_app;
GRANT SELECT ON TABLE public.key_holders TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.key_turns TO mooring_app;
GRANT SELECT ON TABLE public.key_turns TO mooring_platform;

GRANT SELECT ON TABLE public.mails TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.master_keys TO mooring_app;
GRANT SELECT ON TABLE public.master_keys TO mooring_platform;

GRANT SELECT,INSERT,DELETE ON TABLE public.memberships TO mooring_app;
GRANT SELECT ON TABLE public.memberships TO mooring_platform;

GRANT UPDATE(role) ON TABLE public.memberships TO mooring_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.notice_choices TO mooring_app;
GRANT SELECT ON TABLE public.notice_choices TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.notice_letters TO mooring_app;
GRANT SELECT ON TABLE public.notice_letters TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.notices TO mooring_app;
GRANT SELECT ON TABLE public.notices TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.one_time_links TO mooring_app;

GRANT SELECT ON TABLE public.platform_admins TO mooring_app;
GRANT SELECT ON TABLE public.platform_admins TO mooring_platform;

GRANT INSERT ON TABLE public.platform_events TO mooring_app;
GRANT SELECT,INSERT ON TABLE public.platform_events TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.platform_keys TO mooring_app;

GRANT UPDATE(wrapped) ON TABLE public.platform_keys TO mooring_app;

GRANT SELECT ON TABLE public.provider_codes TO mooring_platform;

GRANT UPDATE(acknowledged_at) ON TABLE public.provider_codes TO mooring_platform;

GRANT UPDATE(acknowledged_by) ON TABLE public.provider_codes TO mooring_platform;

GRANT SELECT ON TABLE public.provider_controls TO mooring_app;
GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_controls TO mooring_platform;

GRANT SELECT ON TABLE public.provider_drift TO mooring_platform;

GRANT UPDATE(acknowledged_at) ON TABLE public.provider_drift TO mooring_platform;

GRANT UPDATE(acknowledged_by) ON TABLE public.provider_drift TO mooring_platform;

GRANT SELECT ON TABLE public.provider_health TO mooring_platform;

GRANT SELECT ON TABLE public.provider_refusals TO mooring_platform;

GRANT SELECT ON TABLE public.provider_replicas TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_shapes TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.rate_limits TO mooring_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.recovery_codes TO mooring_app;

GRANT SELECT ON TABLE public.review_edges TO mooring_app;
GRANT SELECT ON TABLE public.review_edges TO mooring_platform;

GRANT SELECT ON TABLE public.review_items TO mooring_app;
GRANT SELECT,INSERT,DELETE ON TABLE public.review_items TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.review_notes TO mooring_platform;

GRANT SELECT ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(tenant_id) ON TABLE public.reviews TO mooring_app;

GRANT SELECT(state) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(state) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(waits_on) ON TABLE public.reviews TO mooring_app;

GRANT SELECT(since) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(since) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(linked_at) ON TABLE public.reviews TO mooring_app;

GRANT SELECT(version) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(version) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(reason) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(reason) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(message) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(message) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT(deadline) ON TABLE public.reviews TO mooring_app;
GRANT UPDATE(deadline) ON TABLE public.reviews TO mooring_platform;

GRANT UPDATE(assignee) ON TABLE public.reviews TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.revocations TO mooring_app;

GRANT SELECT(tenant_id) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(id) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(connection_id) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(provider) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(state) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(tries) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(reason) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(next_at) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(until_at) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(created_at) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT(ended_at) ON TABLE public.revocations TO mooring_platform;

GRANT SELECT,INSERT,DELETE ON TABLE public.saved_filters TO mooring_platform;

GRANT SELECT,INSERT,UPDATE ON TABLE public.snapshots TO mooring_app;
GRANT SELECT ON TABLE public.snapshots TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.tenant_keys TO mooring_app;
GRANT SELECT ON TABLE public.tenant_keys TO mooring_platform;

GRANT UPDATE(wrapped) ON TABLE public.tenant_keys TO mooring_app;

GRANT SELECT ON TABLE public.tenant_name_parts TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.tenants TO mooring_app;
GRANT SELECT ON TABLE public.tenants TO mooring_platform;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.tickets TO mooring_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.users TO mooring_app;

GRANT SELECT(id) ON TABLE public.users TO mooring_platform;

GRANT SELECT(kind) ON TABLE public.users TO mooring_platform;

GRANT SELECT(email) ON TABLE public.users TO mooring_platform;

GRANT SELECT(language) ON TABLE public.users TO mooring_platform;

GRANT SELECT(created_at) ON TABLE public.users TO mooring_platform;

GRANT SELECT(time_zone) ON TABLE public.users TO mooring_platform;

GRANT SELECT,INSERT ON TABLE public.vault_canaries TO mooring_app;

GRANT UPDATE(sealed) ON TABLE public.vault_canaries TO mooring_app;

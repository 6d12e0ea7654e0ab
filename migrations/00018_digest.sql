-- What the platform's staff see of their machine's work: jobs, mails, and a letter each morning with what is new.
--
-- The tables of jobs belong to river, in a schema where the admins' role has no grant: list_jobs and count_jobs show it
-- narrow columns, retry_job and cancel_job are its only two ways to change anything. A mail's job is forgotten soon
-- after it is done, so mails have a record of their own, written with the job and after each try by functions alone. It
-- holds no words, no address that one could write to, and no link.

-- +goose Up
CREATE TABLE mails (
    job        bigint      PRIMARY KEY,
    kind       text        NOT NULL,
    tenant     uuid        REFERENCES tenants ON DELETE CASCADE,
    address    text        NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting'
               CHECK (state IN ('waiting', 'sent', 'moot', 'not_sent', 'refused', 'failed', 'cancelled')),
    fault      text        NOT NULL DEFAULT '',
    tries      int         NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    tried_at   timestamptz,
    ended_at   timestamptz
);
COMMENT ON TABLE mails IS 'Every mail that was put on its way and what became of it. The platform''s own record: tenants have no row of theirs here to see.';
COMMENT ON COLUMN mails.job IS 'The job that sends it; ids of jobs only grow.';
COMMENT ON COLUMN mails.kind IS 'What it is about: the purpose of a link, the kind of a notice, or digest.';
COMMENT ON COLUMN mails.tenant IS 'Whose connection it is about; NULL for links and digests.';
COMMENT ON COLUMN mails.address IS 'Masked: enough to recognise one''s own, not enough to write to it.';
COMMENT ON COLUMN mails.state IS 'waiting; sent; moot: not true or not wanted any more; not_sent: no mail is configured; refused for good by the mail server; failed: every try has; cancelled by the staff.';
COMMENT ON COLUMN mails.fault IS 'Why the last try did not work, as a word.';
CREATE INDEX mails_state ON mails (state, job DESC);
CREATE INDEX mails_lost ON mails (ended_at) WHERE state IN ('refused', 'failed');
COMMENT ON INDEX mails_lost IS 'What a digest tells of.';
CREATE INDEX mails_age ON mails (created_at);
CREATE INDEX mails_tenant ON mails (tenant) WHERE tenant IS NOT NULL;
GRANT SELECT ON mails TO mooring_platform;

CREATE TABLE digests (
    user_id     uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    day         date        NOT NULL,
    id          uuid        NOT NULL UNIQUE,
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    status      text        NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'moot', 'refused', 'not_sent')),
    finished_at timestamptz,
    PRIMARY KEY (user_id, day)
);
COMMENT ON TABLE digests IS 'One letter to one of the staff about one day. Its words are found when it is sent.';
COMMENT ON COLUMN digests.day IS 'The day on which it is sent, where its reader is.';
COMMENT ON COLUMN digests.since IS 'It tells of what happened from here, which is where the one before ended, to until.';
COMMENT ON COLUMN digests.status IS 'As notice_letters.status; moot: there was nothing to tell.';
GRANT SELECT, UPDATE (status, finished_at) ON digests TO mooring_platform;

CREATE TABLE digest_choices (
    user_id    uuid        PRIMARY KEY REFERENCES users ON DELETE CASCADE,
    mail       boolean     NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE digest_choices IS 'Whether one of the staff wants the digest. No row: yes.';
GRANT SELECT, INSERT, UPDATE ON digest_choices TO mooring_platform;

CREATE INDEX connections_broken ON connections (state_since) WHERE state IN ('needs_you', 'provider', 'ours');
CREATE INDEX events_recovered ON events (created_at) WHERE kind = 'connection.recovered';
CREATE INDEX deliveries_lost ON deliveries (ended_at) WHERE state = 'failed';
COMMENT ON INDEX connections_broken IS 'What has broken since, and still is: for the digest.';

CREATE FUNCTION masked_address(address text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN position('@' IN address) = 0 THEN '***'
                ELSE left(split_part(address, '@', 1), 1) || '***@' || left(split_part(address, '@', 2), 1) || '***' END;
COMMENT ON FUNCTION masked_address(text) IS 'An address as mail.MaskAddress writes it.';

CREATE FUNCTION error_words(told text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN left(regexp_replace(regexp_replace(regexp_replace(regexp_replace(told,
        '\S+(://|@)\S+', '…', 'g'), '"[^"]*"', '"…"', 'g'), '\S*[[:alnum:]_-]{28,}\S*', '…', 'g'), '[0-9]{6,}', '…', 'g'), 160);
COMMENT ON FUNCTION error_words(text) IS 'An error''s text without what could be a value: addresses, what is quoted, what is long, long numbers. It was scrubbed where it was made; this is the second look.';

-- +goose StatementBegin
CREATE FUNCTION log_mail(of_job bigint, ids jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION note_mail(of_job bigint, ids jsonb, ending text, why text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM log_mail(of_job, ids);
    UPDATE mails SET state = ending, fault = why, tries = tries + 1, tried_at = now(),
           ended_at = CASE WHEN ending <> 'waiting' THEN now() END
     WHERE job = of_job;
END
$$;

CREATE FUNCTION sweep_mails(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH m AS (DELETE FROM mails   WHERE created_at < before - interval '90 days' RETURNING 1),
         d AS (DELETE FROM digests WHERE day < (before - interval '90 days')::date RETURNING 1)
    SELECT (SELECT count(*) FROM m) + (SELECT count(*) FROM d)
    $$;

CREATE FUNCTION digest_zone(language text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN language = 'zh-CN' THEN 'Asia/Shanghai' ELSE 'UTC' END;

CREATE FUNCTION claim_due_digests(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    INSERT INTO digests AS made (user_id, day, id, since, until)
    SELECT due.user_id, due.day, gen_random_uuid(),
           greatest(coalesce((SELECT max(b.until) FROM digests b WHERE b.user_id = due.user_id), before - interval '24 hours'),
                    before - interval '7 days'), before
      FROM (SELECT a.user_id, greatest(a.created_at, c.changed_at) AS from_when, zone,
                   ((before AT TIME ZONE zone) - interval '8 hours')::date AS day
              FROM platform_admins a JOIN users u ON u.id = a.user_id LEFT JOIN digest_choices c ON c.user_id = a.user_id,
                   LATERAL (SELECT digest_zone(u.language) AS zone) z
             WHERE coalesce(c.mail, true)) due
     WHERE (due.day + time '08:00') AT TIME ZONE due.zone > due.from_when
       AND NOT EXISTS (SELECT FROM digests d WHERE d.user_id = due.user_id AND d.day = due.day)
     LIMIT most
    ON CONFLICT DO NOTHING
    RETURNING NULL::uuid, made.id, '';
END
$$;

CREATE FUNCTION next_due_digests() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min((((now() AT TIME ZONE zone) - interval '8 hours')::date + 1 + time '08:00') AT TIME ZONE zone)
      FROM platform_admins a JOIN users u ON u.id = a.user_id, LATERAL (SELECT digest_zone(u.language) AS zone) z
$$;

CREATE FUNCTION count_jobs(most int)
    RETURNS TABLE (kind text, state text, number bigint, oldest timestamptz, full_up boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT j.kind, s.state::text, count(*), min(j.created_at), sum(count(*)) OVER (PARTITION BY s.state) >= most
      FROM unnest(enum_range(NULL::river.river_job_state)) s (state),
           LATERAL (SELECT r.kind, r.created_at FROM river.river_job r WHERE r.state = s.state LIMIT most) j
     GROUP BY j.kind, s.state;
END
$$;

CREATE FUNCTION list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most int)
    RETURNS TABLE (id bigint, kind text, queue text, state text, tries int, most_tries int, created_at timestamptz, next_at timestamptz,
                   tried_at timestamptz, ended_at timestamptz, tenant uuid, about uuid, fault text, failed_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY
    SELECT j.id, j.kind, j.queue, j.state::text, j.attempt::int, j.max_attempts::int, j.created_at, j.scheduled_at, j.attempted_at,
           j.finalized_at, (j.args->>'tenant')::uuid,
           coalesce(j.args->>'connection', j.args->>'callback', j.args->>'delivery', j.args->>'event', j.args->>'letter',
                    j.args->>'link', j.args->>'revocation', j.args->>'closing', j.args->>'digest')::uuid,
           coalesce(error_words(j.errors[array_upper(j.errors, 1)]->>'error'), ''),
           (j.errors[array_upper(j.errors, 1)]->>'at')::timestamptz
      FROM river.river_job j
     WHERE (single IS NULL OR j.id = single) AND (wanted_kind = '' OR j.kind = wanted_kind)
       AND (wanted_states IS NULL OR j.state = ANY (wanted_states::river.river_job_state[]))
       AND (below = 0 OR j.id < below)
     ORDER BY j.id DESC LIMIT most;
END
$$;

CREATE FUNCTION retry_job(wanted bigint)
    RETURNS TABLE (kind text, tenant uuid, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION cancel_job(wanted bigint, at timestamptz)
    RETURNS TABLE (kind text, tenant uuid, done boolean)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
COMMENT ON FUNCTION log_mail(bigint, jsonb) IS 'Makes the record of a mail whose job was put in; of a mail that is there already, nothing.';
COMMENT ON FUNCTION note_mail(bigint, jsonb, text, text) IS 'Says how a try to send a mail ended; waiting means that it is tried again.';
COMMENT ON FUNCTION sweep_mails(timestamptz) IS 'Forgets mails and digests after 90 days.';
COMMENT ON FUNCTION digest_zone(text) IS 'Where it must be eight in the morning for a reader of that language.';
COMMENT ON FUNCTION claim_due_digests(timestamptz, int) IS 'Makes today''s digests of those who want one, once it is eight where they are. The key of a person and a day lets one replica make it. Whoever joins or chooses later begins on the next day.';
COMMENT ON FUNCTION next_due_digests() IS 'When it is eight again for any of the staff; NULL: there are none.';
COMMENT ON FUNCTION count_jobs(int) IS 'Jobs by kind and state. Of each state no more than that many are counted: full_up says that there may be more.';
COMMENT ON FUNCTION list_jobs(bigint, text, text[], bigint, int) IS 'Jobs, newest first, or the single one: ids and times, and the last error without values. Never arguments as they are.';
COMMENT ON FUNCTION retry_job(bigint) IS 'Lets a job that rests or has ended run at once; says whether it did. Callbacks and deliveries that have ended are replayed by their own functions.';
COMMENT ON FUNCTION cancel_job(bigint, timestamptz) IS 'Ends a job that waits; what it was for is marked as given up, so that it can be taken up again where it is listed. One that runs is left alone.';
REVOKE EXECUTE ON FUNCTION masked_address(text), error_words(text), log_mail(bigint, jsonb), note_mail(bigint, jsonb, text, text),
    sweep_mails(timestamptz), digest_zone(text), claim_due_digests(timestamptz, int), next_due_digests(), count_jobs(int),
    list_jobs(bigint, text, text[], bigint, int), retry_job(bigint), cancel_job(bigint, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_mail(bigint, jsonb), note_mail(bigint, jsonb, text, text), sweep_mails(timestamptz),
    claim_due_digests(timestamptz, int), next_due_digests() TO mooring_app;
GRANT EXECUTE ON FUNCTION count_jobs(int), list_jobs(bigint, text, text[], bigint, int), retry_job(bigint),
    cancel_job(bigint, timestamptz) TO mooring_platform;

-- +goose Down
DROP FUNCTION cancel_job(bigint, timestamptz), retry_job(bigint), list_jobs(bigint, text, text[], bigint, int), count_jobs(int),
    next_due_digests(), claim_due_digests(timestamptz, int), digest_zone(text), sweep_mails(timestamptz),
    note_mail(bigint, jsonb, text, text), log_mail(bigint, jsonb), error_words(text), masked_address(text);
DROP INDEX deliveries_lost, events_recovered, connections_broken;
DROP TABLE digest_choices, digests, mails;

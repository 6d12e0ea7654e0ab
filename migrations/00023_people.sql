-- Where somebody lives, and what they are told besides of their connections.
--
-- A person chooses a time zone by its name; pages, mails and the staff's morning letter keep to it. Notices and their
-- letters may now be about no connection: a review is of the whole business, and a link that is asked for of none yet.
-- What the staff do to a tenant is told by the same jobs as everything else; their role may put in no others.

-- +goose Up
ALTER TABLE users ADD COLUMN time_zone text NOT NULL DEFAULT '' CHECK (length(time_zone) <= 64);
COMMENT ON COLUMN users.time_zone IS 'A name of the time zone database; empty: where readers of the person''s language are taken to live.';
GRANT SELECT (time_zone) ON users TO mooring_platform;

ALTER TABLE notices ALTER COLUMN connection_id DROP NOT NULL;
ALTER TABLE notice_letters ALTER COLUMN connection_id DROP NOT NULL;
COMMENT ON COLUMN notices.connection_id IS 'What it is about; NULL: the whole business.';
COMMENT ON COLUMN notice_letters.connection_id IS 'What it is about; NULL: the whole business.';

-- +goose StatementBegin
CREATE FUNCTION tell_of(of_tenant uuid, event uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = of_tenant AND e.id = event AND e.actor_kind = 'staff') THEN
        RETURN;
    END IF;
    INSERT INTO river.river_job (kind, args, queue, max_attempts)
    VALUES ('tell', jsonb_build_object('tenant', of_tenant, 'event', event), 'tell', 8);
    PERFORM pg_notify('river.river_insert', json_build_object('queue', 'tell')::text);
END
$$;

CREATE FUNCTION digest_zone(language text, chosen text) RETURNS text LANGUAGE plpgsql STABLE AS $$
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

CREATE OR REPLACE FUNCTION claim_due_digests(before timestamptz, most int)
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
                   LATERAL (SELECT digest_zone(u.language, u.time_zone) AS zone) z
             WHERE coalesce(c.mail, true)) due
     WHERE (due.day + time '08:00') AT TIME ZONE due.zone > due.from_when
       AND NOT EXISTS (SELECT FROM digests d WHERE d.user_id = due.user_id AND d.day = due.day)
     LIMIT most
    ON CONFLICT DO NOTHING
    RETURNING NULL::uuid, made.id, '';
END
$$;

CREATE OR REPLACE FUNCTION next_due_digests() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min((((now() AT TIME ZONE zone) - interval '8 hours')::date + 1 + time '08:00') AT TIME ZONE zone)
      FROM platform_admins a JOIN users u ON u.id = a.user_id, LATERAL (SELECT digest_zone(u.language, u.time_zone) AS zone) z
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION tell_of(uuid, uuid) IS 'Puts in the job that tells of an event which the staff have written into a tenant''s history; of no other.';
COMMENT ON FUNCTION digest_zone(text, text) IS 'Where one of the staff lives: the zone they chose, as far as the server knows it, else that of their language.';
REVOKE EXECUTE ON FUNCTION tell_of(uuid, uuid), digest_zone(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_of(uuid, uuid) TO mooring_platform;

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION next_due_digests() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT min((((now() AT TIME ZONE zone) - interval '8 hours')::date + 1 + time '08:00') AT TIME ZONE zone)
      FROM platform_admins a JOIN users u ON u.id = a.user_id, LATERAL (SELECT digest_zone(u.language) AS zone) z
$$;

CREATE OR REPLACE FUNCTION claim_due_digests(before timestamptz, most int)
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
-- +goose StatementEnd
DROP FUNCTION digest_zone(text, text), tell_of(uuid, uuid);
DELETE FROM notice_letters WHERE connection_id IS NULL;
DELETE FROM notices WHERE connection_id IS NULL;
ALTER TABLE notice_letters ALTER COLUMN connection_id SET NOT NULL;
ALTER TABLE notices ALTER COLUMN connection_id SET NOT NULL;
ALTER TABLE users DROP COLUMN time_zone;

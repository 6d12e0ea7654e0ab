-- Members of the staff who look at a merchant's pages as a viewer would.
--
-- A view lives in the session of whoever looks and has one end for all: it is over when its time is over, when the tenant is
-- closed, and when the person may look no more, whatever came first. Every request asks, in open_session. However it ends
-- (the button, another view, the session itself, the clock), the tenant's history is told by the row that loses it.

-- +goose Up
ALTER TABLE sessions
    ADD COLUMN viewing uuid REFERENCES tenants,
    ADD COLUMN viewing_since timestamptz,
    ADD COLUMN viewing_until timestamptz,
    ADD CONSTRAINT sessions_viewing CHECK (viewing IS NULL OR tenant_id IS NULL AND viewing_since IS NOT NULL AND viewing_until IS NOT NULL);
COMMENT ON COLUMN sessions.viewing IS 'The tenant whose pages a member of the staff sees as a viewer would; whoever works in a tenant of their own has none.';
COMMENT ON COLUMN sessions.viewing_since IS 'When that began.';
COMMENT ON COLUMN sessions.viewing_until IS 'When it ends, whatever happens until then.';
CREATE INDEX sessions_views ON sessions (viewing) WHERE viewing IS NOT NULL;

CREATE FUNCTION event_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(overlay(uuid_send(gen_random_uuid())
               PLACING substring(int8send(us / 1000) FROM 3) || int2send((28672 + us % 1000 * 4)::int2) FROM 1 FOR 8), 'hex')::uuid
      FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS us) t
    $$;
COMMENT ON FUNCTION event_id() IS 'A UUIDv7, to the microsecond, for an event that the database itself writes: events sort by their ids.';

-- +goose StatementBegin
CREATE FUNCTION view_over(s sessions) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT s.viewing_until <= now() OR is_closed(s.viewing)
        OR NOT EXISTS (SELECT FROM platform_admins a WHERE a.user_id = s.user_id AND a.roles && '{reviewer,operator}'::text[])
    $$;

CREATE FUNCTION begin_view(session uuid, wanted uuid, life interval, fresh_token bytea) RETURNS timestamptz
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION view_ended() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO events (tenant_id, id, actor_kind, actor_id, kind, detail, created_at)
    SELECT OLD.viewing, event_id(), 'staff', OLD.user_id, 'tenant.view_ended',
           jsonb_build_object('by', coalesce((SELECT u.email FROM users u WHERE u.id = OLD.user_id), ''),
               'since', to_char(OLD.viewing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
           least(now(), OLD.viewing_until);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION open_session(presented bytea, idle interval)
    RETURNS TABLE (session_id uuid, user_id uuid, tenant_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
COMMENT ON FUNCTION view_over(sessions) IS 'Whether a view has ended by itself: by time, by the closing of the tenant, by the loss of the role.';
COMMENT ON FUNCTION begin_view(uuid, uuid, interval, bytea) IS 'The current person, one of the staff, looks at a tenant from now on, in this session and under a new token; fails with MR001 unless they may. Gives when it ends.';
COMMENT ON FUNCTION view_ended() IS 'Tells the tenant that a view has ended, however it did.';
COMMENT ON FUNCTION open_session(bytea, interval) IS 'The session behind a cookie; opens the rest of the transaction for its person and for the tenant that they work in, or look at.';

CREATE TRIGGER sessions_view_changed AFTER UPDATE OF viewing, viewing_since ON sessions
    FOR EACH ROW WHEN (OLD.viewing IS NOT NULL AND (NEW.viewing IS NULL OR NEW.viewing_since <> OLD.viewing_since)) EXECUTE FUNCTION view_ended();
CREATE TRIGGER sessions_view_gone AFTER DELETE ON sessions
    FOR EACH ROW WHEN (OLD.viewing IS NOT NULL) EXECUTE FUNCTION view_ended();

CREATE FUNCTION sweep_views() RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH over AS (UPDATE sessions s SET viewing = NULL WHERE s.viewing IS NOT NULL AND view_over(s) RETURNING 1) SELECT count(*) FROM over $$;
COMMENT ON FUNCTION sweep_views() IS 'Ends the views that are over and that nobody has come back to.';

REVOKE EXECUTE ON FUNCTION event_id(), view_over(sessions), begin_view(uuid, uuid, interval, bytea), view_ended(), sweep_views() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event_id(), begin_view(uuid, uuid, interval, bytea), sweep_views() TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_views();
DROP TRIGGER sessions_view_gone ON sessions;
DROP TRIGGER sessions_view_changed ON sessions;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION open_session(presented bytea, idle interval)
    RETURNS TABLE (session_id uuid, user_id uuid, tenant_id uuid)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    PERFORM set_config('app.user_id', opened.user_id::text, true),
            set_config('app.tenant_id', coalesce(opened.tenant_id::text, ''), true);
    RETURN QUERY SELECT opened.id, opened.user_id, opened.tenant_id;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION open_session(bytea, interval) IS 'The session behind a cookie; opens the rest of the transaction for its person and tenant.';
DROP FUNCTION view_ended(), begin_view(uuid, uuid, interval, bytea), view_over(sessions), event_id();
ALTER TABLE sessions DROP COLUMN viewing, DROP COLUMN viewing_since, DROP COLUMN viewing_until;

-- The staff's lists at any size: filters that each of them keeps, and what the lists of ends, callbacks, mails and jobs
-- lacked so that they cost the same beside a thousand merchants or a hundred thousand.
--
-- Depends on 00002, 00005 and 00018.

-- +goose Up
CREATE TABLE saved_filters (
    user_id    uuid        NOT NULL REFERENCES platform_admins ON DELETE CASCADE,
    id         uuid        NOT NULL,
    list       text        NOT NULL CHECK (list IN ('work', 'tenants', 'connections')),
    name       text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 40),
    query      text        NOT NULL CHECK (char_length(query) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, id)
);
COMMENT ON TABLE saved_filters IS 'What one of the staff narrows a list to again and again. Their own alone: nobody else sees it, and it is no part of the history.';
COMMENT ON COLUMN saved_filters.list IS 'Which list it is of.';
COMMENT ON COLUMN saved_filters.query IS 'The list''s address behind the question mark, without the place in the list.';
CREATE UNIQUE INDEX saved_filters_name ON saved_filters (user_id, list, lower(name));
COMMENT ON INDEX saved_filters_name IS 'A name means one filter.';
GRANT SELECT, INSERT, DELETE ON saved_filters TO mooring_platform;

CREATE INDEX connections_ending_provider ON connections (provider, ends_at, id) WHERE ends_at IS NOT NULL AND state <> 'disconnected';
COMMENT ON INDEX connections_ending_provider IS 'The admins'' board of what ends, narrowed to a provider.';
CREATE INDEX inbox_open_provider ON inbox (provider, state, id DESC) WHERE state IN ('waiting', 'parked', 'dead');
COMMENT ON INDEX inbox_open_provider IS 'The admins'' list of what is open, narrowed to a provider.';
CREATE INDEX platform_events_actor ON platform_events (actor_id, id DESC);
COMMENT ON INDEX platform_events_actor IS 'What one of the staff did, as events_actor has it for the tenants'' history.';

-- +goose StatementBegin
CREATE FUNCTION index_jobs() RETURNS void LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    CREATE INDEX IF NOT EXISTS river_job_list_kind ON river.river_job (kind, id DESC);
    CREATE INDEX IF NOT EXISTS river_job_list_state ON river.river_job (state, id DESC) INCLUDE (kind, created_at); -- counting reads nothing else
END
$$;

CREATE OR REPLACE FUNCTION list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most int)
    RETURNS TABLE (id bigint, kind text, queue text, state text, tries int, most_tries int, created_at timestamptz, next_at timestamptz,
                   tried_at timestamptz, ended_at timestamptz, tenant uuid, about uuid, fault text, failed_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan AS $$
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

CREATE OR REPLACE FUNCTION count_jobs(most int)
    RETURNS TABLE (kind text, state text, number bigint, oldest timestamptz, full_up boolean)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
$$;

CREATE FUNCTION jobs_next(ids bigint[]) RETURNS TABLE (id bigint, next_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT j.id, j.scheduled_at FROM unnest(ids) wanted (id) JOIN river.river_job j ON j.id = wanted.id;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION index_jobs() IS 'Makes the indexes that the admins'' list of jobs needs on river''s table, which is made after this schema: the program calls it when both are there.';
COMMENT ON FUNCTION count_jobs(int) IS 'Jobs by kind and state. Of each state no more than that many are counted, the oldest: full_up says that there may be more.';
COMMENT ON FUNCTION list_jobs(bigint, text, text[], bigint, int) IS 'Jobs, of each wanted state the newest, or the single one: ids and times, and the last error without values. Never arguments as they are.';
COMMENT ON FUNCTION jobs_next(bigint[]) IS 'When some jobs run next; what is not there is left out.';
REVOKE EXECUTE ON FUNCTION index_jobs(), jobs_next(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION jobs_next(bigint[]) TO mooring_platform;

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION list_jobs(single bigint, wanted_kind text, wanted_states text[], below bigint, most int)
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

CREATE OR REPLACE FUNCTION count_jobs(most int)
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
-- +goose StatementEnd
COMMENT ON FUNCTION count_jobs(int) IS 'Jobs by kind and state. Of each state no more than that many are counted: full_up says that there may be more.';
COMMENT ON FUNCTION list_jobs(bigint, text, text[], bigint, int) IS 'Jobs, newest first, or the single one: ids and times, and the last error without values. Never arguments as they are.';
DROP INDEX IF EXISTS river.river_job_list_state, river.river_job_list_kind;
DROP FUNCTION jobs_next(bigint[]), index_jobs();
DROP INDEX platform_events_actor, inbox_open_provider, connections_ending_provider;
DROP TABLE saved_filters;

-- What the platform observes of the providers, and how it stops asking one.
--
-- Nothing here belongs to a tenant and nothing here is a value of anybody's: codes and names of fields as providers write
-- them, counts, clocks. The serving role adds by functions only, so that no row grows past its bounds and nobody can take
-- one away; the staff read all of it and say what they have seen.

-- +goose Up
CREATE TABLE provider_controls (
    provider  text PRIMARY KEY,
    paused_at timestamptz,
    paused_by uuid,
    tested_at timestamptz,
    tested_by uuid,
    test      jsonb NOT NULL DEFAULT '[]',
    CHECK ((paused_at IS NULL) = (paused_by IS NULL))
);
COMMENT ON TABLE provider_controls IS 'What the staff have decided about a provider; one without a row is as its settings make it.';
COMMENT ON COLUMN provider_controls.paused_at IS 'Since when it is not offered and not read; NULL: it is not paused.';
COMMENT ON COLUMN provider_controls.test IS 'What the last test call found, one entry per address: host, outcome, milliseconds, skew.';

CREATE TABLE provider_codes (
    provider        text        NOT NULL,
    code            text        NOT NULL CHECK (length(code) <= 40),
    kind            text        NOT NULL,
    count           bigint      NOT NULL,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    PRIMARY KEY (provider, code)
);
COMMENT ON TABLE provider_codes IS 'Codes of refusals that no entry of the dictionary explains, shortened; never a provider''s prose.';
COMMENT ON COLUMN provider_codes.code IS 'As sent, cleaned and cut; '''' stands for all that came after the first 200 of a provider.';
COMMENT ON COLUMN provider_codes.kind IS 'What we took it for, the last time.';

CREATE TABLE provider_refusals (
    provider   text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('clock_skew', 'signature', 'replay')),
    code       text        NOT NULL,
    facts      jsonb       NOT NULL,
    count      bigint      NOT NULL,
    first_seen timestamptz NOT NULL,
    last_seen  timestamptz NOT NULL,
    PRIMARY KEY (provider, kind)
);
COMMENT ON TABLE provider_refusals IS 'The last refusal of a clock or a signature per provider: what was sent and measured. No key, no content.';

CREATE TABLE provider_shapes (
    provider text        NOT NULL,
    block    text        NOT NULL,
    field    text        NOT NULL,
    parent   text        NOT NULL,
    type     text        NOT NULL,
    optional boolean     NOT NULL DEFAULT false,
    since    timestamptz NOT NULL,
    PRIMARY KEY (provider, block, field, type)
);
COMMENT ON TABLE provider_shapes IS 'The known shape of a provider''s answers: that of the first one, and what the staff have accepted since.';
COMMENT ON COLUMN provider_shapes.parent IS 'The object that the field stands in: where that is absent, the field is not missed.';

CREATE TABLE provider_drift (
    provider        text        NOT NULL,
    block           text        NOT NULL,
    field           text        NOT NULL,
    change          text        NOT NULL CHECK (change IN ('new', 'missing', 'retyped')),
    type            text        NOT NULL,
    parent          text        NOT NULL,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by uuid,
    PRIMARY KEY (provider, block, field, change)
);
COMMENT ON TABLE provider_drift IS 'How answers differ from the known shape: names of fields and types, never a value.';

CREATE TABLE provider_health (
    provider text        NOT NULL,
    hour     timestamptz NOT NULL,
    what     text        NOT NULL CHECK (what IN ('call', 'refusal')),
    word     text        NOT NULL,
    count    bigint      NOT NULL,
    PRIMARY KEY (provider, hour, what, word)
);
COMMENT ON TABLE provider_health IS 'How calls ended and what was refused, by the hour; replicas add what they have counted every half minute.';
COMMENT ON COLUMN provider_health.word IS 'The outcome of a call, or the kind of a refusal.';
CREATE INDEX provider_health_hour ON provider_health (hour);

CREATE TABLE provider_replicas (
    provider      text        NOT NULL,
    replica       text        NOT NULL,
    skew_ms       bigint,
    samples       integer     NOT NULL,
    breaker       text        NOT NULL CHECK (breaker IN ('closed', 'half_open', 'open')),
    breaker_since timestamptz,
    seen_at       timestamptz NOT NULL,
    PRIMARY KEY (provider, replica)
);
COMMENT ON TABLE provider_replicas IS 'Each replica''s own view of a provider: measured clock and breaker. One that calls nothing writes nothing.';
COMMENT ON COLUMN provider_replicas.skew_ms IS 'The provider''s clock minus ours, the median of the last answers that told the time; NULL: none did.';

CREATE INDEX connections_provider_state ON connections (provider, state);
COMMENT ON INDEX connections_provider_state IS 'Counts per provider and state, capped, without reading the rows.';

GRANT SELECT ON provider_controls TO mooring_app;
GRANT SELECT ON provider_controls, provider_codes, provider_refusals, provider_shapes, provider_drift, provider_health, provider_replicas TO mooring_platform;
GRANT INSERT, UPDATE ON provider_controls TO mooring_platform;
GRANT UPDATE (acknowledged_at, acknowledged_by) ON provider_codes, provider_drift TO mooring_platform;
GRANT INSERT, UPDATE ON provider_shapes TO mooring_platform;

-- The queue is counted where it is. Jobs carry ids only.
GRANT USAGE ON SCHEMA river TO mooring_platform;
GRANT SELECT ON ALL TABLES IN SCHEMA river TO mooring_platform;
ALTER DEFAULT PRIVILEGES IN SCHEMA river GRANT SELECT ON TABLES TO mooring_platform;

CREATE FUNCTION note_code(p text, c text, k text, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    INSERT INTO provider_codes AS known (provider, code, kind, count, first_seen, last_seen)
    SELECT p, CASE WHEN EXISTS (SELECT FROM provider_codes WHERE provider = p AND code = left(c, 40))
                     OR (SELECT count(*) FROM provider_codes WHERE provider = p) < 200 THEN left(c, 40) ELSE '' END, k, 1, at, at
    ON CONFLICT (provider, code) DO UPDATE
       SET count = known.count + 1, kind = excluded.kind, last_seen = greatest(known.last_seen, excluded.last_seen)
    $$;
COMMENT ON FUNCTION note_code(text, text, text, timestamptz) IS 'Counts a code that nothing explains; a provider that makes up codes fills 200 rows and no more.';

CREATE FUNCTION note_refusal(p text, k text, c text, said jsonb, at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    INSERT INTO provider_refusals AS known (provider, kind, code, facts, count, first_seen, last_seen) VALUES (p, k, left(c, 40), said, 1, at, at)
    ON CONFLICT (provider, kind) DO UPDATE
       SET code = excluded.code, facts = excluded.facts, count = known.count + 1, last_seen = greatest(known.last_seen, excluded.last_seen)
    $$;
COMMENT ON FUNCTION note_refusal(text, text, text, jsonb, timestamptz) IS 'Keeps the newest refusal of its kind.';

CREATE FUNCTION note_health(providers text[], whats text[], words text[], counts bigint[], at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    INSERT INTO provider_health AS known (provider, hour, what, word, count)
    SELECT provider, date_trunc('hour', at), what, word, n FROM unnest(providers, whats, words, counts) AS counted (provider, what, word, n)
     ORDER BY 1, 2, 3, 4
    ON CONFLICT (provider, hour, what, word) DO UPDATE SET count = known.count + excluded.count
    $$;
COMMENT ON FUNCTION note_health(text[], text[], text[], bigint[], timestamptz) IS 'Adds what a replica has counted; in one order everywhere, so that replicas do not lock each other out.';

CREATE FUNCTION note_replica(name text, providers text[], skews bigint[], taken integer[], breakers text[], at timestamptz) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    INSERT INTO provider_replicas AS known (provider, replica, skew_ms, samples, breaker, breaker_since, seen_at)
    SELECT provider, name, skew, n, state, at, at FROM unnest(providers, skews, taken, breakers) AS seen (provider, skew, n, state)
    ON CONFLICT (provider, replica) DO UPDATE
       SET skew_ms = excluded.skew_ms, samples = excluded.samples, breaker = excluded.breaker, seen_at = excluded.seen_at,
           breaker_since = CASE WHEN known.breaker = excluded.breaker THEN known.breaker_since ELSE excluded.breaker_since END
    $$;
COMMENT ON FUNCTION note_replica(text, text[], bigint[], integer[], text[], timestamptz) IS 'Says how one replica sees its providers.';

-- +goose StatementBegin
CREATE FUNCTION note_shape(p text, b text, fields text[], parents text[], types text[], present text[], at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
COMMENT ON FUNCTION note_shape(text, text, text[], text[], text[], text[], timestamptz) IS 'Compares the shape of an answer with the known one; the first of all is the known one.';

CREATE FUNCTION sweep_observations(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH h AS (DELETE FROM provider_health   WHERE hour    < before - interval '8 days' RETURNING 1),
         r AS (DELETE FROM provider_replicas WHERE seen_at < before - interval '1 day'  RETURNING 1)
    SELECT (SELECT count(*) FROM h) + (SELECT count(*) FROM r)
    $$;
COMMENT ON FUNCTION sweep_observations(timestamptz) IS 'Removes counts after 8 days and replicas that nobody has heard of for one.';

REVOKE EXECUTE ON FUNCTION note_code(text, text, text, timestamptz), note_refusal(text, text, text, jsonb, timestamptz),
    note_health(text[], text[], text[], bigint[], timestamptz), note_replica(text, text[], bigint[], integer[], text[], timestamptz),
    note_shape(text, text, text[], text[], text[], text[], timestamptz), sweep_observations(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_code(text, text, text, timestamptz), note_refusal(text, text, text, jsonb, timestamptz),
    note_health(text[], text[], text[], bigint[], timestamptz), note_replica(text, text[], bigint[], integer[], text[], timestamptz),
    note_shape(text, text, text[], text[], text[], text[], timestamptz), sweep_observations(timestamptz) TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_observations(timestamptz), note_shape(text, text, text[], text[], text[], text[], timestamptz),
    note_replica(text, text[], bigint[], integer[], text[], timestamptz), note_health(text[], text[], text[], bigint[], timestamptz),
    note_refusal(text, text, text, jsonb, timestamptz), note_code(text, text, text, timestamptz);
ALTER DEFAULT PRIVILEGES IN SCHEMA river REVOKE SELECT ON TABLES FROM mooring_platform;
REVOKE SELECT ON ALL TABLES IN SCHEMA river FROM mooring_platform;
REVOKE USAGE ON SCHEMA river FROM mooring_platform;
DROP INDEX connections_provider_state;
DROP TABLE provider_replicas, provider_health, provider_drift, provider_shapes, provider_refusals, provider_codes, provider_controls;

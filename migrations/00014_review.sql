-- The staff's review of each merchant, and the lists that they work from.
--
-- A review is one row per tenant, begun by the first connection. Its legal steps are the rows of one table, and every step
-- is one conditional UPDATE that joins it: what is not in the table changes nothing. What is asked of a merchant are rows
-- too; each is done by the deed itself, and the last one gives the review back to the staff. The serving role may read
-- what the merchant is told, and moves a review only through the two functions; notes stay with the staff.
--
-- Searching a merchant by name must cost the same however many there are. Each name is therefore kept from the start of
-- each of its words on (each character, where a script has no spaces), so that a search is a range of one index.

-- +goose Up
CREATE TABLE review_edges (
    act        text NOT NULL,
    from_state text NOT NULL,
    to_state   text NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('staff', 'merchant')),
    PRIMARY KEY (act, from_state)
);
COMMENT ON TABLE review_edges IS 'The legal steps of a review: who may bring it from which state into which.';
INSERT INTO review_edges (act, from_state, to_state, actor_kind) VALUES
    ('start',    'linked',     'in_review',  'staff'),
    ('approve',  'in_review',  'approved',   'staff'),
    ('more',     'in_review',  'needs_more', 'staff'),
    ('reject',   'in_review',  'rejected',   'staff'),
    ('reject',   'needs_more', 'rejected',   'staff'),
    ('reopen',   'needs_more', 'in_review',  'staff'),
    ('reopen',   'approved',   'in_review',  'staff'),
    ('reopen',   'rejected',   'in_review',  'staff'),
    ('resubmit', 'needs_more', 'in_review',  'merchant');
GRANT SELECT ON review_edges TO mooring_app, mooring_platform;

CREATE TABLE reviews (
    tenant_id uuid        PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    state     text        NOT NULL CHECK (state IN ('linked', 'in_review', 'needs_more', 'approved', 'rejected')),
    waits_on  text        NOT NULL GENERATED ALWAYS AS (
        CASE state WHEN 'linked' THEN 'us' WHEN 'in_review' THEN 'us' WHEN 'needs_more' THEN 'merchant' ELSE 'nobody' END) STORED,
    since     timestamptz NOT NULL,
    linked_at timestamptz NOT NULL,
    version   bigint      NOT NULL DEFAULT 1,
    reason    text        NOT NULL DEFAULT '',
    message   text        NOT NULL DEFAULT '' CHECK (length(message) <= 1000),
    deadline  timestamptz,
    assignee  uuid        REFERENCES platform_admins ON DELETE SET NULL
);
COMMENT ON TABLE reviews IS 'Where the staff''s review of a tenant stands.';
COMMENT ON COLUMN reviews.waits_on IS 'Whose turn it is.';
COMMENT ON COLUMN reviews.since IS 'When it came into its state.';
COMMENT ON COLUMN reviews.version IS 'Counts the steps: a decision holds for what its maker has seen.';
COMMENT ON COLUMN reviews.reason IS 'Code of the reason; the pages have a sentence for each.';
COMMENT ON COLUMN reviews.message IS 'What the staff wrote to the merchant besides.';
COMMENT ON COLUMN reviews.deadline IS 'Until when the merchant is asked to do it.';
CREATE INDEX reviews_state ON reviews (state, since, tenant_id);
CREATE INDEX reviews_turn ON reviews (waits_on, since, tenant_id);
CREATE INDEX reviews_assignee_state ON reviews (assignee, state, since, tenant_id);
CREATE INDEX reviews_assignee_turn ON reviews (assignee, waits_on, since, tenant_id);
COMMENT ON INDEX reviews_state IS 'The work list, longest waiting first, by keyset; likewise the three beside it, one for each way of narrowing it.';

CREATE TABLE review_items (
    tenant_id     uuid        NOT NULL REFERENCES reviews ON DELETE CASCADE,
    id            uuid        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('connect', 'reconnect', 'refresh')),
    provider      text        NOT NULL,
    connection_id uuid,
    done_at       timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE,
    CHECK ((kind = 'connect') = (connection_id IS NULL))
);
COMMENT ON TABLE review_items IS 'What is asked of the merchant: an account to connect, a connection to renew, data to fetch.';
COMMENT ON COLUMN review_items.done_at IS 'When the deed was done; NULL: it is still asked for.';
CREATE INDEX review_items_connection ON review_items (tenant_id, connection_id);

CREATE TABLE review_notes (
    tenant_id  uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id         uuid        NOT NULL,
    author     uuid        REFERENCES users ON DELETE SET NULL,
    note       text        NOT NULL CHECK (length(note) BETWEEN 1 AND 2000),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE review_notes IS 'What the staff write to each other about a tenant. The merchants'' role has no grant here.';

CREATE TABLE tenant_name_parts (
    part      text COLLATE "C" NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    PRIMARY KEY (part, tenant_id)
);
COMMENT ON TABLE tenant_name_parts IS 'Each tenant''s name in lower case from the start of each word on: searching is a range of the primary key.';
CREATE INDEX tenant_name_parts_tenant ON tenant_name_parts (tenant_id);

CREATE INDEX connections_list ON connections (state_since DESC, id DESC);
CREATE INDEX connections_list_state ON connections (state, state_since DESC, id DESC);
CREATE INDEX connections_list_provider ON connections (provider, state_since DESC, id DESC);
CREATE INDEX connections_list_both ON connections (provider, state, state_since DESC, id DESC);
COMMENT ON INDEX connections_list IS 'The admins'' list, newest turn first, by keyset; likewise the three beside it, one for each way of narrowing it.';

-- +goose StatementBegin
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['reviews', 'review_items', 'review_notes', 'tenant_name_parts'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY own_tenant ON %I TO mooring_app USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', tenant_table);
        EXECUTE format('CREATE POLICY platform_reads ON %I FOR SELECT TO mooring_platform USING (true)', tenant_table);
    END LOOP;
END
$$;
-- +goose StatementEnd
CREATE POLICY platform_moves ON reviews FOR UPDATE TO mooring_platform USING (true);
CREATE POLICY platform_adds ON review_items FOR INSERT TO mooring_platform WITH CHECK (true);
CREATE POLICY platform_removes ON review_items FOR DELETE TO mooring_platform USING (true);
CREATE POLICY platform_adds ON review_notes FOR INSERT TO mooring_platform WITH CHECK (true);
GRANT SELECT (tenant_id, state, waits_on, since, linked_at, version, reason, message, deadline) ON reviews TO mooring_app;
GRANT SELECT ON review_items TO mooring_app;
GRANT SELECT, INSERT, DELETE ON review_items TO mooring_platform;
GRANT SELECT ON reviews, tenant_name_parts TO mooring_platform;
GRANT UPDATE (state, since, version, reason, message, deadline, assignee) ON reviews TO mooring_platform;
GRANT SELECT, INSERT ON review_notes TO mooring_platform;

-- +goose StatementBegin
CREATE FUNCTION resubmit_review(event uuid, by_kind text, by_id uuid, at timestamptz) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION review_progress(deed text, connection uuid, event uuid, by_kind text, by_id uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION name_parts(name text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
    SELECT DISTINCT left(substr(n, i), 60)
      FROM (SELECT lower(name)) AS l (n), generate_series(1, length(n)) AS i
     WHERE i = 1 OR (substr(n, i, 1) !~ '\s' AND
           (substr(n, i - 1, 1) ~ '[[:space:][:punct:]]' OR ascii(substr(n, i, 1)) >= 11904)) -- from there on scripts without spaces
$$;

CREATE FUNCTION keep_name_parts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM tenant_name_parts WHERE tenant_id = NEW.id;
    END IF;
    INSERT INTO tenant_name_parts (part, tenant_id) SELECT p, NEW.id FROM name_parts(NEW.name) p;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION resubmit_review(uuid, text, uuid, timestamptz) IS 'Gives the current tenant''s review back to the staff, with its event; says whether anything was asked of the tenant.';
COMMENT ON FUNCTION review_progress(text, uuid, uuid, text, uuid, timestamptz) IS 'A connection of the current tenant was connected or fetched: begins its review, ticks what was asked, and gives the review back with the last tick.';
COMMENT ON FUNCTION name_parts(text) IS 'A name in lower case from the start of each of its words on.';
COMMENT ON FUNCTION keep_name_parts() IS 'Keeps the parts of a tenant''s name those of its name.';
REVOKE EXECUTE ON FUNCTION resubmit_review(uuid, text, uuid, timestamptz), review_progress(text, uuid, uuid, text, uuid, timestamptz),
    name_parts(text), keep_name_parts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION resubmit_review(uuid, text, uuid, timestamptz), review_progress(text, uuid, uuid, text, uuid, timestamptz) TO mooring_app;

CREATE TRIGGER name_parts AFTER INSERT OR UPDATE OF name ON tenants FOR EACH ROW EXECUTE FUNCTION keep_name_parts();

INSERT INTO tenant_name_parts (part, tenant_id) SELECT p, t.id FROM tenants t, name_parts(t.name) p;
INSERT INTO reviews (tenant_id, state, since, linked_at)
SELECT tenant_id, 'linked', min(created_at), min(created_at) FROM connections GROUP BY tenant_id;

-- +goose Down
DROP TRIGGER name_parts ON tenants;
DROP FUNCTION keep_name_parts(), name_parts(text), review_progress(text, uuid, uuid, text, uuid, timestamptz),
    resubmit_review(uuid, text, uuid, timestamptz);
DROP INDEX connections_list_both, connections_list_provider, connections_list_state, connections_list;
DROP TABLE tenant_name_parts, review_notes, review_items, reviews, review_edges;

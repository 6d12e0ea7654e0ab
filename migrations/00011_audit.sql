-- A history that cannot be changed without being noticed.
--
-- Every event is linked into a chain when its transaction commits: the link's hash covers every field of the event and the
-- hash before it. There is one chain per tenant and one for the platform (the zero id), so that writers of different
-- tenants never wait for each other; writers of one tenant wait for each other's commit, and no longer, because the
-- link is made by a deferred trigger. If the link cannot be written, the change does not happen. The serving roles
-- can neither write here nor change what is written. Whoever owns the database could still rewrite a whole chain: the
-- heads are therefore also kept outside (AUDIT_CHECKPOINTS), and `web audit verify` compares.

-- +goose Up
CREATE TABLE audit_heads (
    chain    uuid        PRIMARY KEY,
    seq      bigint      NOT NULL,
    hash     bytea       NOT NULL,
    moved_at timestamptz NOT NULL
);
COMMENT ON TABLE audit_heads IS 'The newest link of each chain; what the checkpoints outside the database are made from.';
COMMENT ON COLUMN audit_heads.chain IS 'The tenant, or the zero id for the platform''s own events.';
COMMENT ON COLUMN audit_heads.hash IS 'The newest link''s hash.';
CREATE INDEX audit_heads_moved ON audit_heads (moved_at);

CREATE TABLE audit_links (
    chain    uuid   NOT NULL,
    seq      bigint NOT NULL,
    event_id uuid   NOT NULL,
    hash     bytea  NOT NULL,
    PRIMARY KEY (chain, seq),
    UNIQUE (chain, event_id)
);
COMMENT ON TABLE audit_links IS 'One link per event, in the order in which they were committed.';
COMMENT ON COLUMN audit_links.hash IS 'SHA-256 over the hash before it and every field of the event, each with its length in front.';

GRANT SELECT ON audit_heads, audit_links TO mooring_platform;

CREATE FUNCTION audit_field(value text) RETURNS bytea LANGUAGE sql STABLE
    RETURN CASE WHEN value IS NULL THEN '\xffffffff'::bytea
                ELSE int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END;
COMMENT ON FUNCTION audit_field(text) IS 'A field as it is hashed: its length in four bytes, then its bytes; NULL is a length that no text has.';

-- +goose StatementBegin
CREATE FUNCTION link_event(chain_id uuid, id uuid, connection uuid, actor_kind text, actor uuid, kind text, detail jsonb, at timestamptz)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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

CREATE FUNCTION link_tenant_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM link_event(NEW.tenant_id, NEW.id, NEW.connection_id, NEW.actor_kind, NEW.actor_id, NEW.kind, NEW.detail, NEW.created_at);
    RETURN NULL;
END
$$;

CREATE FUNCTION link_platform_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM link_event('00000000-0000-0000-0000-000000000000', NEW.id, NULL, NULL, NEW.actor_id, NEW.kind, NEW.detail, NEW.created_at);
    RETURN NULL;
END
$$;

-- What happened before there were chains is linked in the order in which it happened.
DO $$
BEGIN
    PERFORM link_event(e.tenant_id, e.id, e.connection_id, e.actor_kind, e.actor_id, e.kind, e.detail, e.created_at)
       FROM (SELECT * FROM events ORDER BY tenant_id, id) e;
    PERFORM link_event('00000000-0000-0000-0000-000000000000', e.id, NULL, NULL, e.actor_id, e.kind, e.detail, e.created_at)
       FROM (SELECT * FROM platform_events ORDER BY id) e;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION link_event(uuid, uuid, uuid, text, uuid, text, jsonb, timestamptz) IS 'Links one event at the end of its chain. Nobody is granted it: the triggers alone call it.';
COMMENT ON FUNCTION link_tenant_event() IS 'Links a tenant''s event when its transaction commits.';
COMMENT ON FUNCTION link_platform_event() IS 'Links an event of the platform when its transaction commits.';
REVOKE EXECUTE ON FUNCTION audit_field(text), link_event(uuid, uuid, uuid, text, uuid, text, jsonb, timestamptz),
    link_tenant_event(), link_platform_event() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER link AFTER INSERT ON events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_tenant_event();
CREATE CONSTRAINT TRIGGER link AFTER INSERT ON platform_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_platform_event();

-- The admins' page lists every tenant's events, newest first, whole or by who did it or what it was.
CREATE INDEX events_newest ON events (id DESC);
CREATE INDEX events_actor ON events (actor_id, id DESC);
CREATE INDEX events_kind ON events (kind, id DESC);

-- +goose Down
DROP INDEX events_kind, events_actor, events_newest;
DROP TRIGGER link ON platform_events;
DROP TRIGGER link ON events;
DROP FUNCTION link_platform_event(), link_tenant_event(), link_event(uuid, uuid, uuid, text, uuid, text, jsonb, timestamptz), audit_field(text);
DROP TABLE audit_links, audit_heads;

-- The house: people, tenants, connections, and the walls between them.
--
-- Three roles work here, and none can become another. mooring_owner owns everything and bypasses row-level security:
-- it migrates and backs up. mooring_app serves merchants: it sees the rows of one tenant (app.tenant_id) and of one
-- person (app.user_id) at a time, both set for one transaction only. mooring_platform serves the platform's admins: it
-- reads across tenants, except credentials. What must be found before a tenant is known goes through the SECURITY
-- DEFINER functions at the end, which give ids only.

-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
    IF (SELECT count(*) FROM pg_roles WHERE rolname IN ('mooring_app', 'mooring_platform')) < 2 THEN
        RAISE EXCEPTION 'the roles mooring_app and mooring_platform are missing: create them before migrating (README, "Your own PostgreSQL")';
    END IF;
    IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        RAISE EXCEPTION 'the migrating role needs BYPASSRLS: the functions that find a session before its tenant is known belong to it';
    END IF;
END
$$;
-- +goose StatementEnd

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO mooring_app, mooring_platform;

-- Whom the current transaction speaks for. Unset, empty and malformed all end in no row, never in everybody's.
CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.tenant_id', true), '')::uuid;
COMMENT ON FUNCTION current_tenant() IS 'The tenant this transaction was opened for, or NULL: no tenant, no row.';

CREATE FUNCTION current_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.user_id', true), '')::uuid;
COMMENT ON FUNCTION current_person() IS 'The person this transaction was opened for, or NULL.';

-- People ---------------------------------------------------------------------------------------------------------

CREATE TABLE users (
    id                  uuid        PRIMARY KEY,
    kind                text        NOT NULL CHECK (kind IN ('merchant', 'staff')),
    email               text        NOT NULL UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    password_hash       text        NOT NULL,
    language            text        NOT NULL DEFAULT '' CHECK (language IN ('', 'zh-CN', 'en')), -- '' = follow the browser
    created_at          timestamptz NOT NULL,
    password_changed_at timestamptz NOT NULL,
    UNIQUE (id, kind)                                            -- lets memberships and platform_admins insist on a kind
);
COMMENT ON TABLE users IS 'People who sign in: a merchant''s or the platform''s staff, never both.';
COMMENT ON COLUMN users.email IS 'Canonical form: NFKC, lower case, as accounts.Canonical makes it.';
COMMENT ON COLUMN users.password_hash IS 'argon2id in PHC form.';

CREATE TABLE tenants (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE tenants IS 'A merchant''s business: the unit of ownership and isolation.';
CREATE INDEX tenants_newest ON tenants (created_at DESC, id DESC);
COMMENT ON INDEX tenants_newest IS 'The admins'' list, newest first, by keyset.';

CREATE TABLE memberships (
    tenant_id  uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_id    uuid        NOT NULL,
    user_kind  text        NOT NULL DEFAULT 'merchant' CHECK (user_kind = 'merchant'),
    role       text        NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    FOREIGN KEY (user_id, user_kind) REFERENCES users (id, kind) ON DELETE CASCADE
);
COMMENT ON TABLE memberships IS 'Who works in which tenant, and as what.';
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE platform_admins (
    user_id    uuid        PRIMARY KEY,
    user_kind  text        NOT NULL DEFAULT 'staff' CHECK (user_kind = 'staff'),
    created_at timestamptz NOT NULL,
    FOREIGN KEY (user_id, user_kind) REFERENCES users (id, kind) ON DELETE CASCADE
);
COMMENT ON TABLE platform_admins IS 'Staff who may open the admin pages.';

CREATE TABLE sessions (
    id         uuid        PRIMARY KEY,
    token_hash bytea       NOT NULL UNIQUE,
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    tenant_id  uuid,
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    user_agent text        NOT NULL DEFAULT '',
    address    text        NOT NULL DEFAULT '',
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships ON DELETE CASCADE
);
COMMENT ON TABLE sessions IS 'One row per signed-in browser; deleting the row ends the session on every replica at once.';
COMMENT ON COLUMN sessions.id IS 'Stays when the token rotates: attempts are bound to it.';
COMMENT ON COLUMN sessions.token_hash IS 'SHA-256 of the 256-bit cookie value.';
COMMENT ON COLUMN sessions.tenant_id IS 'The tenant the person works in; NULL for staff. Losing the membership ends the session.';
COMMENT ON COLUMN sessions.expires_at IS 'Absolute end; idleness is measured by seen_at.';
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_member ON sessions (tenant_id, user_id);
CREATE INDEX sessions_end ON sessions (expires_at);

CREATE TABLE one_time_links (
    id            uuid        PRIMARY KEY,
    purpose       text        NOT NULL CHECK (purpose IN ('signup', 'reset', 'known')),
    email         text        NOT NULL,
    user_id       uuid        REFERENCES users ON DELETE CASCADE,
    business_name text        NOT NULL DEFAULT '',
    password_hash text        NOT NULL DEFAULT '',
    language      text        NOT NULL,
    token_hash    bytea       UNIQUE,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
COMMENT ON TABLE one_time_links IS 'Links sent by mail: finish a sign-up, set a new password, or tell that the address is known already.';
COMMENT ON COLUMN one_time_links.token_hash IS 'SHA-256 of the link''s token, minted when the mail is sent; NULL until then.';
CREATE INDEX one_time_links_end ON one_time_links (expires_at);

-- Connections ----------------------------------------------------------------------------------------------------

CREATE TABLE tenant_keys (
    tenant_id  uuid        PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    wrapped    bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE tenant_keys IS 'A data keyset per tenant, wrapped by the master keyset. Deleting the row makes all that the tenant sealed unreadable.';

CREATE TABLE connections (
    tenant_id          uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id                 uuid        NOT NULL,
    provider           text        NOT NULL,
    environment        text        NOT NULL CHECK (environment IN ('test', 'live')),
    account_hash       bytea       NOT NULL,
    account_masked     text        NOT NULL,
    account_sealed     bytea       NOT NULL,
    state              text        NOT NULL CHECK (state IN ('connected', 'needs_you', 'provider', 'ours', 'disconnected')),
    reason             text        NOT NULL DEFAULT '',
    state_since        timestamptz NOT NULL,
    credential_version bigint      NOT NULL,
    sync_state         text        NOT NULL DEFAULT 'idle' CHECK (sync_state IN ('idle', 'queued', 'running')),
    sync_done          int         NOT NULL DEFAULT 0,
    sync_total         int         NOT NULL DEFAULT 0,
    sync_since         timestamptz,
    synced_at          timestamptz,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider, environment, account_hash)
);
COMMENT ON TABLE connections IS 'A tenant''s link to one account at one provider. Narrow on purpose: ciphertext that lists do not need lives in credentials and snapshots.';
COMMENT ON COLUMN connections.account_hash IS 'Keyed hash of the external account: finds the same account again without telling which it is.';
COMMENT ON COLUMN connections.state IS 'Who must act: nobody (connected), the merchant (needs_you), the provider, we (ours); or disconnected.';
COMMENT ON COLUMN connections.reason IS 'Why, as the kind of a provider error or a word of ours; the page has a sentence for each.';
COMMENT ON COLUMN connections.credential_version IS 'The version the credential must have: putting an older ciphertext back does not open.';
COMMENT ON COLUMN connections.synced_at IS 'When the last sync read everything it wanted to.';

CREATE TABLE credentials (
    tenant_id     uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    version       bigint      NOT NULL,
    sealed        bytea       NOT NULL,
    expires_at    timestamptz,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, connection_id),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE credentials IS 'What opens the account at the provider, sealed. The platform''s role has no grant here.';
COMMENT ON COLUMN credentials.expires_at IS 'When the access token ends; NULL if the provider does not say.';

CREATE TABLE attempts (
    tenant_id         uuid        NOT NULL,
    id                uuid        NOT NULL,
    user_id           uuid        NOT NULL,
    session_id        uuid        NOT NULL,
    provider          text        NOT NULL,
    environment       text        NOT NULL,
    connection_id     uuid,
    state_hash        bytea       NOT NULL UNIQUE,
    browser_hash      bytea       NOT NULL,
    arrival_hash      bytea,
    verifier_sealed   bytea       NOT NULL,
    status            text        NOT NULL CHECK (status IN ('pending', 'exchanging', 'returned', 'stored', 'denied', 'failed', 'cancelled')),
    reason            text        NOT NULL DEFAULT '',
    provider_code     text        NOT NULL DEFAULT '',
    account_masked    text        NOT NULL DEFAULT '',
    returned_sealed   bytea,
    result_connection uuid,
    created_at        timestamptz NOT NULL,
    consumed_at       timestamptz,
    finished_at       timestamptz,
    expires_at        timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, result_connection) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE attempts IS 'One try to connect an account: who began it in which browser, and how it ended.';
COMMENT ON COLUMN attempts.session_id IS 'The session that began. No foreign key: a session that has ended refuses the arrival by not being there.';
COMMENT ON COLUMN attempts.connection_id IS 'Set when an existing connection is being reconnected; the account must then be the same.';
COMMENT ON COLUMN attempts.state_hash IS 'SHA-256 of the 256-bit state that the provider echoes.';
COMMENT ON COLUMN attempts.browser_hash IS 'SHA-256 of the flow cookie: the browser that returns must be the one that left.';
COMMENT ON COLUMN attempts.arrival_hash IS 'SHA-256 of the code that consumed it: tells a reloaded callback from another one where no state is echoed.';
COMMENT ON COLUMN attempts.returned_sealed IS 'Account and credential that came back without our state, waiting for the person to confirm; gone when the attempt ends.';
CREATE INDEX attempts_newest ON attempts (tenant_id, created_at DESC);
CREATE INDEX attempts_end ON attempts (expires_at);

CREATE TABLE snapshots (
    tenant_id      uuid        NOT NULL,
    connection_id  uuid        NOT NULL,
    block          text        NOT NULL CHECK (block IN ('merchant', 'company', 'user', 'wallet', 'wallet_flow')),
    version        bigint      NOT NULL,
    data_sealed    bytea       NOT NULL,
    raw_sealed     bytea       NOT NULL,
    content_hash   bytea       NOT NULL,
    provider_as_of timestamptz,
    source_zone    text        NOT NULL,
    partial        boolean     NOT NULL,
    changed_at     timestamptz NOT NULL,
    fetched_at     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, connection_id, block, version),
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE snapshots IS 'What a provider told, version by version; an unchanged answer only moves fetched_at of the newest.';
COMMENT ON COLUMN snapshots.content_hash IS 'Keyed hash of the normalised data: tells whether anything changed without opening it.';

CREATE TABLE account_claims (
    provider          text        NOT NULL,
    environment       text        NOT NULL,
    account_hash      bytea       NOT NULL,
    holder_tenant     uuid        NOT NULL,
    holder_connection uuid        NOT NULL,
    claimed_at        timestamptz NOT NULL,
    PRIMARY KEY (provider, environment, account_hash),
    FOREIGN KEY (holder_tenant, holder_connection) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
        DEFERRABLE INITIALLY DEFERRED                            -- claimed and connected in one batch, in any order
);
COMMENT ON TABLE account_claims IS 'Which tenant holds an external account. Outside the tenants'' tables, reached only through claim_account and release_account.';
CREATE INDEX account_claims_holder ON account_claims (holder_tenant, holder_connection);

CREATE TABLE events (
    tenant_id     uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id            uuid        NOT NULL,
    connection_id uuid,
    actor_kind    text        NOT NULL CHECK (actor_kind IN ('person', 'staff', 'system')),
    actor_id      uuid,
    kind          text        NOT NULL,
    detail        jsonb       NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE events IS 'What happened in a tenant, written in the same transaction as the change; the serving roles may only add.';
COMMENT ON COLUMN events.detail IS 'Values for the sentence on the page; never a secret, never an unmasked account.';
CREATE INDEX events_connection ON events (tenant_id, connection_id, id DESC);

-- The platform ---------------------------------------------------------------------------------------------------

CREATE TABLE platform_events (
    id         uuid        PRIMARY KEY,
    actor_id   uuid,
    kind       text        NOT NULL,
    detail     jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE platform_events IS 'What happened to the platform itself, outside any tenant; add only.';

CREATE UNLOGGED TABLE rate_limits (
    key text        PRIMARY KEY,
    tat timestamptz NOT NULL
);
COMMENT ON TABLE rate_limits IS 'Limits shared by all replicas (GCRA): the theoretical arrival time of the next event per key. Keys are hashes.';

CREATE TABLE vault_canaries (
    name       text        PRIMARY KEY,
    sealed     bytea       NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE vault_canaries IS 'A known value sealed by the master keyset: a wrong key is noticed at start, not at the first request.';

-- The walls ------------------------------------------------------------------------------------------------------

-- +goose StatementBegin
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['memberships', 'tenant_keys', 'connections', 'credentials', 'attempts', 'snapshots', 'events'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY own_tenant ON %I TO mooring_app USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', tenant_table);
        IF tenant_table <> 'credentials' THEN
            EXECUTE format('CREATE POLICY platform_reads ON %I FOR SELECT TO mooring_platform USING (true)', tenant_table);
        END IF;
    END LOOP;
END
$$;
-- +goose StatementEnd

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON tenants TO mooring_app
    USING (id = (SELECT current_tenant())) WITH CHECK (id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON tenants FOR SELECT TO mooring_platform USING (true);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY own_person ON users TO mooring_app
    USING (id = (SELECT current_person())) WITH CHECK (id = (SELECT current_person()));
CREATE POLICY platform_reads ON users FOR SELECT TO mooring_platform USING (true);

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_person ON sessions TO mooring_app
    USING (user_id = (SELECT current_person())) WITH CHECK (user_id = (SELECT current_person()));

ALTER TABLE account_claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_claims FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_reads ON account_claims FOR SELECT TO mooring_platform USING (true);

ALTER TABLE platform_admins ENABLE ROW LEVEL SECURITY;
ALTER TABLE platform_admins FORCE ROW LEVEL SECURITY;
CREATE POLICY own_person ON platform_admins FOR SELECT TO mooring_app USING (user_id = (SELECT current_person()));
CREATE POLICY platform_reads ON platform_admins FOR SELECT TO mooring_platform USING (true);

GRANT SELECT, INSERT                 ON tenants, memberships, tenant_keys TO mooring_app;
GRANT SELECT, INSERT, UPDATE         ON users                             TO mooring_app;
GRANT SELECT                         ON platform_admins                   TO mooring_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, one_time_links          TO mooring_app;
GRANT SELECT, INSERT, UPDATE         ON connections, attempts, snapshots  TO mooring_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON credentials                       TO mooring_app;
GRANT SELECT, INSERT                 ON events                            TO mooring_app;
GRANT INSERT                         ON platform_events                   TO mooring_app; -- staff who change their own password
GRANT SELECT, INSERT, UPDATE, DELETE ON rate_limits                       TO mooring_app;
GRANT SELECT, INSERT                 ON vault_canaries                    TO mooring_app;

COMMENT ON TABLE goose_db_version IS 'Which migrations have been applied. goose makes the table before the first of them.';
GRANT SELECT ON goose_db_version TO mooring_app;                 -- serving checks the version

GRANT SELECT ON tenants, memberships, tenant_keys, connections, attempts, snapshots, account_claims, platform_admins TO mooring_platform;
GRANT SELECT (id, kind, email, language, created_at) ON users TO mooring_platform;
GRANT SELECT, INSERT ON events, platform_events TO mooring_platform;
CREATE POLICY platform_adds ON events FOR INSERT TO mooring_platform WITH CHECK (actor_kind = 'staff');

-- The doors before a tenant is known: ids only -------------------------------------------------------------------

-- +goose StatementBegin
CREATE FUNCTION open_session(presented bytea, idle interval)
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

CREATE FUNCTION person_by_email(wanted text) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT id FROM users WHERE email = wanted $$;
COMMENT ON FUNCTION person_by_email(text) IS 'Whose address it is, at sign-in and when a password is forgotten.';

CREATE FUNCTION tenants_of(person uuid) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT m.tenant_id FROM memberships m WHERE m.user_id = person ORDER BY m.created_at, m.tenant_id $$;
COMMENT ON FUNCTION tenants_of(uuid) IS 'Where a person works, oldest membership first.';

-- +goose StatementBegin
CREATE FUNCTION claim_account(p text, e text, h bytea, connection uuid) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
-- +goose StatementEnd
COMMENT ON FUNCTION claim_account(text, text, bytea, uuid) IS 'The current tenant holds the account from now on; fails with MR002 when another does, without telling which.';

CREATE FUNCTION release_account(p text, e text, h bytea) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ DELETE FROM account_claims WHERE provider = p AND environment = e AND account_hash = h AND holder_tenant = current_tenant() $$;
COMMENT ON FUNCTION release_account(text, text, bytea) IS 'Gives the account free when the current tenant disconnects it.';

CREATE FUNCTION sweep(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH s AS (DELETE FROM sessions       WHERE expires_at < before RETURNING 1),
         l AS (DELETE FROM one_time_links WHERE expires_at < before RETURNING 1),
         a AS (DELETE FROM attempts       WHERE expires_at < before - interval '30 days' RETURNING 1),
         r AS (DELETE FROM rate_limits    WHERE tat < before RETURNING 1)
    SELECT (SELECT count(*) FROM s) + (SELECT count(*) FROM l) + (SELECT count(*) FROM a) + (SELECT count(*) FROM r)
    $$;
COMMENT ON FUNCTION sweep(timestamptz) IS 'Removes what has ended: sessions and links at once, attempts after 30 days (they answer "what happened to my try?").';

-- +goose StatementBegin
CREATE FUNCTION insist(rows bigint) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF rows <> 1 THEN
        RAISE EXCEPTION 'the row has moved on' USING ERRCODE = 'MR001';
    END IF;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION insist(bigint) IS 'Fails with MR001 unless exactly one row was hit, so that a batch sent in one round trip is all or nothing.';

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_tenant(), current_person(), insist(bigint) TO mooring_app, mooring_platform;
GRANT EXECUTE ON FUNCTION open_session(bytea, interval), person_by_email(text), tenants_of(uuid),
    claim_account(text, text, bytea, uuid), release_account(text, text, bytea), sweep(timestamptz) TO mooring_app;

-- River keeps its own tables in its own schema; its migrations run after ours and inherit these grants.
CREATE SCHEMA river;
COMMENT ON SCHEMA river IS 'Background jobs; the tables belong to the river library. Jobs carry ids, never data.';
GRANT USAGE ON SCHEMA river TO mooring_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA river GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO mooring_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA river GRANT USAGE, SELECT ON SEQUENCES TO mooring_app;

-- +goose Down
DROP SCHEMA river CASCADE;
DROP FUNCTION insist(bigint), sweep(timestamptz), release_account(text, text, bytea), claim_account(text, text, bytea, uuid),
    tenants_of(uuid), person_by_email(text), open_session(bytea, interval);
DROP TABLE vault_canaries, rate_limits, platform_events, events, account_claims, snapshots, attempts, credentials,
    connections, tenant_keys, one_time_links, sessions, platform_admins, memberships, tenants, users CASCADE;
DROP FUNCTION current_person(), current_tenant();

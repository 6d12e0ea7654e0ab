-- A second proof of who somebody is, and how recently they gave it.
--
-- A factor is an authenticator app (TOTP) or a passkey; recovery codes stand in for a lost one, each once. They belong to
-- the person, whatever tenant they work in. A ticket is the middle of something that takes two requests: a password that
-- was right but is not enough, a passkey's challenge. It is found by the hash of a token that the browser holds, and it
-- can be taken once.

-- +goose Up
ALTER TABLE sessions ADD COLUMN proved_at timestamptz;
UPDATE sessions SET proved_at = created_at;
ALTER TABLE sessions ALTER COLUMN proved_at SET DEFAULT now(), ALTER COLUMN proved_at SET NOT NULL;
COMMENT ON COLUMN sessions.proved_at IS 'When the person last proved in this session who they are; what is sensitive wants that to be recent.';

CREATE TABLE factors (
    user_id       uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    id            uuid        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('totp', 'passkey')),
    label         text        NOT NULL CHECK (length(label) BETWEEN 1 AND 60),
    secret_sealed bytea,
    last_step     bigint      NOT NULL DEFAULT 0,
    handle        bytea       UNIQUE,
    credential    jsonb,
    created_at    timestamptz NOT NULL,
    used_at       timestamptz,
    PRIMARY KEY (user_id, id),
    CHECK ((kind = 'totp') = (secret_sealed IS NOT NULL)),
    CHECK ((kind = 'passkey') = (handle IS NOT NULL AND credential IS NOT NULL))
);
COMMENT ON TABLE factors IS 'What a person proves themselves with besides the password.';
COMMENT ON COLUMN factors.last_step IS 'The newest 30-second step of which a code was taken: no code is taken twice.';
COMMENT ON COLUMN factors.handle IS 'The passkey''s credential id.';
COMMENT ON COLUMN factors.credential IS 'The passkey''s public half with its counters; nothing of it is secret.';

CREATE TABLE recovery_codes (
    user_id    uuid        NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash  bytea       NOT NULL,
    created_at timestamptz NOT NULL,
    used_at    timestamptz,
    PRIMARY KEY (user_id, code_hash)
);
COMMENT ON TABLE recovery_codes IS 'Stand in for a lost factor, each once.';
COMMENT ON COLUMN recovery_codes.code_hash IS 'Keyed hash of the code.';

CREATE TABLE tickets (
    token_hash bytea       PRIMARY KEY,
    purpose    text        NOT NULL CHECK (purpose IN ('signin', 'passkey_signin', 'passkey_add', 'passkey_prove', 'totp_add')),
    user_id    uuid        REFERENCES users ON DELETE CASCADE,
    session_id uuid        REFERENCES sessions ON DELETE CASCADE,
    data       jsonb       NOT NULL DEFAULT '{}',
    sealed     bytea,
    tries      int         NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE tickets IS 'The middle of what takes two requests; whoever holds the token may go on with it, once.';
COMMENT ON COLUMN tickets.token_hash IS 'SHA-256 of the 256-bit token in the browser''s cookie.';
COMMENT ON COLUMN tickets.session_id IS 'The session that began it; NULL while nobody is signed in.';
COMMENT ON COLUMN tickets.data IS 'A passkey''s challenge with its conditions.';
COMMENT ON COLUMN tickets.sealed IS 'The secret of an authenticator app that has not shown a code yet.';
CREATE INDEX tickets_end ON tickets (expires_at);
CREATE INDEX tickets_user ON tickets (user_id);
CREATE INDEX tickets_session ON tickets (session_id);

ALTER TABLE factors ENABLE ROW LEVEL SECURITY;
ALTER TABLE factors FORCE ROW LEVEL SECURITY;
CREATE POLICY own_person ON factors TO mooring_app
    USING (user_id = (SELECT current_person())) WITH CHECK (user_id = (SELECT current_person()));
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY own_person ON recovery_codes TO mooring_app
    USING (user_id = (SELECT current_person())) WITH CHECK (user_id = (SELECT current_person()));
GRANT SELECT, INSERT, UPDATE, DELETE ON factors, recovery_codes, tickets TO mooring_app;

CREATE FUNCTION person_by_passkey(presented bytea) RETURNS uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT user_id FROM factors WHERE handle = presented $$;
COMMENT ON FUNCTION person_by_passkey(bytea) IS 'Whose passkey it is, at sign-in without an address.';

CREATE FUNCTION sweep_tickets(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH t AS (DELETE FROM tickets WHERE expires_at < before RETURNING 1) SELECT count(*) FROM t $$;
COMMENT ON FUNCTION sweep_tickets(timestamptz) IS 'Removes tickets that nobody took in time.';
REVOKE EXECUTE ON FUNCTION person_by_passkey(bytea), sweep_tickets(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_by_passkey(bytea), sweep_tickets(timestamptz) TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_tickets(timestamptz), person_by_passkey(bytea);
DROP TABLE tickets, recovery_codes, factors;
ALTER TABLE sessions DROP COLUMN proved_at;

-- Who was told what: notices in the app, and the letters that went with them.
--
-- Both are derived from events and from nothing else. An event may be told twice, by two replicas at once even: the unique keys
-- here see to it that a person finds one notice and gets one letter. A letter's row carries no words and no address; they
-- are found when it is sent.

-- +goose Up
CREATE TABLE notices (
    tenant_id     uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    event_id      uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    kind          text        NOT NULL,
    detail        jsonb       NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL,
    read_at       timestamptz,
    PRIMARY KEY (tenant_id, user_id, id),
    UNIQUE (tenant_id, user_id, event_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE notices IS 'What a member is told in the app. The sentence is made when it is shown, in the reader''s language.';
COMMENT ON COLUMN notices.kind IS 'The event''s kind.';
COMMENT ON COLUMN notices.detail IS 'The event''s detail; never a secret, never an unmasked account.';
COMMENT ON COLUMN notices.created_at IS 'When it happened, which is when the event was written.';
CREATE INDEX notices_unread ON notices (tenant_id, user_id, id) WHERE read_at IS NULL;
COMMENT ON INDEX notices_unread IS 'The count in the head of every page, and the unread ones in front of the list.';
CREATE INDEX notices_connection ON notices (tenant_id, connection_id);

CREATE TABLE notice_letters (
    tenant_id     uuid        NOT NULL,
    user_id       uuid        NOT NULL,
    id            uuid        NOT NULL,
    event_id      uuid        NOT NULL,
    connection_id uuid        NOT NULL,
    kind          text        NOT NULL,
    key           text        NOT NULL,
    due_at        timestamptz NOT NULL,
    status        text        NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'sent', 'moot', 'refused', 'not_sent')),
    finished_at   timestamptz,
    PRIMARY KEY (tenant_id, user_id, id),
    UNIQUE (tenant_id, user_id, event_id),
    UNIQUE (tenant_id, user_id, key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, connection_id) REFERENCES connections ON DELETE CASCADE
);
COMMENT ON TABLE notice_letters IS 'One letter to one member about one event. Address, language and words are found when it is sent.';
COMMENT ON COLUMN notice_letters.key IS 'What there is one letter of: a kind about a connection in a quiet time, a deadline, a recovery. A moot one makes room.';
COMMENT ON COLUMN notice_letters.due_at IS 'Not before this: what comes too soon after the one before waits, and may be moot by then.';
COMMENT ON COLUMN notice_letters.status IS 'waiting; sent; moot: no longer true or wanted when it was to be sent; refused for good by the mail server; not_sent: no mail is configured.';
CREATE INDEX notice_letters_before ON notice_letters (tenant_id, user_id, connection_id, kind, due_at DESC);
COMMENT ON INDEX notice_letters_before IS 'The letter before this one, which the quiet time is counted from.';

CREATE TABLE notice_choices (
    tenant_id uuid    NOT NULL,
    user_id   uuid    NOT NULL,
    kind      text    NOT NULL,
    mail      boolean NOT NULL,
    PRIMARY KEY (tenant_id, user_id, kind),
    FOREIGN KEY (tenant_id, user_id) REFERENCES memberships ON DELETE CASCADE
);
COMMENT ON TABLE notice_choices IS 'Whether a member wants mail of a kind. No row: what their role suggests.';

-- +goose StatementBegin
DO $$
DECLARE
    tenant_table text;
BEGIN
    FOREACH tenant_table IN ARRAY ARRAY['notices', 'notice_letters', 'notice_choices'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
        EXECUTE format('CREATE POLICY own_tenant ON %I TO mooring_app USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))', tenant_table);
        EXECUTE format('CREATE POLICY platform_reads ON %I FOR SELECT TO mooring_platform USING (true)', tenant_table);
    END LOOP;
END
$$;
-- +goose StatementEnd
GRANT SELECT, INSERT, UPDATE ON notices, notice_letters, notice_choices TO mooring_app;
GRANT SELECT ON notices, notice_letters, notice_choices TO mooring_platform;

CREATE FUNCTION sweep_notices(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$
    WITH n AS (DELETE FROM notices        WHERE created_at < before - interval '180 days' RETURNING 1),
         l AS (DELETE FROM notice_letters WHERE due_at     < before - interval '180 days' RETURNING 1)
    SELECT (SELECT count(*) FROM n) + (SELECT count(*) FROM l)
    $$;
COMMENT ON FUNCTION sweep_notices(timestamptz) IS 'Removes notices and letters after 180 days; the events they told of stay.';
CREATE INDEX notices_age ON notices (created_at);
CREATE INDEX notice_letters_age ON notice_letters (due_at);
REVOKE EXECUTE ON FUNCTION sweep_notices(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_notices(timestamptz) TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_notices(timestamptz);
DROP TABLE notice_choices;
DROP TABLE notice_letters;
DROP TABLE notices;

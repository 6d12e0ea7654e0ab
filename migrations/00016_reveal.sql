-- What tells several accounts at one provider apart, and which letters were sent about a connection.

-- +goose Up
ALTER TABLE connections ADD COLUMN label text NOT NULL DEFAULT '' CHECK (char_length(label) <= 60);
COMMENT ON COLUMN connections.label IS 'What its tenant calls the account; empty: nothing of their own.';

CREATE INDEX notice_letters_connection ON notice_letters (tenant_id, connection_id) WHERE status = 'sent';
COMMENT ON INDEX notice_letters_connection IS 'The letters about a connection, for its timeline.';

-- +goose Down
DROP INDEX notice_letters_connection;
ALTER TABLE connections DROP COLUMN label;

-- Which kinds of data the provider does not let be read, so that a page can name what permission is missing, and who must
-- give it. The state of a connection says only that something is missing.

-- +goose Up
ALTER TABLE connections ADD COLUMN refused text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN connections.refused IS 'The blocks that the last reading was refused for want of permission. A reading that broke off for another reason, or a reading before this was kept, leaves it as it was.';

-- +goose Down
ALTER TABLE connections DROP COLUMN refused;

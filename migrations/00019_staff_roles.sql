-- What a member of the platform's staff may do. Whoever was an admin before may do everything, as before.

-- +goose Up
ALTER TABLE platform_admins
    ADD COLUMN roles text[] NOT NULL DEFAULT '{reviewer,operator,auditor,security}'
        CHECK (cardinality(roles) > 0 AND roles <@ '{reviewer,operator,auditor,security}'::text[]);
COMMENT ON COLUMN platform_admins.roles IS 'reviewer: decides on merchants. operator: keeps providers, callbacks, webhooks and jobs running. auditor: reads and proves the history. security: keys, and what protects people.';

-- +goose Down
ALTER TABLE platform_admins DROP COLUMN roles;

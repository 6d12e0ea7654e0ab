-- The team: who works in a tenant, who is invited to, and who works in several.
--
-- An invitation is addressed to a mail address and names a role; with a provider it asks its addressee to do one step: to
-- connect an account there. Its link is a one-time link like the others, minted when it is sent; a new one replaces it.
-- The link outlives the invitation by 30 days, so that whoever comes late can ask for another one.
--
-- The serving role may change roles and remove members, but never the last owner: a trigger decides, under a lock on the
-- tenant, so that of two owners who remove each other one stays.

-- +goose Up
ALTER TABLE memberships ADD COLUMN seen_at timestamptz;
COMMENT ON COLUMN memberships.seen_at IS 'When the person last worked in this tenant; signing in leads to the one seen last.';
GRANT UPDATE (role), DELETE ON memberships TO mooring_app;

CREATE TABLE invitations (
    tenant_id   uuid        NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id          uuid        NOT NULL,
    email       text        NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
    role        text        NOT NULL CHECK (role IN ('owner', 'operator', 'viewer')),
    provider    text        NOT NULL DEFAULT '',
    joins       boolean     NOT NULL,
    language    text        NOT NULL CHECK (language IN ('zh-CN', 'en')),
    invited_by  uuid        NOT NULL,
    life        interval    NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    asked_at    timestamptz,
    accepted_at timestamptz,
    accepted_by uuid,
    done_at     timestamptz,
    revoked_at  timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((accepted_at IS NULL) = (accepted_by IS NULL))
);
COMMENT ON TABLE invitations IS 'Who is asked to join a tenant, or to do one step in it.';
COMMENT ON COLUMN invitations.email IS 'Canonical address; only the person who has it can accept.';
COMMENT ON COLUMN invitations.provider IS 'The step: where an account is to be connected; empty for a plain invitation.';
COMMENT ON COLUMN invitations.joins IS 'Accepting makes a member. False: the addressee was one already, and must still be.';
COMMENT ON COLUMN invitations.invited_by IS 'Who sent it last. No foreign key: it is told even when they are gone.';
COMMENT ON COLUMN invitations.life IS 'How long its link works, as the sender chose; sending again begins it anew.';
COMMENT ON COLUMN invitations.asked_at IS 'When the addressee of an expired link asked for a new one.';
COMMENT ON COLUMN invitations.done_at IS 'When the person who accepted a step had connected.';
CREATE UNIQUE INDEX invitations_open ON invitations (tenant_id, email, provider) WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_end ON invitations (expires_at);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY own_tenant ON invitations TO mooring_app
    USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()));
CREATE POLICY platform_reads ON invitations FOR SELECT TO mooring_platform USING (true);
GRANT SELECT, INSERT, UPDATE ON invitations TO mooring_app;
GRANT SELECT ON invitations TO mooring_platform;

ALTER TABLE one_time_links ADD COLUMN invited_to uuid, ADD COLUMN invitation_id uuid,
    ADD FOREIGN KEY (invited_to, invitation_id) REFERENCES invitations ON DELETE CASCADE,
    ADD CHECK ((purpose = 'invitation') = (invitation_id IS NOT NULL) AND (invited_to IS NULL) = (invitation_id IS NULL));
-- One more purpose, beside whatever others there are already.
-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check '
        || replace(purposes, '''known''::text', '''known''::text, ''invitation''::text');
END
$$;
-- +goose StatementEnd
COMMENT ON COLUMN one_time_links.invited_to IS 'The tenant of the invitation that the link opens.';
CREATE INDEX one_time_links_invitation ON one_time_links (invited_to, invitation_id);

-- A step is done when whoever accepted it has connected.
-- +goose StatementBegin
CREATE FUNCTION step_done() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invitations SET done_at = now()
     WHERE tenant_id = NEW.tenant_id AND provider = NEW.provider AND accepted_by = NEW.user_id AND done_at IS NULL AND revoked_at IS NULL;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION step_done() IS 'Ends the steps that a finished attempt was asked for in.';
CREATE TRIGGER attempts_step AFTER UPDATE OF status ON attempts
    FOR EACH ROW WHEN (NEW.status = 'stored' AND OLD.status <> 'stored') EXECUTE FUNCTION step_done();
CREATE INDEX invitations_step ON invitations (tenant_id, provider, accepted_by) WHERE provider <> '' AND done_at IS NULL;

-- Where somebody works is where they were last; waiting for a row that somebody else holds is not worth it.
-- +goose StatementBegin
CREATE FUNCTION seen_at_work() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE memberships m SET seen_at = now()
      FROM (SELECT tenant_id, user_id FROM memberships
             WHERE tenant_id = NEW.tenant_id AND user_id = NEW.user_id FOR NO KEY UPDATE SKIP LOCKED) here
     WHERE m.tenant_id = here.tenant_id AND m.user_id = here.user_id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION seen_at_work() IS 'Carries the presence of a session over to the membership, which outlives it.';
CREATE TRIGGER sessions_seen AFTER INSERT OR UPDATE OF seen_at, tenant_id ON sessions
    FOR EACH ROW WHEN (NEW.tenant_id IS NOT NULL) EXECUTE FUNCTION seen_at_work();

-- +goose StatementBegin
CREATE FUNCTION keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM tenants WHERE id = OLD.tenant_id FOR NO KEY UPDATE;
    IF NOT EXISTS (SELECT FROM memberships WHERE tenant_id = OLD.tenant_id AND role = 'owner') THEN
        RAISE EXCEPTION 'the tenant would have no owner' USING ERRCODE = 'MR003';
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION keep_an_owner() IS 'Fails with MR003 when the serving role takes the last owner away. Whoever mends by hand may.';
CREATE TRIGGER memberships_owner_left AFTER DELETE ON memberships
    FOR EACH ROW WHEN (OLD.role = 'owner' AND current_user = 'mooring_app') EXECUTE FUNCTION keep_an_owner();
CREATE TRIGGER memberships_owner_changed AFTER UPDATE OF role ON memberships
    FOR EACH ROW WHEN (OLD.role = 'owner' AND NEW.role <> 'owner' AND current_user = 'mooring_app') EXECUTE FUNCTION keep_an_owner();

CREATE FUNCTION colleagues() RETURNS TABLE (user_id uuid, email text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT u.id, u.email FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.tenant_id = current_tenant() $$;
COMMENT ON FUNCTION colleagues() IS 'The addresses of the current tenant''s members, and nothing else of them: the policy on users shows a person to themselves only.';

CREATE FUNCTION workplaces() RETURNS TABLE (tenant_id uuid, name text, role text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT t.id, t.name, m.role FROM memberships m JOIN tenants t ON t.id = m.tenant_id
        WHERE m.user_id = current_person() ORDER BY m.seen_at DESC NULLS LAST, m.created_at, t.id $$;
COMMENT ON FUNCTION workplaces() IS 'Where the current person works, the tenant they were in last first.';

CREATE FUNCTION sweep_invitations(before timestamptz) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ WITH i AS (DELETE FROM invitations WHERE expires_at < before - interval '30 days' RETURNING 1) SELECT count(*) FROM i $$;
COMMENT ON FUNCTION sweep_invitations(timestamptz) IS 'Removes invitations 30 days after their end; the history keeps what became of them.';

REVOKE EXECUTE ON FUNCTION step_done(), seen_at_work(), keep_an_owner(), colleagues(), workplaces(), sweep_invitations(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION colleagues(), workplaces(), sweep_invitations(timestamptz) TO mooring_app;

-- +goose Down
DROP FUNCTION sweep_invitations(timestamptz), workplaces(), colleagues();
DROP TRIGGER memberships_owner_changed ON memberships;
DROP TRIGGER memberships_owner_left ON memberships;
DROP TRIGGER sessions_seen ON sessions;
DROP TRIGGER attempts_step ON attempts;
DROP FUNCTION keep_an_owner(), seen_at_work(), step_done();
DELETE FROM one_time_links WHERE purpose = 'invitation';
ALTER TABLE one_time_links DROP COLUMN invited_to, DROP COLUMN invitation_id;
-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check ' || replace(purposes, ', ''invitation''::text', '');
END
$$;
-- +goose StatementEnd
DROP TABLE invitations;
REVOKE UPDATE (role), DELETE ON memberships FROM mooring_app;
ALTER TABLE memberships DROP COLUMN seen_at;

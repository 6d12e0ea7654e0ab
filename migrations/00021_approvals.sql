-- Four eyes for what concerns many or leaves the house, and the glass that may be broken when nobody else is there.
--
-- One of the staff asks, another one decides, and the act is carried out once. What it concerns is listed when it is asked
-- for: the second one decides on exactly these connections. That nobody decides on what they asked for themselves is a
-- constraint, not a habit of the program. Who goes alone does it loudly: the others get a letter, everybody sees it, and it
-- stays so until somebody else has reviewed it. All of it is the platform's own: the merchants' role has no grant here.

-- +goose Up
CREATE TABLE approvals (
    id          uuid        PRIMARY KEY,
    act         text        NOT NULL CHECK (act IN ('remind', 'withdraw', 'export', 'reveal')),
    state       text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'done', 'declined', 'cancelled')),
    tenant      uuid        REFERENCES tenants ON DELETE CASCADE,
    provider    text        NOT NULL DEFAULT '',
    within_days int         NOT NULL DEFAULT 0,
    reason      text        NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    number      int         NOT NULL,
    asked_by    uuid        NOT NULL REFERENCES users,
    asked_at    timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    alone       boolean     NOT NULL DEFAULT false,
    alarm_at    timestamptz,
    decided_by  uuid        REFERENCES users,
    decided_at  timestamptz,
    note        text        NOT NULL DEFAULT '' CHECK (length(note) <= 500),
    until_at    timestamptz,
    due_at      timestamptz,
    done_at     timestamptz,
    reviewed_by uuid        REFERENCES users,
    reviewed_at timestamptz,
    review_note text        NOT NULL DEFAULT '' CHECK (length(review_note) <= 500),
    CONSTRAINT four_eyes CHECK (decided_by <> asked_by),
    CONSTRAINT two_decide CHECK (state IN ('open', 'cancelled') OR alone OR decided_by IS NOT NULL),
    CONSTRAINT others_review CHECK (reviewed_by <> asked_by),
    CHECK ((reviewed_by IS NULL) = (reviewed_at IS NULL)),
    CHECK (alone OR reviewed_at IS NULL)
);
COMMENT ON TABLE approvals IS 'Acts of the staff that want a second one of them: who asked for what and why, who decided, what came of it.';
COMMENT ON COLUMN approvals.act IS 'remind: tell many merchants that access ends. withdraw: end the access of many connections. export: take a chain of the history along. reveal: look at all personal values of a merchant.';
COMMENT ON COLUMN approvals.state IS 'Past expires_at an open one has expired, and past until_at an approved one is over; both are read from the clock.';
COMMENT ON COLUMN approvals.tenant IS 'What it is narrowed to, with provider and within_days; of an export, NULL is the platform''s own chain.';
COMMENT ON COLUMN approvals.number IS 'How many it concerned when it was asked for: connections, or entries of the chain.';
COMMENT ON COLUMN approvals.alone IS 'Nobody else decided: break-glass. Somebody else has to review it.';
COMMENT ON COLUMN approvals.alarm_at IS 'When the other members of the staff are to be told; NULL: they have been, or need not be.';
COMMENT ON COLUMN approvals.until_at IS 'Until when an export can be taken, or values be looked at.';
COMMENT ON COLUMN approvals.due_at IS 'When the act is carried out, or gone on with; NULL: it is not done in the background, or all is done.';
CREATE INDEX approvals_waiting ON approvals (expires_at) WHERE state = 'open';
CREATE INDEX approvals_unreviewed ON approvals (id) WHERE alone AND reviewed_at IS NULL;
CREATE INDEX approvals_due ON approvals (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX approvals_loud ON approvals (alarm_at) WHERE alarm_at IS NOT NULL;

CREATE TABLE approval_targets (
    approval   uuid        NOT NULL REFERENCES approvals ON DELETE CASCADE,
    tenant     uuid        NOT NULL,
    connection uuid        NOT NULL,
    outcome    text        CHECK (outcome IN ('done', 'skipped', 'failed')),
    done_at    timestamptz,
    PRIMARY KEY (approval, connection),
    FOREIGN KEY (tenant, connection) REFERENCES connections (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE approval_targets IS 'The connections that an act concerns, listed when it was asked for.';
COMMENT ON COLUMN approval_targets.outcome IS 'NULL: not yet. skipped: there was nothing to do any more.';
CREATE INDEX approval_targets_left ON approval_targets (approval) WHERE outcome IS NULL;
CREATE INDEX approval_targets_connection ON approval_targets (tenant, connection);

ALTER TABLE approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY platform_reads ON approvals FOR SELECT TO mooring_platform USING (true);
CREATE POLICY platform_moves ON approvals FOR UPDATE TO mooring_platform USING (true);
CREATE POLICY platform_asks ON approvals FOR INSERT TO mooring_platform
    WITH CHECK (decided_by IS NULL AND reviewed_by IS NULL AND CASE WHEN alone THEN state = 'approved' AND alarm_at IS NOT NULL ELSE state = 'open' END);
COMMENT ON POLICY platform_asks ON approvals IS 'Nothing begins decided, and nobody goes alone without the alarm.';
GRANT SELECT, INSERT ON approvals TO mooring_platform;
GRANT UPDATE (state, decided_by, decided_at, note, until_at, due_at, done_at, reviewed_by, reviewed_at, review_note) ON approvals TO mooring_platform;
GRANT SELECT, INSERT, UPDATE (outcome, done_at) ON approval_targets TO mooring_platform;

-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check '
        || replace(purposes, '''known''::text', '''known''::text, ''alarm''::text');
END
$$;

CREATE FUNCTION waiting_approvals() RETURNS int[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT ARRAY[(SELECT count(*)::int FROM approvals WHERE state = 'open' AND expires_at > now()),
                 (SELECT count(*)::int FROM approvals WHERE alone AND reviewed_at IS NULL)]
     WHERE EXISTS (SELECT FROM platform_admins WHERE user_id = current_person())
$$;
COMMENT ON FUNCTION waiting_approvals() IS 'How many acts wait for a decision, and how many were done alone and wait for their review; NULL for whoever is not of the staff. Every page of theirs tells it.';

-- STABLE on purpose: it sees the approvals that were there before the statement, and so not the one that is being made with its list.
CREATE FUNCTION list_is_frozen() RETURNS trigger
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM approvals WHERE id = NEW.approval) THEN
        RAISE EXCEPTION 'what an approval concerns is listed when it is asked for' USING ERRCODE = 'MR001';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION claim_due_approvals(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    UPDATE approvals a SET due_at = before + interval '5 minutes'
     WHERE a.id IN (SELECT d.id FROM approvals d WHERE d.due_at <= before ORDER BY d.due_at FOR UPDATE SKIP LOCKED LIMIT most)
    RETURNING NULL::uuid, a.id, '';
END
$$;

CREATE FUNCTION next_due_approvals() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT min(due_at) FROM approvals WHERE due_at IS NOT NULL $$;

CREATE FUNCTION claim_due_alarms(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    WITH loud AS (
        UPDATE approvals a SET alarm_at = NULL
         WHERE a.id IN (SELECT d.id FROM approvals d WHERE d.alarm_at <= before ORDER BY d.alarm_at FOR UPDATE SKIP LOCKED LIMIT most)
        RETURNING a.asked_by)
    INSERT INTO one_time_links AS letter (id, purpose, email, user_id, language, created_at, expires_at)
    SELECT gen_random_uuid(), 'alarm', u.email, u.id, u.language, now(), now() + interval '7 days'
      FROM loud JOIN platform_admins s ON s.user_id <> loud.asked_by JOIN users u ON u.id = s.user_id
    RETURNING NULL::uuid, letter.id, '';
END
$$;

CREATE FUNCTION next_due_alarms() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
    $$ SELECT min(alarm_at) FROM approvals WHERE alarm_at IS NOT NULL $$;
-- +goose StatementEnd
COMMENT ON FUNCTION claim_due_approvals(timestamptz, int) IS 'Takes acts to be carried out. One whose worker dies falls due again in five minutes, and goes on with what is left.';
COMMENT ON FUNCTION next_due_approvals() IS 'When the next act is to be carried out; NULL: none.';
COMMENT ON FUNCTION claim_due_alarms(timestamptz, int) IS 'Makes the letters that tell all other members of the staff that one of them went alone.';
COMMENT ON FUNCTION next_due_alarms() IS 'When the next letters of an alarm are to be made; NULL: none.';
COMMENT ON FUNCTION list_is_frozen() IS 'Refuses connections that are added to an act after it was asked for: the second of the staff has decided on a list.';
CREATE TRIGGER approval_targets_frozen BEFORE INSERT ON approval_targets FOR EACH ROW EXECUTE FUNCTION list_is_frozen();
REVOKE EXECUTE ON FUNCTION list_is_frozen(), waiting_approvals(), claim_due_approvals(timestamptz, int), next_due_approvals(),
    claim_due_alarms(timestamptz, int), next_due_alarms() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION waiting_approvals(), claim_due_approvals(timestamptz, int), next_due_approvals(),
    claim_due_alarms(timestamptz, int), next_due_alarms() TO mooring_app;

-- +goose Down
DROP FUNCTION next_due_alarms(), claim_due_alarms(timestamptz, int), next_due_approvals(), claim_due_approvals(timestamptz, int), waiting_approvals();
DELETE FROM one_time_links WHERE purpose = 'alarm';
-- +goose StatementBegin
DO $$
DECLARE
    purposes text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'one_time_links_purpose_check');
BEGIN
    ALTER TABLE one_time_links DROP CONSTRAINT one_time_links_purpose_check;
    EXECUTE 'ALTER TABLE one_time_links ADD CONSTRAINT one_time_links_purpose_check ' || replace(purposes, ', ''alarm''::text', '');
END
$$;
-- +goose StatementEnd
DROP TABLE approval_targets, approvals;
DROP FUNCTION list_is_frozen();

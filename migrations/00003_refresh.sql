-- Credentials that are renewed: one holder at a time over all replicas, and no token used twice without a note of it.
--
-- Whoever renews takes a lease on the row, with a number that only grows; a holder whose number has been passed cannot
-- write any more. That the provider is asked is written down before it is asked: a lease that ran out with that note still
-- there means that nobody knows whether the provider has changed the tokens, and the next try is marked as the recovery.

-- +goose Up
ALTER TABLE credentials
    ADD COLUMN fence            bigint      NOT NULL DEFAULT 0,
    ADD COLUMN lease_until      timestamptz,
    ADD COLUMN refresh_state    text        NOT NULL DEFAULT '' CHECK (refresh_state IN ('', 'asked', 'recovering', 'refused')),
    ADD COLUMN refresh_failures integer     NOT NULL DEFAULT 0,
    ADD COLUMN retry_at         timestamptz,
    ADD COLUMN next_refresh_at  timestamptz,
    ADD COLUMN previous_version bigint,
    ADD COLUMN previous_sealed  bytea,
    ADD CHECK (num_nonnulls(previous_version, previous_sealed) <> 1);
COMMENT ON COLUMN credentials.expires_at IS 'When access ends unless a person acts: of a token that is renewed by itself, the end of what renews it. NULL if the provider does not say.';
COMMENT ON COLUMN credentials.fence IS 'Grows with every lease. A holder writes only under the number it was given.';
COMMENT ON COLUMN credentials.lease_until IS 'Until when one holder renews this credential, longer than its call may take; NULL: nobody does.';
COMMENT ON COLUMN credentials.refresh_state IS 'Empty: nothing is open. asked: the provider was asked, the outcome is not known. recovering: asked once more with the same token, and marked so. refused: the provider has refused this version for certain and is not asked again.';
COMMENT ON COLUMN credentials.refresh_failures IS 'Failures in a row since the last renewal.';
COMMENT ON COLUMN credentials.retry_at IS 'Not before this, while the token at hand is still good.';
COMMENT ON COLUMN credentials.next_refresh_at IS 'When somebody must look without being asked by a read: ahead of the end of a long-lived token, or at the end of a lease. NULL for short-lived tokens, which are renewed when they are read with.';
COMMENT ON COLUMN credentials.previous_sealed IS 'The credential before this one, sealed at previous_version, until this one has worked once.';
CREATE INDEX credentials_due ON credentials (next_refresh_at) WHERE next_refresh_at IS NOT NULL;
COMMENT ON INDEX credentials_due IS 'Due work is found here, however many credentials are not due.';

-- The settings keep the plan on the index whatever the statistics say: they are old exactly when much has changed.
-- +goose StatementBegin
CREATE FUNCTION claim_due_refreshes(before timestamptz, most int)
    RETURNS TABLE (tenant_id uuid, id uuid, lane text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
    SET plan_cache_mode = force_custom_plan SET enable_seqscan = off AS $$
BEGIN
    RETURN QUERY
    UPDATE credentials k SET next_refresh_at = before + interval '1 minute'
     WHERE k.ctid = ANY (ARRAY(
           SELECT d.ctid FROM credentials d WHERE d.next_refresh_at <= before
            ORDER BY d.next_refresh_at LIMIT most FOR UPDATE SKIP LOCKED))
    RETURNING k.tenant_id, k.connection_id,
              (SELECT c.provider FROM connections c WHERE c.tenant_id = k.tenant_id AND c.id = k.connection_id);
END
$$;
-- +goose StatementEnd
COMMENT ON FUNCTION claim_due_refreshes(timestamptz, int) IS 'Takes credentials that are to be looked at now; the lane is their provider. What is not dealt with in a minute falls due again.';

CREATE FUNCTION next_due_refreshes() RETURNS timestamptz
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT next_refresh_at FROM credentials WHERE next_refresh_at IS NOT NULL ORDER BY next_refresh_at LIMIT 1
$$;
COMMENT ON FUNCTION next_due_refreshes() IS 'When the next credential is to be looked at; NULL: none will by itself.';

REVOKE EXECUTE ON FUNCTION claim_due_refreshes(timestamptz, int), next_due_refreshes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_due_refreshes(timestamptz, int), next_due_refreshes() TO mooring_app;

-- +goose Down
DROP FUNCTION next_due_refreshes(), claim_due_refreshes(timestamptz, int);
DROP INDEX credentials_due;
ALTER TABLE credentials
    DROP COLUMN previous_sealed, DROP COLUMN previous_version, DROP COLUMN next_refresh_at, DROP COLUMN retry_at,
    DROP COLUMN refresh_failures, DROP COLUMN refresh_state, DROP COLUMN lease_until, DROP COLUMN fence;
COMMENT ON COLUMN credentials.expires_at IS 'When the access token ends; NULL if the provider does not say.';

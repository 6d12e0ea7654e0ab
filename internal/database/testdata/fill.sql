-- One row in every table for one tenant ($TENANT$ is replaced by its id): the walls are tested against these rows.
-- A migration that adds a table adds a row here; the test names the table that has none.
INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
    VALUES ('$TENANT$', 'merchant', '$TENANT$@example.test', 'hash', now(), now());
INSERT INTO tenants (id, name, created_at) VALUES ('$TENANT$', 'Harbour', now());
INSERT INTO memberships (tenant_id, user_id, role, created_at) VALUES ('$TENANT$', '$TENANT$', 'owner', now());
INSERT INTO sessions (id, token_hash, user_id, tenant_id, created_at, seen_at, expires_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', now(), now(), now() + interval '1 day');
INSERT INTO tenant_keys (tenant_id, wrapped, created_at) VALUES ('$TENANT$', 'wrapped', now());
INSERT INTO key_turns (tenant_id, from_key, to_key, begun_at, due_at) VALUES ('$TENANT$', 1, 2, now(), now());
INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, state_since, credential_version, created_at)
    VALUES ('$TENANT$', '$TENANT$', 'asiabill', 'test', '$TENANT$', '12***89', 'sealed', 'connected', now(), 1, now());
INSERT INTO credentials (tenant_id, connection_id, version, sealed, updated_at) VALUES ('$TENANT$', '$TENANT$', 1, 'sealed', now());
INSERT INTO attempts (tenant_id, id, user_id, session_id, provider, environment, state_hash, browser_hash, verifier_sealed, status, created_at, expires_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', 'asiabill', 'test', '$TENANT$', 'hash', 'sealed', 'pending', now(), now() + interval '15 minutes');
INSERT INTO inbox (tenant_id, id, attempt_id, provider, serial, verified, content_hash, body_sealed, received_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', 'asiabill', 'serial', true, 'hash', 'sealed', now());
INSERT INTO callback_addresses (tenant_id, id, connection_id, token_hash, token_sealed, created_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', 'sealed', now());
INSERT INTO snapshots (tenant_id, connection_id, block, version, data_sealed, raw_sealed, content_hash, source_zone, partial, changed_at, fetched_at)
    VALUES ('$TENANT$', '$TENANT$', 'merchant', 1, 'sealed', 'sealed', 'hash', 'UTC', false, now(), now());
INSERT INTO revocations (tenant_id, id, connection_id, provider, state, sealed, next_at, until_at, created_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', 'asiabill', 'waiting', 'sealed', now(), now(), now());
INSERT INTO account_claims (provider, environment, account_hash, holder_tenant, holder_connection, claimed_at)
    VALUES ('asiabill', 'test', '$TENANT$', '$TENANT$', '$TENANT$', now());
INSERT INTO events (tenant_id, id, actor_kind, kind, created_at) VALUES ('$TENANT$', '$TENANT$', 'system', 'tenant.created', now());
INSERT INTO platform_admins (user_id, created_at) SELECT id, now() FROM users WHERE kind = 'staff';
INSERT INTO endpoints (id, url, kinds, created_at) VALUES ('$TENANT$', 'https://hooks.example/$TENANT$', '{tenant.created}', now());
INSERT INTO endpoint_secrets (endpoint_id, version, sealed, created_at) VALUES ('$TENANT$', 1, 'sealed', now());
INSERT INTO deliveries (tenant_id, id, endpoint_id, event_id, kind, body, created_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', 'tenant.created', '{}', now());
INSERT INTO delivery_tries (tenant_id, delivery_id, id, status, error, took_ms, tried_at) VALUES ('$TENANT$', '$TENANT$', '$TENANT$', 500, '', 1, now());
INSERT INTO notices (tenant_id, user_id, id, event_id, connection_id, kind, created_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', 'connection.needs_you', now());
INSERT INTO notice_letters (tenant_id, user_id, id, event_id, connection_id, kind, key, due_at)
    VALUES ('$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', '$TENANT$', 'connection.needs_you', 'key', now());
INSERT INTO notice_choices (tenant_id, user_id, kind, mail) VALUES ('$TENANT$', '$TENANT$', 'connection.needs_you', false);
INSERT INTO reviews (tenant_id, state, since, linked_at) VALUES ('$TENANT$', 'linked', now(), now());
INSERT INTO review_items (tenant_id, id, kind, provider) VALUES ('$TENANT$', '$TENANT$', 'connect', 'asiabill');
INSERT INTO review_notes (tenant_id, id, note, created_at) VALUES ('$TENANT$', '$TENANT$', 'note', now());
INSERT INTO closings (tenant_id, closed_at, closed_by, destroy_at, connections, master_version, audit_seq, audit_hash)
    VALUES ('$TENANT$', now(), '$TENANT$', now(), 1, 1, 1, 'hash');
INSERT INTO invitations (tenant_id, id, email, role, joins, language, invited_by, life, created_at, expires_at)
    VALUES ('$TENANT$', '$TENANT$', 'guest@example.test', 'viewer', true, 'en', '$TENANT$', '7 days', now(), now() + interval '7 days');

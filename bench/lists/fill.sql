-- Fills an empty database with bench.tenants merchants and five times as many connections, and with what comes of them:
-- reviews in all states, callbacks, mails, jobs, deliveries, history. What providers have told is left out, because no list reads it.
--
-- Shares are those of a large platform. In a small one what is rare is given more, so that the page of every filter is as
-- full there as in the large one: else the two would be compared over more rows, and not over more merchants.

SELECT setseed(0.42);
ALTER TABLE events DISABLE TRIGGER link; -- chaining an event costs more than all the rest, and no list looks at the chains
ALTER TABLE platform_events DISABLE TRIGGER link;

CREATE FUNCTION pg_temp.id_at(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 15))::uuid
      FROM (SELECT replace(gen_random_uuid()::text, '-', '')) x (r)
$$;
-- One of some words, each with its thousandths, but of no fewer than that many rows, among so many rows for each merchant. The last one is the rest.
CREATE FUNCTION pg_temp.one_of(words text[], shares int[], fewest int, per_merchant float8, chance float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT w FROM (SELECT w, sum(greatest(s, 1000.0 * fewest / (per_merchant * current_setting('bench.tenants')::int))) OVER (ORDER BY n) AS upto
                     FROM unnest(words, shares) WITH ORDINALITY u (w, s, n)) x
     ORDER BY upto > chance * 1000 DESC, upto LIMIT 1
$$;

-- Two years of merchants, an owner each.
CREATE TEMP TABLE made AS
SELECT n, pg_temp.id_at(at) AS id, pg_temp.id_at(at) AS owner, at,
       CASE WHEN n % 4 = 0 THEN (ARRAY['蓝鲸', '远航', '海港', '灯塔', '潮汐', '锚地', '珊瑚', '信风'])[1 + n / 4 % 8] || n || '贸易有限公司'
            WHEN n = current_setting('bench.tenants')::int / 2 + 1 THEN 'Zephyrine Chandlery Ltd'
            ELSE (ARRAY['Harbour', 'Pier', 'Anchor', 'Lantern', 'Tide', 'Quay', 'Beacon', 'Gull', 'Reef'])[1 + n % 9] || ' & ' ||
                 (ARRAY['Leaf', 'Stone', 'Oak', 'Wool', 'Salt', 'Barley', 'Copper'])[1 + n % 7] || ' ' || n || ' Ltd' END AS name
  FROM (SELECT n, now() - random() * interval '700 days' AS at FROM generate_series(1, current_setting('bench.tenants')::int) n) x;
INSERT INTO tenants (id, name, created_at) SELECT id, name, at FROM made;
INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
SELECT owner, 'merchant', 'owner' || n || '@example.com', '', at, at FROM made;
INSERT INTO memberships (tenant_id, user_id, role, created_at) SELECT id, owner, 'owner', at FROM made;

-- A dozen staff; whoever looks is the first of them, and has a third of all reviews.
INSERT INTO users (id, kind, email, password_hash, created_at, password_changed_at)
SELECT gen_random_uuid(), 'staff', 'staff' || n || '@mooring.example', '', now(), now() FROM generate_series(1, 11) n;
INSERT INTO platform_admins (user_id, created_at) SELECT id, now() FROM users WHERE email LIKE 'staff%@mooring.example';
CREATE TEMP TABLE colleagues AS
SELECT user_id, row_number() OVER (ORDER BY email = 'admin@mooring.example' DESC, email) - 1 AS n
  FROM platform_admins JOIN users ON users.id = user_id;

CREATE TEMP TABLE linked AS
SELECT x.*, pg_temp.id_at(began) AS id, sha256(convert_to(n || '/' || k, 'UTF8')) AS hash,
       pg_temp.one_of('{needs_you,provider,ours,disconnected,connected}', '{50,20,5,45,880}', 320, 5, random()) AS state,
       began + random() * (now() - began) AS since
  FROM (SELECT m.n, m.id AS tenant, m.owner, k, m.at + random() * (now() - m.at) AS began,
               pg_temp.one_of('{asiabill,redemption,zhiyun,cardwallet,chainup}', '{350,100,200,150,200}', 0, 5, random()) AS provider
          FROM made m, generate_series(1, 3 + m.n % 5) k) x;
INSERT INTO connections (tenant_id, id, provider, environment, account_hash, account_masked, account_sealed, state, reason, state_since,
                         credential_version, synced_at, created_at, next_sync_at, ends_at)
SELECT tenant, id, provider, CASE WHEN n % 10 = 0 THEN 'test' ELSE 'live' END, hash, left(k::text, 1) || '•••' || right(n::text, 1),
       hash || hash, state, CASE state WHEN 'needs_you' THEN 'needs_reauth' WHEN 'provider' THEN 'upstream' WHEN 'ours' THEN 'auth_config' ELSE '' END,
       since, 1, now() - random() * interval '2 hours', began, now() + random() * interval '2 hours',
       CASE WHEN provider IN ('asiabill', 'chainup') AND state <> 'disconnected' THEN now() + (random() * 400 - 40) * interval '1 day' END
  FROM linked;
INSERT INTO account_claims (provider, environment, account_hash, holder_tenant, holder_connection, claimed_at)
SELECT provider, environment, account_hash, tenant_id, id, created_at FROM connections WHERE state <> 'disconnected';

INSERT INTO reviews (tenant_id, state, since, linked_at, deadline, assignee)
SELECT r.id, r.state, r.at + (now() - r.at) * random(), r.at, CASE WHEN r.state = 'needs_more' THEN now() + (random() * 30 - 5) * interval '1 day' END, c.user_id
  FROM (SELECT m.*, pg_temp.one_of('{linked,in_review,needs_more,rejected,approved}', '{60,80,60,40,760}', 170, 1, random()) AS state FROM made m) r
  LEFT JOIN colleagues c ON c.n = CASE r.n % 3 WHEN 0 THEN 0 WHEN 1 THEN 1 + r.n % 11 END;

INSERT INTO inbox (tenant_id, id, connection_id, provider, serial, verified, content_hash, body_sealed, received_at, tries, reason,
                   processed_at, discarded_at, dead_at, parked_at)
SELECT tenant, pg_temp.id_at(at), id, provider, 'S' || n || '-' || k, true, hash, hash, at, 0, '',
       CASE WHEN how = 'processed' THEN at END, CASE WHEN how = 'discarded' THEN at END, CASE WHEN how = 'dead' THEN at END,
       CASE WHEN how = 'parked' THEN at END
  FROM (SELECT l.*, since + random() * (now() - since) AS at,
               pg_temp.one_of('{discarded,dead,parked,waiting,processed}', '{30,15,15,10,930}', 320, 2.4, random()) AS how
          FROM linked l WHERE k % 2 = 0) x;

INSERT INTO events (tenant_id, id, connection_id, actor_kind, actor_id, kind, detail, created_at)
SELECT tenant, pg_temp.id_at(began), id, 'person', owner, 'connection.connected', jsonb_build_object('provider', provider, 'account', '1•••5'), began
  FROM linked;
INSERT INTO platform_events (id, actor_id, kind, detail, created_at)
SELECT pg_temp.id_at(at), c.user_id, 'provider.paused', jsonb_build_object('provider', 'asiabill'), at
  FROM made m JOIN colleagues c ON c.n = m.n % 12;

INSERT INTO endpoints (id, url, kinds, created_at) VALUES ('01900000-0000-7000-8000-000000000001', 'https://crm.example.com/in', '{connection.connected}', now());
INSERT INTO deliveries (tenant_id, id, endpoint_id, event_id, kind, body, state, tries, next_at, created_at, ended_at)
SELECT tenant_id, pg_temp.id_at(at), '01900000-0000-7000-8000-000000000001', id, kind, '{}', state, 1,
       CASE WHEN state = 'waiting' THEN now() + interval '1 hour' END, at, CASE WHEN state <> 'waiting' THEN at END
  FROM (SELECT e.*, created_at AS at, pg_temp.one_of('{failed,waiting,delivered}', '{25,15,960}', 60, 1.25, random()) AS state FROM events e WHERE right(id::text, 1) < '4') x;

-- Jobs: some of what ended within the last day, and what waits. Every tenth is a mail, whose record stays for long.
INSERT INTO river.river_job (kind, args, queue, max_attempts, state, attempt, created_at, attempted_at, scheduled_at, finalized_at, errors)
SELECT kind, jsonb_build_object('tenant', tenant, 'connection', id), CASE kind WHEN 'sync' THEN 'sync_' || provider ELSE kind END, 8,
       state::river.river_job_state, CASE WHEN state IN ('scheduled', 'available') THEN 0 ELSE 1 END, at, at,
       CASE WHEN state IN ('scheduled', 'retryable') THEN now() + random() * interval '1 hour' ELSE at END,
       CASE WHEN state IN ('completed', 'cancelled', 'discarded') THEN at END,
       CASE WHEN state IN ('retryable', 'discarded') THEN ARRAY[jsonb_build_object('at', at, 'error', 'the provider does not answer')] END
  FROM (SELECT l.id, l.tenant, l.provider, now() - random() * interval '1 day' AS at,
               pg_temp.one_of('{digest,notice,mail,tell,callback,deliver,refresh,sync}', '{0,80,20,60,40,30,18,752}', 60, 5, random()) AS kind,
               CASE WHEN n <= 12 THEN 'running' ELSE pg_temp.one_of('{scheduled,retryable,available,discarded,cancelled,completed}', '{50,15,10,10,10,905}', 400, 5, random()) END AS state
          FROM linked l) x;
INSERT INTO mails (job, kind, tenant, address, state, fault, tries, created_at, tried_at, ended_at)
SELECT job, 'connection.needs_you', id, 'o***@e***', state, CASE WHEN state IN ('refused', 'failed') THEN 'refused' ELSE '' END, 1, at, at,
       CASE WHEN state <> 'waiting' THEN at END
  FROM (SELECT m.n * 3 + k AS job, m.id, now() - random() * interval '90 days' AS at,
               pg_temp.one_of('{moot,not_sent,waiting,refused,failed,cancelled,sent}', '{20,10,10,15,10,5,930}', 60, 3, random()) AS state
          FROM made m, generate_series(0, 2) k) x;

ALTER TABLE events ENABLE TRIGGER link;
ALTER TABLE platform_events ENABLE TRIGGER link;

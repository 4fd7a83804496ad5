-- What the load test of live updates needs: workspaces (`bench.workspaces` of them) with a clause each, and in each ten
-- subscribers of three organizations and five kinds, beside the benchmark's user, who edits. Their password is that user's.

CREATE TEMP TABLE live_editor AS
SELECT u.id, u.organization_id, u.password_hash
  FROM users u JOIN organizations o ON o.id = u.organization_id
 WHERE u.email = 'sarah.chen@aether-demo.com' AND o.slug = 'aether-demo';

CREATE TEMP TABLE live_workspace AS
SELECT gen_random_uuid() AS id, n, format('Live facility %s, term loan for Skerrow Wind', n) AS name
  FROM generate_series(1, current_setting('bench.workspaces')::integer) n;
DELETE FROM live_workspace l USING workspaces w WHERE w.name = l.name;

INSERT INTO workspaces (id, organization_id, name, currency, amount, created_by_id)
SELECT w.id, e.organization_id, w.name, 'EUR', 50000000 + w.n * 250000, e.id FROM live_workspace w, live_editor e;

INSERT INTO clauses (workspace_id, title, body, type, order_index, last_modified_by)
SELECT w.id, '1. Undertakings and representations of the Obligors', string_agg(format(
           '(%s) Each Obligor shall ensure that the ratio of Total Net Debt to Adjusted EBITDA in respect of any Relevant '
           'Period ending on a Quarter Date shall not exceed %s:1.00.', s, 2 + s), E'\n' ORDER BY s), 'covenant', 1, e.id
  FROM live_workspace w, live_editor e, generate_series(1, 4) s
 GROUP BY w.id, w.n, e.id ORDER BY w.n;

CREATE TEMP TABLE live_user AS
SELECT gen_random_uuid() AS id, w.id AS workspace_id, w.n, p, k.*
  FROM live_workspace w, generate_series(1, 10) p
  JOIN (VALUES (0, 'northgate-bank', 'FINANCE_MANAGER', 'agent'), (1, 'northgate-bank', 'ANALYST', 'risk'),
               (2, 'aether-demo', 'ANALYST', 'legal'), (3, 'aether-demo', 'VIEWER', 'legal'),
               (4, 'castlebrook-investors', 'VIEWER', 'investor')) AS k(kind, slug, role, in_workspace) ON k.kind = p % 5;

INSERT INTO users (id, organization_id, email, name, password_hash, role)
SELECT u.id, o.id, format('live-%s-%s@benchmark.example', u.n, u.p), format('Subscriber %s of facility %s', u.p, u.n),
       e.password_hash, u.role::user_role
  FROM live_user u JOIN organizations o ON o.slug = u.slug, live_editor e;

INSERT INTO workspace_members (workspace_id, user_id, role, is_admin, status, joined_at)
SELECT u.workspace_id, u.id, u.in_workspace::workspace_role, false, 'active'::member_status, now() FROM live_user u
UNION ALL
SELECT w.id, e.id, 'agent', true, 'active'::member_status, now() FROM live_workspace w, live_editor e;

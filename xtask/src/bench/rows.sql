-- What the benchmark reads, on top of the demo data: 80 workspaces of 20 clauses × 10 variables × 5 nodes, newer than any
-- other of its user and lying together as a document's rows do, and 5 changes or more of every deal of the organization. What it
-- edits besides: agreements of 30 and of 1,000 clauses of three terms each, with the graph that the gateway makes of them.

CREATE TEMP TABLE bench_user AS
SELECT u.id, u.organization_id
  FROM users u JOIN organizations o ON o.id = u.organization_id
 WHERE u.email = 'sarah.chen@aether-demo.com' AND o.slug = 'aether-demo';

CREATE TEMP TABLE bench_workspace AS
SELECT gen_random_uuid() AS id, w AS n,
       (SELECT greatest(max(created_at), now()) FROM workspaces) + w * interval '1 second' AS created_at
  FROM generate_series(1, 80) w
 WHERE NOT EXISTS (SELECT FROM workspaces WHERE name LIKE 'Benchmark facility %');

INSERT INTO workspaces (id, organization_id, name, currency, amount, created_by_id, created_at)
SELECT w.id, u.organization_id, format('Benchmark facility %s, revolving credit for Skerrow Wind', w.n),
       (ARRAY['EUR', 'USD', 'GBP'])[1 + w.n % 3], 50000000 + w.n * 2500000.25, u.id, w.created_at
  FROM bench_workspace w, bench_user u;

INSERT INTO workspace_members (workspace_id, user_id, role, is_admin, status, joined_at)
SELECT w.id, u.id, 'agent', true, 'active', w.created_at FROM bench_workspace w, bench_user u;

CREATE TEMP TABLE bench_clause AS
SELECT gen_random_uuid() AS id, w.id AS workspace_id, c AS n, w.n AS workspace FROM bench_workspace w, generate_series(1, 20) c;

INSERT INTO clauses (id, workspace_id, title, body, type, order_index, last_modified_by)
SELECT c.id, c.workspace_id, format('%s. Undertakings and representations of the Obligors, part %s', c.n, c.n),
       (SELECT string_agg(format(
            '(%s) Each Obligor shall ensure that the ratio of Total Net Debt to Adjusted EBITDA in respect of any Relevant '
            'Period ending on a Quarter Date shall not exceed %s.%s:1.00, save as the Majority Lenders may agree "in writing".',
            s, 2 + c.n % 4, lpad((s * 5)::text, 2, '0')), E'\n' ORDER BY s) FROM generate_series(1, 4 + c.n % 5) s),
       (enum_range(NULL::clause_type))[1 + c.n % 5], c.n, u.id
  FROM bench_clause c, bench_user u
 ORDER BY c.workspace, c.n;

CREATE TEMP TABLE bench_variable AS
SELECT gen_random_uuid() AS id, c.workspace_id, c.id AS clause_id, v AS n, c.n AS clause, c.workspace
  FROM bench_clause c, generate_series(1, 10) v;

INSERT INTO variables (id, workspace_id, clause_id, label, type, value, baseline_value)
SELECT v.id, v.workspace_id, v.clause_id,
       (ARRAY['Margin', 'Leverage Ratio', 'Interest Cover', 'Commitment Fee', 'Facility Amount', 'Arrangement Fee',
              'Basket for Permitted Disposals', 'Change of Control Threshold', 'Cure Amount', 'Distribution Cap'])[v.n],
       (enum_range(NULL::variable_type))[1 + v.n % 4],
       format('%s.%s %% per annum', 1 + v.n % 5, lpad((v.clause * 5 % 100)::text, 2, '0')),
       CASE WHEN v.n % 3 > 0 THEN format('%s.%s %% per annum', 1 + v.n % 5, lpad((v.clause * 5 % 100)::text, 2, '0')) END
  FROM bench_variable v
 ORDER BY v.workspace, v.clause, v.n;

INSERT INTO graph_nodes (workspace_id, label, type, clause_id, variable_id, value, has_drift)
SELECT v.workspace_id, format('Clause %s, term %s, occurrence %s', v.clause, v.n, g), (enum_range(NULL::node_type))[1 + g % 4],
       v.clause_id, v.id, format('%s.00 %%', g), g % 5 = 0
  FROM bench_variable v, generate_series(1, 5) g
 ORDER BY v.workspace, v.clause, v.n, g;

INSERT INTO deal_history (deal_id, field_changed, old_value, new_value, change_source, changed_at)
SELECT d.id, 'probability', (10 * h)::text, (10 * h + 10)::text, 'system', d.created_at + h * interval '1 day'
  FROM bench_user u JOIN deals d ON d.organization_id = u.organization_id, generate_series(1, 5) h
 WHERE (SELECT count(*) FROM deal_history x WHERE x.deal_id = d.id) < 5;

CREATE TEMP TABLE bench_agreement AS
SELECT gen_random_uuid() AS id, clauses, '2020-01-01'::timestamptz AS created_at FROM (VALUES (30), (1000)) a (clauses)
 WHERE NOT EXISTS (SELECT FROM workspaces WHERE name LIKE 'Benchmark agreement of %');

INSERT INTO workspaces (id, organization_id, name, currency, amount, created_by_id, created_at)
SELECT a.id, u.organization_id, format('Benchmark agreement of %s clauses', a.clauses), 'EUR', 100000000, u.id, a.created_at
  FROM bench_agreement a, bench_user u;

INSERT INTO workspace_members (workspace_id, user_id, role, is_admin, status, joined_at)
SELECT a.id, u.id, 'agent', true, 'active', a.created_at FROM bench_agreement a, bench_user u;

CREATE TEMP TABLE bench_agreed AS
SELECT gen_random_uuid() AS id, a.id AS workspace_id, n FROM bench_agreement a, generate_series(1, a.clauses) n;

INSERT INTO clauses (id, workspace_id, title, body, type, order_index, last_modified_by)
SELECT c.id, c.workspace_id, format('%s. Undertakings', c.n), format('The Margin is %s.00 %% per annum.', 1 + c.n % 9), 'financial', c.n, u.id
  FROM bench_agreed c, bench_user u;

INSERT INTO variables (workspace_id, clause_id, label, type, value, baseline_value)
SELECT c.workspace_id, c.id, format('Term %s.%s', c.n, v), 'financial', format('%s.00 %% per annum', 1 + v), format('%s.00 %% per annum', 1 + v)
  FROM bench_agreed c, generate_series(1, 3) v;

INSERT INTO graph_nodes (workspace_id, label, type, clause_id)
SELECT c.workspace_id, format('%s. Undertakings', c.n), 'financial', c.id FROM bench_agreed c;

SELECT link_variables(workspace_id, array_agg(id)) FROM bench_agreed GROUP BY workspace_id;

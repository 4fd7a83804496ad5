-- Eight users who edit: agents of each workspace of the benchmark's user, with the same password.

CREATE TEMP TABLE bench_editor AS
SELECT gen_random_uuid() AS id, n FROM generate_series(1, 8) n;

INSERT INTO users (id, organization_id, email, name, role, password_hash)
SELECT e.id, u.organization_id, format('editor.%s@aether-demo.com', e.n), format('Editor %s', e.n), u.role, u.password_hash
  FROM bench_editor e, users u JOIN bench_user b USING (id);

INSERT INTO workspace_members (workspace_id, user_id, role, is_admin, status, joined_at)
SELECT m.workspace_id, e.id, 'agent', false, 'active', m.joined_at
  FROM bench_editor e, workspace_members m JOIN bench_user u ON u.id = m.user_id
 WHERE m.role = 'agent' AND m.status = 'active';

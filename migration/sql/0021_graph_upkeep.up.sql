-- What keeps the dependency graph true between two synchronizations: one call of the database for every change of a term.

-- A synchronization is no edit of the workspace.
DROP TRIGGER zz_count_version ON workspaces;
SELECT keep_versions('workspaces', ignoring => '{last_sync_at}');

-- Brings the nodes of some clauses' variables, and what variables alone tell of edges, up to date with the variables: for
-- when one is bound or unbound. What the text tells is left to the synchronization, which finds the same (weights of
-- aether_domain::graph: 5 from a variable to its clause, 2 from one variable to the next).
CREATE FUNCTION link_variables(of_workspace uuid, of_clauses uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- A node with a value is a variable's; it has lost its variable when that was unbound.
    DELETE FROM graph_nodes n
     WHERE n.clause_id = ANY (of_clauses) AND n.variable_id IS NULL AND n.value IS NOT NULL;
    INSERT INTO graph_nodes (workspace_id, label, type, clause_id, variable_id, value)
    SELECT v.workspace_id, v.label, CASE v.type WHEN 'ratio' THEN 'covenant' ELSE v.type::text END::node_type, v.clause_id, v.id, v.value
      FROM variables v
     WHERE v.clause_id = ANY (of_clauses) AND NOT EXISTS (SELECT FROM graph_nodes n WHERE n.variable_id = v.id);
    WITH chain AS (
        SELECT n.id, lag(n.id) OVER (PARTITION BY v.clause_id ORDER BY v.created_at, v.id) AS before
          FROM variables v JOIN graph_nodes n ON n.variable_id = v.id
         WHERE v.clause_id = ANY (of_clauses)
    ), wanted AS (
        SELECT before AS source_id, id AS target_id, 2 AS weight FROM chain WHERE before IS NOT NULL
        UNION ALL
        SELECT v.id, c.id, 5
          FROM graph_nodes v
          JOIN graph_nodes c ON c.clause_id = v.clause_id AND c.variable_id IS NULL AND c.value IS NULL
         WHERE v.clause_id = ANY (of_clauses) AND v.variable_id IS NOT NULL
    ), gone AS (
        DELETE FROM graph_edges e
         USING graph_nodes s, graph_nodes t
         WHERE e.source_id = s.id AND e.target_id = t.id AND s.variable_id IS NOT NULL AND t.variable_id IS NOT NULL
           AND s.clause_id = ANY (of_clauses)
           AND NOT EXISTS (SELECT FROM wanted w WHERE w.source_id = e.source_id AND w.target_id = e.target_id)
    )
    INSERT INTO graph_edges (workspace_id, source_id, target_id, weight)
    SELECT of_workspace, source_id, target_id, weight FROM wanted
    ON CONFLICT (workspace_id, source_id, target_id) DO UPDATE SET weight = excluded.weight
     WHERE graph_edges.weight <> excluded.weight;
END
$$;

-- Brings what follows from values and drift up to date: the values and drift of the nodes of some clauses (of all, if none are
-- named), the warnings of sensitive clauses that drift, the integrity, and whether the golden record is ready. It writes only
-- what differs, and tells how state and record were and are. Whoever calls it has locked the workspace. The formula of the
-- integrity is that of aether_domain::graph::integrity.
CREATE FUNCTION refresh_graph(
    of_workspace uuid,
    of_clauses uuid[],
    ready_from numeric,
    OUT state_id uuid,
    OUT score_before numeric,
    OUT score_after numeric,
    OUT record_id uuid,
    OUT record_score_before numeric,
    OUT status_before text,
    OUT status_after text
) LANGUAGE plpgsql AS $$
BEGIN
    IF of_clauses IS NULL THEN
        of_clauses := ARRAY(SELECT id FROM clauses WHERE workspace_id = of_workspace);
        DELETE FROM graph_nodes WHERE workspace_id = of_workspace AND clause_id IS NULL;
    END IF;
    UPDATE graph_nodes n
       SET label = x.label, value = x.value, has_drift = x.has_drift, updated_at = now()
      FROM (
        SELECT v.id AS variable_id, v.label, v.value,
               EXISTS (SELECT FROM drift_items d WHERE d.variable_id = v.id AND d.status = 'unresolved') AS has_drift
          FROM variables v
         WHERE v.clause_id = ANY (of_clauses)
      ) x
     WHERE n.variable_id = x.variable_id
       AND (n.label, n.value, n.has_drift) IS DISTINCT FROM (x.label, x.value, x.has_drift);
    UPDATE graph_nodes n
       SET has_drift = NOT n.has_drift, updated_at = now()
     WHERE n.clause_id = ANY (of_clauses) AND n.variable_id IS NULL AND n.value IS NULL
       AND n.has_drift <> EXISTS (SELECT FROM drift_items d WHERE d.clause_id = n.clause_id AND d.status = 'unresolved');
    DELETE FROM graph_warnings w
     USING graph_nodes n, clauses c
     WHERE w.node_id = n.id AND n.clause_id = c.id AND w.kind = 'SENSITIVE_DRIFT' AND c.id = ANY (of_clauses)
       AND NOT (c.is_sensitive AND n.has_drift AND n.variable_id IS NULL);
    INSERT INTO graph_warnings (workspace_id, node_id, kind, subject, message)
    SELECT n.workspace_id, n.id, 'SENSITIVE_DRIFT', '', 'Is sensitive and has drift that nobody has settled.'
      FROM graph_nodes n JOIN clauses c ON c.id = n.clause_id
     WHERE c.id = ANY (of_clauses) AND c.is_sensitive AND n.has_drift AND n.variable_id IS NULL AND n.value IS NULL
    ON CONFLICT (node_id, kind, subject) DO NOTHING;
    UPDATE graph_nodes n
       SET has_warning = NOT n.has_warning, updated_at = now()
     WHERE n.clause_id = ANY (of_clauses)
       AND n.has_warning <> EXISTS (SELECT FROM graph_warnings w WHERE w.node_id = n.id);

    SELECT greatest(0, round(1 - (0.30 * count(*) FILTER (WHERE has_drift) + 0.20 * count(*) FILTER (WHERE has_warning))
               / greatest(count(*), 1), 4))
      INTO score_after FROM graph_nodes WHERE workspace_id = of_workspace;
    SELECT id, integrity_score INTO state_id, score_before FROM graph_state WHERE workspace_id = of_workspace;
    INSERT INTO graph_state (workspace_id, integrity_score, last_computed_at) VALUES (of_workspace, score_after, now())
    ON CONFLICT (workspace_id) DO UPDATE SET integrity_score = excluded.integrity_score, last_computed_at = excluded.last_computed_at
    RETURNING id INTO state_id;

    SELECT id, integrity_score, status::text,
           CASE WHEN score_after >= ready_from AND unresolved_high_drift_count = 0 THEN 'READY' ELSE 'IN_REVIEW' END
      INTO record_id, record_score_before, status_before, status_after
      FROM golden_records WHERE workspace_id = of_workspace;
    UPDATE golden_records SET integrity_score = score_after, status = status_after::golden_record_status
     WHERE id = record_id AND (record_score_before, status_before) IS DISTINCT FROM (score_after, status_after);
END
$$;

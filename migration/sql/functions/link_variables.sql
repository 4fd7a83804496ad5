-- Brings the nodes of some clauses' variables, and what variables alone tell of edges, up to date with the variables: for
-- when one is bound or unbound. What the text tells is left to the synchronization, which finds the same (weights of
-- aether_domain::graph: 5 from a variable to its clause, 2 from one variable to the next).
CREATE FUNCTION link_variables(of_workspace uuid, of_clauses uuid[]) RETURNS void LANGUAGE plpgsql
    SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
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
